#include "engine/geometry/rectangles.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>

namespace yieldloop::geometry {
namespace {

/// Lengths of a line covered at least once and at least twice by intervals that come and go.
class CoverageTree {
 public:
  explicit CoverageTree(std::vector<double> places) : places_(std::move(places)) {
    leaves_ = 1;
    while (leaves_ + 1 < places_.size()) leaves_ *= 2;
    nodes_.resize(2 * leaves_);
  }
  void add(std::size_t first, std::size_t last, int change) {
    add(1, 0, leaves_, first, last, change);
  }
  double once() const { return nodes_[1].once; }
  double twice() const { return nodes_[1].twice; }

 private:
  struct Node {
    int count = 0;
    double once = 0.0;
    double twice = 0.0;
  };
  double length(std::size_t low, std::size_t high) const {
    const std::size_t end = places_.size() - 1;
    return low >= end ? 0.0 : places_[std::min(high, end)] - places_[low];
  }
  void add(std::size_t node, std::size_t low, std::size_t high, std::size_t first, std::size_t last,
           int change) {
    if (first >= high || last <= low) return;
    if (first <= low && high <= last) {
      nodes_[node].count += change;
    } else {
      const std::size_t middle = (low + high) / 2;
      add(2 * node, low, middle, first, last, change);
      add(2 * node + 1, middle, high, first, last, change);
    }
    update(node, low, high);
  }
  void update(std::size_t node, std::size_t low, std::size_t high) {
    Node& n = nodes_[node];
    const bool leaf = high - low == 1;
    const double below_once = leaf ? 0.0 : nodes_[2 * node].once + nodes_[2 * node + 1].once;
    const double below_twice = leaf ? 0.0 : nodes_[2 * node].twice + nodes_[2 * node + 1].twice;
    const double all = length(low, high);
    n.once = n.count >= 1 ? all : below_once;
    n.twice = n.count >= 2 ? all : n.count == 1 ? below_once : below_twice;
  }

