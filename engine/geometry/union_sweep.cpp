#include "engine/geometry/union_sweep.h"

#include <algorithm>
#include <limits>

#include "engine/geometry/radix_sort.h"

namespace yieldloop::geometry {
namespace {

/// A lower or an upper side of a rectangle, in the window's frame.
struct Side {
  std::int32_t y = 0;
  std::int32_t low = 0;
  std::int32_t high = 0;
  std::int32_t change = 0;  ///< Of the coverage above it.
};

/// Sides in the order of the sweep.
std::vector<Side> sides_of(std::span<const Box> boxes, const Box& window) {
  std::vector<Side> sides;
  sides.reserve(2 * boxes.size());
  const auto local = [](Coord value, Coord origin) {
    return static_cast<std::int32_t>(value - origin);
  };
  for (const Box& box : boxes) {
    const Box b = box.intersection(window);
    if (b.x_min >= b.x_max || b.y_min >= b.y_max) continue;
    const std::int32_t low = local(b.x_min, window.x_min);
    const std::int32_t high = local(b.x_max, window.x_min);
    sides.push_back({local(b.y_min, window.y_min), low, high, 1});
    sides.push_back({local(b.y_max, window.y_min), low, high, -1});
  }
  constexpr std::size_t kFew = 192;
  if (sides.size() < kFew) {
    std::sort(sides.begin(), sides.end(), [](const Side& a, const Side& b) { return a.y < b.y; });
    return sides;
  }
  std::vector<Keyed> keys(sides.size());
  for (std::uint32_t i = 0; i < sides.size(); ++i)
    keys[i] = {static_cast<std::uint64_t>(sides[i].y), i};
  int bits = 1;
  while (window.height() >> bits != 0) ++bits;
  std::vector<Keyed> scratch;
  radix_sort(keys, scratch, bits);
  std::vector<Side> sorted;
  sorted.reserve(sides.size());
  for (const Keyed& k : keys) sorted.push_back(sides[k.item]);
  return sorted;
}

/// How often the sweep line is covered, stretch by stretch.
class SweepLine {
 public:
  void apply(const Side& side) {
    const std::size_t first = place(side.low);
    std::size_t i = first;
    std::int32_t before = 0;  ///< The coverage of the last stretch looked at, as it was.
    for (; i < steps_.size() && steps_[i].x < side.high; ++i) {
      Step& step = steps_[i];
      const std::int32_t end =
          i + 1 < steps_.size() ? std::min(steps_[i + 1].x, side.high) : side.high;
      before = step.depth;
      step.depth += side.change;
      if (before == 0) covered_ += end - step.x;
      if (step.depth == 0) covered_ -= end - step.x;
    }
    if (i == steps_.size() || steps_[i].x != side.high)
      steps_.insert(steps_.begin() + static_cast<std::ptrdiff_t>(i), {side.high, before});
    drop_if_even(i);
    drop_if_even(first);
  }
  /// Where the covered stretches begin and end, in turns.
  void borders(std::vector<std::int32_t>& out) const {
    out.clear();
    std::int32_t before = 0;
    for (const Step& step : steps_) {
      if ((before == 0) != (step.depth == 0)) out.push_back(step.x);
      before = step.depth;
    }
  }
  std::int64_t covered() const { return covered_; }

 private:
  /// From x on to the next step.
  struct Step {
    std::int32_t x = 0;
    std::int32_t depth = 0;
  };

  /// The step at x, made where there was none.
  std::size_t place(std::int32_t x) {
    const auto it = std::lower_bound(steps_.begin(), steps_.end(), x,
                                     [](const Step& s, std::int32_t at) { return s.x < at; });
    const auto i = static_cast<std::size_t>(it - steps_.begin());
    if (it == steps_.end() || it->x != x) steps_.insert(it, {x, i > 0 ? steps_[i - 1].depth : 0});
    return i;
  }
  void drop_if_even(std::size_t i) {
    if (steps_[i].depth == (i > 0 ? steps_[i - 1].depth : 0))
      steps_.erase(steps_.begin() + static_cast<std::ptrdiff_t>(i));
  }

  std::vector<Step> steps_;  ///< Ascending by x; neighbours differ in depth.
  std::int64_t covered_ = 0;
};

/// Pieces that turn out to be one are joined.
class Pieces {
 public:
  std::uint32_t make() {
    parent_.push_back(static_cast<std::uint32_t>(parent_.size()));
    return parent_.back();
  }
  std::uint32_t root(std::uint32_t piece) {
    while (parent_[piece] != piece) piece = parent_[piece] = parent_[parent_[piece]];
    return piece;
  }
  void join(std::uint32_t a, std::uint32_t b) {
    a = root(a);
    b = root(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }
  /// Numbers without gaps in the order of first mention; returns how many.
  std::uint32_t number(UnionOutline& outline) {
    constexpr std::uint32_t kNone = static_cast<std::uint32_t>(-1);
    std::vector<std::uint32_t> names(parent_.size(), kNone);
    std::uint32_t count = 0;
    const auto name = [&](std::vector<UnionEdge>& edges) {
      for (UnionEdge& edge : edges) {
        std::uint32_t& to = names[root(edge.piece)];
        if (to == kNone) to = count++;
        edge.piece = to;
      }
    };
    name(outline.horizontal);
    name(outline.vertical);
    return count;
  }

 private:
  std::vector<std::uint32_t> parent_;
};

/// Follows the covered stretches from row to row and writes down where they change.
class OutlineSweep {
 public:
  OutlineSweep(const Box& window, UnionOutline& out) : window_(window), out_(out) {}

