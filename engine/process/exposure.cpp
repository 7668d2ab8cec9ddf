#include "engine/process/exposure.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <unordered_map>

namespace yieldloop::process {
namespace {

std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

struct Visit {
  AttributeName name{};
  std::uint32_t wafer = 0;
  double key = 0.0;
  bool has_key = false;
};

/// A slot that wafers keep is the same slot at each step, not 50 rivals of itself.
bool is_slot_at_a_step(const AttributeName& slot, const AttributeName& other) {
  return slot.slot > 0 && slot.slot == other.slot && slot.step == NameId{};
}

class Builder {
 public:
  explicit Builder(const FabData& data) : data_(data) {
    std::map<NameId, std::uint32_t> lots;
    for (const Wafer& wafer : data.wafers) {
      const auto next = static_cast<std::uint32_t>(lots.size());
      table_.lot_of.push_back(lots.try_emplace(wafer.lot, next).first->second);
    }
    table_.lots = lots.size();
  }

  /// Adds the rows of visits that share one universe: all wafers named in them.
  void add_family(std::vector<Visit>& visits) {
    if (visits.empty()) return;
    std::vector<char> universe(data_.wafers.size(), 0);
    for (const Visit& visit : visits) universe[visit.wafer] = 1;
    add_family(visits, universe);
  }

  void add_family(std::vector<Visit>& visits, const std::vector<char>& universe) {
    const std::size_t u = universe_of(universe);
    const auto size = static_cast<std::size_t>(std::count(universe.begin(), universe.end(), 1));
    std::ranges::sort(visits, [](const Visit& a, const Visit& b) {
      return std::tie(a.name, a.wafer, a.key) < std::tie(b.name, b.wafer, b.key);
    });
    for (std::size_t begin = 0; begin < visits.size();) {
      std::size_t end = begin;
      while (end < visits.size() && visits[end].name == visits[begin].name) ++end;
      add_row({visits.begin() + static_cast<std::ptrdiff_t>(begin),
               visits.begin() + static_cast<std::ptrdiff_t>(end)},
              u, size);
      begin = end;
    }
    visits.clear();
  }

  ExposureTable finish() {
    std::ranges::sort(table_.rows,
                      [](const Exposure& a, const Exposure& b) { return a.name < b.name; });
    return std::move(table_);
  }

 private:
  std::size_t universe_of(const std::vector<char>& universe) {
    for (std::size_t u = 0; u < table_.universes.size(); ++u) {
      if (table_.universes[u] == universe) return u;
    }
    table_.universes.push_back(universe);
    return table_.universes.size() - 1;
  }

  void add_row(std::vector<Visit> visits, std::size_t universe, std::size_t universe_size) {
    // A wafer counts once, at its first visit.
    const auto last = std::unique(visits.begin(), visits.end(), [](const Visit& a, const Visit& b) {
      return a.wafer == b.wafer;
    });
    visits.erase(last, visits.end());
    Exposure row{.name = visits.front().name,
                 .same_wafers = {},
                 .wafers = {},
                 .keys = {},
                 .universe = universe,
                 .everything = visits.size() == universe_size};
    std::uint64_t hash = mix(universe + 1), hash2 = hash;
    for (const Visit& visit : visits) {
      hash += mix(visit.wafer);
      hash2 += mix(visit.wafer ^ 0xabcdef0123ULL);
    }
    // Waits of one step are not the waits of another, whoever waited.
    if (row.name.kind == AttributeKind::kQueueTime) hash += mix(row.name.step.raw() + (1ULL << 40));
    const auto [it, is_new] = seen_.try_emplace(hash ^ mix(hash2), table_.rows.size());
    if (!is_new) {
      Exposure& known = table_.rows[it->second];
      if (!is_slot_at_a_step(known.name, row.name)) known.same_wafers.push_back(row.name);
      return;
    }
    std::ranges::sort(visits, [](const Visit& a, const Visit& b) {
      return std::tie(a.key, a.wafer) < std::tie(b.key, b.wafer);
    });
    const bool keyed = std::ranges::all_of(visits, &Visit::has_key);
    for (const Visit& visit : visits) {
      row.wafers.push_back(visit.wafer);
      if (keyed) row.keys.push_back(visit.key);
    }
    table_.rows.push_back(std::move(row));
  }

