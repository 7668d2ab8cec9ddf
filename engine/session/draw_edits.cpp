#include "engine/session/draw_edits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

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
  const auto plan = widen ? widened(*view, layers, subject->second, *index, places, progress)
                          : doubled(*view, layers, subject->second, *index, places, progress);
  if (!plan) {
    // A product without rules gets its markers all the same.
    if (plan.error().code != Errc::kInvalidOptions) return plan.error();
    drawn.words = plan.error().message;
    return drawn;
  }
  drawn.words = words_of(*plan);
  add_rectangles(*plan, view->layout(), drawn);
  return drawn;
}

}  // namespace yieldloop::session
