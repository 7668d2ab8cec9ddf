#include "engine/tracing/pattern.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>

#include "engine/stats/multiplicity.h"
#include "engine/tracing/zone_rate.h"
#include "engine/tracing/zones.h"

namespace yieldloop::tracing {
namespace {

/// A place within the largest reach of a defect.
struct Hit {
  std::uint32_t anchor = 0;
  double distance = 0.0;
};

/// One row of the family: a class at a reach.
struct Row {
  std::uint32_t pattern = 0;
  std::size_t reach = 0;
  ZoneCounts zone;
  ZoneTest test;
};

class Tracer {
 public:
  Tracer(const FabData& data, const StepExposure& exposure, const PatternCensus& census,
         const DensityStrata& strata, const PatternOptions& options)
      : data_(data),
        exposure_(exposure),
        census_(census),
        strata_(strata),
        options_(options),
        reaches_(options.reaches_um),
        index_(gaps(census), *std::ranges::max_element(options.reaches_um)) {
    std::ranges::sort(reaches_);
    find_classes_of_anchors();
    find_hits();
    find_shares();
    active_.assign(exposure.defects.size(), 1);
    background_.defects.assign(strata.count(), 0);
    background_.area_um2 = strata.areas_um2();
    for (const std::size_t s : stratum_of_defect_) ++background_.defects[s];
  }

  std::int64_t tests() const {
    return static_cast<std::int64_t>(census_.classes.size() * reaches_.size());
  }

  /// The pattern that explains most of what is left, or nothing.
  std::optional<TracedPattern> next(const std::string& layer) {
    auto rows = count_rows();
    add_areas(rows);
    for (Row& row : rows) row.test = test_zone(row.zone, background_);
    const auto q = q_values(rows);
    const Row* best = nullptr;
    double best_q = 1.0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (q[i] > options_.q_limit || !is_large(rows[i])) continue;
      if (best && rows[i].test.log_likelihood_ratio <= best->test.log_likelihood_ratio) continue;
      best = &rows[i];
    }
    if (!best) return std::nullopt;
    best = nearest_rival(rows, *best);
    best_q = q[static_cast<std::size_t>(best - rows.data())];
    TracedPattern traced = describe(*best, layer);
    traced.q_value = best_q;
    set_aside(*best);
    return traced;
  }

 private:
  static std::vector<RectUm> gaps(const PatternCensus& census) {
    std::vector<RectUm> rects;
    for (const Anchor& a : census.anchors) rects.push_back(to_um(a.gap, census.dbu_um));
    return rects;
  }

  PointUm anchor_at(std::uint32_t a) const {
    const auto& twice = census_.anchors[a].twice;
    return {0.5 * census_.dbu_um * static_cast<double>(twice.x),
            0.5 * census_.dbu_um * static_cast<double>(twice.y)};
  }

  void find_classes_of_anchors() {
    classes_of_.resize(census_.anchors.size());
    for (std::uint32_t c = 0; c < census_.classes.size(); ++c) {
      for (const std::uint32_t a : census_.classes[c].anchors) classes_of_[a].push_back(c);
    }
  }

  void find_hits() {
    const std::size_t n = exposure_.defects.size();
    hits_.resize(n);
    stratum_of_defect_.resize(n);
    tbb::parallel_for(std::size_t{0}, n, [&](std::size_t d) {
      const PointUm p = exposure_.defects[d].at;
      stratum_of_defect_[d] = strata_.at(p);
      index_.for_near(p, reaches_.back(), [&](std::uint32_t a, double distance) {
        hits_[d].push_back({a, distance});
      });
      std::ranges::stable_sort(hits_[d], {}, &Hit::distance);
    });
  }

  /// Which part of a class's places lies in each stratum; its zone is shared out alike.
  void find_shares() {
    shares_.resize(census_.classes.size());
    tbb::parallel_for(std::size_t{0}, shares_.size(), [&](std::size_t c) {
      shares_[c].assign(strata_.count(), 0.0);
      const auto& anchors = census_.classes[c].anchors;
      for (const std::uint32_t a : anchors) {
        shares_[c][strata_.at(anchor_at(a))] += 1.0 / static_cast<double>(anchors.size());
      }
    });
  }

