#include "engine/layout/fault_tile.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <unordered_map>

#include "engine/layout/connectivity.h"
#include "engine/layout/disjoint_sets.h"
#include "engine/layout/wire_stretches.h"

namespace yieldloop::layout {

using geometry::Box32;

namespace {

FaultSite doubled(const Box32& b, std::uint32_t net) {
  return {2 * b.x_min, 2 * b.y_min, 2 * b.x_max, 2 * b.y_max, net};
}

/// The boxes of a layer cut to `seen`, moved by -origin.
class BoxCollector {
 public:
  BoxCollector(const Box& seen, Point origin, std::vector<Box32>& out)
      : seen_(seen), back_(Point{} - origin), out_(out) {}
  void add(const Box& box) {
    const Box inside = box.intersection(seen_);
    if (inside.width() > 0 && inside.height() > 0)
      out_.push_back(geometry::narrow(inside.moved(back_)));
  }
  /// False for an oblique polygon.
  bool add(std::span<const Point> polygon) {
    if (!geometry::is_manhattan(polygon)) return false;
    parts_.clear();
    geometry::append_boxes(polygon, parts_);
    for (const Box& part : parts_) add(part);
    return true;
  }

 private:
  Box seen_;
  Point back_;
  std::vector<Box32>& out_;
  std::vector<Box> parts_;
};

/// Nets as the finder knows them; what it does not know stays a net of its own.
std::uint32_t merge_by_finder(const NetFinder& nets, LayerIndex layer, Point origin,
                              TileShapes& shapes) {
  std::vector<std::uint32_t> number(shapes.net_count, UINT32_MAX);
  std::unordered_map<std::uint64_t, std::uint32_t> known;
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < shapes.boxes.size(); ++i) {
    std::uint32_t& mine = number[shapes.nets[i]];
    if (mine == UINT32_MAX) {
      const Point inside = static_cast<Box>(shapes.boxes[i]).center() + origin;
      const auto id = nets(layer, inside);
      mine = count;
      if (id) mine = known.try_emplace(*id, count).first->second;
      if (mine == count) ++count;
    }
    shapes.nets[i] = mine;
  }
  return count;
}

/// Oblique shapes: pieces are found exactly, then cut into rows.
void by_pieces(const FlatView& view, LayerIndex layer, const Box& seen, Point origin,
               Coord staircase, TileShapes& shapes) {
  shapes.boxes.clear();
  shapes.oblique = true;
  for (const geometry::MergedPolygon& piece : merged(view, layer, seen)) {
    const std::uint32_t net = shapes.net_count++;
    for (const geometry::Rect& r : geometry::to_rects(piece, staircase)) {
      const Box box = Box{std::llround(r.x_min), std::llround(r.y_min), std::llround(r.x_max),
                          std::llround(r.y_max)}
                          .moved(Point{} - origin);
      if (box.width() == 0 || box.height() == 0) continue;
      shapes.boxes.push_back(geometry::narrow(box));
      shapes.nets.push_back(net);
    }
  }
}

}  // namespace

std::uint32_t group_touching(const std::vector<Box32>& boxes, std::vector<std::uint32_t>& groups) {
  // Sweep across what most boxes are long along, so that few are met at a time.
  std::int64_t widths = 0, heights = 0;
  for (const Box32& b : boxes) {
    widths += b.x_max - b.x_min;
    heights += b.y_max - b.y_min;
  }
  const bool along_x = widths <= heights;
  const auto low = [&](const Box32& b) { return along_x ? b.x_min : b.y_min; };
  const auto high = [&](const Box32& b) { return along_x ? b.x_max : b.y_max; };
  std::vector<std::uint32_t> order(boxes.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return low(boxes[a]) != low(boxes[b]) ? low(boxes[a]) < low(boxes[b]) : a < b;
  });
  DisjointSets sets(boxes.size());
  std::vector<std::uint32_t> active;
  for (const std::uint32_t i : order) {
    std::size_t kept = 0;
    for (const std::uint32_t k : active) {
      if (high(boxes[k]) < low(boxes[i])) continue;
      active[kept++] = k;
      if (join_up(boxes[i], boxes[k])) sets.join(i, k);
    }
    active.resize(kept);
    active.push_back(i);
  }
  return sets.number(groups);
}

TileShapes TileShapes::of(const FlatView& view, LayerIndex layer, const Box& tile,
                          const FaultModel& model) {
  const Box seen = tile.enlarged(model.margin());
  const Point origin{tile.x_min, tile.y_min};
  TileShapes shapes;
  BoxCollector collector(seen, origin, shapes.boxes);
  view.for_each_shape(layer, seen, [&](const FlatShape& shape) {
    if (shape.is_box) {
      collector.add(shape.box);
    } else if (!collector.add(shape.points)) {
      shapes.oblique = true;
    }
  });
  if (shapes.oblique) {
    by_pieces(view, layer, seen, origin, model.staircase, shapes);
  } else {
    shapes.net_count = group_touching(shapes.boxes, shapes.nets);
  }
  if (model.nets) shapes.net_count = merge_by_finder(model.nets, layer, origin, shapes);
  return shapes;
}

