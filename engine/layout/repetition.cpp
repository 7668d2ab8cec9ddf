#include "engine/layout/repetition.h"

#include <algorithm>
#include <cmath>

namespace yieldloop::layout {
namespace {

/// Whole numbers from first to last; none when first > last.
struct Steps {
  Coord first = 0;
  Coord last = -1;
  bool empty() const { return first > last; }
};

Coord floor_division(Coord a, Coord b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

/// Whole k in `all` with low <= k * step <= high; a step of 0 takes all or none.
Steps steps_within(Steps all, Coord low, Coord high, Coord step) {
  if (step == 0) return low <= 0 && high >= 0 ? all : Steps{};
  if (step < 0) {
    std::swap(low, high);
    low = -low;
    high = -high;
    step = -step;
  }
  const Coord first = -floor_division(-low, step);
  const Coord last = floor_division(high, step);
  return {std::max(all.first, first), std::min(all.last, last)};
}

/// The rows of a skewed array that may hold a displacement within the window, by the inverse of
/// its two steps, one row wider on both sides than rounding may shift it.
Steps rows_near(const Repetition& r, const Box& window) {
  const Steps all{0, Coord{r.rows} - 1};
  if (r.columns == 1) {
    const Steps x = steps_within(all, window.x_min, window.x_max, r.row_step.x);
    return x.empty() ? x : steps_within(x, window.y_min, window.y_max, r.row_step.y);
  }
  if (r.column_step.x == 0) return steps_within(all, window.x_min, window.x_max, r.row_step.x);
  if (r.column_step.y == 0) return steps_within(all, window.y_min, window.y_max, r.row_step.y);
  const double cx = r.column_step.x, cy = r.column_step.y;
  const double wx = r.row_step.x, wy = r.row_step.y;
  const double determinant = cx * wy - cy * wx;
  if (determinant == 0.0) return all;
  double low = 1e300, high = -1e300;
  for (const Coord x : {window.x_min, window.x_max}) {
    for (const Coord y : {window.y_min, window.y_max}) {
      const double row = (cx * static_cast<double>(y) - cy * static_cast<double>(x)) / determinant;
      low = std::min(low, row);
      high = std::max(high, row);
    }
  }
  const double last = static_cast<double>(all.last);
  return {static_cast<Coord>(std::clamp(std::floor(low) - 1.0, 0.0, last + 1.0)),
          static_cast<Coord>(std::clamp(std::ceil(high) + 1.0, -1.0, last))};
}

}  // namespace

OffsetList::OffsetList(std::vector<Point32> offsets) : offsets_(std::move(offsets)) {
  const bool several = offsets_.size() > kRun;
  if (several) runs_.reserve(offsets_.size() / kRun + 1);
  for (std::size_t first = 0; first < offsets_.size(); first += kRun) {
    const std::size_t last = std::min(first + kRun, offsets_.size());
    Box32 run{offsets_[first].x, offsets_[first].y, offsets_[first].x, offsets_[first].y};
    for (std::size_t i = first + 1; i < last; ++i) {
      run.x_min = std::min(run.x_min, offsets_[i].x);
      run.y_min = std::min(run.y_min, offsets_[i].y);
      run.x_max = std::max(run.x_max, offsets_[i].x);
      run.y_max = std::max(run.y_max, offsets_[i].y);
    }
    if (several) runs_.push_back(run);
    box_.include(static_cast<Box>(run));
  }
}

void OffsetList::for_each_in(const Box& window, FunctionRef<void(std::uint32_t)> visit) const {
  for (std::size_t first = 0; first < offsets_.size(); first += kRun) {
    if (!runs_.empty() && !static_cast<Box>(runs_[first / kRun]).touches(window)) continue;
    const std::size_t last = std::min(first + kRun, offsets_.size());
    for (std::size_t i = first; i < last; ++i)
      if (window.contains(static_cast<Point>(offsets_[i]))) visit(static_cast<std::uint32_t>(i));
  }
}

Box Repetition::box() const {
  if (offsets != nullptr) return offsets->box();
  Box box;
  for (const std::uint32_t column : {0U, columns - 1})
    for (const std::uint32_t row : {0U, rows - 1}) box.include(at(column, row));
  return box;
}

Repetition repetition_of(const OffsetList& offsets) {
  Repetition repetition;
  repetition.columns = static_cast<std::uint32_t>(offsets.size());
  repetition.offsets = &offsets;
  return repetition;
}

Box repeated_box(const Repetition& repetition, const Box& element) {
  if (element.empty() || repetition.single()) return element;
  const Box by = repetition.box();
  return {element.x_min + by.x_min, element.y_min + by.y_min, element.x_max + by.x_max,
          element.y_max + by.y_max};
}

void for_each_copy_near(const Repetition& repetition, const Box& element, const Box& window,
                        FunctionRef<void(std::uint32_t, std::uint32_t)> visit) {
  if (element.empty() || window.empty()) return;
  // Displacements that make the element touch the window.
  const Box near{window.x_min - element.x_max, window.y_min - element.y_max,
                 window.x_max - element.x_min, window.y_max - element.y_min};
  if (repetition.offsets != nullptr) {
    repetition.offsets->for_each_in(near, [&](std::uint32_t i) { visit(i, 0); });
    return;
  }
  const Steps rows = rows_near(repetition, near);
  const Steps all{0, Coord{repetition.columns} - 1};
  for (Coord row = rows.first; row <= rows.last; ++row) {
    const Coord dx = row * repetition.row_step.x;
    const Coord dy = row * repetition.row_step.y;
    const Steps x = steps_within(all, near.x_min - dx, near.x_max - dx, repetition.column_step.x);
    const Steps both =
        x.empty() ? x : steps_within(x, near.y_min - dy, near.y_max - dy, repetition.column_step.y);
    for (Coord column = both.first; column <= both.last; ++column)
      visit(static_cast<std::uint32_t>(column), static_cast<std::uint32_t>(row));
  }
}

}  // namespace yieldloop::layout
