// Runs the tracing analyses over every inspection step and the layers it sees.

#include <algorithm>
#include <set>
#include <unordered_map>

#include "engine/defects/clusters.h"
#include "engine/findings/layout_causes.h"
#include "engine/findings/step_defects.h"
#include "engine/layout/census.h"
#include "engine/stats/multiplicity.h"
#include "engine/tracing/pattern_census.h"
#include "engine/tracing/strata.h"

namespace yieldloop::findings {
namespace {

using tracing::StepExposure;

/// One layer that a step sees, found in the layout.
struct SeenLayer {
  const ProductLayer* product = nullptr;
  layout::LayerIndex layer = 0;
};

/// A via layer with the metals it joins.
struct SeenVia {
  const ProductLayer* product = nullptr;
  layout::ViaLayer layers;
};

const ProductLayer* layer_named(const Product& product, const std::string& name) {
  const auto it = std::ranges::find(product.layers, name, &ProductLayer::name);
  return it == product.layers.end() ? nullptr : &*it;
}

std::size_t position_of(const Product& product, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::find(product.layers, name, &ProductLayer::name) -
                                  product.layers.begin());
}

std::optional<layout::LayerIndex> drawn(const layout::Layout& layout, const ProductLayer& layer) {
  return layout.find_layer({layer.gds_layer, layer.gds_datatype});
}

/// Runs one step; owns what its analyses share.
class StepTrace {
 public:
  StepTrace(const FabData& data, const layout::FlatView& view, const LayoutCauseOptions& options,
            LayoutTrace& result, Progress& progress)
      : data_(data), view_(view), options_(options), result_(result), progress_(progress) {}

  Status run(StepExposure exposure, const std::vector<std::string>& layer_names) {
    exposure_ = std::move(exposure);
    if (exposure_.defects.empty()) return Ok{};
    window_ = tracing::to_dbu(exposure_.window, view_.layout().dbu_um());
    for (const std::string& name : layer_names) YL_TRY(add_layer(name));
    for (const SeenLayer& seen : metals_) YL_TRY(prepare_metal(seen));
    for (const SeenVia& via : vias_) YL_TRY(prepare_via(via));
    register_tools();
    for (const SeenLayer& seen : metals_) YL_TRY(trace_metal(seen));
    for (const SeenVia& via : vias_) YL_TRY(trace_via(via));
    set_aside_explained();
    for (const SeenLayer& seen : metals_) YL_TRY(trace_features(seen));
    return Ok{};
  }

 private:
  Status add_layer(const std::string& name) {
    if (!options_.layer.empty() && options_.layer != name) return Ok{};
    const ProductLayer* layer = layer_named(data_.product, name);
    const auto index = layer == nullptr ? std::nullopt : drawn(view_.layout(), *layer);
    if (!index) {
      result_.caveats.push_back(
          fmt::format("Layer {} of inspection step {} is not drawn in the layout, so its "
                      "defects are not traced.",
                      name, exposure_.step));
      return Ok{};
    }
    if (layer->kind == LayerKind::kVia || layer->kind == LayerKind::kContact) {
      add_via(*layer);
      return Ok{};
    }
    metals_.push_back({layer, *index});
    // A via fails where the metal above it is inspected.
    for (const ProductLayer& via : data_.product.layers) {
      const bool joins =
          via.connects.size() == 2 && std::ranges::find(via.connects, name) != via.connects.end();
      if (!joins) continue;
      const std::string& other = via.connects[0] == name ? via.connects[1] : via.connects[0];
      if (position_of(data_.product, other) < position_of(data_.product, name)) add_via(via);
    }
    return Ok{};
  }

  void add_via(const ProductLayer& via) {
    const bool known =
        std::ranges::any_of(vias_, [&](const SeenVia& v) { return v.product == &via; });
    if (known || via.connects.size() != 2) return;
    const ProductLayer* below = layer_named(data_.product, via.connects[0]);
    const ProductLayer* above = layer_named(data_.product, via.connects[1]);
    if (below == nullptr || above == nullptr) return;
    const auto cut = drawn(view_.layout(), via), low = drawn(view_.layout(), *below),
               high = drawn(view_.layout(), *above);
    if (cut && low && high) vias_.push_back({&via, {*cut, *low, *high}});
  }

