// One site of one probe card reads some good die as contact fails. Testing such a die again at
// another site finds it good, which not every die gets.

#include <algorithm>
#include <map>

#include "engine/simulator/scenario_list.h"
#include "engine/simulator/test_model.h"

namespace yieldloop::simulator {
namespace {

class MisreadingSite final : public Effect {
 public:
  bool plan(World& world, Random& random) override {
    std::map<std::string, std::size_t> lots;
    for (const SimLot& lot : world.fab.lots) ++lots[lot.probe_card];
    std::vector<std::string> candidates;
    for (const auto& [card, count] : lots) {
      if (count >= 3 && count + 3 <= world.fab.lots.size()) candidates.push_back(card);
    }
    if (candidates.empty()) return false;
    card_ = candidates[random.below(candidates.size())];
    site_ = static_cast<int>(random.below(kSites));
    chance_ = random.uniform(0.08, 0.20);
    cause_.kind = "test_artefact";
    cause_.subject = {{"insertion", std::string(kInsertion)},
                      {"probe_card", card_},
                      {"site", std::int64_t{site_}}};
    cause_.parameters = {{"misread_chance", chance_}, {"retest_share", kRetestShare}};
    cause_.expected_actions = {"fix_probe_card", "recalibrate_site", "retest"};
    return true;
  }

  bool exposed(const World& world, std::size_t wafer) const override {
    return world.lot_of(world.fab.wafers[wafer]).probe_card == card_;
  }

  double misread_chance(const World& world, const Touch& touch) const override {
    return touch.site == site_ && exposed(world, touch.wafer) ? chance_ : 0.0;
  }

 private:
  std::string card_;
  int site_ = 0;
  double chance_ = 0.0;
};

/// A probe card wears: the more it has touched, the more good die it reads as contact fails, at
/// every site.
class WornCard final : public Effect {
 public:
  bool plan(World& world, Random& random) override {
    std::map<std::string, std::vector<std::size_t>> lots;
    for (std::size_t i = 0; i < world.fab.lots.size(); ++i) {
      lots[world.fab.lots[i].probe_card].push_back(i);
    }
    std::erase_if(lots, [&](const auto& card) {
      return card.second.size() < 4 || card.second.size() + 3 > world.fab.lots.size();
    });
    if (lots.empty()) return false;
    auto& [card, order] =
        *std::next(lots.begin(), static_cast<std::ptrdiff_t>(random.below(lots.size())));
    const std::size_t sort = step_index("WAFER_SORT");
    std::ranges::sort(order, {},
                      [&](std::size_t i) { return world.fab.lots[i].runs[sort].started; });
    const double last = random.uniform(0.14, 0.26);
    chance_.assign(world.fab.lots.size(), 0.0);
    for (std::size_t i = 0; i < order.size(); ++i) {
      chance_[order[i]] =
          0.01 + last * static_cast<double>(i) / static_cast<double>(order.size() - 1);
    }
    cause_.kind = "test_artefact";
    cause_.subject = {{"insertion", std::string(kInsertion)}, {"probe_card", card}};
    cause_.parameters = {{"misread_chance_at_end", last}, {"retest_share", kRetestShare}};
    cause_.expected_actions = {"fix_probe_card", "retest"};
    return true;
  }

  bool exposed(const World& world, std::size_t wafer) const override {
    return chance_[world.fab.wafers[wafer].lot] > 0.0;
  }

  double misread_chance(const World& world, const Touch& touch) const override {
    return chance_[world.fab.wafers[touch.wafer].lot];
  }

 private:
  std::vector<double> chance_;  // by lot
};

}  // namespace

std::unique_ptr<Effect> make_worn_card() { return std::make_unique<WornCard>(); }
std::unique_ptr<Effect> make_misreading_site() { return std::make_unique<MisreadingSite>(); }

}  // namespace yieldloop::simulator
