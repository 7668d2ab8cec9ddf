#include "ingest/readers/oasis/repetition_finder.h"

#include <algorithm>
#include <tuple>

namespace yieldloop::ingest::oasis {

using geometry::Coord;
using geometry::Point;

namespace {

constexpr std::size_t kShortestRow = 4;  ///< Below that a list is as short.

bool by_row(Point a, Point b) { return std::tie(a.y, a.x) < std::tie(b.y, b.x); }

Point transposed(Point p) { return {p.y, p.x}; }

struct Row {
  Point at;
  Coord pitch = 0;
  std::size_t count = 0;
};

/// The end of the run of equal pitch that starts at `first`. REQUIRES: places sorted by row.
std::size_t run_end(const std::vector<Point>& places, std::size_t first) {
  if (first + 1 >= places.size() || places[first + 1].y != places[first].y) return first + 1;
  const Coord pitch = places[first + 1].x - places[first].x;
  std::size_t last = first + 2;
  while (pitch > 0 && last < places.size() && places[last].y == places[first].y &&
         places[last].x - places[last - 1].x == pitch)
    ++last;
  return pitch > 0 ? last : first + 1;
}

/// Takes rows out of sorted places; what is left stays, sorted.
std::vector<Row> take_rows(std::vector<Point>& places) {
  std::vector<Row> rows;
  std::vector<Point> left;
  for (std::size_t i = 0; i < places.size();) {
    const std::size_t end = run_end(places, i);
    if (end - i >= kShortestRow) {
      rows.push_back({places[i], places[i + 1].x - places[i].x, end - i});
      i = end;
    } else {
      left.push_back(places[i++]);  // one only: the next may begin a longer run
    }
  }
  places = std::move(left);
  return rows;
}

/// Equal rows at one pitch above each other become one array.
void stack_rows(std::vector<Row> rows, bool upright, std::vector<PlaceGroup>& groups) {
  const auto like = [](const Row& r) { return std::tuple(r.at.x, r.pitch, r.count); };
  std::sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    return like(a) != like(b) ? like(a) < like(b) : a.at.y < b.at.y;
  });
  for (std::size_t i = 0; i < rows.size();) {
    std::size_t end = i + 1;
    Coord pitch = 0;
    if (end < rows.size() && like(rows[end]) == like(rows[i])) {
      pitch = rows[end].at.y - rows[i].at.y;
      while (pitch > 0 && end < rows.size() && like(rows[end]) == like(rows[i]) &&
             rows[end].at.y - rows[end - 1].at.y == pitch)
        ++end;
    }
    PlaceGroup group;
    group.at = rows[i].at;
    group.columns = static_cast<std::uint32_t>(rows[i].count);
    group.rows = static_cast<std::uint32_t>(end - i);
    group.column_step = {rows[i].pitch, 0};
    group.row_step = {0, end - i > 1 ? pitch : 0};
    if (upright) {
      group.at = transposed(group.at);
      group.column_step = transposed(group.column_step);
      group.row_step = transposed(group.row_step);
    }
    groups.push_back(group);
    i = end;
  }
}

}  // namespace

namespace {

/// Takes second and further copies of a place out of sorted places and returns them.
std::vector<Point> take_duplicates(std::vector<Point>& places) {
  std::vector<Point> once, again;
  for (const Point p : places) (!once.empty() && once.back() == p ? again : once).push_back(p);
  places = std::move(once);
  return again;
}

void group_distinct(std::vector<Point> places, std::vector<PlaceGroup>& groups) {
  if (places.size() >= kShortestRow) {
    stack_rows(take_rows(places), false, groups);
    for (Point& p : places) p = transposed(p);
    std::sort(places.begin(), places.end(), by_row);
    stack_rows(take_rows(places), true, groups);
    for (Point& p : places) p = transposed(p);
    std::sort(places.begin(), places.end(), by_row);
  }
  if (places.empty()) return;
  PlaceGroup rest;
  rest.at = places.front();
  if (places.size() > 1) rest.list = std::move(places);
  groups.push_back(std::move(rest));
}

}  // namespace

std::vector<PlaceGroup> find_arrays(std::vector<Point> places) {
  std::vector<PlaceGroup> groups;
  std::sort(places.begin(), places.end(), by_row);
  while (!places.empty()) {
    std::vector<Point> again = take_duplicates(places);
    group_distinct(std::move(places), groups);
    places = std::move(again);
  }
  return groups;
}

}  // namespace yieldloop::ingest::oasis
