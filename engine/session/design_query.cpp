#include "engine/session/design_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>

#include "engine/defects/clusters.h"
#include "engine/geometry/rectangles.h"
#include "engine/session/design_zones.h"
#include "engine/stats/intervals.h"
#include "engine/stats/multiplicity.h"
#include "engine/tracing/pattern_census.h"
#include "engine/tracing/strata.h"
#include "engine/tracing/zone_rate.h"
#include "engine/tracing/zones.h"

namespace yieldloop::session {
namespace {

using tracing::RectUm;

constexpr std::size_t kPlacesListed = 20;

/// One step with what its zones are compared with.
struct AskedStep {
  tracing::StepExposure exposure;
  std::set<std::string> layers;  ///< That it sees and the query asks for.
  std::optional<tracing::DensityStrata> strata;
  tracing::Background background;
};

std::optional<layout::LayerIndex> drawn_layer(const Analysis& analysis, const std::string& name) {
  for (const ProductLayer& l : analysis.fab.data.product.layers)
    if (l.name == name) return analysis.layout->find_layer({l.gds_layer, l.gds_datatype});
  return std::nullopt;
}

/// What the filters leave out, and clusters.
std::vector<char> left_out(const FabData& data, const DesignQuery& query, DesignAnswer& answer) {
  std::vector<char> out(data.defects.size(), 0);
  const auto clusters = defects::find_clusters(data);
  std::int64_t clustered = 0;
  const NameId wanted = data.names.find(query.defect_class);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const bool in_cluster = clusters && clusters->cluster_of[i] != defects::kNoCluster;
    clustered += in_cluster;
    const bool other = !query.defect_class.empty() && data.defects[i].class_name != wanted;
    out[i] = in_cluster || other ? 1 : 0;
  }
  if (clustered > 0)
    answer.caveats.push_back(
        fmt::format("{} defects in clusters (scratches, spills) are left out.", clustered));
  return out;
}

/// Steps and the layers they see, as product.toml says and the filters leave.
std::map<std::string, std::set<std::string>> steps_asked(const Analysis& analysis,
                                                         const DesignQuery& query) {
  std::map<std::string, std::set<std::string>> steps;
  for (const InspectionLayers& i : analysis.fab.data.product.inspections) {
    if (!query.step.empty() && query.step != i.step) continue;
    for (const std::string& layer : i.layers)
      if (query.layer.empty() || query.layer == layer) steps[i.step].insert(layer);
  }
  return steps;
}

void add_background(const Analysis& analysis, AskedStep& step) {
  for (const std::string& name : step.layers)
    if (const auto layer = drawn_layer(analysis, name); layer && !step.strata)
      step.strata = tracing::DensityStrata::of(*analysis.view(), *layer, step.exposure.window);
  if (!step.strata) return;
  step.background.area_um2 = step.strata->areas_um2();
  step.background.defects.assign(step.strata->count(), 0);
  for (const auto& d : step.exposure.defects) ++step.background.defects[step.strata->at(d.at)];
}

Result<std::vector<AskedStep>> asked_steps(const Analysis& analysis, const DesignQuery& query,
                                           DesignAnswer& answer) {
  const auto view = analysis.view();
  const FabData& data = analysis.fab.data;
  if (!view)
    return Error{Errc::kNoData, "SESS-0017",
                 fmt::format("There is no layout of {} to ask about: ingest the file that "
                             "product.toml names.",
                             data.product.name)};
  const auto steps = steps_asked(analysis, query);
  if (steps.empty())
    return Error{Errc::kNotFound, "SESS-0016",
                 fmt::format("No inspection of product.toml fits step \"{}\" and layer \"{}\".",
                             query.step, query.layer)};
  if (!query.defect_class.empty() && data.names.find(query.defect_class) == NameId{})
    return Error{Errc::kNotFound, "SESS-0016",
                 fmt::format("No defect is of class \"{}\".", query.defect_class)};
  YL_ASSIGN(
      const auto frame,
      tracing::Frame::make(data.product, tracing::to_um(view->bbox(), view->layout().dbu_um())));
  const auto exclude = left_out(data, query, answer);
  std::vector<AskedStep> asked;
  for (const auto& [name, layers] : steps) {
    auto exposure = tracing::step_exposure(data, frame, name, exclude);
    if (!exposure) {
      answer.caveats.push_back(exposure.error().message);
      continue;
    }
    AskedStep step{std::move(*exposure), layers, {}, {}};
    add_background(analysis, step);
    if (step.strata)
      asked.push_back(std::move(step));
    else
      answer.caveats.push_back(
          fmt::format("No layer that step {} sees is drawn in the layout.", name));
  }
  if (asked.empty())
    return Error{Errc::kNoData, "SESS-0017",
                 "No inspection step lists the die it looked at and sees a layer that is drawn, so "
                 "no rate can be formed."};
  return asked;
}

/// The zone's area in each stratum, tile by tile so that overlapping places count once.
std::vector<double> area_by_stratum(const std::vector<RectUm>& places, const RectUm& window,
                                    const tracing::DensityStrata& strata) {
  const double side = std::max(
      {10.0, (window.x_max - window.x_min) / 512.0, (window.y_max - window.y_min) / 512.0});
  const auto last_x = static_cast<std::int64_t>((window.x_max - window.x_min) / side);
  const auto last_y = static_cast<std::int64_t>((window.y_max - window.y_min) / side);
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<geometry::Rect>> tiles;
  for (const RectUm& place : places) {
    const RectUm r{std::max(place.x_min, window.x_min), std::max(place.y_min, window.y_min),
                   std::min(place.x_max, window.x_max), std::min(place.y_max, window.y_max)};
    if (r.area() <= 0.0) continue;
    const auto at = [&](double v, double low, std::int64_t last) {
      return std::clamp<std::int64_t>(static_cast<std::int64_t>((v - low) / side), 0, last);
    };
    for (auto x = at(r.x_min, window.x_min, last_x); x <= at(r.x_max, window.x_min, last_x); ++x)
      for (auto y = at(r.y_min, window.y_min, last_y); y <= at(r.y_max, window.y_min, last_y);
           ++y) {
        const double left = window.x_min + static_cast<double>(x) * side;
        const double low = window.y_min + static_cast<double>(y) * side;
        const geometry::Rect part = geometry::intersection({r.x_min, r.y_min, r.x_max, r.y_max},
                                                           {left, low, left + side, low + side});
        if (part.has_area()) tiles[{x, y}].push_back(part);
      }
  }
  std::vector<double> areas(strata.count(), 0.0);
  for (const auto& [tile, rects] : tiles) {
    const tracing::PointUm middle{window.x_min + (static_cast<double>(tile.first) + 0.5) * side,
                                  window.y_min + (static_cast<double>(tile.second) + 0.5) * side};
    areas[strata.at(middle)] += geometry::coverage(rects).once;
  }
  return areas;
}

/// Defects of a step in a zone.
struct ZoneHits {
  tracing::ZoneCounts counts;
  std::vector<std::size_t> defects;  ///< Into exposure.defects.
  std::map<std::uint32_t, std::int64_t> by_place;
};

ZoneHits hits_of(const AskedStep& step, const tracing::ZoneIndex& index, double reach) {
  ZoneHits hits;
  hits.counts.by_stratum.assign(step.strata->count(), 0);
  for (std::size_t i = 0; i < step.exposure.defects.size(); ++i) {
    const auto& defect = step.exposure.defects[i];
    bool in = false;
    // Overlapping places share a defect; the nearest, then the first, has it.
    std::uint32_t place = 0;
    double best = 0.0;
    index.for_near(defect.at, reach, [&](std::uint32_t k, double distance) {
      if (!in || distance < best) {
        place = k;
        best = distance;
      }
      in = true;
    });
    if (!in) continue;
    ++hits.counts.by_stratum[step.strata->at(defect.at)];
    ++hits.by_place[place];
    hits.defects.push_back(i);
  }
  hits.counts.defects = static_cast<std::int64_t>(hits.defects.size());
  for (const auto& [place, count] : hits.by_place)
    hits.counts.top_place = std::max(hits.counts.top_place, count);
  // A single place is no repeater among others.
  if (index.rects().size() < 2) hits.counts.top_place = 0;
  return hits;
}

double dispersion_of(const FabData& data, const AskedStep& step, const ZoneHits& hits) {
  std::map<WaferId, std::pair<double, double>> by_wafer;
  for (const std::uint32_t i : step.exposure.inspections)
    by_wafer[data.inspections[i].wafer].second +=
        static_cast<double>(data.inspections[i].inspected.size());
  for (const std::size_t d : hits.defects) by_wafer[step.exposure.defects[d].wafer].first += 1.0;
  std::vector<double> counts, exposures;
  for (const auto& [wafer, pair] : by_wafer) {
    counts.push_back(pair.first);
    exposures.push_back(pair.second);
  }
  return tracing::wafer_dispersion(counts, exposures);
}

void add_places(const DesignZone& zone, const ZoneHits& hits, SiliconRate& rate) {
  for (const auto& [place, count] : hits.by_place)
    rate.places.push_back({zone.places[place], count});
  std::ranges::stable_sort(
      rate.places, [](const HitPlace& a, const HitPlace& b) { return a.defects > b.defects; });
  if (rate.places.size() > kPlacesListed) rate.places.resize(kPlacesListed);
}

SiliconRate rate_of(const FabData& data, const AskedStep& step, const DesignZone& zone,
                    double reach) {
  std::vector<RectUm> grown;
  for (const RectUm& r : zone.places)
    grown.push_back({r.x_min - reach, r.y_min - reach, r.x_max + reach, r.y_max + reach});
  ZoneHits hits = hits_of(step, tracing::ZoneIndex(zone.places, std::max(reach, 1.0)), reach);
  hits.counts.area_by_stratum = area_by_stratum(grown, step.exposure.window, *step.strata);
  const tracing::ZoneTest test = tracing::test_zone(hits.counts, step.background);
  SiliconRate rate{.kind = zone.kind, .name = zone.name, .step = step.exposure.step};
  rate.instances = static_cast<std::int64_t>(zone.places.size());
  rate.die_inspections = step.exposure.die_inspections;
  for (const double area : hits.counts.area_by_stratum) rate.area_um2 += area;
  rate.defects = hits.counts.defects;
  rate.others = step.background.total() - rate.defects;
  rate.expected = test.expected;
  rate.p_value = test.p_value;
  const auto n = static_cast<double>(rate.defects);
  const auto die = static_cast<double>(rate.die_inspections);
  if (rate.area_um2 > 0.0) rate.per_cm2 = n / (rate.area_um2 * die) * 1e8;
  const double outside = step.exposure.window.area() - rate.area_um2;
  if (outside > 0.0)
    rate.per_cm2_outside = static_cast<double>(rate.others) / (outside * die) * 1e8;
  if (rate.instances > 0) rate.per_instance = n / (static_cast<double>(rate.instances) * die);
  if (test.expected > 0.0) {
    const Interval count = tracing::count_interval(n, dispersion_of(data, step, hits));
    rate.rate_ratio = n / test.expected;
    rate.rate_ratio_ci = {count.low / test.expected, count.high / test.expected};
  }
  const double share = n > 0.0 ? std::clamp((n - test.expected) / n, 0.0, 1.0) : 0.0;
  rate.die = tracing::link_to_die(data, step.exposure, hits.defects, share);
  add_places(zone, hits, rate);
  rate.q_value = rate.p_value;
  return rate;
}

std::string region_cell(const Product& product, const std::string& region) {
  for (const TestBlock& block : product.test_blocks)
    if (block.test == region || block.cell == region) return block.cell;
  return region;
}

Result<DesignZone> pattern_zone(const Analysis& analysis, const AskedStep& step,
                                const std::string& pattern, Progress& progress) {
  const double dbu = analysis.layout->dbu_um();
  for (const std::string& name : step.layers) {
    const auto layer = drawn_layer(analysis, name);
    if (!layer) continue;
    const auto& layers = analysis.fab.data.product.layers;
    const auto it = std::ranges::find(layers, name, &ProductLayer::name);
    auto census = tracing::census_patterns(
        *analysis.view(), *layer, tracing::to_dbu(step.exposure.window, dbu),
        {.min_space_um = it->min_space_um.value_or(0.0)}, progress);
    if (!census) {
      if (census.error().code == Errc::kNoData) continue;
      return census.error();
    }
    const auto found = std::ranges::find(census->classes, pattern, &tracing::PatternClass::id);
    if (found == census->classes.end()) continue;
    DesignZone zone{"pattern", pattern, {}, true};
    for (const std::uint32_t a : found->anchors)
      zone.places.push_back(tracing::to_um(census->anchors[a].gap, dbu));
    return zone;
  }
  return Error{Errc::kNotFound, "SESS-0016",
               fmt::format("No pattern {} is drawn on the layers that step {} sees; `yieldloop "
                           "trace` names patterns.",
                           pattern, step.exposure.step)};
}

/// Benjamini-Hochberg over the list and everything that no defect met.
void rank(DesignAnswer& answer) {
  std::vector<double> p;
  for (const SiliconRate& r : answer.rates) p.push_back(r.p_value);
  p.resize(std::max(p.size(), static_cast<std::size_t>(answer.asked)), 1.0);
  const auto q = stats::benjamini_hochberg(p);
  for (std::size_t i = 0; i < answer.rates.size(); ++i) answer.rates[i].q_value = q[i];
  std::ranges::stable_sort(answer.rates, [](const SiliconRate& a, const SiliconRate& b) {
    if (a.p_value != b.p_value) return a.p_value < b.p_value;
    return a.name != b.name ? a.name < b.name : a.step < b.step;
  });
}

void say_incomplete(const DesignZone& zone, DesignAnswer& answer) {
  if (!zone.complete)
    answer.caveats.push_back(fmt::format("Only the first {} places of {} {} are counted.",
                                         kMostPlacesOfZone, zone.kind, zone.name));
}

void rank_cells(const Analysis& analysis, const std::vector<AskedStep>& steps,
                DesignAnswer& answer) {
  for (const std::string& cell : placed_cell_names(*analysis.view())) {
    const auto zone = cell_zone(*analysis.view(), cell);
    answer.asked += static_cast<std::int64_t>(steps.size());
    if (!zone) continue;
    say_incomplete(*zone, answer);
    for (const AskedStep& step : steps) {
      SiliconRate rate = rate_of(analysis.fab.data, step, *zone, 0.0);
      if (rate.defects > 0) answer.rates.push_back(std::move(rate));
    }
  }
}

Status rank_nets(const Analysis& analysis, const std::vector<AskedStep>& steps,
                 const DesignQuery& query, DesignAnswer& answer, Progress& progress) {
  YL_ASSIGN(const auto nets, DesignNets::make(*analysis.view(), analysis.fab.data.product,
                                              analysis.design.get(), progress));
  for (const AskedStep& step : steps) {
    std::set<std::string> met;
    for (const auto& d : step.exposure.defects)
      met.merge(nets.near(d.at, query.reach_um, step.layers));
    answer.asked += static_cast<std::int64_t>(nets.count());
    for (const DesignZone& zone : nets.zones(met, step.layers)) {
      say_incomplete(zone, answer);
      answer.rates.push_back(rate_of(analysis.fab.data, step, zone, query.reach_um));
    }
  }
  return Ok{};
}

Status rank_layers(const std::vector<AskedStep>& steps, DesignAnswer& answer) {
  std::set<std::string> layers;
  for (const AskedStep& step : steps) layers.insert(step.layers.begin(), step.layers.end());
  for (const std::string& layer : layers) {
    SiliconRate rate{.kind = "layer", .name = layer};
    double seen = 0.0, rest = 0.0;
    for (const AskedStep& step : steps) {
      const bool sees = step.layers.count(layer) != 0;
      const auto n = static_cast<std::int64_t>(step.exposure.defects.size());
      (sees ? rate.defects : rate.others) += n;
      (sees ? seen : rest) += step.exposure.area_um2;
      if (!sees) continue;
      rate.die_inspections += step.exposure.die_inspections;
      rate.area_um2 = step.exposure.window.area();
      rate.step += (rate.step.empty() ? "" : ", ") + step.exposure.step;
    }
    if (seen > 0.0) rate.per_cm2 = static_cast<double>(rate.defects) / seen * 1e8;
    if (rest > 0.0) {
      YL_ASSIGN(const auto ratio, stats::poisson_rate_ratio(rate.defects, seen, rate.others, rest));
      rate.per_cm2_outside = static_cast<double>(rate.others) / rest * 1e8;
      rate.expected = static_cast<double>(rate.others) / rest * seen;
      rate.rate_ratio = std::isfinite(ratio.ratio) ? ratio.ratio : 0.0;
      rate.rate_ratio_ci = ratio.interval;
      rate.p_value = ratio.p_greater;
    }
    answer.rates.push_back(std::move(rate));
  }
  answer.asked = static_cast<std::int64_t>(layers.size());
  return Ok{};
}

/// Every pattern class of the layers that the steps see.
Status rank_patterns(const Analysis& analysis, const std::vector<AskedStep>& steps,
                     const DesignQuery& query, DesignAnswer& answer, Progress& progress) {
  const double dbu = analysis.layout->dbu_um();
  for (const AskedStep& step : steps)
    for (const std::string& name : step.layers) {
      const auto layer = drawn_layer(analysis, name);
      if (!layer) continue;
      const auto& layers = analysis.fab.data.product.layers;
      const auto it = std::ranges::find(layers, name, &ProductLayer::name);
      const auto census = tracing::census_patterns(
          *analysis.view(), *layer, tracing::to_dbu(step.exposure.window, dbu),
          {.min_space_um = it->min_space_um.value_or(0.0)}, progress);
      if (!census) {
        if (census.error().code != Errc::kNoData) return census.error();
        continue;
      }
      answer.asked += static_cast<std::int64_t>(census->classes.size());
      for (const tracing::PatternClass& c : census->classes) {
        DesignZone zone{"pattern", c.id, {}, true};
        for (const std::uint32_t a : c.anchors)
          zone.places.push_back(tracing::to_um(census->anchors[a].gap, dbu));
        SiliconRate rate = rate_of(analysis.fab.data, step, zone, query.reach_um);
        if (rate.defects > 0) answer.rates.push_back(std::move(rate));
      }
    }
  return Ok{};
}

Result<DesignZone> asked_zone(const Analysis& analysis, const AskedStep& step,
                              const DesignNets* nets, const DesignQuery& query,
                              Progress& progress) {
  if (!query.cell.empty()) return cell_zone(*analysis.view(), query.cell);
  if (!query.pattern.empty()) return pattern_zone(analysis, step, query.pattern, progress);
  if (nets != nullptr) return nets->zone(query.net, step.layers);
  if (query.box)
    return DesignZone{"region",
                      fmt::format("{:g},{:g},{:g},{:g}", query.box->x_min, query.box->y_min,
                                  query.box->x_max, query.box->y_max),
                      {*query.box},
                      true};
  auto zone = cell_zone(*analysis.view(), region_cell(analysis.fab.data.product, query.region));
  if (!zone)
    return Error{Errc::kNotFound, "SESS-0016",
                 fmt::format("No region {}: name a test or a cell of [[test_block]] in "
                             "product.toml, or give --box.",
                             query.region)};
  zone->kind = "region";
  zone->name = query.region;
  return zone;
}

}  // namespace

