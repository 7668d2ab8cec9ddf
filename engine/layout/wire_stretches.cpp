#include "engine/layout/wire_stretches.h"

#include <algorithm>

#include "engine/geometry/rectangles.h"

namespace yieldloop::layout {

using geometry::Box32;
using geometry::Rect;

namespace {

constexpr std::int32_t kFar = 1 << 29;

Rect transposed(const Rect& r) { return {r.y_min, r.x_min, r.y_max, r.x_max}; }

Rect rect_of(const Box32& b) { return geometry::to_rect(static_cast<geometry::Box>(b)); }

/// Whether a strip goes on below and above itself, for strips in the order of disjoint().
struct Continues {
  bool below = false;
  bool above = false;
};

std::vector<Continues> continuations(const std::vector<Rect>& strips, const Rect& seen) {
  std::vector<Continues> result(strips.size());
  for (std::size_t i = 0; i < strips.size(); ++i) {
    const Rect& s = strips[i];
    if (s.y_min <= seen.y_min) result[i].below = true;
    if (s.y_max >= seen.y_max) result[i].above = true;
    // Strips ascend by (y_min, x_min): those that start where this one ends are one run, in
    // which no two overlap along x.
    auto next = std::lower_bound(strips.begin(), strips.end(), s, [](const Rect& a, const Rect& b) {
      return a.y_min != b.y_max ? a.y_min < b.y_max : a.x_max <= b.x_min;
    });
    for (; next != strips.end() && next->y_min == s.y_max && next->x_min < s.x_max; ++next) {
      result[i].above = true;
      result[static_cast<std::size_t>(next - strips.begin())].below = true;
    }
  }
  return result;
}

void add_stretches(const std::vector<Rect>& strips, const Rect& seen, double below, bool vertical,
                   std::vector<WireStretch>& out) {
  const std::vector<Continues> goes_on = continuations(strips, seen);
  for (std::size_t i = 0; i < strips.size(); ++i) {
    const Rect& s = strips[i];
    const double width = s.x_max - s.x_min;
    const bool wire = (goes_on[i].below && goes_on[i].above) || s.y_max - s.y_min >= width;
    const bool whole = s.x_min > seen.x_min && s.x_max < seen.x_max;
    if (!wire || !whole || width >= below) continue;
    const Rect r = vertical ? s : transposed(s);
    out.push_back({{static_cast<std::int32_t>(r.x_min), static_cast<std::int32_t>(r.y_min),
                    static_cast<std::int32_t>(r.x_max), static_cast<std::int32_t>(r.y_max)},
                   vertical});
  }
}

/// The ends of a stretch along its wire, in half units.
struct Ends {
  std::int32_t low, high;
};
Ends ends(const WireStretch& s) {
  return s.vertical ? Ends{2 * s.box.y_min, 2 * s.box.y_max}
                    : Ends{2 * s.box.x_min, 2 * s.box.x_max};
}

}  // namespace

std::vector<WireStretch> wire_stretches(std::span<const Box32> net, const Box32& seen,
                                        geometry::Coord below) {
  std::vector<Rect> rects, turned;
  for (const Box32& b : net) {
    rects.push_back(rect_of(b));
    turned.push_back(transposed(rects.back()));
  }
  if (net.size() > 1) {
    rects = geometry::disjoint(rects);
    turned = geometry::disjoint(turned);
  }
  std::vector<WireStretch> found;
  const Rect border = rect_of(seen);
  add_stretches(rects, border, static_cast<double>(below), true, found);
  add_stretches(turned, transposed(border), static_cast<double>(below), false, found);
  return found;
}

FaultSite open_site(const WireStretch& s, bool end_effects) {
  // The defect must reach past both sides: its centre lies within x / 2 of each.
  FaultSite site{2 * s.box.x_min, 2 * s.box.y_min, 2 * s.box.x_max, 2 * s.box.y_max, 0};
  if (s.vertical) {
    std::swap(site.x_min, site.x_max);
    if (!end_effects) site.y_min = -kFar, site.y_max = kFar;
  } else {
    std::swap(site.y_min, site.y_max);
    if (!end_effects) site.x_min = -kFar, site.x_max = kFar;
  }
  return site;
}

void cover_without_ends(std::span<const WireStretch> stretches, const FaultSite& cell,
                        FunctionRef<void(std::span<const FaultSite>, const FaultSite&)> visit) {
  std::vector<WireStretch> here;
  std::vector<FaultSite> sites;
  for (const WireStretch& s : stretches) {
    const Ends e = ends(s);
    const std::int32_t low = s.vertical ? cell.y_min : cell.x_min;
    const std::int32_t high = s.vertical ? cell.y_max : cell.x_max;
    if (e.high <= low || e.low >= high) continue;
    here.push_back(s);
    sites.push_back(open_site(s, false));
  }
  for (const WireStretch& s : here) {
    const Ends e = ends(s);
    for (const std::int32_t at : {e.low, e.high}) {
      if (at <= (s.vertical ? cell.y_min : cell.x_min) ||
          at >= (s.vertical ? cell.y_max : cell.x_max))
        continue;
      FaultSite first = cell, second = cell;
      (s.vertical ? first.y_max : first.x_max) = at;
      (s.vertical ? second.y_min : second.x_min) = at;
      cover_without_ends(here, first, visit);
      cover_without_ends(here, second, visit);
      return;
    }
  }
  if (!sites.empty()) visit(sites, cell);
}

}  // namespace yieldloop::layout
