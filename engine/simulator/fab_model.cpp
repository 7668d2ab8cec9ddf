#include "engine/simulator/fab_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <queue>

namespace yieldloop::simulator {
namespace {

constexpr int kWafersPerLot = 25;
constexpr double kLotIntervalMinutes = 16 * 60.0;

std::string first_tool_name(const GroupSpec& group) {
  return fmt::format("{}{:02}", group.prefix, group.first_number);
}

class History {
 public:
  History(std::size_t lots, const FabRules& rules, const Random& random)
      : rules_(rules),
        random_(random.fork(1)),
        tool_random_(random.fork(2)),
        rule_random_(random.fork(4)),
        lot_count_(lots) {
    Random size_random = random.fork(3);
    extra_chambers_ = static_cast<int>(size_random.below(2));
    extra_scanners_ = static_cast<int>(size_random.below(3)) - 1;
    extra_others_ = static_cast<int>(size_random.below(2));
    inspected_wafers_ = 9 + size_random.below(7);
  }

  Fab run() {
    make_tools();
    make_lots();
    plan_maintenance();
    move_lots();
    fab_.closed = latest_;
    return std::move(fab_);
  }

 private:
  void make_tools() {
    for (const GroupSpec& group : tool_groups()) {
      const int tools = group.tools + extra_tools(group.kind);
      fab_.group_sizes.push_back(static_cast<std::size_t>(tools));
      for (int i = 0; i < tools; ++i) {
        fab_.tools.push_back({fmt::format("{}{:02}", group.prefix, group.first_number + i),
                              std::string(group.chambers), group.positions, group.kind});
      }
    }
    busy_until_.resize(fab_.tools.size());
  }

  /// Etch and deposition groups of one kind keep the same number of tools.
  int extra_tools(ToolKind kind) const {
    switch (kind) {
      case ToolKind::kEtch:
      case ToolKind::kDeposit: return extra_chambers_;
      case ToolKind::kScanner: return extra_scanners_;
      case ToolKind::kPolish:
      case ToolKind::kWet:
      case ToolKind::kInspect: return extra_others_;
      default: return 0;
    }
  }

  void make_lots() {
    const std::int64_t day =
        *days_from_civil(2026, 1, 5) + static_cast<std::int64_t>(random_.below(120));
    fab_.opened = {day * kMicrosPerDay + 6 * 3600 * kMicrosPerSecond};
    const auto first_number = 26'000 + random_.below(900);
    UtcMicros time = after_minutes(fab_.opened, 24 * 60.0);
    for (std::size_t i = 0; i < lot_count_; ++i) {
      SimLot lot;
      lot.id = fmt::format("L{:05}", first_number + i);
      lot.started = time;
      lot.priority = random_.chance(0.15) ? 1 : 3;
      lot.first_wafer = fab_.wafers.size();
      lot.wafer_count = kWafersPerLot;
      lot.tester = fmt::format("TST{:02}", 1 + random_.below(3));
      lot.probe_card = fmt::format("PC{:02}", 41 + (i + random_.below(2)) % 3);
      lot.prober = fmt::format("PRB{:02}", 1 + random_.below(4));
      lot.runs.resize(route().size());
      lot.mother = i;
      make_wafers(i);
      fab_.lots.push_back(std::move(lot));
      time = after_minutes(time, kLotIntervalMinutes * random_.uniform(0.5, 1.5));
    }
  }

  void make_wafers(std::size_t lot_index) {
    std::vector<int> slots(kWafersPerLot);
    for (int i = 0; i < kWafersPerLot; ++i) slots[static_cast<std::size_t>(i)] = i + 1;
    std::vector<int> sampled = slots;
    random_.shuffle(sampled);
    sampled.resize(inspected_wafers_);
    for (const int slot : slots) {
      fab_.wafers.push_back({.lot = lot_index,
                             .id = fmt::format("W{:02}", slot),
                             .slot = slot,
                             .inspected = std::ranges::find(sampled, slot) != sampled.end(),
                             .visits = std::vector<Visit>(route().size()),
                             .mother_lot = lot_index});
    }
  }

