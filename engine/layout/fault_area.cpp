#include "engine/layout/fault_area.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/layout/connectivity.h"

namespace yieldloop::layout {

using geometry::MergedPolygon;
using geometry::Rect;

namespace {

/// More break points than this are left to the adaptive integration.
constexpr std::size_t kFewBreaks = 24;

Rect transposed(const Rect& r) { return {r.y_min, r.x_min, r.y_max, r.x_max}; }

/// Whether a strip goes on below and above itself, for strips in the order of disjoint().
struct Continues {
  bool below = false;
  bool above = false;
};

std::vector<Continues> continuations(const std::vector<Rect>& strips, const Rect& seen) {
  std::multimap<double, std::size_t> starting;
  for (std::size_t i = 0; i < strips.size(); ++i) starting.emplace(strips[i].y_min, i);
  std::vector<Continues> result(strips.size());
  for (std::size_t i = 0; i < strips.size(); ++i) {
    const Rect& s = strips[i];
    if (s.y_min <= seen.y_min) result[i].below = true;
    if (s.y_max >= seen.y_max) result[i].above = true;
    const auto [first, last] = starting.equal_range(s.y_max);
    for (auto it = first; it != last; ++it) {
      const Rect& next = strips[it->second];
      if (next.x_min >= s.x_max || s.x_min >= next.x_max) continue;
      result[i].above = true;
      result[it->second].below = true;
    }
  }
  return result;
}

double gap(const Rect& a, const Rect& b) {
  return std::max({a.x_min - b.x_max, b.x_min - a.x_max, a.y_min - b.y_max, b.y_min - a.y_max});
}

std::vector<double> tidy_breaks(std::vector<double> breaks) {
  std::sort(breaks.begin(), breaks.end());
  breaks.erase(std::unique(breaks.begin(), breaks.end()), breaks.end());
  if (breaks.size() > kFewBreaks) breaks.erase(breaks.begin() + 1, breaks.end());
  return breaks;
}

}  // namespace

FaultArea::FaultArea(const FlatView& view, LayerIndex layer, const Box& tile, const Model& model)
    : model_(model) {
  // Half a defect is what a centre in the tile can reach; as much again for connections.
  const Box seen = tile.enlarged(static_cast<Coord>(std::ceil(model.x_max)));
  const Point origin{tile.x_min, tile.y_min};
  const auto local = [origin](const Box& b) { return to_rect(b.moved(Point{} - origin)); };
  window_ = local(tile);
  for (const MergedPolygon& piece : merged(view, layer, seen)) {
    std::vector<Rect> rects = geometry::to_rects(piece, model.staircase);
    for (Rect& r : rects) {
      const auto dx = static_cast<double>(origin.x);
      const auto dy = static_cast<double>(origin.y);
      r = {r.x_min - dx, r.y_min - dy, r.x_max - dx, r.y_max - dy};
    }
    nets_.push_back(std::move(rects));
  }
  if (model.kind == FaultKind::kShort) {
    find_gaps();
  } else {
    find_stretches(local(seen));
  }
}

void FaultArea::find_gaps() {
  std::vector<Box> boxes;
  std::vector<std::pair<std::size_t, Rect>> all;
  for (std::size_t net = 0; net < nets_.size(); ++net)
    for (const Rect& r : nets_[net]) {
      all.emplace_back(net, r);
      boxes.push_back(
          {static_cast<Coord>(std::floor(r.x_min)), static_cast<Coord>(std::floor(r.y_min)),
           static_cast<Coord>(std::ceil(r.x_max)), static_cast<Coord>(std::ceil(r.y_max))});
    }
  const std::vector<std::uint32_t> order = geometry::packed_order(boxes);
  std::vector<Box> sorted;
  for (const std::uint32_t i : order) sorted.push_back(boxes[i]);
  const geometry::PackedIndex index(sorted);
  std::vector<double> found;
  double reach = model_.x_max;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto visit = [&](std::size_t first, std::size_t last) {
      for (std::size_t k = first; k < last; ++k) {
        const auto& [net, rect] = all[order[k]];
        if (net <= all[i].first) continue;
        const double g = std::max(gap(all[i].second, rect), 0.0);
        if (g >= reach) continue;
        found.push_back(g);
        if (found.size() > 4096) {
          found = tidy_breaks(std::move(found));
          // Only the smallest matters once there are many.
          if (found.size() == 1) reach = std::nextafter(found[0], model_.x_max);
        }
      }
    };
    index.for_each_range(boxes[i].enlarged(static_cast<Coord>(std::ceil(reach))), sorted.size(),
                         visit);
  }
  breaks_ = tidy_breaks(std::move(found));
}