  /// Counts each active defect once for every class and reach it is near.
  std::vector<Row> count_rows() const {
    std::map<std::pair<std::uint32_t, std::size_t>, std::map<std::uint32_t, std::int64_t>> places;
    std::map<std::pair<std::uint32_t, std::size_t>, std::vector<std::int64_t>> strata;
    std::set<std::uint32_t> seen;
    for (std::size_t d = 0; d < hits_.size(); ++d) {
      if (!active_[d]) continue;
      seen.clear();
      for (const Hit& hit : hits_[d]) {
        for (const std::uint32_t c : classes_of_[hit.anchor]) {
          if (!seen.insert(c).second) continue;  // The nearest place of the class came first.
          for (std::size_t r = 0; r < reaches_.size(); ++r) {
            if (hit.distance > reaches_[r]) continue;
            ++places[{c, r}][hit.anchor];
            auto& by = strata[{c, r}];
            by.resize(strata_.count(), 0);
            ++by[stratum_of_defect_[d]];
          }
        }
      }
    }
    std::vector<Row> rows;
    for (const auto& [key, counts] : places) {
      Row row{key.first, key.second, {}, {}};
      for (const auto& [anchor, n] : counts) {
        row.zone.defects += n;
        row.zone.top_place = std::max(row.zone.top_place, n);
      }
      row.zone.by_stratum = strata.at(key);
      rows.push_back(std::move(row));
    }
    return rows;
  }

  std::vector<RectUm> rects_of(std::uint32_t pattern) const {
    std::vector<RectUm> rects;
    for (const std::uint32_t a : census_.classes[pattern].anchors) {
      rects.push_back(index_.rects()[a]);
    }
    return rects;
  }

  /// Areas are computed once for each class and reach that ever holds a testable count.
  void add_areas(std::vector<Row>& rows) {
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (is_large(rows[i]) && !areas_.contains({rows[i].pattern, rows[i].reach})) {
        missing.push_back(i);
      }
    }
    std::vector<double> computed(missing.size());
    tbb::parallel_for(std::size_t{0}, missing.size(), [&](std::size_t k) {
      const Row& row = rows[missing[k]];
      computed[k] = zone_area_um2(rects_of(row.pattern), reaches_[row.reach], exposure_.window);
    });
    for (std::size_t k = 0; k < missing.size(); ++k) {
      areas_[{rows[missing[k]].pattern, rows[missing[k]].reach}] = computed[k];
    }
    for (Row& row : rows) {
      const auto it = areas_.find({row.pattern, row.reach});
      // A zone too small to be tested is given the whole window: no evidence.
      const double area = it == areas_.end() ? exposure_.window.area() : it->second;
      row.zone.area_by_stratum = shares_[row.pattern];
      for (double& a : row.zone.area_by_stratum) a *= area;
    }
  }

  bool is_large(const Row& row) const {
    return row.zone.defects - row.zone.top_place >= options_.min_defects;
  }