  /// Every tool stops for some hours every one to two weeks, and now and then without warning.
  void plan_maintenance() {
    fab_.downtimes.resize(fab_.tools.size());
    const double span = 25 * 1440.0 + kLotIntervalMinutes * static_cast<double>(lot_count_);
    for (std::size_t tool = 0; tool < fab_.tools.size(); ++tool) {
      Random random = tool_random_.fork(tool);
      double minute = random.uniform(0.0, 9 * 1440.0);
      while (minute < span) {
        const bool scheduled = random.chance(0.75);
        const double length = scheduled ? random.uniform(120, 480) : random.uniform(30, 360);
        const UtcMicros from = after_minutes(fab_.opened, minute);
        fab_.downtimes[tool].push_back({from, after_minutes(from, length), scheduled});
        add_event(tool, from, length, scheduled, random);
        minute += length + random.uniform(4 * 1440.0, 12 * 1440.0);
      }
    }
  }

  void add_event(std::size_t tool, UtcMicros from, double length, bool scheduled, Random& random) {
    static constexpr std::array<const char*, 4> kParts{"FOCUS_RING", "O_RING", "PAD", "LAMP"};
    const auto chambers = fab_.tools[tool].chambers.size();
    MaintenanceEvent event{.tool = tool, .at = from};
    event.chamber = chambers > 0 ? static_cast<int>(random.below(chambers)) : -1;
    if (!scheduled) {
      event.event = "alarm";
      event.note = fmt::format("ALM-{}", 1000 + random.below(900));
    } else if (random.chance(0.5)) {
      event.event = "pm";
    } else if (random.chance(0.4)) {
      event.event = "part_replaced";
      event.part = kParts[random.below(kParts.size())];
    } else {
      event.event = random.chance(0.5) ? "cleaning" : "calibration";
    }
    fab_.maintenance.push_back(event);
    if (scheduled && random.chance(0.3)) {
      event.event = "calibration";
      event.part.clear();
      event.at = after_minutes(from, length * 0.8);
      fab_.maintenance.push_back(event);
    }
  }

  /// The first instant not before `time` at which the tool can hold a run of `minutes`.
  UtcMicros free_at(std::size_t tool, UtcMicros time, double minutes) const {
    UtcMicros start = std::max(time, busy_until_[tool]);
    for (const Downtime& down : fab_.downtimes[tool]) {
      if (start < down.to && down.from < after_minutes(start, minutes)) start = down.to;
    }
    return start;
  }

  void move_lots() {
    using Ready = std::tuple<std::int64_t, std::size_t, std::size_t>;  // time, lot, step
    std::priority_queue<Ready, std::vector<Ready>, std::greater<>> ready;
    for (std::size_t lot = 0; lot < lot_count_; ++lot) {
      ready.emplace(fab_.lots[lot].started.count, lot, std::size_t{0});
    }
    while (!ready.empty()) {
      const auto [time, lot, step] = ready.top();
      ready.pop();
      const UtcMicros end = process(lot, step, UtcMicros{time});
      if (step + 1 < route().size()) ready.emplace(end.count, lot, step + 1);
      if (rules_.split_after == step && fab_.lots[lot].mother == lot && rule_random_.chance(0.6)) {
        ready.emplace(end.count, split(lot, step), step + 1);
      }
      latest_ = std::max(latest_, end);
    }
  }

  /// The upper slots go on as a lot of their own. Returns that lot.
  std::size_t split(std::size_t mother_index, std::size_t step) {
    SimLot& mother = fab_.lots[mother_index];
    SimLot part = mother;
    part.id = mother.id + ".1";
    part.wafer_count = 8 + rule_random_.below(6);
    mother.wafer_count -= part.wafer_count;
    part.first_wafer = mother.first_wafer + mother.wafer_count;
    part.split_after = step;
    part.reworked.clear();
    for (std::size_t i = 0; i < part.wafer_count; ++i) {
      fab_.wafers[part.first_wafer + i].lot = fab_.lots.size();
    }
    fab_.lots.push_back(std::move(part));
    return fab_.lots.size() - 1;
  }

