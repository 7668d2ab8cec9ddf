// The vertical borders of a union of rectangles by one sweep over x.
#include <algorithm>
#include <limits>

#include "engine/layout/pattern_borders.h"

namespace yieldloop::layout {
namespace {

constexpr std::int32_t kNever = std::numeric_limits<std::int32_t>::min();

struct Event {
  std::int32_t x, low, high, change;
};

/// A stretch of the sweep line from `low` to the next one's low.
struct Stretch {
  std::int32_t low = 0;
  std::int32_t count = 0;       ///< Rectangles that cover it.
  std::int32_t before = 0;      ///< The same, left of the sweep line.
  std::int32_t since = kNever;  ///< Where it last became covered or free.
};

class Sweep {
 public:
  Sweep(const FacingLimits& limits, BorderSide& out, std::vector<BorderCorner>* corners)
      : limits_(limits), out_(out), corners_(corners) {
    line_.push_back({kNever, 0, 0, kNever});
  }

  void run(std::vector<Event>& events) {
    std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
      return a.x != b.x ? a.x < b.x : a.low < b.low;
    });
    for (std::size_t i = 0; i < events.size();) {
      // Events at one x whose stretches touch are one step; apart, they do not see each other.
      const std::int32_t x = events[i].x, from = events[i].low;
      std::int32_t to = events[i].high;
      for (; i < events.size() && events[i].x == x && events[i].low <= to; ++i) {
        apply(events[i]);
        to = std::max(to, events[i].high);
      }
      const std::size_t first = find(from), last = find(to);
      emit(x, first, last);
      settle(x, first, last);
    }
  }

 private:
  /// The stretch that holds y.
  std::size_t find(std::int32_t y) const {
    const auto it = std::upper_bound(line_.begin(), line_.end(), y,
                                     [](std::int32_t v, const Stretch& s) { return v < s.low; });
    return static_cast<std::size_t>(it - line_.begin()) - 1;
  }
  std::size_t split(std::int32_t y) {
    const std::size_t at = find(y);
    if (line_[at].low == y) return at;
    Stretch upper = line_[at];
    upper.low = y;
    line_.insert(line_.begin() + static_cast<std::ptrdiff_t>(at) + 1, upper);
    return at + 1;
  }
  void apply(const Event& e) {
    const std::size_t from = split(e.low);
    for (std::size_t i = from, to = split(e.high); i < to; ++i) line_[i].count += e.change;
  }

  static int toggle(const Stretch& s) { return (s.count > 0) - (s.before > 0); }

  Turn turn_beside(const Stretch& beside) const {
    const int filled = (beside.count > 0) + (beside.before > 0);
    return filled == 2 ? Turn::kConcave : Turn::kConvex;
  }

  /// Stretches [first, last) may have changed; last is the one above them.
  void emit(std::int32_t x, std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last;) {
      const int change = toggle(line_[i]);
      if (change == 0) {
        ++i;
        continue;
      }
      std::size_t end = i + 1;
      while (end < last && toggle(line_[end]) == change) ++end;
      add_edge(x, i, end, change);
      add_runs(x, i, end, change);
      i = end;
    }
  }

  void add_edge(std::int32_t x, std::size_t first, std::size_t end, int change) {
    BorderEdge edge{x, line_[first].low, line_[end].low, change < 0, {}, {}};
    edge.low_turn = turn_beside(line_[first - 1]);
    edge.high_turn = turn_beside(line_[end]);
    if (corners_ != nullptr) {
      corners_->push_back({x, edge.low, edge.low_turn == Turn::kConvex});
      corners_->push_back({x, edge.high, edge.high_turn == Turn::kConvex});
    }
    out_.edges.push_back(edge);
  }

  void add_runs(std::int32_t x, std::size_t first, std::size_t end, int change) {
    const std::int32_t limit = change > 0 ? limits_.space : limits_.width;
    if (limit == 0) return;
    auto& runs = change > 0 ? out_.spaces : out_.widths;
    for (std::size_t i = first; i < end;) {
      const std::int32_t since = line_[i].since;
      std::size_t stop = i + 1;
      while (stop < end && line_[stop].since == since) ++stop;
      if (since != kNever && x - since <= limit) {
        runs.push_back({since, x, line_[i].low, line_[stop].low});
      }
      i = stop;
    }
  }

  /// Closes the step: what is alike again becomes one stretch.
  void settle(std::int32_t x, std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      if (toggle(line_[i]) != 0) line_[i].since = x;
      line_[i].before = line_[i].count;
    }
    // What happened too far back to face anything is forgotten, which keeps the line short.
    const std::int32_t farthest = std::max(limits_.space, limits_.width);
    for (std::size_t i = first - 1; i <= last; ++i) {
      if (line_[i].since != kNever && x - line_[i].since > farthest) line_[i].since = kNever;
    }
    std::size_t kept = first;
    for (std::size_t i = first; i <= last; ++i) {
      const Stretch& below = line_[kept - 1];
      if (below.count == line_[i].count && below.since == line_[i].since) continue;
      line_[kept++] = line_[i];
    }
    line_.erase(line_.begin() + static_cast<std::ptrdiff_t>(kept),
                line_.begin() + static_cast<std::ptrdiff_t>(last) + 1);
  }

  FacingLimits limits_;
  BorderSide& out_;
  std::vector<BorderCorner>* corners_;
  std::vector<Stretch> line_;
};

}  // namespace

void sweep_borders(std::span<const SweepBox> boxes, const FacingLimits& limits, BorderSide& out,
                   std::vector<BorderCorner>* corners) {
  std::vector<Event> events;
  events.reserve(2 * boxes.size());
  for (const SweepBox& b : boxes) {
    events.push_back({b.x_min, b.y_min, b.y_max, 1});
    events.push_back({b.x_max, b.y_min, b.y_max, -1});
  }
  Sweep(limits, out, corners).run(events);
}

}  // namespace yieldloop::layout
