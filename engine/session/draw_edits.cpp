#include "engine/session/draw_edits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "engine/feedback/edit_effects.h"
#include "engine/feedback/layout_edits.h"
#include "engine/tracing/frame.h"

namespace yieldloop::session {
namespace {

/// A space that bridges is widened to this many smallest spaces.
constexpr double kGoalInSpaces = 1.5;

/// The product's layers as the layout's, in its units.
class DrawnLayers {
 public:
  DrawnLayers(const Product& product, const layout::FlatView& view)
      : product_(product), view_(view) {}

  const ProductLayer* named(const std::string& name) const {
    const auto it = std::ranges::find(product_.layers, name, &ProductLayer::name);
    return it == product_.layers.end() ? nullptr : &*it;
  }
  std::optional<layout::LayerIndex> drawn(const std::string& name) const {
    const ProductLayer* layer = named(name);
    if (layer == nullptr) return std::nullopt;
    return view_.layout().find_layer({layer->gds_layer, layer->gds_datatype});
  }
  geometry::Coord length(const std::optional<double>& um) const {
    return um ? std::llround(*um / view_.layout().dbu_um()) : 0;
  }
  feedback::LayerRules rules(const std::string& name) const {
    const ProductLayer* layer = named(name);
    if (layer == nullptr) return {};
    return {length(layer->min_width_um), length(layer->min_space_um)};
  }
  /// Drawn via and contact layers that end on this one.
  std::vector<layout::LayerIndex> cuts_on(const std::string& name) const {
    std::vector<layout::LayerIndex> cuts;
    for (const ProductLayer& layer : product_.layers) {
      if (std::ranges::find(layer.connects, name) == layer.connects.end()) continue;
      if (const auto index = drawn(layer.name)) cuts.push_back(*index);
    }
    return cuts;
  }