  UtcMicros process(std::size_t lot_index, std::size_t step_number, UtcMicros arrived) {
    const bool exposes = !route()[step_number].reticle.empty();
    if (exposes && rules_.rework_chance > 0 && rule_random_.chance(rules_.rework_chance)) {
      arrived = run_once(lot_index, step_number, arrived);
      SimLot& lot = fab_.lots[lot_index];
      lot.reworked.push_back(lot.runs[step_number]);
      for (std::size_t i = 0; i < lot.wafer_count; ++i) {
        SimWafer& wafer = fab_.wafers[lot.first_wafer + i];
        wafer.reworked.emplace_back(step_number, wafer.visits[step_number]);
      }
    }
    return run_once(lot_index, step_number, arrived);
  }

  std::size_t choose_tool(const SimLot& lot, std::size_t step_number) {
    const auto [first, count] = fab_.tools_of(step_number);
    const std::size_t free_choice = first + random_.below(count);
    if (route()[step_number].name == "WAFER_SORT") return tool_named(lot.tester);
    if (!rules_.tie || rules_.tie->step != step_number) return free_choice;
    const std::size_t before = rules_.tie->follows;
    return first + (lot.runs[before].tool - fab_.tools_of(before).first) % count;
  }

  UtcMicros run_once(std::size_t lot_index, std::size_t step_number, UtcMicros arrived) {
    const StepSpec& step = route()[step_number];
    SimLot& lot = fab_.lots[lot_index];
    LotRun& run = lot.runs[step_number];
    run.tool = choose_tool(lot, step_number);
    run.recipe = fmt::format("{}_R{}", step.name, random_.chance(0.85) ? 3 : 4);
    if (!step.reticle.empty()) {
      run.reticle = fmt::format("D28{}-{:03}", step.reticle, 101 + random_.below(3));
    }
    run.person = fmt::format("OP{:02}", 1 + random_.below(18));
    const double priority_factor = lot.priority == 1 ? 0.6 : 1.0;
    const double wait = step.queue_minutes * priority_factor * std::exp(random_.normal(0.0, 0.65));
    const double per_wafer = step.minutes_per_wafer * random_.uniform(0.95, 1.05);
    const double length = per_wafer * kWafersPerLot + 10.0;
    run.started = free_at(run.tool, after_minutes(arrived, wait), length);
    if (rules_.parallel == step_number) {
      run.second_tool = other_tool(run.tool, step_number);
      run.started = both_free_at(run.tool, *run.second_tool, run.started, length);
    }
    run.ended = run.started;
    visit_wafers(lot, run, step_number, arrived, per_wafer);
    busy_until_[run.tool] = run.ended;
    if (run.second_tool) busy_until_[*run.second_tool] = run.ended;
    return run.ended;
  }

  std::size_t other_tool(std::size_t tool, std::size_t step_number) {
    const auto [first, count] = fab_.tools_of(step_number);
    return first + (tool - first + 1 + rule_random_.below(count - 1)) % count;
  }

  UtcMicros both_free_at(std::size_t one, std::size_t two, UtcMicros time, double minutes) const {
    for (;;) {
      const UtcMicros later = free_at(two, free_at(one, time, minutes), minutes);
      if (later == time) return time;
      time = later;
    }
  }

  std::size_t tool_named(const std::string& name) const {
    const auto found = std::ranges::find(fab_.tools, name, &Tool::name);
    return static_cast<std::size_t>(found - fab_.tools.begin());
  }

