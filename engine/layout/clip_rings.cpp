// A clip's words as closed rings and back.
#include <algorithm>
#include <map>
#include <optional>

#include "engine/layout/pattern_clip.h"

namespace yieldloop::layout {
namespace {

/// How far along the square's border, counter-clockwise from its lower-left corner, a point is;
/// nothing when it is not on the border.
std::optional<Coord> along_border(Point p, Coord side) {
  if (p.y == -side && p.x < side) return p.x + side;
  if (p.x == side && p.y < side) return 2 * side + p.y + side;
  if (p.y == side && p.x > -side) return 4 * side + side - p.x;
  if (p.x == -side) return 6 * side + side - p.y;
  return std::nullopt;
}

Point corner(int index, Coord side) {
  switch (index & 3) {
    case 0: return {-side, -side};
    case 1: return {side, -side};
    case 2: return {side, side};
    default: return {-side, side};
  }
}

/// Joins directed edges to rings: at a shared point to the edge that turns most to the left, at
/// the border along it to the next edge that comes in.
class Chainer {
 public:
  Chainer(std::vector<ClipEdge> edges, Coord side)
      : edges_(std::move(edges)), side_(side), used_(edges_.size(), false) {
    for (std::size_t i = 0; i < edges_.size(); ++i) {
      starts_.emplace(edges_[i].from, i);
      if (const auto at = along_border(edges_[i].from, side)) entries_.emplace(*at, i);
    }
  }

  std::vector<Polygon> rings() {
    std::vector<Polygon> rings;
    for (std::size_t first = 0; first < edges_.size(); ++first) {
      if (!used_[first]) rings.push_back(ring_from(first));
    }
    return rings;
  }
  bool meets_border() const { return !entries_.empty(); }

 private:
  Polygon ring_from(std::size_t first) {
    Polygon ring;
    std::size_t at = first;
    do {
      used_[at] = true;
      ring.push_back(edges_[at].from);
      at = next(at, ring);
    } while (at != first && !used_[at]);
    return ring;
  }

  std::size_t next(std::size_t at, Polygon& ring) const {
    const Point end = edges_[at].to;
    const auto border = along_border(end, side_);
    if (!border) return leftmost(at);
    ring.push_back(end);
    auto entry = entries_.lower_bound(*border);
    const bool around = entry == entries_.end();
    if (around) entry = entries_.begin();
    const Coord target = entry->first + (around ? 8 * side_ : 0);
    for (Coord c = *border / (2 * side_) + 1; c * 2 * side_ < target; ++c) {
      ring.push_back(corner(static_cast<int>(c), side_));
    }
    if (ring.back() == edges_[entry->second].from) ring.pop_back();
    return entry->second;
  }

  std::size_t leftmost(std::size_t at) const {
    const Point d = edges_[at].to - edges_[at].from;
    const auto [first, last] = starts_.equal_range(edges_[at].to);
    std::size_t best = first == last ? at : first->second;
    for (auto it = first; it != last; ++it) {
      const Point now = edges_[it->second].to - edges_[it->second].from;
      const Point old = edges_[best].to - edges_[best].from;
      // Two edges at most leave a point: one turns left of the way in, one right.
      if (geometry::cross(d, now) > 0 && geometry::cross(d, old) <= 0) best = it->second;
    }
    return best;
  }

  std::vector<ClipEdge> edges_;
  Coord side_;
  std::vector<bool> used_;
  std::multimap<Point, std::size_t> starts_;
  std::multimap<Coord, std::size_t> entries_;
};

}  // namespace

std::vector<Polygon> clip_rings(std::span<const std::uint64_t> words, std::uint32_t layer,
                                Coord radius) {
  const Coord side = 2 * radius;
  const Polygon square{corner(0, side), corner(1, side), corner(2, side), corner(3, side)};
  if (covers_all(words, layer)) return {square};
  auto edges = clip_edges(words);
  std::erase_if(edges, [layer](const ClipEdge& e) { return e.layer != layer; });
  if (edges.empty()) return {};
  Chainer chainer(std::move(edges), side);
  auto rings = chainer.rings();
  if (chainer.meets_border()) return rings;
  // Nothing crosses the border: it is covered when the outermost ring is a hole.
  const auto outermost = std::ranges::min_element(
      rings, {}, [](const Polygon& ring) { return *std::ranges::min_element(ring); });
  if (geometry::signed_area2(*outermost) < 0.0) rings.insert(rings.begin(), square);
  return rings;
}

ClipWords words_of_rings(const std::vector<std::vector<Polygon>>& rings_by_layer, Coord radius) {
  const Coord side = 2 * radius;
  std::vector<ClipEdge> edges;
  std::vector<std::uint32_t> covered;
  for (std::uint32_t layer = 0; layer < rings_by_layer.size(); ++layer) {
    const std::size_t before = edges.size();
    for (const Polygon& ring : rings_by_layer[layer]) {
      for (std::size_t i = 0; i < ring.size(); ++i) {
        const Point a = ring[i], b = ring[(i + 1) % ring.size()];
        const bool on_border =
            (a.x == b.x && std::abs(a.x) == side) || (a.y == b.y && std::abs(a.y) == side);
        if (!on_border && a != b) edges.push_back({layer, a, b});
      }
    }
    if (edges.size() == before && !rings_by_layer[layer].empty()) covered.push_back(layer);
  }
  return clip_words(edges, covered);
}

std::vector<geometry::Rect> clip_rects(std::span<const std::uint64_t> words, std::uint32_t layer,
                                       Coord radius) {
  const auto rings = clip_rings(words, layer, radius);
  if (rings.empty()) return {};
  // Even-odd over all rings, so that it does not matter which ring is named the outer one.
  return geometry::to_rects({rings.front(), {rings.begin() + 1, rings.end()}}, 1);
}

}  // namespace yieldloop::layout