  /// `borders` are those above the line at y.
  void row(std::int32_t y, std::vector<std::int32_t>& borders) {
    y_ = y;
    now_.swap(old_);
    std::swap(borders, now_.borders);
    now_.sides.assign(now_.borders.size(), {});
    boxes();
    std::size_t i = 0;
    std::size_t k = 0;
    at_ = {};
    while (i < old_.borders.size() || k < now_.borders.size()) {
      const std::int32_t x = std::min(i < old_.borders.size() ? old_.borders[i] : kEnd,
                                      k < now_.borders.size() ? now_.borders[k] : kEnd);
      const bool in_old = i < old_.borders.size() && old_.borders[i] == x;
      const bool in_now = k < now_.borders.size() && now_.borders[k] == x;
      step(x, in_old ? &old_.sides[i] : nullptr, in_now ? &now_.sides[k] : nullptr);
      i += in_old ? 1 : 0;
      k += in_now ? 1 : 0;
    }
    std::swap(borders, old_.borders);  // Gives the room back.
  }
  void finish() { out_.pieces = pieces_.number(out_); }

 private:
  static constexpr std::int32_t kEnd = std::numeric_limits<std::int32_t>::max();

  /// An open vertical edge at a border, and what its stretch has in common.
  struct OpenSide {
    std::int32_t low = 0;
    Corner low_end = Corner::kOther;
    std::uint32_t piece = 0;
    std::int32_t box_low = 0;  ///< Of the stretch; kept at its left border.
  };
  struct Row {
    std::vector<std::int32_t> borders;
    std::vector<OpenSide> sides;
    void swap(Row& other) {
      borders.swap(other.borders);
      sides.swap(other.sides);
    }
  };
  /// What is covered just left of where the walk along the row stands.
  struct Standing {
    bool old = false;
    bool now = false;
    std::uint32_t old_piece = 0;
    std::uint32_t now_piece = 0;
    std::int32_t run = 0;  ///< Where the horizontal edge began.
    Corner run_end = Corner::kOther;
  };

  static Corner corner(bool one, bool other) {
    return one && other ? Corner::kInner : Corner::kOuter;
  }

  void step(std::int32_t x, OpenSide* before, OpenSide* after) {
    const bool old_left = at_.old;
    const bool now_left = at_.now;
    if (before != nullptr) at_.old = !at_.old;
    if (after != nullptr) at_.now = !at_.now;
    if (old_left != now_left) horizontal(x, now_left, corner(at_.old, at_.now));
    if (before != nullptr && at_.old) at_.old_piece = before->piece;
    if (after != nullptr && at_.now) at_.now_piece = at_.old ? at_.old_piece : pieces_.make();
    if (at_.old && at_.now && at_.old_piece != at_.now_piece)
      pieces_.join(at_.old_piece, at_.now_piece);
    if (at_.old != at_.now) {
      at_.run = x;
      at_.run_end = corner(old_left, now_left);
    }
    const bool goes_on = before != nullptr && after != nullptr && at_.old == at_.now;
    if (before != nullptr && !goes_on) vertical(x, *before, at_.old, corner(now_left, at_.now));
    if (after == nullptr) return;
    after->piece = at_.now_piece;
    after->low = goes_on ? before->low : y_;
    after->low_end = goes_on ? before->low_end : corner(old_left, at_.old);
  }

  void horizontal(std::int32_t x, bool inside_above, Corner high_end) {
    if (y_ == 0 || y_ == window_.height()) return;
    UnionEdge edge;
    edge.at = y_ + window_.y_min;
    edge.low = at_.run + window_.x_min;
    edge.high = x + window_.x_min;
    edge.inside_after = inside_above;
    edge.low_end = at_.run == 0 ? Corner::kOther : at_.run_end;
    edge.high_end = x == window_.width() ? Corner::kOther : high_end;
    edge.piece = inside_above ? at_.now_piece : at_.old_piece;
    out_.horizontal.push_back(edge);
  }

  void vertical(std::int32_t x, const OpenSide& side, bool inside_right, Corner high_end) {
    if (x == 0 || x == window_.width()) return;
    UnionEdge edge;
    edge.at = x + window_.x_min;
    edge.low = side.low + window_.y_min;
    edge.high = y_ + window_.y_min;
    edge.inside_after = inside_right;
    edge.low_end = side.low == 0 ? Corner::kOther : side.low_end;
    edge.high_end = y_ == window_.height() ? Corner::kOther : high_end;
    edge.piece = side.piece;
    out_.vertical.push_back(edge);
  }