TileShapes TileShapes::of(std::span<const Box> drawn, LayerIndex layer, const Box& tile,
                          const FaultModel& model) {
  TileShapes shapes;
  const Point origin{tile.x_min, tile.y_min};
  BoxCollector collector(tile.enlarged(model.margin()), origin, shapes.boxes);
  for (const Box& box : drawn) collector.add(box);
  shapes.net_count = group_touching(shapes.boxes, shapes.nets);
  if (model.nets) shapes.net_count = merge_by_finder(model.nets, layer, origin, shapes);
  return shapes;
}

void TileShapes::sort() {
  std::vector<std::uint32_t> order(boxes.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return boxes[a] < boxes[b]; });
  std::vector<Box32> sorted;
  std::vector<std::uint32_t> sorted_nets;
  std::vector<std::uint32_t> number(net_count, UINT32_MAX);
  std::uint32_t next = 0;
  for (const std::uint32_t i : order) {
    std::uint32_t& mine = number[nets[i]];
    if (mine == UINT32_MAX) mine = next++;
    sorted.push_back(boxes[i]);
    sorted_nets.push_back(mine);
  }
  boxes = std::move(sorted);
  nets = std::move(sorted_nets);
}

namespace {

/// Joins sites of one net that lie in one line and touch, along x or along y.
void join_runs(std::vector<FaultSite>& sites, bool along_x) {
  const auto across = [&](const FaultSite& s) {
    return along_x ? std::pair(s.y_min, s.y_max) : std::pair(s.x_min, s.x_max);
  };
  const auto low = [&](const FaultSite& s) { return along_x ? s.x_min : s.y_min; };
  std::sort(sites.begin(), sites.end(), [&](const FaultSite& a, const FaultSite& b) {
    return std::tuple(a.net, across(a), low(a)) < std::tuple(b.net, across(b), low(b));
  });
  std::size_t kept = 0;
  for (const FaultSite& s : sites) {
    FaultSite* last = kept > 0 ? &sites[kept - 1] : nullptr;
    if (last != nullptr && last->net == s.net && across(*last) == across(s) &&
        low(s) <= (along_x ? last->x_max : last->y_max)) {
      std::int32_t& end = along_x ? last->x_max : last->y_max;
      end = std::max(end, along_x ? s.x_max : s.y_max);
    } else {
      sites[kept++] = FaultSite(s);
    }
  }
  sites.resize(kept);
}

/// Drops sites that lie in another of the same net. The sites ascend by net.
void drop_covered(std::vector<FaultSite>& sites) {
  constexpr std::ptrdiff_t kLook = 64;  // A large net is only searched nearby.
  std::vector<FaultSite> kept;
  kept.reserve(sites.size());
  const auto begin = sites.begin();
  for (auto it = begin; it != sites.end(); ++it) {
    const auto covers = [&](const FaultSite& other) {
      return other.net == it->net && &other != &*it && other.x_min <= it->x_min &&
             other.x_max >= it->x_max && other.y_min <= it->y_min && other.y_max >= it->y_max;
    };
    const auto first = it - begin > kLook ? it - kLook : begin;
    const auto last = sites.end() - it > kLook ? it + kLook : sites.end();
    if (!std::any_of(first, last, covers)) kept.push_back(*it);
  }
  sites = std::move(kept);
}

}  // namespace

FaultCurve FaultTile::curve(const TileShapes& shapes, const Box& tile, const FaultModel& model) {
  const Box32 whole = geometry::narrow(Box{0, 0, tile.width(), tile.height()});
  const FaultSite cell = doubled(whole, 0);
  if (!shapes.boxes.empty()) {
    if (model.kind == FaultKind::kShort) {
      shorts(shapes, cell);
    } else {
      opens(shapes, tile, model, cell);
    }
  }
  return builder_.take();
}

void FaultTile::shorts(const TileShapes& shapes, const FaultSite& cell) {
  if (shapes.net_count < 2) return;
  sites_.clear();
  for (std::size_t i = 0; i < shapes.boxes.size(); ++i)
    sites_.push_back(doubled(shapes.boxes[i], shapes.nets[i]));
  // No two are equal after joining, so that of sites which hold each other one is left.
  join_runs(sites_, true);
  join_runs(sites_, false);
  drop_covered(sites_);
  cells_.cover_twice(sites_, cell, builder_);
}

void FaultTile::opens(const TileShapes& shapes, const Box& tile, const FaultModel& model,
                      const FaultSite& cell) {
  const Coord far = model.margin();
  const Box32 seen = geometry::narrow(Box{-far, -far, tile.width() + far, tile.height() + far});
  std::vector<std::vector<Box32>> nets(shapes.net_count);
  for (std::size_t i = 0; i < shapes.boxes.size(); ++i)
    nets[shapes.nets[i]].push_back(shapes.boxes[i]);
  for (const std::vector<Box32>& net : nets) {
    const std::vector<WireStretch> stretches = wire_stretches(net, seen, model.x_max);
    if (stretches.empty()) continue;
    // Net by net: a defect that opens two nets is two faults.
    if (model.end_effects) {
      sites_.clear();
      for (const WireStretch& s : stretches) sites_.push_back(open_site(s, true));
      cells_.cover_once(sites_, cell, builder_);
    } else {
      cover_without_ends(stretches, cell,
                         [&](std::span<const FaultSite> sites, const FaultSite& part) {
                           cells_.cover_once(sites, part, builder_);
                         });
    }
  }
}

}  // namespace yieldloop::layout
