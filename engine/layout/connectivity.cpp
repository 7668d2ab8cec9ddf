#include "engine/layout/connectivity.h"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/connected_components.hpp>

#include "engine/layout/collect.h"

namespace yieldloop::layout {

using geometry::MergedPolygon;

std::vector<MergedPolygon> merged(const FlatView& view, LayerIndex layer, const Box& window) {
  const Box inside = window.intersection(view.bbox(layer));
  if (inside.width() == 0 || inside.height() == 0) return {};
  return geometry::merge(collect(view, layer, inside), inside);
}

PieceFinder::PieceFinder(const std::vector<MergedPolygon>& pieces)
    : pieces_(&pieces), boxes_([&] {
        std::vector<Box> boxes;
        boxes.reserve(pieces.size());
        for (const MergedPolygon& piece : pieces) boxes.push_back(piece.bbox());
        return geometry::BoxFinder(boxes);
      }()) {}

std::vector<std::uint32_t> PieceFinder::near(const Box& window) const {
  std::vector<std::uint32_t> found;
  boxes_.for_each(window, [&](std::uint32_t i, const Box&) { found.push_back(i); });
  std::sort(found.begin(), found.end());
  return found;
}

std::int64_t PieceFinder::at(Point p) const {
  for (const std::uint32_t i : near({p.x, p.y, p.x, p.y}))
    if ((*pieces_)[i].contains(p)) return i;
  return -1;
}

std::optional<std::uint32_t> Nets::at(LayerIndex layer, Point p) const {
  for (const NetPiece& piece : pieces)
    if (piece.layer == layer && piece.shape.bbox().contains(p) && piece.shape.contains(p))
      return piece.net;
  return std::nullopt;
}

namespace {

/// Whether two merged pieces share area; cuts are small, so the box of the cut decides how much
/// of the metal is looked at.
bool overlap(const MergedPolygon& cut, const MergedPolygon& metal) {
  const Box box = cut.bbox();
  if (metal.contains(box.center()) && cut.contains(box.center())) return true;
  const auto metal_rects = geometry::to_rects(metal, std::max<Coord>(box.height() / 8, 1));
  for (const geometry::Rect& a : geometry::to_rects(cut, std::max<Coord>(box.height() / 8, 1)))
    for (const geometry::Rect& b : metal_rects)
      if (intersection(a, b).has_area()) return true;
  return false;
}

}  // namespace

Nets connect(const FlatView& view, const std::vector<LayerIndex>& layers,
             const std::vector<ViaLayer>& vias, const Box& window) {
  std::vector<std::vector<MergedPolygon>> pieces;
  std::vector<std::size_t> first;
  std::size_t total = 0;
  for (const LayerIndex layer : layers) {
    pieces.push_back(merged(view, layer, window));
    first.push_back(total);
    total += pieces.back().size();
  }
  boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS> graph(total);
  for (const ViaLayer& via : vias) {
    std::vector<std::pair<std::size_t, PieceFinder>> finders;
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (layers[i] == via.below || layers[i] == via.above)
        finders.emplace_back(i, PieceFinder(pieces[i]));
    for (const MergedPolygon& cut : merged(view, via.cut, window)) {
      std::vector<std::size_t> joined;
      for (const auto& [i, finder] : finders)
        for (const std::uint32_t piece : finder.near(cut.bbox()))
          if (overlap(cut, pieces[i][piece])) joined.push_back(first[i] + piece);
      for (std::size_t k = 1; k < joined.size(); ++k) add_edge(joined[0], joined[k], graph);
    }
  }
  std::vector<std::size_t> component(total);
  Nets nets;
  if (total > 0)
    nets.count = static_cast<std::uint32_t>(boost::connected_components(graph, component.data()));
  for (std::size_t i = 0; i < layers.size(); ++i)
    for (std::size_t k = 0; k < pieces[i].size(); ++k)
      nets.pieces.push_back({layers[i], static_cast<std::uint32_t>(component[first[i] + k]),
                             std::move(pieces[i][k])});
  return nets;
}

}  // namespace yieldloop::layout
