#include "engine/layout/fault_cells.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace yieldloop::layout {
namespace {

/// Few enough sites to form all pairs of them.
constexpr std::size_t kFewForPairs = 7;
/// Few enough sites for inclusion and exclusion.
constexpr std::size_t kFewForUnion = 5;
/// Few enough to compare each with each.
constexpr std::size_t kFewToCompare = 16;

FaultSite common_part(const FaultSite& a, const FaultSite& b) {
  return {std::max(a.x_min, b.x_min), std::max(a.y_min, b.y_min), std::min(a.x_max, b.x_max),
          std::min(a.y_max, b.y_max), 0};
}

/// The sizes from which on a site covers part of a cell, and all of it.
struct Range {
  std::int32_t nearest;
  std::int32_t farthest;
};

inline Range range(const FaultSite& s, const FaultSite& cell) {
  const std::int32_t left = s.x_min - cell.x_max;
  const std::int32_t right = cell.x_min - s.x_max;
  const std::int32_t below = s.y_min - cell.y_max;
  const std::int32_t above = cell.y_min - s.y_max;
  // Walls that are inside out have to meet first.
  const std::int32_t inverse = std::max(s.x_min - s.x_max, s.y_min - s.y_max) / 2;
  const std::int32_t across = std::max(left, right);
  const std::int32_t along = std::max(below, above);
  const std::int32_t width = cell.x_max - cell.x_min;
  const std::int32_t height = cell.y_max - cell.y_min;
  return {std::max(std::max(across, along), std::max(inverse, 0)),
          std::max(std::max(across + width, along + height), 0)};
}

/// What a site covers of a cell from some size on: walls beyond the cell's own do not matter.
class Inner {
 public:
  Inner(const FaultSite& site, const FaultSite& cell) {
    const std::int32_t from = range(site, cell).nearest;
    x_min_ = std::max(site.x_min, cell.x_min + from);
    y_min_ = std::max(site.y_min, cell.y_min + from);
    x_max_ = std::min(site.x_max, cell.x_max - from);
    y_max_ = std::min(site.y_max, cell.y_max - from);
  }
  /// Whether the other covers all of it, at every size.
  bool within(const FaultSite& outer) const {
    return outer.x_min <= x_min_ && outer.y_min <= y_min_ && outer.x_max >= x_max_ &&
           outer.y_max >= y_max_;
  }

 private:
  std::int32_t x_min_, y_min_, x_max_, y_max_;
};

/// Where to cut a cell.
struct Cut {
  bool along_x = false;
  std::int32_t at = 0;
};

/// Cuts a cell where some site's distance changes its form, or in the middle.
class CutChooser {
 public:
  CutChooser(std::span<const FaultSite> sites, const FaultSite& cell)
      : sites_(sites), cell_(cell) {}

  std::optional<Cut> choose() const {
    const std::int32_t width = cell_.x_max - cell_.x_min;
    const std::int32_t height = cell_.y_max - cell_.y_min;
    if (width <= 1 && height <= 1) return std::nullopt;
    // Compact cells see the fewest sites; a change of form is a good cut only near the middle.
    const bool along_x = width >= height;
    if (const auto at = nearest(along_x)) return Cut{along_x, *at};
    if (2 * std::min(width, height) > std::max(width, height))
      if (const auto at = nearest(!along_x)) return Cut{!along_x, *at};
    return Cut{along_x, along_x ? cell_.x_min + width / 2 : cell_.y_min + height / 2};
  }

 private:
  std::optional<std::int32_t> nearest(bool along_x) const {
    const std::int32_t low = along_x ? cell_.x_min : cell_.y_min;
    const std::int32_t high = along_x ? cell_.x_max : cell_.y_max;
    const std::int32_t middle = low + (high - low) / 2;
    std::int32_t best = low;
    std::int32_t off = (high - low) / 4 + 1;
    const auto offer = [&](std::int32_t at) {
      const std::int32_t d = std::abs(at - middle);
      if (d < off && at > low && at < high) {
        off = d;
        best = at;
      }
    };
    for (const FaultSite& s : sites_) {
      const std::int32_t a = along_x ? s.x_min : s.y_min;
      const std::int32_t b = along_x ? s.x_max : s.y_max;
      if (a <= b) {
        offer(a);
        offer(b);
      } else {
        offer(b + (a - b) / 2);
      }
    }
    if (best == low) return std::nullopt;
    return best;
  }

  std::span<const FaultSite> sites_;
  const FaultSite& cell_;
};

}  // namespace

void FaultCells::cover_once(std::span<const FaultSite> sites, const FaultSite& cell,
                            FaultCurveBuilder& out) {
  out_ = &out;
  sites_.assign(sites.begin(), sites.end());
  once({0, sites_.size()}, cell);
}