  /// Chambers and heads are taken in random order within every group of as many wafers.
  void visit_wafers(const SimLot& lot, LotRun& run, std::size_t step_number, UtcMicros arrived,
                    double per_wafer) {
    const StepSpec& step = route()[step_number];
    const Tool& tool = fab_.tools[run.tool];
    const bool tied = rules_.tie && rules_.tie->step == step_number;
    const std::vector<int> chambers = draw_order(static_cast<int>(tool.chambers.size()));
    const std::vector<int> positions = draw_order(tool.positions);
    for (std::size_t i = 0; i < lot.wafer_count; ++i) {
      SimWafer& wafer = fab_.wafers[lot.first_wafer + i];
      Visit& visit = wafer.visits[step_number];
      visit.tool = run.second_tool && i % 2 == 1 ? *run.second_tool : run.tool;
      visit.chamber = chambers.empty() ? -1 : chambers[i];
      if (tied) visit.chamber = wafer.visits[rules_.tie->follows].chamber;
      visit.position = positions.empty() ? -1 : positions[i];
      visit.started =
          after_minutes(run.started, step.batch ? 0.0 : per_wafer * static_cast<double>(i));
      const double taken = step.batch ? per_wafer * kWafersPerLot : per_wafer + 2.0;
      visit.ended = after_minutes(visit.started, taken);
      const UtcMicros left = step_number == 0 ? lot.started : wafer.visits[step_number - 1].ended;
      // A run that is done again waits from the end of the first.
      const bool again = !wafer.reworked.empty() && wafer.reworked.back().first == step_number;
      visit.queue_minutes = minutes_between(again ? arrived : left, visit.started);
      run.ended = std::max(run.ended, visit.ended);
    }
  }

  std::vector<int> draw_order(int choices) {
    std::vector<int> order;
    if (choices == 0) return order;
    std::vector<int> turn(static_cast<std::size_t>(choices));
    while (order.size() < kWafersPerLot) {
      for (int i = 0; i < choices; ++i) turn[static_cast<std::size_t>(i)] = i;
      random_.shuffle(turn);
      order.insert(order.end(), turn.begin(), turn.end());
    }
    order.resize(kWafersPerLot);
    return order;
  }

  FabRules rules_;
  Random random_;
  Random tool_random_;
  Random rule_random_;
  std::size_t lot_count_;
  int extra_chambers_ = 0;
  int extra_scanners_ = 0;
  int extra_others_ = 0;
  std::size_t inspected_wafers_ = 12;
  Fab fab_;
  std::vector<UtcMicros> busy_until_;
  UtcMicros latest_;
};

}  // namespace

std::pair<std::size_t, std::size_t> Fab::tools_of(std::size_t step) const {
  std::size_t first = 0;
  for (std::size_t i = 0; i < tool_groups().size(); ++i) {
    const std::size_t count = group_sizes[i];
    if (first_tool_name(tool_groups()[i]) == route()[step].group) return {first, count};
    first += count;
  }
  assert(false);
  return {0, 1};
}

std::string Fab::chamber_name(const Visit& visit) const {
  if (visit.chamber < 0) return {};
  return std::string(1, tools[visit.tool].chambers[static_cast<std::size_t>(visit.chamber)]);
}

std::string Fab::position_name(const Visit& visit) const {
  if (visit.position < 0) return {};
  const char* what = tools[visit.tool].kind == ToolKind::kPolish    ? "HEAD"
                     : tools[visit.tool].kind == ToolKind::kScanner ? "CHUCK"
                                                                    : "BOAT";
  return fmt::format("{}{}", what, visit.position + 1);
}

const std::string& Fab::lot_id_at(const SimWafer& wafer, std::size_t step) const {
  const SimLot& lot = lots[wafer.lot];
  const bool with_mother = lot.mother != wafer.lot && step <= lot.split_after;
  return with_mother ? lots[lot.mother].id : lot.id;
}

const std::string& Fab::recipe_of(const SimWafer& wafer, std::size_t step) const {
  const std::string& own = wafer.visits[step].recipe;
  return own.empty() ? lots[wafer.lot].runs[step].recipe : own;
}

Fab run_fab(std::size_t lots, const FabRules& rules, const Random& random) {
  return History(lots, rules, random).run();
}

}  // namespace yieldloop::simulator