Result<DesignAnswer> what_happened(const Analysis& analysis, const DesignQuery& query,
                                   Progress& progress) {
  const int things = !query.cell.empty() + !query.net.empty() + !query.pattern.empty() +
                     !query.region.empty() + query.box.has_value();
  if (things != 1)
    return Error{Errc::kInvalidOptions, "SESS-0015",
                 "Ask about one thing at a time: a cell, a net, a pattern, a region or a box."};
  DesignAnswer answer;
  YL_ASSIGN(const auto steps, asked_steps(analysis, query, answer));
  std::optional<DesignNets> nets;
  if (!query.net.empty()) {
    YL_ASSIGN(nets, DesignNets::make(*analysis.view(), analysis.fab.data.product,
                                     analysis.design.get(), progress));
  }
  // A pattern or a net need not be on what every step sees.
  const bool everywhere = query.pattern.empty() && query.net.empty();
  const double reach = everywhere ? 0.0 : query.reach_um;
  std::optional<Error> missing;
  for (const AskedStep& step : steps) {
    auto zone = asked_zone(analysis, step, nets ? &*nets : nullptr, query, progress);
    if (!zone) {
      if (everywhere || zone.error().code != Errc::kNotFound) return zone.error();
      missing = zone.error();
      continue;
    }
    say_incomplete(*zone, answer);
    answer.rates.push_back(rate_of(analysis.fab.data, step, *zone, reach));
  }
  if (answer.rates.empty() && missing) return *missing;
  answer.asked = static_cast<std::int64_t>(answer.rates.size());
  return answer;
}

Result<DesignAnswer> which_suffer(const Analysis& analysis, RankBy by, const DesignQuery& query,
                                  Progress& progress) {
  DesignAnswer answer;
  YL_ASSIGN(const auto steps, asked_steps(analysis, query, answer));
  switch (by) {
    case RankBy::kCells: rank_cells(analysis, steps, answer); break;
    case RankBy::kNets: YL_TRY(rank_nets(analysis, steps, query, answer, progress)); break;
    case RankBy::kLayers: YL_TRY(rank_layers(steps, answer)); break;
    case RankBy::kPatterns: YL_TRY(rank_patterns(analysis, steps, query, answer, progress)); break;
  }
  rank(answer);
  return answer;
}

}  // namespace yieldloop::session