  const FabData& data_;
  ExposureTable table_;
  std::unordered_map<std::uint64_t, std::size_t> seen_;
};

Visit visit_of(const StepRun& run, AttributeKind kind) {
  const UtcMicros at = run.started.known() ? run.started : run.ended;
  Visit visit{.name = {.kind = kind, .step = run.step},
              .wafer = run.wafer.raw(),
              .key = at.known() ? static_cast<double>(at.count) : 0.0,
              .has_key = at.known()};
  return visit;
}

/// Visits of one kind at one step; runs whose log leaves the attribute empty are left out.
template <class Fill>
std::vector<Visit> visits_of(const std::vector<const StepRun*>& runs, AttributeKind kind,
                             Fill fill) {
  std::vector<Visit> visits;
  for (const StepRun* run : runs) {
    Visit visit = visit_of(*run, kind);
    if (fill(*run, visit)) visits.push_back(visit);
  }
  return visits;
}

void add_step(Builder& builder, const FabData& data, const std::vector<const StepRun*>& runs,
              const ExposureOptions& options) {
  using Kind = AttributeKind;
  std::vector<char> with_tool(data.wafers.size(), 0);
  for (const StepRun* run : runs) {
    if (run->tool != NameId{}) with_tool[run->wafer.raw()] = 1;
  }
  auto visits = visits_of(runs, Kind::kTool, [](const StepRun& run, Visit& v) {
    v.name.tool = run.tool;
    return run.tool != NameId{};
  });
  if (!visits.empty()) builder.add_family(visits, with_tool);
  visits = visits_of(runs, Kind::kChamber, [](const StepRun& run, Visit& v) {
    v.name.tool = run.tool;
    v.name.chamber = run.chamber;
    return run.tool != NameId{} && run.chamber != NameId{};
  });
  if (!visits.empty()) builder.add_family(visits, with_tool);
  visits = visits_of(runs, Kind::kRecipe, [](const StepRun& run, Visit& v) {
    v.name.recipe = run.recipe;
    return run.recipe != NameId{};
  });
  builder.add_family(visits);
  visits = visits_of(runs, Kind::kReticle, [](const StepRun& run, Visit& v) {
    v.name.reticle = run.reticle;
    return run.reticle != NameId{};
  });
  builder.add_family(visits);
  visits = visits_of(runs, Kind::kSlotOrPosition, [](const StepRun& run, Visit& v) {
    v.name.position = run.position;
    return run.position != NameId{};
  });
  builder.add_family(visits);
  visits = visits_of(runs, Kind::kSlotOrPosition, [](const StepRun& run, Visit& v) {
    v.name.slot = run.slot;
    return run.slot > 0;
  });
  builder.add_family(visits);
  if (!options.queue_times) return;
  visits = visits_of(runs, Kind::kQueueTime, [](const StepRun& run, Visit& v) {
    v.key = run.queue_minutes;
    v.has_key = true;
    return run.queue_minutes >= 0;
  });
  builder.add_family(visits);
}

void add_wafer_slots_and_time(Builder& builder, const FabData& data) {
  std::vector<Visit> slots, times;
  for (std::uint32_t w = 0; w < data.wafers.size(); ++w) {
    if (data.wafers[w].slot <= 0) continue;
    slots.push_back({.name = {.kind = AttributeKind::kSlotOrPosition, .slot = data.wafers[w].slot},
                     .wafer = w});
  }
  builder.add_family(slots);
  // The fab's clock: when each wafer's last step began.
  std::vector<double> last(data.wafers.size(), 0.0);
  for (const StepRun& run : data.step_runs) {
    if (!run.started.known()) continue;
    double& at = last[run.wafer.raw()];
    at = std::max(at, static_cast<double>(run.started.count));
  }
  for (std::uint32_t w = 0; w < data.wafers.size(); ++w) {
    if (last[w] == 0.0) continue;
    times.push_back({.name = {.kind = AttributeKind::kTimeChange},
                     .wafer = w,
                     .key = last[w],
                     .has_key = true});
  }
  builder.add_family(times);
}

void add_test_equipment(Builder& builder, const FabData& data) {
  std::map<NameId, std::vector<Visit>> cards, testers;
  const DieResult* previous = nullptr;
  for (const DieResult& row : data.die_results) {
    if (!row.final_result) continue;
    // Neighbouring rows are of one touch-down sequence: only a change adds a visit.
    if (previous != nullptr && previous->wafer == row.wafer &&
        previous->insertion == row.insertion && previous->probe_card == row.probe_card &&
        previous->tester == row.tester) {
      continue;
    }
    previous = &row;
    Visit visit{.wafer = row.wafer.raw(),
                .key = row.tested_at.known() ? static_cast<double>(row.tested_at.count) : 0.0,
                .has_key = row.tested_at.known()};
    visit.name.insertion = row.insertion;
    if (row.probe_card != NameId{}) {
      visit.name.kind = AttributeKind::kProbeCard;
      visit.name.probe_card = row.probe_card;
      cards[row.insertion].push_back(visit);
      visit.name.probe_card = {};
    }
    if (row.tester != NameId{}) {
      visit.name.kind = AttributeKind::kTester;
      visit.name.tester = row.tester;
      testers[row.insertion].push_back(visit);
    }
  }
  for (auto& [insertion, visits] : cards) builder.add_family(visits);
  for (auto& [insertion, visits] : testers) builder.add_family(visits);
}

void put(std::map<std::string, std::string>& subject, const char* field, const std::string& text) {
  if (!text.empty()) subject[field] = text;
}

}  // namespace

std::string finding_kind(AttributeKind kind) {
  switch (kind) {
    case AttributeKind::kTimeChange: return "time_change";
    case AttributeKind::kTool: return "tool";
    case AttributeKind::kChamber: return "chamber";
    case AttributeKind::kRecipe: return "recipe";
    case AttributeKind::kReticle: return "reticle";
    case AttributeKind::kSlotOrPosition: return "slot_or_position";
    case AttributeKind::kQueueTime: return "queue_time";
    case AttributeKind::kProbeCard:
    case AttributeKind::kTester: return "test_artefact";
  }
  return "";
}

std::map<std::string, std::string> subject_of(const AttributeName& name, const NameTable& names) {
  std::map<std::string, std::string> subject;
  put(subject, "step", names[name.step]);
  put(subject, "tool", names[name.tool]);
  put(subject, "chamber", names[name.chamber]);
  put(subject, "recipe", names[name.recipe]);
  put(subject, "reticle", names[name.reticle]);
  put(subject, "position", names[name.position]);
  put(subject, "insertion", names[name.insertion]);
  put(subject, "probe_card", names[name.probe_card]);
  put(subject, "tester", names[name.tester]);
  if (name.slot > 0) subject["slot"] = std::to_string(name.slot);
  return subject;
}

std::string describe(const AttributeName& name, const NameTable& names) {
  std::string text;
  switch (name.kind) {
    case AttributeKind::kTimeChange: return "all wafers";
    case AttributeKind::kTool: text = names[name.tool]; break;
    case AttributeKind::kChamber: text = names[name.tool] + "/" + names[name.chamber]; break;
    case AttributeKind::kRecipe: text = "recipe " + names[name.recipe]; break;
    case AttributeKind::kReticle: text = "reticle " + names[name.reticle]; break;
    case AttributeKind::kSlotOrPosition:
      text =
          name.slot > 0 ? "slot " + std::to_string(name.slot) : "position " + names[name.position];
      break;
    case AttributeKind::kQueueTime: return "the wait before " + names[name.step];
    case AttributeKind::kProbeCard: text = "probe card " + names[name.probe_card]; break;
    case AttributeKind::kTester: text = "tester " + names[name.tester]; break;
  }
  const std::string& place = names[name.step].empty() ? names[name.insertion] : names[name.step];
  return place.empty() ? text : text + " at " + place;
}

ExposureTable tabulate_exposures(const FabData& data, const ExposureOptions& options) {
  Builder builder(data);
  add_wafer_slots_and_time(builder, data);
  std::map<NameId, std::vector<const StepRun*>> by_step;
  for (const StepRun& run : data.step_runs) by_step[run.step].push_back(&run);
  for (const auto& [step, runs] : by_step) add_step(builder, data, runs, options);
  if (options.test_equipment) add_test_equipment(builder, data);
  return builder.finish();
}

}  // namespace yieldloop::process