  std::vector<double> places_;
  std::size_t leaves_ = 1;
  std::vector<Node> nodes_;
};

std::vector<double> sorted_unique(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::size_t place_of(const std::vector<double>& places, double value) {
  return static_cast<std::size_t>(std::lower_bound(places.begin(), places.end(), value) -
                                  places.begin());
}

/// A vertical edge of the sweep: at `at`, the line from low to high gains `change`.
struct Event {
  double at;
  double low;
  double high;
  int change;
};

/// Turns "in row [y, y') these intervals are inside" into maximal rectangles.
template <class Number, class Emit>
class RowMerger {
 public:
  explicit RowMerger(Emit emit) : emit_(std::move(emit)) {}
  using Interval = std::pair<Number, Number>;

  /// The row that begins at y. Both lists are ascending.
  void row(Number y, const std::vector<Interval>& inside) {
    std::vector<std::pair<Interval, Number>> next;
    next.reserve(inside.size());
    auto old = open_.begin();
    for (const Interval& now : inside) {
      while (old != open_.end() && old->first < now) close(*old++, y);
      if (old != open_.end() && old->first == now) {
        next.push_back(*old++);
      } else {
        next.emplace_back(now, y);
      }
    }
    while (old != open_.end()) close(*old++, y);
    open_ = std::move(next);
  }

 private:
  void close(const std::pair<Interval, Number>& open, Number y) {
    emit_(open.first.first, open.second, open.first.second, y);
  }
  Emit emit_;
  std::vector<std::pair<Interval, Number>> open_;
};

}  // namespace

Rect to_rect(const Box& box) {
  return {static_cast<double>(box.x_min), static_cast<double>(box.y_min),
          static_cast<double>(box.x_max), static_cast<double>(box.y_max)};
}

Rect intersection(const Rect& a, const Rect& b) {
  return {std::max(a.x_min, b.x_min), std::max(a.y_min, b.y_min), std::min(a.x_max, b.x_max),
          std::min(a.y_max, b.y_max)};
}

Rect grown(const Rect& r, double by_x, double by_y) {
  return {r.x_min - by_x, r.y_min - by_y, r.x_max + by_x, r.y_max + by_y};
}

Coverage coverage(std::span<const Rect> rects) {
  std::vector<Event> events;
  std::vector<double> places;
  events.reserve(2 * rects.size());
  places.reserve(2 * rects.size());
  for (const Rect& r : rects) {
    if (!r.has_area()) continue;
    events.push_back({r.x_min, r.y_min, r.y_max, 1});
    events.push_back({r.x_max, r.y_min, r.y_max, -1});
    places.push_back(r.y_min);
    places.push_back(r.y_max);
  }
  if (events.empty()) return {};
  places = sorted_unique(std::move(places));
  std::sort(events.begin(), events.end(),
            [](const Event& a, const Event& b) { return a.at < b.at; });
  CoverageTree tree(places);
  Coverage result;
  double last = events.front().at;
  for (const Event& e : events) {
    if (e.at > last) {
      result.once += tree.once() * (e.at - last);
      result.twice += tree.twice() * (e.at - last);
      last = e.at;
    }
    tree.add(place_of(places, e.low), place_of(places, e.high), e.change);
  }
  return result;
}

std::vector<Rect> disjoint(std::span<const Rect> rects) {
  std::vector<Event> events;
  events.reserve(2 * rects.size());
  for (const Rect& r : rects) {
    if (!r.has_area()) continue;
    events.push_back({r.y_min, r.x_min, r.x_max, 1});
    events.push_back({r.y_max, r.x_min, r.x_max, -1});
  }
  std::sort(events.begin(), events.end(),
            [](const Event& a, const Event& b) { return a.at < b.at; });
  std::vector<Rect> result;
  RowMerger<double, std::function<void(double, double, double, double)>> rows(
      [&](double x0, double y0, double x1, double y1) {
        result.push_back({x0, y0, x1, y1});
      });
  std::map<double, int> change_at;
  std::vector<std::pair<double, double>> inside;
  for (std::size_t i = 0; i < events.size();) {
    const double y = events[i].at;
    for (; i < events.size() && events[i].at == y; ++i) {
      const auto change = [&](double x, int by) {
        if ((change_at[x] += by) == 0) change_at.erase(x);
      };
      change(events[i].low, events[i].change);
      change(events[i].high, -events[i].change);
    }
    inside.clear();
    int depth = 0;
    for (const auto& [x, change] : change_at) {
      if (depth == 0) inside.emplace_back(x, x);
      depth += change;
      if (depth == 0) inside.back().second = x;
    }
    rows.row(y, inside);
  }
  std::sort(result.begin(), result.end(), [](const Rect& a, const Rect& b) {
    return a.y_min != b.y_min ? a.y_min < b.y_min : a.x_min < b.x_min;
  });
  return result;
}

void append_boxes(std::span<const Point> polygon, std::vector<Box>& out) {
  struct Wall {
    Coord x;
    Coord low;
    Coord high;
    int winding;  // +1 going down: the inside of a counter-clockwise ring lies to its right
  };
  std::vector<Wall> walls;
  std::vector<Coord> rows_at;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Point a = polygon[i];
    const Point b = polygon[(i + 1) % polygon.size()];
    if (a.y == b.y) continue;
    walls.push_back({a.x, std::min(a.y, b.y), std::max(a.y, b.y), a.y > b.y ? 1 : -1});
    rows_at.push_back(a.y);
    rows_at.push_back(b.y);
  }
  std::sort(rows_at.begin(), rows_at.end());
  rows_at.erase(std::unique(rows_at.begin(), rows_at.end()), rows_at.end());
  std::sort(walls.begin(), walls.end(), [](const Wall& a, const Wall& b) { return a.low < b.low; });
  RowMerger<Coord, std::function<void(Coord, Coord, Coord, Coord)>> rows(
      [&](Coord x0, Coord y0, Coord x1, Coord y1) {
        out.push_back({x0, y0, x1, y1});
      });
  std::vector<Wall> active;
  std::vector<std::pair<Coord, Coord>> inside;
  std::size_t next = 0;
  for (const Coord y : rows_at) {
    std::erase_if(active, [y](const Wall& w) { return w.high <= y; });
    for (; next < walls.size() && walls[next].low <= y; ++next) active.push_back(walls[next]);
    std::sort(active.begin(), active.end(), [](const Wall& a, const Wall& b) { return a.x < b.x; });
    inside.clear();
    int winding = 0;
    Coord start = 0;
    for (std::size_t i = 0; i < active.size(); ++i) {
      if (winding == 0) start = active[i].x;
      winding += active[i].winding;
      if (winding != 0 || active[i].x == start) continue;
      if (!inside.empty() && inside.back().second == start) {
        inside.back().second = active[i].x;
      } else {
        inside.emplace_back(start, active[i].x);
      }
    }
    rows.row(y, inside);
  }
}

bool is_manhattan(std::span<const Point> polygon) {
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Point a = polygon[i];
    const Point b = polygon[(i + 1) % polygon.size()];
    if (a.x != b.x && a.y != b.y) return false;
  }
  return true;
}

}  // namespace yieldloop::geometry