  Status prepare_metal(const SeenLayer& seen) {
    progress_.report(fmt::format("Counting patterns of {}", seen.product->name), 0, 0);
    tracing::CensusOptions census_options{.min_space_um = seen.product->min_space_um.value_or(0.0)};
    auto census = tracing::census_patterns(view_, seen.layer, window_, census_options, progress_);
    if (!census) {
      if (census.error().code == Errc::kNoData) return Ok{};
      return census.error();
    }
    features_.add(*census);
    censuses_.emplace(seen.layer, std::move(*census));
    strata_.emplace(seen.layer, tracing::DensityStrata::of(view_, seen.layer, exposure_.window));
    return Ok{};
  }

  Status prepare_via(const SeenVia& via) {
    YL_ASSIGN(auto census, layout::census_vias(view_, via.layers, {.window = window_}, progress_));
    features_.add(census, view_.layout().dbu_um());
    via_censuses_.emplace_back(via.layers, std::move(census));
    return Ok{};
  }

  void register_tools() {
    auto registrations = register_step(data_, features_, options_.seed, exposure_);
    features_ = {};
    for (std::string& caveat : registration_caveats(registrations)) {
      result_.caveats.push_back(std::move(caveat));
    }
    std::ranges::move(registrations, std::back_inserter(result_.registrations));
  }

  Status trace_metal(const SeenLayer& seen) {
    const auto census = censuses_.find(seen.layer);
    if (census == censuses_.end()) return Ok{};
    progress_.report(fmt::format("Tracing {} on {}", exposure_.step, seen.product->name), 0, 0);
    YL_ASSIGN(auto traced,
              tracing::trace_patterns(data_, exposure_, seen.product->name, census->second,
                                      strata_.at(seen.layer), {.q_limit = options_.alpha}));
    for (auto& pattern : traced.patterns) result_.patterns.push_back(std::move(pattern));
    return Ok{};
  }

  Status trace_via(const SeenVia& via) {
    const auto& census = std::ranges::find(via_censuses_, via.layers.cut, [](const auto& known) {
                           return known.first.cut;
                         })->second;
    const auto strata = tracing::DensityStrata::of(view_, via.layers.cut, exposure_.window);
    auto traced = tracing::trace_vias(data_, exposure_, via.product->name, census,
                                      view_.layout().dbu_um(), strata, options_.blur_um);
    if (traced) {
      result_.vias.push_back(std::move(*traced));
    } else if (traced.error().code != Errc::kNoData) {
      return traced.error();
    }
    return Ok{};
  }

  /// Shape: [points]; 1 near what was traced.
  std::vector<char> explained_points(const std::vector<tracing::PointUm>& points) const {
    std::vector<char> aside(points.size(), 0);
    for (const auto& [places, reach] : explained_) {
      const auto near = near_places(*places, reach, points);
      for (std::size_t d = 0; d < near.size(); ++d) aside[d] = aside[d] != 0 || near[d] != 0;
    }
    return aside;
  }

  /// Takes out the defects near traced places, and all but a few of any one place of the die.
  void set_aside_explained() {
    const auto points = points_of(exposure_);
    for (const auto& p : result_.patterns) {
      if (p.step != exposure_.step) continue;
      explained_.emplace_back(&p.places, explained_reach(p.reach_um, p.position_sigma_um));
    }
    for (const tracing::ViaTrace& v : result_.vias) {
      const bool fail =
          v.step == exposure_.step && v.p_value < 0.1 * options_.alpha && v.single_to_double > 1.0;
      if (fail)
        explained_.emplace_back(&v.places, explained_reach(v.reach_um, v.position_sigma_um));
    }
    auto aside = explained_points(points);
    leave_few_at_a_place(points, aside);
    std::size_t at = 0;
    std::erase_if(exposure_.defects, [&](const auto&) { return aside[at++] != 0; });
  }

  Status trace_features(const SeenLayer& seen) {
    const auto census = censuses_.find(seen.layer);
    const auto strata = strata_.find(seen.layer);
    if (strata == strata_.end()) return Ok{};
    const layout::ViaCensus* vias = nullptr;
    for (const auto& [layers, found] : via_censuses_) {
      if (layers.above == seen.layer) vias = &found;
    }
    const auto features = tracing::layer_features(
        view_, seen.layer, census == censuses_.end() ? nullptr : &census->second, vias,
        strata->second, {.blur_um = options_.blur_um});
    auto rates =
        tracing::case_control(data_, exposure_, seen.product->name, strata->second, features,
                              {.seed = options_.seed,
                               .set_aside = [this](const auto& p) { return explained_points(p); }});
    if (!rates) return rates.error().code == Errc::kNoData ? Status(Ok{}) : Status(rates.error());
    for (auto& rate : *rates) result_.features.push_back(std::move(rate));
    return Ok{};
  }

