#include "models/features/fab_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace yieldloop::models {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

std::uint64_t key_of(NameId step, WaferId wafer) {
  return static_cast<std::uint64_t>(step.raw()) << 32 | wafer.raw();
}

std::string run_category(const NameTable& names, const StepRun& run, Source source) {
  switch (source) {
    case Source::kTool: return names[run.tool];
    case Source::kRecipe: return names[run.recipe];
    case Source::kReticle: return names[run.reticle];
    case Source::kPosition: return names[run.position];
    case Source::kChamber:
      if (names[run.chamber].empty()) return names[run.tool];
      return names[run.tool] + "/" + names[run.chamber];
    default: return {};
  }
}

float category_code(const FeatureColumn& column, const std::string& text) {
  const auto at = std::ranges::lower_bound(column.categories, text);
  if (text.empty() || at == column.categories.end() || *at != text) return kMissing;
  return static_cast<float>(at - column.categories.begin());
}

}  // namespace

const DieDefects* WaferInspection::find(DieIndex index) const {
  const auto at = std::ranges::lower_bound(die, index, {}, &DieDefects::die);
  return at != die.end() && at->die == index ? &*at : nullptr;
}

void FabIndex::Moments::add(double value) {
  n += 1.0;
  const double delta = value - mean;
  mean += delta / n;
  m2 += delta * (value - mean);
}

FabIndex::FabIndex(const FabData& data)
    : data_(data), final_(data.wafers.size()), first_test_(data.wafers.size()) {
  index_results();
  index_history();
  index_inspections();
  index_measurements();
  find_grid();
  raise_lot_times();
}

void FabIndex::index_results() {
  for (const DieResult& r : data_.die_results) {
    UtcMicros& first = first_test_[r.wafer.raw()];
    if (r.tested_at.known() && (!first.known() || r.tested_at < first)) first = r.tested_at;
    if (r.final_result) final_[r.wafer.raw()].push_back({r.die, !r.pass});
  }
  std::set<DieIndex> positions;
  for (auto& die : final_) {
    if (die.empty()) continue;
    ++tested_wafers_;
    std::ranges::sort(die);
    // Of several insertions the failing one counts: it sorts last, so the last of a die stays.
    std::vector<FinalDie> kept;
    for (const FinalDie& d : die) {
      if (!kept.empty() && kept.back().die == d.die)
        kept.back() = d;
      else
        kept.push_back(d);
    }
    die = std::move(kept);
    for (const FinalDie& d : die) positions.insert(d.die);
  }
  positions_.assign(positions.begin(), positions.end());
}

void FabIndex::note_time(std::string_view step, WaferId wafer, UtcMicros at) {
  auto found = after_test_.find(step);
  if (found == after_test_.end())
    found = after_test_.emplace(std::string(step), std::pair(0, 0)).first;
  const UtcMicros test = first_test_[wafer.raw()];
  if (!test.known() || !at.known()) return;
  ++found->second.second;
  if (at > test) ++found->second.first;
}

void FabIndex::index_history() {
  std::set<std::string> steps;
  for (std::uint32_t i = 0; i < data_.step_runs.size(); ++i) {
    const StepRun& run = data_.step_runs[i];
    const std::string& step = data_.names[run.step];
    steps.insert(step);
    note_time(step, run.wafer, run.started);
    const auto [at, added] = last_run_.try_emplace(key_of(run.step, run.wafer), i);
    if (added) continue;
    const StepRun& known = data_.step_runs[at->second];
    if (std::tie(run.started, run.step_seq) >= std::tie(known.started, known.step_seq))
      at->second = i;
  }
  process_steps_.assign(steps.begin(), steps.end());
}

void FabIndex::index_inspections() {
  std::set<std::string> steps;
  for (std::uint32_t i = 0; i < data_.inspections.size(); ++i) {
    const Inspection& inspection = data_.inspections[i];
    steps.insert(data_.names[inspection.step]);
    note_time(data_.names[inspection.step], inspection.wafer, inspection.inspected_at);
    WaferInspection& last = inspected_[key_of(inspection.step, inspection.wafer)];
    if (last.position == UINT32_MAX ||
        inspection.inspected_at >= data_.inspections[last.position].inspected_at) {
      last.position = i;
    }
  }
  inspection_steps_.assign(steps.begin(), steps.end());

  for (const Defect& d : data_.defects) class_ids_.try_emplace(class_label(d), 0);
  std::uint32_t next = 0;
  for (auto& [label, id] : class_ids_) id = next++;

  std::map<std::pair<std::uint64_t, DieIndex>, DieDefects> by_die;
  for (const Defect& d : data_.defects) {
    const Inspection& inspection = data_.inspections[d.inspection];
    const std::uint64_t key = key_of(inspection.step, inspection.wafer);
    WaferInspection& wafer = inspected_[key];
    if (wafer.position != d.inspection) continue;  // An earlier inspection of the same step.
    ++wafer.defects;
    DieDefects& die = by_die[{key, d.die}];
    die.die = d.die;
    ++die.count;
    die.largest_um = std::max(die.largest_um, d.size_um);
    const std::uint32_t id = class_id(class_label(d));
    const auto at = std::ranges::find(die.by_class, id, [](const auto& c) { return c.first; });
    if (at == die.by_class.end())
      die.by_class.emplace_back(id, 1U);
    else
      ++at->second;
  }
  for (auto& [key, die] : by_die) inspected_[key.first].die.push_back(std::move(die));
}

