// Causes in how lots are run: a place in a batch or carrier, a new recipe, a tool that only a part
// of split lots met, and two causes at once.

#include <algorithm>
#include <set>

#include "engine/simulator/scenario_list.h"
#include "engine/simulator/scenario_wafers.h"

namespace yieldloop::simulator {
namespace {

/// One place of the furnace boats, or one slot of the carriers.
class BadPlace final : public WaferEffect {
 public:
  bool plan(World& world, Random& random) override {
    static constexpr std::array<const char*, 3> kSteps{"PAD_OX", "GATE_OX", "POLY_DEP"};
    step_ = step_index(kSteps[random.below(kSteps.size())]);
    cause_.kind = "slot_or_position";
    if (random.chance(0.6)) {
      position_ = static_cast<int>(random.below(4));
      loss_ = random.uniform(0.06, 0.10);
      Visit named = world.fab.wafers.front().visits[step_];
      named.position = position_;
      cause_.subject = {{"step", step_name()}, {"position", world.fab.position_name(named)}};
    } else {
      slot_ = static_cast<int>(1 + random.below(25));
      loss_ = random.uniform(0.20, 0.30);
      cause_.subject = {{"slot", std::int64_t{slot_}}};
    }
    cause_.parameters = {{"loss_fraction", loss_}};
    cause_.expected_actions = {"clean_position", "maintain_tool"};
    return true;
  }

  bool exposed(const World& world, std::size_t wafer) const override {
    if (slot_ > 0) return world.fab.wafers[wafer].slot == slot_;
    return visit(world, wafer).position == position_;
  }

 private:
  int position_ = -1;
  int slot_ = 0;
};

/// A new recipe runs on half of the wafers of each lot from a date on, and on all later.
class NewRecipe final : public WaferEffect {
 public:
  bool plan(World& world, Random& random) override {
    static constexpr std::array<const char*, 6> kSteps{"STI_ETCH", "SPACER_ETCH", "CONT_ETCH",
                                                       "IMD1_DEP", "M1_ETCH",     "VIA1_ETCH"};
    step_ = step_index(kSteps[random.below(kSteps.size())]);
    loss_ = random.uniform(0.05, 0.09);
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < world.fab.lots.size(); ++i) order.push_back(i);
    std::ranges::sort(order, {},
                      [&](std::size_t i) { return world.fab.lots[i].runs[step_].started; });
    const std::size_t trial = order.size() / 4;
    const std::size_t all = order.size() * 3 / 4;
    recipe_ = step_name() + "_R5";
    for (std::size_t i = trial; i < order.size(); ++i) use(world, order[i], i >= all, random);
    cause_.from = world.fab.lots[order[trial]].runs[step_].started;
    add_events(world);
    cause_.kind = "recipe";
    cause_.subject = {{"step", step_name()}, {"recipe", recipe_}};
    cause_.parameters = {{"loss_fraction", loss_}};
    cause_.expected_actions = {"change_recipe"};
    return true;
  }

  bool exposed(const World& world, std::size_t wafer) const override {
    return world.fab.recipe_of(world.fab.wafers[wafer], step_) == recipe_;
  }

 private:
  void use(World& world, std::size_t lot_index, bool whole, Random& random) {
    const SimLot& lot = world.fab.lots[lot_index];
    std::vector<std::size_t> wafers;
    for (std::size_t i = 0; i < lot.wafer_count; ++i) wafers.push_back(lot.first_wafer + i);
    random.shuffle(wafers);
    if (!whole) wafers.resize(wafers.size() / 2);
    for (const std::size_t w : wafers) world.fab.wafers[w].visits[step_].recipe = recipe_;
  }

  /// Every tool of the step learns the recipe a little before its first use.
  void add_events(World& world) const {
    const auto [first, count] = world.fab.tools_of(step_);
    for (std::size_t tool = first; tool < first + count; ++tool) {
      world.fab.maintenance.push_back(
          {.tool = tool,
           .event = "recipe_changed",
           .at = after_minutes(cause_.from, -60.0 - 5.0 * static_cast<double>(tool - first)),
           .note = recipe_});
    }
  }

