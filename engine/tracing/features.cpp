#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "engine/tracing/case_control.h"
#include "engine/tracing/zones.h"

namespace yieldloop::tracing {
namespace {

LayoutFeature near_places(std::string name, std::vector<RectUm> rects, double blur) {
  const auto places = static_cast<std::int64_t>(rects.size());
  auto index = std::make_shared<const ZoneIndex>(std::move(rects), blur);
  return {std::move(name), true, [index, blur](PointUm p) { return index->is_near(p, blur); },
          places};
}

void add_places(std::string name, std::vector<RectUm> rects, double blur,
                std::vector<LayoutFeature>& out) {
  if (!rects.empty()) out.push_back(near_places(std::move(name), std::move(rects), blur));
}

void add_spaces(const PatternCensus& census, const FeatureOptions& options,
                std::vector<LayoutFeature>& out) {
  std::vector<RectUm> ends;
  for (const Anchor& a : census.anchors) {
    if (a.kind == GapKind::kLineEnd) ends.push_back(to_um(a.gap, census.dbu_um));
  }
  for (const double factor : options.space_factors) {
    std::vector<RectUm> narrow;
    const double limit = factor * census.min_space_um + 0.5 * census.dbu_um;
    for (const Anchor& a : census.anchors) {
      if (static_cast<double>(a.space) * census.dbu_um <= limit) {
        narrow.push_back(to_um(a.gap, census.dbu_um));
      }
    }
    add_places(fmt::format("narrow_space_{:g}x", factor), std::move(narrow), options.blur_um, out);
  }
  add_places("line_end", std::move(ends), options.blur_um, out);
}

void add_vias(const layout::ViaCensus& vias, double dbu, double blur,
              std::vector<LayoutFeature>& out) {
  std::vector<RectUm> single, doubled;
  for (const layout::ViaCut& cut : vias.cuts) {
    if (cut.single()) single.push_back(to_um(cut.box, dbu));
    if (cut.below && cut.above && cut.partners > 0) doubled.push_back(to_um(cut.box, dbu));
  }
  add_places("single_via", std::move(single), blur, out);
  add_places("double_via", std::move(doubled), blur, out);
}

void add_tiles(const DensityStrata& strata, const FeatureOptions& options,
               std::vector<LayoutFeature>& out) {
  const double low = strata.density_quantile(options.low_share);
  const double high = strata.density_quantile(options.high_share);
  const double border = strata.perimeter_quantile(options.high_share);
  if (high <= low) return;  // One density everywhere says nothing.
  out.push_back(
      {"density_low", false, [&strata, low](PointUm p) { return strata.density_at(p) <= low; }, 0});
  out.push_back({"density_high", false,
                 [&strata, high](PointUm p) { return strata.density_at(p) >= high; }, 0});
  out.push_back({"perimeter_high", false,
                 [&strata, border](PointUm p) { return strata.perimeter_at(p) >= border; }, 0});
}

void add_drawn(const layout::FlatView& view, layout::LayerIndex layer, double wide_um,
               double empty_um, std::vector<LayoutFeature>& out) {
  const double dbu = view.layout().dbu_um();
  const auto box_at = [dbu](PointUm p, double half) {
    return to_dbu({p.x - half, p.y - half, p.x + half, p.y + half}, dbu);
  };
  out.push_back({"wide_metal", false,
                 [view, layer, wide_um, box_at](PointUm p) {
                   return view.density(layer, box_at(p, 0.5 * wide_um)) >= 1.0 - 1e-12;
                 },
                 0});
  out.push_back({"empty_area", false,
                 [view, layer, empty_um, box_at](PointUm p) {
                   return view.area(layer, box_at(p, empty_um)) == 0.0;
                 },
                 0});
}

}  // namespace

std::vector<LayoutFeature> layer_features(const layout::FlatView& view, layout::LayerIndex layer,
                                          const PatternCensus* census,
                                          const layout::ViaCensus* vias,
                                          const DensityStrata& strata,
                                          const FeatureOptions& options) {
  std::vector<LayoutFeature> features;
  double wide = options.wide_um;
  if (census) {
    add_spaces(*census, options, features);
    if (wide <= 0.0) wide = 10.0 * census->min_space_um;
  }
  if (vias) add_vias(*vias, view.layout().dbu_um(), options.blur_um, features);
  add_tiles(strata, options, features);
  add_drawn(view, layer, wide > 0.0 ? wide : 1.0, 2.0 * options.blur_um, features);
  return features;
}

}  // namespace yieldloop::tracing
