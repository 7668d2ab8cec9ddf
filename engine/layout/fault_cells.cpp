#include "engine/layout/fault_cells.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace yieldloop::layout {
namespace {

/// Few enough sites to form all pairs of them.
constexpr std::size_t kFewForPairs = 6;
/// Few enough sites for inclusion and exclusion.
constexpr std::size_t kFewForUnion = 5;
/// Few enough to compare each with each.
constexpr std::size_t kFewToCompare = 16;

FaultSite common_part(const FaultSite& a, const FaultSite& b) {
  return {std::max(a.x_min, b.x_min), std::max(a.y_min, b.y_min), std::min(a.x_max, b.x_max),
          std::min(a.y_max, b.y_max), 0};
}

/// Whether `outer` covers all of the cell that `inner` covers, at every size from `from` on.
bool covers(const FaultSite& outer, const FaultSite& inner, std::int32_t from,
            const FaultSite& cell) {
  return outer.x_min <= std::max(inner.x_min, cell.x_min + from) &&
         outer.y_min <= std::max(inner.y_min, cell.y_min + from) &&
         outer.x_max >= std::min(inner.x_max, cell.x_max - from) &&
         outer.y_max >= std::min(inner.y_max, cell.y_max - from);
}

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

FaultCells::Range FaultCells::range(const FaultSite& s, const FaultSite& cell) {
  const std::int32_t left = s.x_min - cell.x_max;
  const std::int32_t right = cell.x_min - s.x_max;
  const std::int32_t below = s.y_min - cell.y_max;
  const std::int32_t above = cell.y_min - s.y_max;
  // Walls that are inside out have to meet first.
  const std::int32_t inverse = std::max((s.x_min - s.x_max) / 2, (s.y_min - s.y_max) / 2);
  const std::int32_t width = cell.x_max - cell.x_min;
  const std::int32_t height = cell.y_max - cell.y_min;
  Range r;
  r.nearest = std::max({left, right, below, above, inverse, 0});
  r.farthest = std::max({left + width, right + width, below + height, above + height, 0});
  return r;
}

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
  ranges_.resize(from.last - from.first);
  // The second smallest size from which on the cell is covered whole, counting each net once.
  std::int32_t first = INT32_MAX;
  std::int32_t second = INT32_MAX;
  std::uint32_t first_net = 0;
  for (std::size_t i = from.first; i < from.last; ++i) {
    const Range r = range(sites_[i], cell);
    ranges_[i - from.first] = r;
    if (r.farthest >= second) continue;
    if (first != INT32_MAX && sites_[i].net == first_net) {
      first = std::min(first, r.farthest);
    } else if (r.farthest < first) {
      second = first;
      first = r.farthest;
      first_net = sites_[i].net;
    } else {
      second = r.farthest;
    }
  }
  const std::int32_t reach = std::min(second, out_->limit());
  Slice kept{sites_.size(), sites_.size()};
  for (std::size_t i = from.first; i < from.last; ++i) {
    const Range r = ranges_[i - from.first];
    // What covers the cell whole as soon as any of it stays, though it begins at `reach`.
    if (r.nearest < reach || (r.nearest == second && r.farthest == second))
      sites_.push_back(FaultSite(sites_[i]));
  }
  kept.last = sites_.size();
  return kept;
}

void FaultCells::drop_doubly_hidden(Slice& slice, const FaultSite& cell) {
  const std::size_t count = slice.last - slice.first;
  if (count <= 2 || count > kFewToCompare) return;
  for (std::size_t i = slice.first; i < slice.last;) {
    const std::int32_t from = range(sites_[i], cell).nearest;
    bool hidden = false;
    bool once = false;
    std::uint32_t net = 0;
    for (std::size_t k = slice.first; k < slice.last && !hidden; ++k) {
      if (k == i || !covers(sites_[k], sites_[i], from, cell)) continue;
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
  if (near.last - near.first > kFewForPairs) drop_doubly_hidden(near, cell);
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
  ranges_.resize(from.last - from.first);
  std::int32_t reach = INT32_MAX;
  std::size_t nearest = from.first;
  for (std::size_t i = from.first; i < from.last; ++i) {
    const Range r = range(sites_[i], cell);
    ranges_[i - from.first] = r;
    if (r.farthest >= reach) continue;
    reach = r.farthest;
    nearest = i;
  }
  const Slice kept{sites_.size(), 0};
  for (std::size_t i = from.first; i < from.last; ++i) {
    const std::int32_t begins = ranges_[i - from.first].nearest;
    if (begins < out_->limit() && (begins < reach || i == nearest))
      sites_.push_back(FaultSite(sites_[i]));
  }
  return {kept.first, sites_.size()};
}

void FaultCells::drop_hidden(Slice& slice, const FaultSite& cell) {
  if (slice.last - slice.first > kFewToCompare) return;
  for (std::size_t i = slice.first; i < slice.last;) {
    const std::int32_t from = range(sites_[i], cell).nearest;
    bool hidden = false;
    for (std::size_t k = slice.first; k < slice.last && !hidden; ++k)
      hidden = k != i && covers(sites_[k], sites_[i], from, cell);
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
  drop_hidden(near, cell);
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
  std::sort(arrivals, arrivals + 4, [](const Arrival& a, const Arrival& b) { return a.x < b.x; });
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