void FaultCells::cover_twice(std::span<const FaultSite> sites, const FaultSite& cell,
                             FaultCurveBuilder& out) {
  out_ = &out;
  sites_.assign(sites.begin(), sites.end());
  twice({0, sites_.size()}, cell);
}

FaultCells::Slice FaultCells::keep_two_nets(Slice from, const FaultSite& cell) {
  measure(from, cell);
  // The second smallest size from which on the cell is covered whole, counting each net once.
  std::int32_t first = INT32_MAX;
  std::int32_t second = INT32_MAX;
  std::uint32_t first_net = 0;
  for (std::size_t i = from.first; i < from.last; ++i) {
    const std::int32_t farthest = farthest_[i - from.first];
    if (farthest >= second) continue;
    if (first != INT32_MAX && sites_[i].net == first_net) {
      first = std::min(first, farthest);
    } else if (farthest < first) {
      second = first;
      first = farthest;
      first_net = sites_[i].net;
    } else {
      second = farthest;
    }
  }
  const std::int32_t reach = std::min(second, out_->limit());
  const std::size_t count = from.last - from.first;
  Slice kept{sites_.size(), sites_.size()};
  sites_.resize(sites_.size() + count);
  for (std::size_t i = 0; i < count; ++i) {
    const Range r{nearest_[i], farthest_[i]};
    // What covers the cell whole as soon as any of it stays, though it begins at `reach`.
    sites_[kept.last] = sites_[from.first + i];
    const bool keep = r.nearest < reach || (r.nearest == second && r.farthest == second);
    kept.last += keep ? 1U : 0U;
  }
  sites_.resize(kept.last);
  return kept;
}

bool FaultCells::worth_comparing(Slice slice, Slice from, const FaultSite& cell) const {
  const std::size_t count = slice.last - slice.first;
  if (count <= kFewToCompare) return true;
  // Many remain when they are about as far from a small cell; distances alone do not help there.
  const std::int32_t side = std::max(cell.x_max - cell.x_min, cell.y_max - cell.y_min);
  return side <= out_->limit() && 4 * count > 3 * (from.last - from.first);
}

void FaultCells::drop_doubly_hidden(Slice& slice, const FaultSite& cell) {
  for (std::size_t i = slice.first; i < slice.last;) {
    const Inner inner(sites_[i], cell);
    bool hidden = false;
    bool once = false;
    std::uint32_t net = 0;
    for (std::size_t k = slice.first; k < slice.last && !hidden; ++k) {
      if (!inner.within(sites_[k]) || k == i) continue;
      // Behind its own net, or behind two others.
      hidden = sites_[k].net == sites_[i].net || (once && sites_[k].net != net);
      once = true;
      net = sites_[k].net;
    }
    if (hidden) {
      sites_[i] = sites_[--slice.last];
    } else {
      ++i;
    }
  }
  sites_.resize(slice.last);
}

void FaultCells::twice(Slice from, const FaultSite& cell) {
  const std::size_t mark = sites_.size();
  Slice near = keep_two_nets(from, cell);
  if (near.last - near.first > kFewForPairs && worth_comparing(near, from, cell))
    drop_doubly_hidden(near, cell);
  const std::span<const FaultSite> sites(sites_.data() + near.first, near.last - near.first);
  const bool two = std::any_of(sites.begin(), sites.end(),
                               [&](const FaultSite& s) { return s.net != sites.front().net; });
  if (two) {
    const auto cut = sites.size() <= kFewForPairs ? std::nullopt : CutChooser(sites, cell).choose();
    if (cut) {
      FaultSite low = cell;
      FaultSite high = cell;
      (cut->along_x ? low.x_max : low.y_max) = cut->at;
      (cut->along_x ? high.x_min : high.y_min) = cut->at;
      twice(near, low);
      twice(near, high);
    } else {
      pairs(near, cell);
    }
  }
  sites_.resize(mark);
}

void FaultCells::pairs(Slice near, const FaultSite& cell) {
  const Slice all{sites_.size(), sites_.size()};
  for (std::size_t i = near.first; i < near.last; ++i)
    for (std::size_t k = i + 1; k < near.last; ++k)
      if (sites_[i].net != sites_[k].net) sites_.push_back(common_part(sites_[i], sites_[k]));
  once({all.first, sites_.size()}, cell);
}

FaultCells::Slice FaultCells::keep_nearest(Slice from, const FaultSite& cell) {
  measure(from, cell);
  const std::size_t count = from.last - from.first;
  std::int32_t reach = INT32_MAX;
  std::size_t nearest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (farthest_[i] >= reach) continue;
    reach = farthest_[i];
    nearest = i;
  }
  Slice kept{sites_.size(), sites_.size()};
  sites_.resize(sites_.size() + count);
  for (std::size_t i = 0; i < count; ++i) {
    sites_[kept.last] = sites_[from.first + i];
    const bool keep = nearest_[i] < out_->limit() && (nearest_[i] < reach || i == nearest);
    kept.last += keep ? 1U : 0U;
  }
  sites_.resize(kept.last);
  return kept;
}

