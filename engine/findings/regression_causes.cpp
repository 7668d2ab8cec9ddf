#include "engine/findings/regression_causes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/core/random.h"
#include "engine/defects/inspected_area.h"
#include "engine/findings/step_defects.h"
#include "engine/tracing/layout_columns.h"

namespace yieldloop::findings {
namespace {

using tracing::ColumnEffect;
using tracing::Direction;
using tracing::PointUm;
using tracing::RegressionTable;
using tracing::StepExposure;

constexpr int kTilesAcross = 12;  // 144 parts of the die: enough clusters, each with some defects.

const ProductLayer* layer_named(const Product& product, const std::string& name) {
  const auto it = std::ranges::find(product.layers, name, &ProductLayer::name);
  return it == product.layers.end() ? nullptr : &*it;
}

std::optional<layout::LayerIndex> drawn(const layout::Layout& layout, const ProductLayer* layer) {
  if (layer == nullptr) return std::nullopt;
  return layout.find_layer({layer->gds_layer, layer->gds_datatype});
}

/// "density_gradient" of "density_gradient_25um".
std::string feature_of(const std::string& column) {
  const auto at = column.rfind('_');
  const bool radius = at != std::string::npos && column.ends_with("um");
  return radius ? column.substr(0, at) : column;
}

std::string radius_of(const std::string& column) {
  const auto at = column.rfind('_');
  return at != std::string::npos && column.ends_with("um") ? column.substr(at + 1) : std::string();
}

/// One step's cases and what explains some of them.
struct Cases {
  StepExposure exposure;
  std::vector<std::size_t> kept;  ///< Positions in exposure.defects.
  std::vector<tracing::RectUm> explained;
  double reach_um = 0.0;
};

/// Drops what traced places explain, and all but three defects of any 2 um of the die.
void choose_cases(const LayoutTrace* trace, double alpha, std::size_t most, Cases& cases) {
  if (trace != nullptr) {
    for (const auto& p : trace->patterns) {
      if (p.step != cases.exposure.step) continue;
      cases.explained.insert(cases.explained.end(), p.places.begin(), p.places.end());
      cases.reach_um = std::max(cases.reach_um, explained_reach(p.reach_um, p.position_sigma_um));
    }
    for (std::size_t i = 0; i < trace->vias.size(); ++i) {
      const auto& v = trace->vias[i];
      if (v.step != cases.exposure.step || trace->via_q[i] > alpha || v.single_to_double <= 1.0)
        continue;
      cases.explained.insert(cases.explained.end(), v.places.begin(), v.places.end());
      cases.reach_um = std::max(cases.reach_um, explained_reach(v.reach_um, v.position_sigma_um));
    }
  }
  const auto points = points_of(cases.exposure);
  auto near = near_places(cases.explained, std::max(cases.reach_um, 1e-3), points);
  leave_few_at_a_place(points, near);
  for (std::size_t d = 0; d < points.size(); ++d) {
    if (!near[d]) cases.kept.push_back(d);
  }
  if (cases.kept.size() <= most) return;
  std::vector<std::size_t> thinned;
  for (std::size_t i = 0; i < most; ++i)
    thinned.push_back(cases.kept[i * cases.kept.size() / most]);
  cases.kept = std::move(thinned);
}

/// Distance of the die's centre from the wafer's, mm.
double die_radius_mm(const FabData& data, const Inspection& inspection, DieIndex die) {
  const auto pitch = defects::die_pitch(data, inspection);
  return std::hypot((die.x + 0.5) * pitch.x_um - inspection.sample_center_x_um,
                    (die.y + 0.5) * pitch.y_um - inspection.sample_center_y_um) /
         1000.0;
}

class TableMaker {
 public:
  TableMaker(const FabData& data, const Cases& cases, const RegressionCauseOptions& options)
      : data_(data), cases_(cases), options_(options) {}

  RegressionTable make(const tracing::LayoutColumns& columns) {
    RegressionTable table{.columns = columns.names(), .cases = cases_.kept.size()};
    table.columns.push_back("wafer_radius");
    for (const std::size_t d : cases_.kept) add_case(cases_.exposure.defects[d], table);
    add_controls(table);
    const auto values = columns.values(points_);
    const std::size_t k = columns.names().size();
    for (std::size_t r = 0; r < points_.size(); ++r) {
      table.values.insert(table.values.end(), values.begin() + static_cast<std::ptrdiff_t>(r * k),
                          values.begin() + static_cast<std::ptrdiff_t>((r + 1) * k));
      table.values.push_back(radius_[r]);
      table.tile.push_back(tile_of(points_[r]));
    }
    return table;
  }