  /// Over the whole family; a class without defects has p = 1.
  std::vector<double> q_values(const std::vector<Row>& rows) const {
    std::vector<double> p(static_cast<std::size_t>(std::max(tests(), std::int64_t{1})), 1.0);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      p[i] = is_large(rows[i]) ? rows[i].test.p_value : 1.0;
    }
    auto q = stats::benjamini_hochberg(p);
    q.resize(rows.size());
    return q;
  }

  /// Mean squared offset of the zone's defects from their nearest place's anchor point.
  double mean_offset2(const Row& row) const {
    double sum = 0.0, n = 0.0;
    for (const auto& [d, a] : zone_members(row)) {
      const PointUm at = anchor_at(a), p = exposure_.defects[d].at;
      sum += (p.x - at.x) * (p.x - at.x) + (p.y - at.y) * (p.y - at.y);
      n += 1.0;
    }
    return n > 0.0 ? sum / n : 0.0;
  }

  /// Active defects of a row's zone, each with its nearest place of the class.
  std::vector<std::pair<std::size_t, std::uint32_t>> zone_members(const Row& row) const {
    const auto& anchors = census_.classes[row.pattern].anchors;
    std::vector<std::pair<std::size_t, std::uint32_t>> members;
    for (std::size_t d = 0; d < hits_.size(); ++d) {
      if (!active_[d]) continue;
      for (const Hit& hit : hits_[d]) {
        if (hit.distance > reaches_[row.reach]) break;
        if (!std::ranges::binary_search(anchors, hit.anchor)) continue;
        members.emplace_back(d, hit.anchor);
        break;
      }
    }
    return members;
  }

  const Row* nearest_rival(const std::vector<Row>& rows, const Row& best) const {
    const Row* nearest = &best;
    double offset = mean_offset2(best);
    for (const Row& row : rows) {
      if (row.reach != best.reach || &row == &best ||
          row.test.log_likelihood_ratio < options_.rival_share * best.test.log_likelihood_ratio) {
        continue;
      }
      const double other = mean_offset2(row);
      if (other >= offset) continue;
      nearest = &row;
      offset = other;
    }
    return nearest;
  }

  /// The same class at the smallest reach that holds nearly all of its excess.
  Row widened(const Row& best) {
    auto rows = count_rows();
    std::erase_if(rows, [&](const Row& r) { return r.pattern != best.pattern; });
    add_areas(rows);
    double most = 0.0;
    for (Row& row : rows) {
      row.test = test_zone(row.zone, background_);
      most = std::max(most, static_cast<double>(row.zone.defects) - row.test.expected);
    }
    for (const Row& row : rows) {
      if (static_cast<double>(row.zone.defects) - row.test.expected >= 0.97 * most &&
          row.reach >= best.reach) {
        return row;
      }
    }
    return best;
  }

  TracedPattern describe(const Row& tested, const std::string& layer) {
    const Row row = widened(tested);
    const PatternClass& c = census_.classes[row.pattern];
    TracedPattern t;
    t.layer = layer;
    t.step = exposure_.step;
    t.pattern_id = c.id;
    t.kind = c.kind;
    t.space_um = c.space_um;
    t.radius_um = c.radius_um;
    t.occurrences = static_cast<std::int64_t>(c.anchors.size());
    t.reach_um = reaches_[row.reach];
    t.defects = row.zone.defects;
    t.expected = row.test.expected;
    t.p_value = tested.test.p_value;
    const auto members = zone_members(row);
    add_rates(row, members, t);
    add_places(c, t);
    add_sigma(members, t);
    add_classes(members, t);
    std::vector<std::size_t> defects;
    for (const auto& [d, a] : members) defects.push_back(d);
    t.die = link_to_die(data_, exposure_, defects,
                        t.attributable / std::max(1.0, static_cast<double>(t.defects)));
    return t;
  }

  void add_rates(const Row& row, const std::vector<std::pair<std::size_t, std::uint32_t>>& members,
                 TracedPattern& t) const {
    std::map<WaferId, double> counts, exposures;
    for (const std::uint32_t i : exposure_.inspections) {
      exposures[data_.inspections[i].wafer] +=
          static_cast<double>(data_.inspections[i].inspected.size());
    }
    for (const auto& [d, a] : members) ++counts[exposure_.defects[d].wafer];
    std::vector<double> n, e;
    for (const auto& [wafer, die] : exposures) {
      e.push_back(die);
      n.push_back(counts.contains(wafer) ? counts.at(wafer) : 0.0);
    }
    t.dispersion = wafer_dispersion(n, e);
    const auto count = static_cast<double>(row.zone.defects);
    const Interval ci = count_interval(count, t.dispersion);
    const double expected = std::max(t.expected, 1e-12);
    t.rate_ratio = count / expected;
    t.rate_ratio_ci = {ci.low / expected, ci.high / expected};
    t.attributable = std::max(0.0, count - t.expected);
    t.attributable_ci = {std::max(0.0, ci.low - t.expected), std::max(0.0, ci.high - t.expected)};
    const double chances =
        static_cast<double>(t.occurrences) * static_cast<double>(exposure_.die_inspections);
    t.rate_per_opportunity = t.attributable / chances;
    t.rate_per_opportunity_ci = {t.attributable_ci.low / chances, t.attributable_ci.high / chances};
  }

  void add_places(const PatternClass& c, TracedPattern& t) const {
    double length = 0.0;
    for (const std::uint32_t a : c.anchors) {
      const RectUm& r = index_.rects()[a];
      length += std::max(r.x_max - r.x_min, r.y_max - r.y_min) / static_cast<double>(t.occurrences);
      if (t.locations.size() >= options_.most_locations) continue;
      t.locations.push_back({t.layer, r.x_min, r.y_min, r.x_max - r.x_min, r.y_max - r.y_min});
    }
    t.facing_length_um = length;
  }

  /// Median of |dx| and |dy| outside the gap's own extent over the normal's 0.6745.
  void add_sigma(const std::vector<std::pair<std::size_t, std::uint32_t>>& members,
                 TracedPattern& t) const {
    std::vector<double> offsets;
    for (const auto& [d, a] : members) {
      const PointUm at = anchor_at(a), p = exposure_.defects[d].at;
      const RectUm& r = index_.rects()[a];
      // Across the gap its extent is the space, far below the position error.
      const bool across_x = r.x_max - r.x_min <= r.y_max - r.y_min;
      offsets.push_back(std::abs(across_x ? p.x - at.x : p.y - at.y));
    }
    if (offsets.empty()) return;
    const auto middle = offsets.begin() + static_cast<std::ptrdiff_t>(offsets.size() / 2);
    std::ranges::nth_element(offsets, middle);
    t.position_sigma_um = *middle / 0.6744897501960817;
  }

  void add_classes(const std::vector<std::pair<std::size_t, std::uint32_t>>& members,
                   TracedPattern& t) const {
    std::map<NameId, std::int64_t> counts;
    for (const auto& [d, a] : members) ++counts[exposure_.defects[d].class_name];
    std::int64_t most = 0;
    for (const auto& [name, n] : counts) {
      if (n <= most) continue;
      most = n;
      t.main_defect_class = data_.names[name];
      t.main_defect_class_share = static_cast<double>(n) / static_cast<double>(members.size());
    }
  }

  /// Takes the pattern's surroundings out of the defects and out of the area.
  void set_aside(const Row& best) {
    Row wide = best;
    wide.reach = reaches_.size() - 1;
    for (const auto& [d, a] : zone_members(wide)) {
      active_[d] = 0;
      --background_.defects[stratum_of_defect_[d]];
    }
    const double area = zone_area_um2(rects_of(best.pattern), reaches_.back(), exposure_.window);
    for (std::size_t s = 0; s < background_.area_um2.size(); ++s) {
      double& left = background_.area_um2[s];
      left = std::max(0.0, left - shares_[best.pattern][s] * area);
    }
  }

  const FabData& data_;
  const StepExposure& exposure_;
  const PatternCensus& census_;
  const DensityStrata& strata_;
  const PatternOptions& options_;
  std::vector<double> reaches_;
  ZoneIndex index_;
  std::vector<std::vector<std::uint32_t>> classes_of_;  ///< Shape: [anchors][classes].
  std::vector<std::vector<Hit>> hits_;                  ///< Shape: [defects][near places].
  std::vector<std::size_t> stratum_of_defect_;
  std::vector<std::vector<double>> shares_;  ///< Shape: [classes][strata].
  std::vector<char> active_;
  Background background_;
  std::map<std::pair<std::uint32_t, std::size_t>, double> areas_;
};

}  // namespace

Result<PatternResult> trace_patterns(const FabData& data, const StepExposure& exposure,
                                     const std::string& layer, const PatternCensus& census,
                                     const DensityStrata& strata, const PatternOptions& options) {
  const bool good = !options.reaches_um.empty() &&
                    std::ranges::all_of(options.reaches_um, [](double r) { return r > 0.0; });
  if (!good) {
    return Error{Errc::kInvalidOptions, "PATT-0001",
                 "The reaches of a pattern must be positive; give them in micrometres."};
  }
  PatternResult result;
  result.classes = static_cast<std::int64_t>(census.classes.size());
  result.anchors = static_cast<std::int64_t>(census.anchors.size());
  result.defects = static_cast<std::int64_t>(exposure.defects.size());
  result.unexplained = static_cast<double>(result.defects);
  Tracer tracer(data, exposure, census, strata, options);
  result.tests = tracer.tests();
  while (result.patterns.size() < options.most_patterns) {
    auto traced = tracer.next(layer);
    if (!traced) break;
    result.unexplained -= traced->attributable;
    result.patterns.push_back(std::move(*traced));
  }
  return result;
}

}  // namespace yieldloop::tracing