void FaultArea::find_stretches(const Rect& seen) {
  std::vector<double> widths;
  const auto add = [&](std::size_t net, const std::vector<Rect>& strips, const Rect& border,
                       bool vertical) {
    const std::vector<Continues> goes_on = continuations(strips, border);
    for (std::size_t i = 0; i < strips.size(); ++i) {
      const Rect& s = strips[i];
      const double width = s.x_max - s.x_min;
      const bool wire = (goes_on[i].below && goes_on[i].above) || s.y_max - s.y_min >= width;
      // A chord that ends at the border of what was seen is longer than it looks.
      const bool whole = s.x_min > border.x_min && s.x_max < border.x_max;
      if (!wire || !whole || width >= model_.x_max) continue;
      widths.push_back(width);
      stretches_.push_back({vertical ? s : transposed(s), vertical, net});
    }
  };
  for (std::size_t i = 0; i < nets_.size(); ++i) {
    add(i, nets_[i], seen, true);
    std::vector<Rect> turned;
    turned.reserve(nets_[i].size());
    for (const Rect& r : nets_[i]) turned.push_back(transposed(r));
    add(i, geometry::disjoint(turned), transposed(seen), false);
  }
  breaks_ = tidy_breaks(std::move(widths));
}

double FaultArea::at(double x) const {
  if (breaks_.empty() || x <= breaks_.front()) return 0.0;
  return model_.kind == FaultKind::kShort ? shorts(x) : opens(x);
}

double FaultArea::shorts(double x) const {
  std::vector<Rect> covered;
  std::vector<Rect> net_cover;
  for (const std::vector<Rect>& net : nets_) {
    net_cover.clear();
    for (const Rect& r : net) {
      const Rect inside = intersection(grown(r, x / 2.0, x / 2.0), window_);
      if (inside.has_area()) net_cover.push_back(inside);
    }
    // Each net must count once, however many of its rectangles reach a place.
    if (net_cover.size() > 1) net_cover = geometry::disjoint(net_cover);
    covered.insert(covered.end(), net_cover.begin(), net_cover.end());
  }
  return geometry::coverage(covered).twice;
}

double FaultArea::opens(double x) const {
  double sum = 0.0;
  std::vector<Rect> covered;
  const double end = model_.end_effects ? x / 2.0 : 0.0;
  for (std::size_t i = 0; i < stretches_.size(); ++i) {
    const Stretch& s = stretches_[i];
    // The centre must be within x/2 of both sides.
    const Rect places = s.vertical ? grown(s.rect, x / 2.0 - (s.rect.x_max - s.rect.x_min), end)
                                   : grown(s.rect, end, x / 2.0 - (s.rect.y_max - s.rect.y_min));
    const Rect inside = intersection(places, window_);
    if (inside.has_area()) covered.push_back(inside);
    // Net by net: a defect that opens two nets is two faults.
    if (i + 1 < stretches_.size() && stretches_[i + 1].net == s.net) continue;
    sum += covered.size() == 1
               ? (covered[0].x_max - covered[0].x_min) * (covered[0].y_max - covered[0].y_min)
               : geometry::coverage(covered).once;
    covered.clear();
  }
  return sum;
}

}  // namespace yieldloop::layout