 private:
  void add_case(const tracing::LocatedDefect& d, RegressionTable& table) {
    points_.push_back(d.at);
    const Defect& defect = data_.defects[d.defect];
    radius_.push_back(die_radius_mm(data_, data_.inspections[defect.inspection], d.die));
    table.wafer.push_back(d.wafer.raw());
    table.lot.push_back(data_.wafers[d.wafer.raw()].lot.raw());
  }

  /// Uniform over the window, without what was set aside, on inspected die drawn evenly.
  void add_controls(const RegressionTable& table) {
    const std::size_t wanted =
        std::clamp<std::size_t>(options_.controls_per_case * table.cases, 5'000, 40'000);
    auto points = tracing::control_points(cases_.exposure.window, wanted, options_.seed);
    const auto near = near_places(cases_.explained, std::max(cases_.reach_um, 1e-3), points);
    Random random(options_.seed ^ 0x5DEECE66Dull);
    std::vector<std::pair<std::uint32_t, std::size_t>> seen;  // Inspection, die so far.
    std::size_t die = 0;
    for (const std::uint32_t i : cases_.exposure.inspections) {
      die += data_.inspections[i].inspected.size();
      seen.emplace_back(i, die);
    }
    for (std::size_t p = 0; p < points.size(); ++p) {
      if (near[p] || die == 0) continue;
      const std::size_t at = random.below(die);
      const auto it =
          std::ranges::upper_bound(seen, at, {}, [](const auto& s) { return s.second; });
      const Inspection& inspection = data_.inspections[it->first];
      points_.push_back(points[p]);
      radius_.push_back(
          die_radius_mm(data_, inspection,
                        inspection.inspected[at - (it->second - inspection.inspected.size())]));
    }
  }

  std::uint32_t tile_of(PointUm p) const {
    const auto& w = cases_.exposure.window;
    const auto along = [](double v, double low, double high) {
      const double t = high > low ? (v - low) / (high - low) * kTilesAcross : 0.0;
      return static_cast<std::uint32_t>(std::clamp(t, 0.0, kTilesAcross - 1.0));
    };
    return along(p.y, w.y_min, w.y_max) * kTilesAcross + along(p.x, w.x_min, w.x_max);
  }