void FabIndex::index_measurements() {
  const NameTable& names = data_.names;
  for (const FdcValue& v : data_.fdc) {
    if (!std::isfinite(v.value)) continue;
    fdc_[{names[v.step], names[v.sensor], names[v.statistic]}][v.wafer.raw()].add(v.value);
  }
  for (const MetrologyValue& v : data_.metrology) {
    if (!std::isfinite(v.value)) continue;
    metrology_[{names[v.step], names[v.parameter]}][v.wafer.raw()].add(v.value);
  }
  for (const auto& [key, values] : fdc_) fdc_keys_.push_back(key);
  for (const auto& [key, values] : metrology_) metrology_keys_.push_back(key);
}

void FabIndex::find_grid() {
  if (positions_.empty()) return;
  double low_x = positions_.front().x, high_x = low_x, low_y = positions_.front().y, high_y = low_y;
  for (const DieIndex& d : positions_) {
    low_x = std::min<double>(low_x, d.x), high_x = std::max<double>(high_x, d.x);
    low_y = std::min<double>(low_y, d.y), high_y = std::max<double>(high_y, d.y);
  }
  grid_.centre_x = (low_x + high_x + 1.0) / 2.0;
  grid_.centre_y = (low_y + high_y + 1.0) / 2.0;

  double pitch_x_um = data_.product.die_width_um, pitch_y_um = data_.product.die_height_um;
  const auto framed = std::ranges::find_if(data_.inspections, [](const Inspection& i) {
    return i.die_pitch_x_um > 0.0 && i.die_pitch_y_um > 0.0;
  });
  if (framed != data_.inspections.end()) {
    if (pitch_x_um <= 0.0 || pitch_y_um <= 0.0) {
      pitch_x_um = framed->die_pitch_x_um, pitch_y_um = framed->die_pitch_y_um;
    }
    const double x = framed->sample_center_x_um / framed->die_pitch_x_um;
    const double y = framed->sample_center_y_um / framed->die_pitch_y_um;
    // A file that leaves the centre out says (0, 0), which then lies at the edge of the map or
    // beyond it; the middle of the tested die is the better guess.
    const auto is_inside = [](double v, double low, double high) {
      const double quarter = (high + 1.0 - low) / 4.0;
      return v >= low + quarter && v <= high + 1.0 - quarter;
    };
    if (is_inside(x, low_x, high_x) && is_inside(y, low_y, high_y)) {
      grid_.centre_x = x, grid_.centre_y = y;
    }
  }
  if (pitch_x_um > 0.0 && pitch_y_um > 0.0 && data_.product.wafer_diameter_mm > 0.0) {
    grid_.pitch_x = pitch_x_um / 1000.0, grid_.pitch_y = pitch_y_um / 1000.0;
    grid_.radius = data_.product.wafer_diameter_mm / 2.0;
    return;
  }
  grid_.radius = 0.0;
  for (const DieIndex& d : positions_) {
    grid_.radius =
        std::max(grid_.radius, std::hypot(d.x + 0.5 - grid_.centre_x, d.y + 0.5 - grid_.centre_y));
  }
  grid_.radius += 0.5;
}

void FabIndex::raise_lot_times() {
  // The strongest kind of time that a lot has wins: test, else process, else inspection.
  const auto raise = [this](std::unordered_map<NameId, UtcMicros>& times, WaferId wafer,
                            UtcMicros at) {
    if (!at.known()) return;
    UtcMicros& lot = times[data_.wafers[wafer.raw()].lot];
    if (!lot.known() || lot < at) lot = at;
  };
  for (const DieResult& r : data_.die_results) raise(lot_time_, r.wafer, r.tested_at);
  std::unordered_map<NameId, UtcMicros> processed, inspected;
  for (const StepRun& r : data_.step_runs) {
    raise(processed, r.wafer, r.ended.known() ? r.ended : r.started);
  }
  for (const Inspection& i : data_.inspections) raise(inspected, i.wafer, i.inspected_at);
  for (const auto& [lot, at] : processed) lot_time_.try_emplace(lot, at);
  for (const auto& [lot, at] : inspected) lot_time_.try_emplace(lot, at);
}

UtcMicros FabIndex::lot_time(NameId lot) const {
  const auto at = lot_time_.find(lot);
  return at == lot_time_.end() ? UtcMicros{} : at->second;
}

bool FabIndex::is_after_test(std::string_view step) const {
  const auto at = after_test_.find(step);
  return at != after_test_.end() && 2 * at->second.first > at->second.second;
}