  /// Closes the boxes of stretches that do not go on alike.
  void boxes() {
    std::size_t k = 0;
    for (std::size_t i = 0; i + 1 < old_.borders.size(); i += 2) {
      const std::int32_t low = old_.borders[i];
      const std::int32_t high = old_.borders[i + 1];
      while (k < now_.borders.size() && now_.borders[k] < low) {
        now_.sides[k].box_low = y_;
        k += 2;
      }
      if (k < now_.borders.size() && now_.borders[k] == low && now_.borders[k + 1] == high) {
        now_.sides[k].box_low = old_.sides[i].box_low;
        k += 2;
        continue;
      }
      out_.boxes.push_back({low + window_.x_min, old_.sides[i].box_low + window_.y_min,
                            high + window_.x_min, y_ + window_.y_min});
    }
    for (; k < now_.borders.size(); k += 2) now_.sides[k].box_low = y_;
  }

  const Box window_;
  UnionOutline& out_;
  std::int32_t y_ = 0;
  Row old_;
  Row now_;
  Standing at_;
  Pieces pieces_;
};

/// Calls row(y, line) after all sides at y have been applied.
template <class Row>
void sweep(const std::vector<Side>& sides, Row&& row) {
  SweepLine line;
  for (std::size_t i = 0; i < sides.size();) {
    const std::int32_t y = sides[i].y;
    for (; i < sides.size() && sides[i].y == y; ++i) line.apply(sides[i]);
    row(y, line);
  }
}

/// Edges of a merged polygon that is not all along the axes.
void ring_outline(const Polygon& ring, std::uint32_t piece, const Box& window, UnionOutline& out) {
  const std::size_t n = ring.size();
  const auto end = [&](Point before, Point at, Point after) {
    const bool on_border = at.x == window.x_min || at.x == window.x_max || at.y == window.y_min ||
                           at.y == window.y_max;
    const bool square =
        (before.x == at.x && at.y == after.y) || (before.y == at.y && at.x == after.x);
    if (on_border || !square) return Corner::kOther;
    return cross(at - before, after - at) > 0 ? Corner::kOuter : Corner::kInner;
  };
  for (std::size_t i = 0; i < n; ++i) {
    const Point a = ring[i];
    const Point b = ring[(i + 1) % n];
    if (a.x != b.x && a.y != b.y) {
      out.oblique.emplace_back(a, b);
      continue;
    }
    const bool upright = a.x == b.x;
    UnionEdge edge;
    edge.piece = piece;
    edge.at = upright ? a.x : a.y;
    if (edge.at == (upright ? window.x_min : window.y_min) ||
        edge.at == (upright ? window.x_max : window.y_max))
      continue;
    // The inside is to the left of a -> b.
    const bool forward = upright ? b.y > a.y : b.x > a.x;
    edge.inside_after = upright ? !forward : forward;
    edge.low = std::min(upright ? a.y : a.x, upright ? b.y : b.x);
    edge.high = std::max(upright ? a.y : a.x, upright ? b.y : b.x);
    edge.low_end = end(ring[(i + n - 1) % n], a, b);
    edge.high_end = end(a, b, ring[(i + 2) % n]);
    if (!forward) std::swap(edge.low_end, edge.high_end);
    (upright ? out.vertical : out.horizontal).push_back(edge);
  }
}

UnionOutline merged_outline(const ShapeHeap& shapes, const Box& window) {
  UnionOutline out;
  const std::vector<MergedPolygon> pieces = merge(shapes, window);
  out.pieces = static_cast<std::uint32_t>(pieces.size());
  for (std::uint32_t i = 0; i < pieces.size(); ++i) {
    ring_outline(pieces[i].outer, i, window, out);
    for (const Polygon& hole : pieces[i].holes) ring_outline(hole, i, window, out);
  }
  return out;
}

}  // namespace

UnionOutline union_outline(const ShapeHeap& shapes, const Box& window) {
  if (!shapes.oblique.empty()) return merged_outline(shapes, window);
  UnionOutline out;
  OutlineSweep outline(window, out);
  std::vector<std::int32_t> borders;
  sweep(sides_of(shapes.boxes, window), [&](std::int32_t y, const SweepLine& line) {
    line.borders(borders);
    outline.row(y, borders);
  });
  outline.finish();
  return out;
}

double boxes_area(std::span<const Box> boxes, const Box& window) {
  // A tree does not mind how many edges a line crosses.
  constexpr std::size_t kMany = 50000;
  if (boxes.size() > kMany) {
    std::vector<Rect> rects;
    rects.reserve(boxes.size());
    for (const Box& box : boxes)
      rects.push_back(to_rect(box.intersection(window).moved({-window.x_min, -window.y_min})));
    return coverage(rects).once;
  }
  double area = 0.0;
  std::int32_t last = 0;
  std::int64_t covered = 0;
  sweep(sides_of(boxes, window), [&](std::int32_t y, const SweepLine& line) {
    area += static_cast<double>(covered) * static_cast<double>(y - last);
    last = y;
    covered = line.covered();
  });
  return area;
}

}  // namespace yieldloop::geometry