  const FabData& data_;
  const Cases& cases_;
  const RegressionCauseOptions& options_;
  std::vector<PointUm> points_;
  std::vector<double> radius_;
};

std::string unit_of(const std::string& feature) {
  if (feature == "density" || feature.starts_with("via_density")) return "";
  if (feature == "density_gradient") return " per 100 um";
  if (feature == "perimeter") return " per um";
  return feature == "wafer_radius" ? " mm" : " um";
}

std::string words_of(const std::string& column, const std::string& layer) {
  std::string words = feature_of(column);
  std::ranges::replace(words, '_', ' ');
  if (column == "edge_distance") words = "distance to the nearest edge";
  const std::string radius = radius_of(column);
  return fmt::format("{} of {}{}", words, layer, radius.empty() ? "" : " within " + radius);
}

/// Cases where the curve is in its highest quarter of the area, by the value's place on the curve.
std::vector<std::size_t> hot_cases(const RegressionTable& table, const ColumnEffect& effect,
                                   std::size_t column) {
  std::vector<std::size_t> order(effect.curve.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return effect.curve[a].rate > effect.curve[b].rate;
  });
  std::vector<char> hot(effect.curve.size(), 0);
  for (std::size_t i = 0; i < (order.size() + 2) / 4; ++i) hot[order[i]] = 1;
  std::vector<std::size_t> cases;
  for (std::size_t r = 0; r < table.cases; ++r) {
    const double v = table.at(r, column);
    if (std::isnan(v)) continue;
    const auto nearest = std::ranges::min_element(
        effect.curve, {}, [&](const auto& point) { return std::abs(point.value - v); });
    if (hot[static_cast<std::size_t>(nearest - effect.curve.begin())]) cases.push_back(r);
  }
  return cases;
}

std::vector<RegressionCause> causes_of(const FabData& data, const Cases& cases,
                                       const RegressionTable& table, const std::string& layer,
                                       const tracing::RegressionResult& regression,
                                       const RegressionCauseOptions& options) {
  std::vector<RegressionCause> causes;
  std::set<std::string> said;
  for (const tracing::AcceptedColumn& a : regression.accepted) {
    const ColumnEffect& effect = regression.effects[a.column];
    if (effect.column == "wafer_radius" || effect.extreme_ratio < options.min_rate_ratio ||
        !said.insert(feature_of(effect.column)).second)
      continue;
    RegressionCause cause{.column = a.column};
    cause.subject = {{"step", cases.exposure.step},
                     {"layer", layer},
                     {"feature", feature_of(effect.column)},
                     {"direction", tracing::direction_name(effect.direction)}};
    const std::string radius = radius_of(effect.column);
    if (!radius.empty()) cause.subject["radius"] = radius;
    cause.words = words_of(effect.column, layer);
    for (const std::size_t r : hot_cases(table, effect, a.column))
      cause.hot_defects.push_back(cases.exposure.defects[cases.kept[r]].defect);
    std::ranges::sort(cause.hot_defects);
    cause.attributable = a.share_of_cases * static_cast<double>(table.cases);
    cause.die = tracing::link_to_die(data, cases.exposure, cases.kept, a.share_of_cases);
    causes.push_back(std::move(cause));
  }
  return causes;
}

/// Via layers that join this metal, drawn in the layout.
std::vector<tracing::LayoutColumns::Via> vias_on(const Product& product,
                                                 const layout::Layout& layout,
                                                 const std::string& metal) {
  std::vector<tracing::LayoutColumns::Via> vias;
  for (const ProductLayer& via : product.layers) {
    if (std::ranges::find(via.connects, metal) == via.connects.end()) continue;
    if (const auto index = drawn(layout, &via)) vias.emplace_back(via.name, *index);
  }
  return vias;
}

/// Which metals each step sees.
std::map<std::string, std::set<std::string>> metals_seen(const Product& product,
                                                         const RegressionCauseOptions& options) {
  std::map<std::string, std::set<std::string>> seen;
  for (const InspectionLayers& i : product.inspections) {
    if (!options.step.empty() && options.step != i.step) continue;
    for (const std::string& name : i.layers) {
      const ProductLayer* layer = layer_named(product, name);
      const bool metal = layer != nullptr && layer->kind != LayerKind::kVia &&
                         layer->kind != LayerKind::kContact && layer->kind != LayerKind::kMarker;
      if (metal && (options.layer.empty() || options.layer == name)) seen[i.step].insert(name);
    }
  }
  return seen;
}

/// "rises", with the ratio that says by how much.
std::string effect_words(const ColumnEffect& e, const std::string& unit) {
  if (e.direction == Direction::kRises || e.direction == Direction::kFalls) {
    return fmt::format(
        "{} {:.1f} times from {:.3g} to {:.3g}{} (95 % interval {:.1f} to {:.1f})",
        e.direction == Direction::kRises ? "rise" : "fall",
        e.direction == Direction::kRises ? e.rate_ratio : 1.0 / e.rate_ratio, e.low, e.high, unit,
        e.direction == Direction::kRises ? e.rate_ratio_ci.low : 1.0 / e.rate_ratio_ci.high,
        e.direction == Direction::kRises ? e.rate_ratio_ci.high : 1.0 / e.rate_ratio_ci.low);
  }
  const auto extreme = e.direction == Direction::kPeaks
                           ? std::ranges::max_element(e.curve, {}, &tracing::CurvePoint::rate)
                           : std::ranges::min_element(e.curve, {}, &tracing::CurvePoint::rate);
  return fmt::format(
      "are {} at {:.3g}{}, {:.1f} times from least to most (95 % interval {:.1f} to "
      "{:.1f})",
      e.direction == Direction::kPeaks ? "most" : "fewest", extreme->value, unit, e.extreme_ratio,
      e.extreme_ratio_ci.low, e.extreme_ratio_ci.high);
}

void add_boosted(const RegressionLayer& layer, const ColumnEffect& effect, Finding& f) {
  if (!layer.boosted.generalises) return;
  for (std::size_t i = 0; i < layer.boosted.columns.size(); ++i) {
    const BoostedColumn& c = layer.boosted.columns[i];
    if (c.column != effect.column) continue;
    f.evidence.push_back({.analysis = "boosted_trees",
                          .test = "gain on unseen lots and places against exchanged places, SHAP",
                          .n = {static_cast<std::int64_t>(layer.regression.cases),
                                static_cast<std::int64_t>(layer.boosted.copies)},
                          .p_value = layer.boosted.p_value,
                          .detail = {{"gain", layer.boosted.gain},
                                     {"rank", static_cast<double>(i + 1)},
                                     {"shap_share", c.share},
                                     {"shap_low_to_high", c.low_high}}});
  }
}

Candidate candidate_of(const RegressionLayer& layer, const RegressionCause& cause) {
  const auto& r = layer.regression;
  const ColumnEffect& e = r.effects[cause.column];
  const auto accepted =
      std::ranges::find(r.accepted, cause.column, &tracing::AcceptedColumn::column);
  Candidate c;
  c.family = fmt::format("layout columns of {} at {}", layer.layer, layer.step);
  c.wafers = cause.die.wafers;
  Finding& f = c.finding;
  f.kind = "layout_feature";
  f.subject = cause.subject;
  f.statement = fmt::format("Defects of {} {} with the {}", layer.step,
                            effect_words(e, unit_of(feature_of(e.column))), cause.words);
  f.q_value = accepted->q_value;
  f.confidence = std::clamp(1.0 - f.q_value, 0.0, 1.0);
  const bool falls = e.rate_ratio < 1.0;
  f.rate_ratio = falls ? 1.0 / e.rate_ratio : e.rate_ratio;
  f.rate_ratio_ci =
      falls ? Interval{1.0 / e.rate_ratio_ci.high, 1.0 / e.rate_ratio_ci.low} : e.rate_ratio_ci;
  f.attributable_defects = cause.attributable;
  f.evidence.push_back(
      {.analysis = "layout_regression",
       .test = "logistic spline regression of defects against area, scores by "
               "wafer and by part of the die",
       .n = {static_cast<std::int64_t>(r.cases), static_cast<std::int64_t>(r.controls),
             static_cast<std::int64_t>(r.wafers)},
       .p_value = accepted->p_value,
       .detail = {{"low", e.low},
                  {"high", e.high},
                  {"rate_high_over_low", e.rate_ratio},
                  {"rate_high_over_low_ci_low", e.rate_ratio_ci.low},
                  {"rate_high_over_low_ci_high", e.rate_ratio_ci.high},
                  {"extreme_ratio", e.extreme_ratio},
                  {"penalised_ratio", e.ridge_ratio},
                  {"share_of_cases", accepted->share_of_cases}}});
  for (const tracing::CurvePoint& p : e.curve)
    f.evidence.back().detail[fmt::format("rate_at_{:.4g}", p.value)] = p.rate;
  add_boosted(layer, e, f);
  for (const std::size_t rival : accepted->rivals) {
    const std::string& name = r.effects[rival].column;
    if (feature_of(name) == feature_of(e.column)) continue;
    f.confounded_with.push_back(
        {{"step", layer.step}, {"layer", layer.layer}, {"feature", feature_of(name)}});
  }
  if (cause.die.known) {
    f.die_per_wafer = cause.die.die_per_wafer;
    f.die_per_wafer_ci = cause.die.die_per_wafer_ci;
    f.loss_die_total = cause.die.loss_die_total;
  }
  return c;
}

/// Density, its gradient and the perimeter of one layer go along with each other, and a curve of
/// one is never quite the curve of the cause.
bool is_of_density(const std::string& column) {
  const std::string feature = feature_of(column);
  return feature == "density" || feature == "density_gradient" || feature == "perimeter";
}

/// Whether the cause may be what the curve of a stronger one of the same layer left over: it
/// explains less than half as much.
bool is_remainder(const RegressionLayer& layer, const RegressionCause& stronger,
                  const RegressionCause& cause) {
  const tracing::RegressionResult& r = layer.regression;
  if (!is_of_density(r.effects[stronger.column].column) ||
      !is_of_density(r.effects[cause.column].column))
    return false;
  const auto deviance = [&](const RegressionCause& c) {
    return std::ranges::find(r.accepted, c.column, &tracing::AcceptedColumn::column)->deviance;
  };
  return deviance(cause) < 0.5 * deviance(stronger);
}

/// The causes of one layer; a remainder is evidence of the cause it goes along with.
void add_causes(const RegressionLayer& layer, FamilyResult& family) {
  const std::size_t first = family.candidates.size();
  for (const RegressionCause& cause : layer.causes) {
    Candidate c = candidate_of(layer, cause);
    if (&cause != &layer.causes.front() && is_remainder(layer, layer.causes.front(), cause)) {
      Evidence also = std::move(c.finding.evidence.front());
      also.test = fmt::format("beside it, {} by itself: {}",
                              feature_of(layer.regression.effects[cause.column].column), also.test);
      family.candidates[first].finding.evidence.push_back(std::move(also));
      continue;
    }
    family.candidates.push_back(std::move(c));
  }
}

}  // namespace