std::vector<std::string> FabIndex::categories(Source source, std::string_view step) const {
  const NameId id = data_.names.find(step);
  std::set<std::string> found;
  for (std::uint32_t w = 0; w < data_.wafers.size(); ++w) {
    const auto at = last_run_.find(key_of(id, WaferId{w}));
    if (at == last_run_.end()) continue;
    std::string text = run_category(data_.names, data_.step_runs[at->second], source);
    if (!text.empty()) found.insert(std::move(text));
  }
  return {found.begin(), found.end()};
}

std::vector<std::string> FabIndex::classes_at(std::string_view step, std::size_t limit) const {
  const NameId id = data_.names.find(step);
  std::map<std::string, std::size_t> counts;
  for (const Defect& d : data_.defects) {
    if (data_.inspections[d.inspection].step == id) ++counts[class_label(d)];
  }
  std::vector<std::pair<std::string, std::size_t>> ranked(counts.begin(), counts.end());
  std::ranges::stable_sort(ranked, std::greater{}, [](const auto& c) { return c.second; });
  if (ranked.size() > limit) ranked.resize(limit);
  std::vector<std::string> labels;
  for (const auto& [label, count] : ranked) labels.push_back(label);
  return labels;
}

const WaferInspection* FabIndex::inspection(WaferId wafer, NameId step) const {
  const auto at = inspected_.find(key_of(step, wafer));
  return at == inspected_.end() ? nullptr : &at->second;
}

bool FabIndex::covers(const WaferInspection& inspection, DieIndex die) const {
  const auto& listed = data_.inspections[inspection.position].inspected;
  return listed.empty() || std::ranges::binary_search(listed, die);
}

std::string FabIndex::class_label(const Defect& defect) const {
  const std::string& name = data_.names[defect.class_name];
  return name.empty() ? fmt::format("class {}", defect.class_number) : name;
}

std::uint32_t FabIndex::class_id(std::string_view label) const {
  const auto at = class_ids_.find(label);
  return at == class_ids_.end() ? UINT32_MAX : at->second;
}

std::vector<float> FabIndex::run_values(const FeatureColumn& column) const {
  std::vector<float> values(data_.wafers.size(), kMissing);
  const NameId step = data_.names.find(column.keys[0]);
  for (std::uint32_t w = 0; w < values.size(); ++w) {
    const auto at = last_run_.find(key_of(step, WaferId{w}));
    if (at == last_run_.end()) continue;
    const StepRun& run = data_.step_runs[at->second];
    if (is_category(column.source)) {
      values[w] = category_code(column, run_category(data_.names, run, column.source));
    } else if (run.queue_minutes >= 0.0) {
      values[w] = static_cast<float>(run.queue_minutes);
    }
  }
  return values;
}

std::vector<float> FabIndex::measured_values(const FeatureColumn& column) const {
  std::vector<float> values(data_.wafers.size(), kMissing);
  const auto& table = column.source == Source::kFdc ? fdc_ : metrology_;
  const auto found = table.find(column.keys);
  if (found == table.end()) return values;
  for (const auto& [wafer, m] : found->second) {
    if (column.source != Source::kMetrologySpread) {
      values[wafer] = static_cast<float>(m.mean);
    } else if (m.n > 1.5) {
      values[wafer] = static_cast<float>(std::sqrt(m.m2 / (m.n - 1.0)));
    }
  }
  return values;
}

std::vector<float> FabIndex::density_values(const FeatureColumn& column) const {
  std::vector<float> values(data_.wafers.size(), kMissing);
  const NameId step = data_.names.find(column.keys[0]);
  const std::uint32_t id = column.keys.size() > 1 ? class_id(column.keys[1]) : 0;
  for (std::uint32_t w = 0; w < values.size(); ++w) {
    const WaferInspection* seen = inspection(WaferId{w}, step);
    if (!seen) continue;
    const std::size_t listed = data_.inspections[seen->position].inspected.size();
    const std::size_t die = listed > 0 ? listed : positions_.size();
    std::uint32_t count = seen->defects;
    if (column.source == Source::kClassDensity) {
      count = 0;
      for (const DieDefects& d : seen->die) {
        for (const auto& [c, n] : d.by_class) count += c == id ? n : 0;
      }
    }
    if (die > 0) values[w] = static_cast<float>(count) / static_cast<float>(die);
  }
  return values;
}

std::vector<float> FabIndex::wafer_values(const FeatureColumn& column) const {
  switch (column.source) {
    case Source::kTool:
    case Source::kChamber:
    case Source::kRecipe:
    case Source::kReticle:
    case Source::kPosition:
    case Source::kQueue: return run_values(column);
    case Source::kFdc:
    case Source::kMetrologyMean:
    case Source::kMetrologySpread: return measured_values(column);
    case Source::kDefectDensity:
    case Source::kClassDensity: return density_values(column);
    default: break;
  }
  std::vector<float> slots;
  for (const Wafer& wafer : data_.wafers) slots.push_back(static_cast<float>(wafer.slot));
  return slots;
}

}  // namespace yieldloop::models