void FaultCells::measure(Slice slice, const FaultSite& cell) {
  const std::size_t count = slice.last - slice.first;
  if (nearest_.size() < count) {
    nearest_.resize(2 * count);
    farthest_.resize(2 * count);
  }
  const FaultSite* const sites = sites_.data() + slice.first;
  for (std::size_t i = 0; i < count; ++i) {
    const Range r = range(sites[i], cell);
    nearest_[i] = r.nearest;
    farthest_[i] = r.farthest;
  }
}

void FaultCells::drop_hidden(Slice& slice, const FaultSite& cell) {
  for (std::size_t i = slice.first; i < slice.last;) {
    const Inner inner(sites_[i], cell);
    bool hidden = false;
    for (std::size_t k = slice.first; k < slice.last && !hidden; ++k)
      hidden = inner.within(sites_[k]) && k != i;
    if (hidden) {
      sites_[i] = sites_[--slice.last];
    } else {
      ++i;
    }
  }
  sites_.resize(slice.last);
}

void FaultCells::once(Slice from, const FaultSite& cell) {
  const std::size_t mark = sites_.size();
  Slice near = keep_nearest(from, cell);
  if (worth_comparing(near, from, cell)) drop_hidden(near, cell);
  const std::span<const FaultSite> sites(sites_.data() + near.first, near.last - near.first);
  if (!sites.empty()) {
    const auto cut = sites.size() <= kFewForUnion ? std::nullopt : CutChooser(sites, cell).choose();
    if (cut) {
      FaultSite low = cell;
      FaultSite high = cell;
      (cut->along_x ? low.x_max : low.y_max) = cut->at;
      (cut->along_x ? high.x_min : high.y_min) = cut->at;
      once(near, low);
      once(near, high);
    } else {
      constexpr std::int32_t kFar = 1 << 30;
      inclusion(near.first, near.last, {-kFar, -kFar, kFar, kFar, 0}, cell, 1);
    }
  }
  sites_.resize(mark);
}

void FaultCells::inclusion(std::size_t first, std::size_t last, const FaultSite& common,
                           const FaultSite& cell, int sign) {
  for (std::size_t i = first; i < last; ++i) {
    const FaultSite part = common_part(common, sites_[i]);
    const std::int32_t from = range(part, cell).nearest;
    if (from >= out_->limit()) continue;
    term(part, from, cell, sign);
    inclusion(i + 1, last, part, cell, -sign);
  }
}

void FaultCells::term(const FaultSite& site, std::int32_t from, const FaultSite& cell, int sign) {
  // Length along each axis at size x: what lies between the walls, inside the cell.
  const auto length = [](std::int32_t low, std::int32_t high, std::int32_t cell_low,
                         std::int32_t cell_high, std::int32_t x) -> std::int64_t {
    return std::min(cell_high, high + x) - std::max(cell_low, low - x);
  };
  const auto width = [&](std::int32_t x) {
    return length(site.x_min, site.x_max, cell.x_min, cell.x_max, x);
  };
  const auto height = [&](std::int32_t x) {
    return length(site.y_min, site.y_max, cell.y_min, cell.y_max, x);
  };
  struct Arrival {
    std::int32_t x;
    bool along_x;
  };
  Arrival arrivals[4] = {{site.x_min - cell.x_min, true},
                         {cell.x_max - site.x_max, true},
                         {site.y_min - cell.y_min, false},
                         {cell.y_max - site.y_max, false}};
  std::int64_t moving_x = 0;
  std::int64_t moving_y = 0;
  for (const Arrival& a : arrivals)
    if (a.x > from) ++(a.along_x ? moving_x : moving_y);
  const std::int64_t w = width(from);
  const std::int64_t h = height(from);
  out_->add_base(sign * (from == 0 ? w * h : 0));
  out_->add(from, sign * (moving_x * h + moving_y * w), sign * moving_x * moving_y);
  // The order of 4, by 5 comparisons.
  const auto order = [&](int i, int k) {
    if (arrivals[k].x < arrivals[i].x) std::swap(arrivals[i], arrivals[k]);
  };
  order(0, 1);
  order(2, 3);
  order(0, 2);
  order(1, 3);
  order(1, 2);
  for (const Arrival& a : arrivals) {
    if (a.x <= from) continue;
    if (a.x >= out_->limit()) break;
    if (a.along_x) {
      --moving_x;
      out_->add(a.x, -sign * height(a.x), -sign * moving_y);
    } else {
      --moving_y;
      out_->add(a.x, -sign * width(a.x), -sign * moving_x);
    }
  }
}

}  // namespace yieldloop::layout