  std::string recipe_;
};

/// Lots are split and go on as two; some exposures are reworked. A tool that one part met is bad.
class SplitLots final : public WaferEffect {
 public:
  void set_rules(FabRules& rules, Random& random) override {
    static constexpr std::array<const char*, 3> kAfter{"GATE_OX", "SILICIDE", "M1_CMP_INSP"};
    rules.split_after = step_index(kAfter[random.below(kAfter.size())]);
    rules.rework_chance = 0.08;
    after_ = *rules.split_after;
  }

  bool plan(World& world, Random& random) override {
    std::vector<std::size_t> steps;
    for (std::size_t step = after_ + 1; step < route().size(); ++step) {
      const auto kind = world.fab.tools[world.fab.tools_of(step).first].kind;
      const bool fit = kind == ToolKind::kWet || kind == ToolKind::kPolish ||
                       kind == ToolKind::kDeposit || kind == ToolKind::kEtch;
      if (fit && step < step_index("M2_CMP_INSP")) steps.push_back(step);
    }
    random.shuffle(steps);
    loss_ = random.uniform(0.08, 0.14);
    for (const std::size_t step : steps) {
      step_ = step;
      if (!take_tool(world, random)) continue;
      cause_.kind = "tool";
      cause_.subject = tool_subject(world);
      cause_.parameters = {{"loss_fraction", loss_},
                           {"split_after", std::string(route()[after_].name)}};
      cause_.expected_actions = {"maintain_tool", "hold_tool"};
      return true;
    }
    return false;
  }

  bool exposed(const World& world, std::size_t wafer) const override {
    return on_tool(world, wafer);
  }

 private:
  /// A tool that met just one part of at least three split lots, and several lots at all.
  bool take_tool(const World& world, Random& random) {
    std::map<std::size_t, std::size_t> parts;
    for (const SimLot& lot : world.fab.lots) {
      const SimLot& mother = world.fab.lots[lot.mother];
      if (&mother == &lot || mother.runs[step_].tool == lot.runs[step_].tool) continue;
      ++parts[mother.runs[step_].tool];
      ++parts[lot.runs[step_].tool];
    }
    std::erase_if(parts, [](const auto& tool) { return tool.second < 3; });
    if (parts.empty()) return false;
    tool_ =
        std::next(parts.begin(), static_cast<std::ptrdiff_t>(random.below(parts.size())))->first;
    return true;
  }

  std::size_t after_ = 0;
};

/// One of several effects, drawn by seed.
class OneOf final : public Effect {
 public:
  explicit OneOf(Effects choices) : choices_(std::move(choices)) {}

  bool plan(World& world, Random& random) override {
    random.shuffle(choices_);
    for (auto& choice : choices_) {
      if (!choice->plan(world, random)) continue;
      chosen_ = choice.get();
      cause_ = chosen_->cause();
      return true;
    }
    return false;
  }
  void apply(const World& world, std::size_t wafer, WaferFate& fate, int cause,
             Random& random) const override {
    chosen_->apply(world, wafer, fate, cause, random);
  }
  bool exposed(const World& world, std::size_t wafer) const override {
    return chosen_->exposed(world, wafer);
  }
  double misread_chance(const World& world, const Touch& touch) const override {
    return chosen_->misread_chance(world, touch);
  }

 private:
  Effects choices_;
  Effect* chosen_ = nullptr;
};

template <class... Made>
std::unique_ptr<Effect> one_of(Made... made) {
  Effects effects;
  (effects.push_back(std::move(made)), ...);
  return std::make_unique<OneOf>(std::move(effects));
}

}  // namespace

std::unique_ptr<Effect> make_bad_place() { return std::make_unique<BadPlace>(); }
std::unique_ptr<Effect> make_new_recipe() { return std::make_unique<NewRecipe>(); }
std::unique_ptr<Effect> make_split_lots() { return std::make_unique<SplitLots>(); }
std::unique_ptr<Effect> make_process_cause() {
  return one_of(make_bad_chamber(), make_long_queue(), make_bad_place());
}
std::unique_ptr<Effect> make_other_cause() {
  return one_of(make_bridging_figure(), make_reticle_defect(), make_misreading_site());
}

}  // namespace yieldloop::simulator