 private:
  const Product& product_;
  const layout::FlatView& view_;
};

std::vector<geometry::Box> places_on(const Suggestion& s, const std::string& layer, double dbu) {
  std::vector<geometry::Box> places;
  for (const LayoutLocation& l : s.locations) {
    if (l.layer != layer || l.w_um <= 0.0 || l.h_um <= 0.0) continue;
    places.push_back(tracing::to_dbu({l.x_um, l.y_um, l.x_um + l.w_um, l.y_um + l.h_um}, dbu));
  }
  return places;
}

std::string words_of(const feedback::EditPlan& plan) {
  std::string words =
      fmt::format("{} of {} places edited and checked against the rules", plan.edited, plan.places);
  if (plan.partly > 0) fmt::format_to(std::back_inserter(words), "; {} in part", plan.partly);
  for (const auto& [reason, n] : plan.refused) {
    fmt::format_to(std::back_inserter(words), "; {} not: {}", n, reason);
  }
  return words;
}

void add_rectangles(const feedback::EditPlan& plan, const layout::Layout& layout,
                    DrawnEdits& drawn) {
  const auto add = [&](const geometry::Box& box, int gds_layer, int datatype) {
    const auto um = tracing::to_um(box, layout.dbu_um());
    drawn.rectangles.push_back(
        {gds_layer, datatype, um.x_min, um.y_min, um.x_max - um.x_min, um.y_max - um.y_min});
  };
  for (const feedback::LayerEdit& edit : plan.edits) {
    const int gds_layer = layout.layers()[edit.layer].layer;
    for (const auto& box : edit.removed) add(box, gds_layer, kRemovedDatatype);
    for (const auto& box : edit.added) add(box, gds_layer, kAddedDatatype);
  }
}

Result<feedback::EditPlan> widened(const layout::FlatView& view, const DrawnLayers& layers,
                                   const std::string& name, layout::LayerIndex index,
                                   std::span<const geometry::Box> places, Progress& progress) {
  const feedback::LayerRules rules = layers.rules(name);
  const feedback::WidenOptions options{
      .goal = std::llround(kGoalInSpaces * static_cast<double>(rules.space)),
      .rules = rules,
      .cuts = layers.cuts_on(name)};
  return feedback::widen_spaces(view, index, places, options, progress);
}

Result<feedback::EditPlan> doubled(const layout::FlatView& view, const DrawnLayers& layers,
                                   const std::string& name, layout::LayerIndex index,
                                   std::span<const geometry::Box> places, Progress& progress) {
  const ProductLayer& via = *layers.named(name);
  const auto below = via.connects.size() == 2 ? layers.drawn(via.connects[0]) : std::nullopt;
  const auto above = via.connects.size() == 2 ? layers.drawn(via.connects[1]) : std::nullopt;
  if (!below || !above) {
    feedback::EditPlan none;
    none.places = places.size();
    none.refused["product.toml does not say which two drawn layers the cut connects"] =
        places.size();
    return none;
  }
  const feedback::DoubleViaOptions options{.below = layers.rules(via.connects[0]),
                                           .above = layers.rules(via.connects[1]),
                                           .cut_space = layers.rules(name).space};
  return feedback::double_vias(view, {.cut = index, .below = *below, .above = *above}, places,
                               options, progress);
}

/// Random defects as the inspections of a layer measured them; nothing where none did.
std::optional<feedback::LayerDefects> defects_of(const FabData& data, const std::string& layer) {
  std::vector<char> sees(data.inspections.size(), 0);
  double area_cm2 = 0.0;
  for (std::size_t i = 0; i < sees.size(); ++i) {
    const Inspection& inspection = data.inspections[i];
    const std::string& step = data.names[inspection.step];
    sees[i] = std::ranges::any_of(data.product.inspections, [&](const InspectionLayers& l) {
      return l.step == step && std::ranges::find(l.layers, layer) != l.layers.end();
    });
    if (sees[i] == 0) continue;
    const double die_cm2 = data.product.die_width_um * data.product.die_height_um * 1e-8;
    area_cm2 += inspection.area_cm2 > 0.0
                    ? inspection.area_cm2
                    : static_cast<double>(inspection.inspected.size()) * die_cm2;
  }
  std::vector<double> sizes;
  for (const Defect& d : data.defects)
    if (sees[d.inspection] != 0 && d.size_um > 0.0) sizes.push_back(d.size_um);
  if (area_cm2 <= 0.0 || sizes.empty()) return std::nullopt;
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  return feedback::LayerDefects{static_cast<double>(sizes.size()) / area_cm2,
                                *middle / std::sqrt(2.0)};
}

/// Judges the plan and writes what it does to shorts, opens and vias.
Status add_side_effects(const Analysis& analysis, const Suggestion& suggestion,
                        const DrawnLayers& layers, const layout::FlatView& view,
                        feedback::EditPlan& plan, DrawnEdits& drawn, Progress& progress) {
  const bool widen = suggestion.action == "widen_space";
  const std::string& name = suggestion.subject.at("layer");
  feedback::EditEffectOptions options;
  const auto removed = suggestion.side_effects.find(widen ? "shorts" : "vias");
  // Without the gain there is nothing to weigh the price against.
  if (removed == suggestion.side_effects.end() || plan.places == 0) return Ok{};
  options.removed_per_place = std::max(0.0, -removed->second) / static_cast<double>(plan.places);
  std::vector<std::string> metals{name};
  if (!widen) {
    metals = layers.named(name)->connects;
    if (metals.size() != 2) return Ok{};
    const auto below = layers.drawn(metals[0]), above = layers.drawn(metals[1]);
    const auto cut = layers.drawn(name);
    if (!below || !above || !cut) return Ok{};
    options.vias = {{.cut = *cut, .below = *below, .above = *above}};
    // What a single cut costs is what the finding says; the what-if counts it.
    options.via_fail_rate = std::min(1.0, options.removed_per_place);
    options.removed_per_place = 0.0;
  }
  for (const std::string& metal : metals) {
    const auto index = layers.drawn(metal);
    const auto measured = defects_of(analysis.fab.data, metal);
    if (!index || !measured) continue;
    options.defects[*index] = *measured;
    options.x_max_um = std::max(options.x_max_um, 4.0 * measured->x0_um);
  }
  YL_ASSIGN(const auto effects, feedback::judge_edits(view, options, plan, progress));
  if (effects.places == 0) return Ok{};
  const double shorts = effects.removed + effects.shorts.value_or(0.0);
  if (widen || effects.shorts) drawn.side_effects["shorts"] = shorts;
  if (effects.opens) drawn.side_effects["opens"] = *effects.opens;
  drawn.side_effects["vias"] = effects.vias;
  drawn.side_effects["net_lambda"] = effects.net();
  return Ok{};
}

}  // namespace

Result<DrawnEdits> draw_edits(const Analysis& analysis, const Suggestion& suggestion,
                              Progress& progress) {
  DrawnEdits drawn;
  const auto view = analysis.view();
  const auto subject = suggestion.subject.find("layer");
  const bool widen = suggestion.action == "widen_space";
  if ((!widen && suggestion.action != "double_via") || !view ||
      subject == suggestion.subject.end()) {
    return drawn;
  }
  drawn.dbu_um = view->layout().dbu_um();
  const DrawnLayers layers(analysis.fab.data.product, *view);
  const auto index = layers.drawn(subject->second);
  const auto places = places_on(suggestion, subject->second, drawn.dbu_um);
  if (!index || places.empty()) return drawn;
  auto plan = widen ? widened(*view, layers, subject->second, *index, places, progress)
                    : doubled(*view, layers, subject->second, *index, places, progress);
  if (!plan) {
    // A product without rules gets its markers all the same.
    if (plan.error().code != Errc::kInvalidOptions) return plan.error();
    drawn.words = plan.error().message;
    return drawn;
  }
  YL_TRY(add_side_effects(analysis, suggestion, layers, *view, *plan, drawn, progress));
  drawn.words = words_of(*plan);
  add_rectangles(*plan, view->layout(), drawn);
  return drawn;
}

}  // namespace yieldloop::session
