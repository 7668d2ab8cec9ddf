#include "engine/process/defect_repeater.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <set>
#include <tuple>
#include <unordered_map>

#include "engine/stats/contingency.h"
#include "engine/stats/distributions.h"

namespace yieldloop::process {
namespace {

int floor_mod(int a, int b) { return ((a % b) + b) % b; }
int floor_div(int a, int b) { return (a - floor_mod(a, b)) / b; }

struct Exposed {
  std::uint32_t wafer = 0;
  int field_x = 0, field_y = 0;
  friend auto operator<=>(const Exposed&, const Exposed&) = default;
};

struct Folded {
  double x = 0, y = 0;
  int label = 0;
  Exposed exposed;
  std::size_t exposure = 0;  ///< Position of (label, exposed) among all exposures.
};

/// More centres than this in one cell of the grid say no more of a place, and each costs as many
/// looks as the place has defects.
constexpr std::size_t kCentres = 1000;

/// One inspection step.
class Step {
 public:
  Step(const FabData& data, NameId step, const DefectRepeaterOptions& options)
      : data_(data),
        step_(step),
        options_(options),
        labels_(data.product.reticle_columns * data.product.reticle_rows),
        exposures_(static_cast<std::size_t>(labels_), 0.0) {}

  void fold(const std::vector<std::vector<const Defect*>>& by_inspection) {
    std::vector<std::vector<Exposed>> exposed(static_cast<std::size_t>(labels_));
    for (std::size_t i = 0; i < data_.inspections.size(); ++i) {
      const Inspection& inspection = data_.inspections[i];
      if (inspection.step != step_) continue;
      for (const DieIndex die : inspection.inspected) {
        const auto [label, where] = place(inspection.wafer, die);
        exposed[static_cast<std::size_t>(label)].push_back(where);
      }
      for (const Defect* d : by_inspection[i]) {
        const auto [label, where] = place(inspection.wafer, d->die);
        exposed[static_cast<std::size_t>(label)].push_back(where);
        folded_.push_back({.x = d->x_um, .y = d->y_um, .label = label, .exposed = where});
      }
    }
    number_exposures(exposed);
    std::ranges::sort(folded_, [](const Folded& a, const Folded& b) {
      return std::tie(a.label, a.x, a.y, a.exposed) < std::tie(b.label, b.x, b.y, b.exposed);
    });
    for (std::size_t i = 0; i < folded_.size(); ++i) grid_[cell(folded_[i])].push_back(i);
  }