Result<RegressionTrace> trace_regression(const FabData& data, const layout::FlatView& view,
                                         const LayoutTrace* trace,
                                         const RegressionCauseOptions& options,
                                         Progress& progress) {
  RegressionTrace result;
  const auto seen = metals_seen(data.product, options);
  std::size_t tables = 0;
  for (const auto& [step, metals] : seen) tables += metals.size();
  const auto clustered = clustered_defects_of(data);
  for (const auto& [step, metals] : seen) {
    auto exposure =
        located_defects(data, view, step, clustered,
                        trace == nullptr ? std::vector<StepRegistration>{} : trace->registrations);
    if (!exposure) {
      if (exposure.error().code != Errc::kNoData) return exposure.error();
      result.caveats.push_back(exposure.error().message);
      continue;
    }
    Cases cases{.exposure = std::move(*exposure)};
    choose_cases(trace, options.alpha, options.most_cases, cases);
    for (const std::string& metal : metals) {
      if (progress.cancelled())
        return Error{Errc::kCancelled, "FIND-0003", "The analysis was cancelled."};
      const auto index = drawn(view.layout(), layer_named(data.product, metal));
      if (!index) continue;
      progress.report(fmt::format("Asking {} on {} for continuous causes", step, metal), 0, 0);
      const auto columns = tracing::LayoutColumns::of(view, *index, cases.exposure.window,
                                                      vias_on(data.product, view.layout(), metal));
      const RegressionTable table = TableMaker(data, cases, options).make(columns);
      auto regression =
          tracing::layout_regression(table, {.alpha = options.alpha / static_cast<double>(tables)});
      if (!regression) {
        if (regression.error().code != Errc::kNoData) return regression.error();
        result.caveats.push_back(
            fmt::format("{}, {}: {}", step, metal, regression.error().message));
        continue;
      }
      RegressionLayer layer{.step = step, .layer = metal, .regression = std::move(*regression)};
      for (tracing::AcceptedColumn& a : layer.regression.accepted)
        a.q_value = std::min(1.0, a.q_value * static_cast<double>(tables));
      layer.causes = causes_of(data, cases, table, metal, layer.regression, options);
      layer.boosted_asked = options.boosted_always || !layer.causes.empty();
      if (layer.boosted_asked) {
        YL_ASSIGN(layer.boosted, boosted_view(table, {.seed = options.seed}, progress));
      }
      result.layers.push_back(std::move(layer));
    }
  }
  return result;
}