  const FabData& data_;
  const layout::FlatView& view_;
  const LayoutCauseOptions& options_;
  LayoutTrace& result_;
  Progress& progress_;
  StepExposure exposure_;
  geometry::Box window_;
  std::vector<SeenLayer> metals_;
  std::vector<SeenVia> vias_;
  RegistrationFeatures features_;
  std::unordered_map<layout::LayerIndex, tracing::PatternCensus> censuses_;
  std::unordered_map<layout::LayerIndex, tracing::DensityStrata> strata_;
  std::vector<std::pair<layout::ViaLayer, layout::ViaCensus>> via_censuses_;
  /// Places traced on this step, and how far their defects lie; into result_.
  std::vector<std::pair<const std::vector<tracing::RectUm>*, double>> explained_;
};

Status check_names(const FabData& data, const LayoutCauseOptions& options) {
  const auto& steps = data.product.inspections;
  if (!options.step.empty() &&
      std::ranges::find(steps, options.step, &InspectionLayers::step) == steps.end()) {
    return Error{Errc::kNotFound, "FIND-0005",
                 fmt::format("product.toml of {} names no inspection step \"{}\".",
                             data.product.name, options.step)};
  }
  if (!options.layer.empty() && layer_named(data.product, options.layer) == nullptr) {
    return Error{
        Errc::kNotFound, "FIND-0005",
        fmt::format("product.toml of {} names no layer \"{}\".", data.product.name, options.layer)};
  }
  if (steps.empty()) {
    return Error{
        Errc::kNoData, "FIND-0004",
        fmt::format(
            "product.toml of {} does not say which layers the inspections see ([[inspection]]), so "
            "no defect can be traced.",
            data.product.name)};
  }
  return Ok{};
}

std::vector<char> clustered_defects(const FabData& data, LayoutTrace& result) {
  std::vector<char> exclude(data.defects.size(), 0);
  const auto clusters = defects::find_clusters(data);
  if (!clusters) return exclude;
  for (std::size_t i = 0; i < exclude.size(); ++i) {
    if (clusters->cluster_of[i] == defects::kNoCluster) continue;
    exclude[i] = 1;
    ++result.clustered;
  }
  return exclude;
}

}  // namespace

Result<LayoutTrace> trace_layout(const FabData& data, const layout::FlatView& view,
                                 const LayoutCauseOptions& options, Progress& progress) {
  YL_TRY(check_names(data, options));
  const auto box = tracing::to_um(view.bbox(), view.layout().dbu_um());
  YL_ASSIGN(const auto frame, tracing::Frame::make(data.product, box));
  LayoutTrace result;
  const auto exclude = clustered_defects(data, result);
  // A step may be listed several times; its layers add up.
  std::map<std::string, std::set<std::string>> by_step;
  for (const InspectionLayers& i : data.product.inspections) {
    if (options.step.empty() || options.step == i.step)
      by_step[i.step].insert(i.layers.begin(), i.layers.end());
  }
  for (const auto& [step, layers] : by_step) {
    if (progress.cancelled())
      return Error{Errc::kCancelled, "FIND-0003", "The analysis was cancelled."};
    auto exposure = tracing::step_exposure(data, frame, step, exclude);
    if (!exposure) {
      if (exposure.error().code != Errc::kNoData) return exposure.error();
      result.caveats.push_back(exposure.error().message);
      continue;
    }
    result.defects += static_cast<std::int64_t>(exposure->defects.size());
    result.outside += exposure->outside;
    std::ranges::copy(exposure->caveats, std::back_inserter(result.caveats));
    StepTrace trace(data, view, options, result, progress);
    YL_TRY(trace.run(std::move(*exposure), {layers.begin(), layers.end()}));
  }
  tracing::correct_features(result.features);
  std::vector<double> p;
  for (const auto& via : result.vias) p.push_back(via.p_value);
  result.via_q = stats::benjamini_hochberg(p);
  return result;
}

}  // namespace yieldloop::findings