  /// Places with enough hits, the most hit first; each defect belongs to one place.
  void search(std::vector<DefectRepeater>& found) {
    std::vector<std::pair<std::size_t, std::size_t>> order;  // Hits, defect.
    for (const std::size_t i : centres()) {
      const std::size_t hits = hits_at(folded_[i], folded_[i].label, nullptr, nullptr);
      if (hits >= options_.min_hits) order.emplace_back(hits, i);
    }
    std::ranges::sort(order, [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    std::vector<char> taken(folded_.size(), 0);
    for (const auto& [hits, i] : order) {
      if (!taken[i]) found.push_back(test(folded_[i], taken));
    }
  }

 private:
  std::pair<int, Exposed> place(WaferId wafer, DieIndex die) const {
    const Product& p = data_.product;
    const int x = die.x - p.reticle_origin.x, y = die.y - p.reticle_origin.y;
    const int label =
        floor_mod(y, p.reticle_rows) * p.reticle_columns + floor_mod(x, p.reticle_columns);
    return {label, {wafer.raw(), floor_div(x, p.reticle_columns), floor_div(y, p.reticle_rows)}};
  }

  static std::uint64_t key(std::int64_t x, std::int64_t y) {
    return static_cast<std::uint64_t>(x) << 32 ^ (static_cast<std::uint64_t>(y) & 0xffffffffULL);
  }
  std::uint64_t cell(const Folded& f) const {
    return key(static_cast<std::int64_t>(std::floor(f.x / options_.tolerance_um)),
               static_cast<std::int64_t>(std::floor(f.y / options_.tolerance_um)));
  }

  void number_exposures(std::vector<std::vector<Exposed>>& exposed) {
    std::vector<std::size_t> first;
    std::size_t all = 0;
    for (std::size_t l = 0; l < exposed.size(); ++l) {
      std::ranges::sort(exposed[l]);
      exposed[l].erase(std::unique(exposed[l].begin(), exposed[l].end()), exposed[l].end());
      exposures_[l] = static_cast<double>(exposed[l].size());
      die_ += exposures_[l];
      first.push_back(all);
      all += exposed[l].size();
    }
    for (Folded& f : folded_) {
      const auto& of_label = exposed[static_cast<std::size_t>(f.label)];
      const auto at = std::ranges::lower_bound(of_label, f.exposed) - of_label.begin();
      f.exposure = first[static_cast<std::size_t>(f.label)] + static_cast<std::size_t>(at);
    }
    counted_in_.assign(all, 0);
  }

  /// The defects that places are sought around: all, but of crowded cells an even share.
  std::vector<std::size_t> centres() const {
    std::vector<std::size_t> chosen;
    for (const auto& [key, members] : grid_) {
      const std::size_t stride = (members.size() + kCentres - 1) / kCentres;
      for (std::size_t k = 0; k < members.size(); k += stride) chosen.push_back(members[k]);
    }
    std::ranges::sort(chosen);
    return chosen;
  }

  /// Distinct exposures of one label (negative: of all others than -label - 1) near a place.
  std::size_t hits_at(const Folded& at, int label, std::vector<std::size_t>* members,
                      std::set<std::uint32_t>* wafers) {
    std::size_t hits = 0;
    ++look_;
    const auto cx = static_cast<std::int64_t>(std::floor(at.x / options_.tolerance_um));
    const auto cy = static_cast<std::int64_t>(std::floor(at.y / options_.tolerance_um));
    const double reach = options_.tolerance_um * options_.tolerance_um;
    for (std::int64_t dy = -1; dy <= 1; ++dy) {
      for (std::int64_t dx = -1; dx <= 1; ++dx) {
        const auto it = grid_.find(key(cx + dx, cy + dy));
        if (it == grid_.end()) continue;
        for (const std::size_t i : it->second) {
          const Folded& f = folded_[i];
          if (label >= 0 ? f.label != label : f.label == -label - 1) continue;
          if ((f.x - at.x) * (f.x - at.x) + (f.y - at.y) * (f.y - at.y) > reach) continue;
          if (counted_in_[f.exposure] != look_) ++hits;
          counted_in_[f.exposure] = look_;
          if (members != nullptr) members->push_back(i);
          if (wafers != nullptr) wafers->insert(f.exposed.wafer);
        }
      }
    }
    return hits;
  }

  DefectRepeater test(const Folded& at, std::vector<char>& taken) {
    std::vector<std::size_t> members;
    std::set<std::uint32_t> wafers;
    DefectRepeater out{.step = step_};
    out.field_x = at.label % data_.product.reticle_columns;
    out.field_y = at.label / data_.product.reticle_columns;
    out.hits = static_cast<std::int64_t>(hits_at(at, at.label, &members, &wafers));
    out.other_hits = static_cast<std::int64_t>(hits_at(at, -at.label - 1, nullptr, nullptr));
    const double n = exposures_[static_cast<std::size_t>(at.label)];
    out.exposures = static_cast<std::int64_t>(n);
    out.other_exposures = static_cast<std::int64_t>(die_ - n);
    for (const std::size_t i : members) {
      taken[i] = 1;
      out.x_um += folded_[i].x / static_cast<double>(members.size());
      out.y_um += folded_[i].y / static_cast<double>(members.size());
    }
    const double area = data_.product.die_width_um * data_.product.die_height_um * die_;
    const double density = static_cast<double>(folded_.size()) / area;
    const double chance =
        -std::expm1(-density * std::numbers::pi * options_.tolerance_um * options_.tolerance_um);
    out.expected = n * chance;
    // The place was chosen because a defect is there: that one is not evidence.
    const double background = stats::binomial_upper_p(out.hits - 1, out.exposures - 1, chance);
    const double against_others =
        stats::fisher_exact(out.hits, out.exposures - out.hits, out.other_hits,
                            out.other_exposures - out.other_hits)
            .p_greater;
    out.p_value = std::max(background, against_others);
    for (const std::uint32_t w : wafers) out.wafers.push_back(WaferId{w});
    return out;
  }

  const FabData& data_;
  NameId step_;
  DefectRepeaterOptions options_;
  int labels_;
  std::vector<double> exposures_;  ///< Shape: [labels].
  double die_ = 0;                 ///< Inspected die, all labels.
  std::vector<Folded> folded_;
  std::vector<std::uint32_t> counted_in_;  ///< By exposure: the look that counted it last.
  std::uint32_t look_ = 0;
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> grid_;
};

}  // namespace

Result<DefectRepeaterResult> defect_repeaters(const FabData& data,
                                              const DefectRepeaterOptions& options) {
  const Product& p = data.product;
  if (!(options.alpha > 0) || options.alpha > 0.5 || !(options.tolerance_um > 0) ||
      options.min_hits < 2) {
    return Error{Errc::kInvalidOptions, "DREP-0001",
                 "Defect repeaters need alpha in (0, 0.5], a tolerance above 0 and at least 2 "
                 "hits."};
  }
  if (data.defects.empty()) {
    return Error{Errc::kNoData, "DREP-0002",
                 "No defect was found; load inspection results of this product first."};
  }
  if (!(p.die_width_um > 0) || !(p.die_height_um > 0) || p.reticle_columns < 1 ||
      p.reticle_rows < 1 || p.reticle_columns * p.reticle_rows < 2) {
    return Error{Errc::kNoData, "DREP-0003",
                 "Mask defects need the die size and a field of several die; give both in "
                 "product.toml."};
  }
  std::vector<std::vector<const Defect*>> by_inspection(data.inspections.size());
  for (const Defect& d : data.defects) by_inspection[d.inspection].push_back(&d);
  std::set<NameId> steps;
  for (const Inspection& i : data.inspections) steps.insert(i.step);
  std::vector<DefectRepeater> found;
  for (const NameId step : steps) {
    Step search(data, step, options);
    search.fold(by_inspection);
    search.search(found);
  }
  std::ranges::stable_sort(found, {}, &DefectRepeater::p_value);
  DefectRepeaterResult result;
  const double places = p.die_width_um * p.die_height_um * p.reticle_columns * p.reticle_rows /
                        (std::numbers::pi * options.tolerance_um * options.tolerance_um);
  result.family = std::max(places, 1.0) * static_cast<double>(steps.size());
  result.family_text = fmt::format("{:.0f} places of the field at {} steps, Benjamini-Hochberg",
                                   result.family, steps.size());
  double q = 1.0;
  for (std::size_t i = found.size(); i-- > 0;) {
    q = std::min(q, found[i].p_value * result.family / static_cast<double>(i + 1));
    found[i].q_value = q;
  }
  std::erase_if(found, [&](const DefectRepeater& r) { return r.q_value > options.alpha; });
  if (found.size() > options.max_reported) found.resize(options.max_reported);
  result.repeaters = std::move(found);
  return result;
}

}  // namespace yieldloop::process