FamilyResult regression_causes(const RegressionTrace& trace,
                               const RegressionCauseOptions& options) {
  FamilyResult family;
  family.caveats = trace.caveats;
  family.expected_false = trace.layers.empty() ? 0.0 : options.alpha;
  for (const RegressionLayer& layer : trace.layers) {
    add_causes(layer, family);
    for (const std::string& caveat : layer.regression.caveats)
      family.caveats.push_back(fmt::format("{}, {}: {}", layer.step, layer.layer, caveat));
  }
  return family;
}

void absorb_tile_features(std::vector<Candidate>& candidates) {
  static const std::set<std::string> kTiles = {"density_low", "density_high", "perimeter_high",
                                               "wide_metal", "empty_area"};
  const auto is = [](const Finding& f, const char* analysis) {
    return f.kind == "layout_feature" && !f.evidence.empty() &&
           f.evidence.front().analysis == analysis;
  };
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!is(candidates[i].finding, "layout_regression")) continue;
    for (std::size_t k = candidates.size(); k-- > 0;) {
      Finding& whole = candidates[i].finding;
      const Finding& part = candidates[k].finding;
      if (!is(part, "case_control") || part.subject.at("step") != whole.subject.at("step") ||
          part.subject.at("layer") != whole.subject.at("layer") ||
          !kTiles.contains(part.subject.at("feature")))
        continue;
      whole.evidence.push_back(part.evidence.front());
      candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(k));
      if (k < i) --i;
    }
  }
}

}  // namespace yieldloop::findings
