// Makes the shapes of vias that are given by parameters.

#include <algorithm>
#include <charconv>
#include <cmath>

#include "ingest/readers/lefdef/lef.h"

namespace yieldloop::ingest::lefdef {
namespace {

constexpr int kNoDigit = -1;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return kNoDigit;
}

/// The next part of a PATTERN, up to '_' or the end.
std::string_view next_part(std::string_view& pattern) {
  const std::size_t end = pattern.find('_');
  const std::string_view part = pattern.substr(0, end);
  pattern = end == std::string_view::npos ? std::string_view() : pattern.substr(end + 1);
  return part;
}

/// One row of a PATTERN: hexadecimal digits, most significant bit first; "R" with a count repeats
/// the digit behind it.
std::vector<bool> pattern_row(std::string_view part) {
  std::vector<bool> row;
  for (std::size_t i = 0; i < part.size(); ++i) {
    int repeat = 1;
    if (part[i] == 'R' && i + 2 < part.size()) {
      repeat = std::max(1, hex_digit(part[i + 1]));
      i += 2;
    }
    const int digit = hex_digit(part[i]);
    if (digit == kNoDigit) continue;
    for (int r = 0; r < repeat; ++r) {
      for (int bit = 3; bit >= 0; --bit) row.push_back((digit >> bit & 1) != 0);
    }
  }
  return row;
}

/// Which cuts are there; rows from the bottom. What the pattern does not reach is there.
class CutPattern {
 public:
  CutPattern(std::string_view pattern, int rows) {
    while (!pattern.empty() && rows_.size() < static_cast<std::size_t>(rows)) {
      const std::string_view count = next_part(pattern);
      int times = 0;
      std::from_chars(count.data(), count.data() + count.size(), times, 16);
      const std::vector<bool> row = pattern_row(next_part(pattern));
      for (int t = 0; t < times && rows_.size() < static_cast<std::size_t>(rows); ++t) {
        rows_.push_back(row);
      }
    }
  }
  bool has(int row, int column) const {
    if (static_cast<std::size_t>(row) >= rows_.size()) return true;
    const auto& bits = rows_[static_cast<std::size_t>(row)];
    return static_cast<std::size_t>(column) >= bits.size() ||
           bits[static_cast<std::size_t>(column)];
  }

 private:
  std::vector<std::vector<bool>> rows_;
};

Shape box_shape(const std::string& layer, RealBox box) {
  Shape shape;
  shape.layer = layer;
  shape.box = box;
  return shape;
}

RealBox enclosing(const RealBox& cuts, RealPoint by, RealPoint offset) {
  return {cuts.x_min - by.x + offset.x, cuts.y_min - by.y + offset.y, cuts.x_max + by.x + offset.x,
          cuts.y_max + by.y + offset.y};
}

}  // namespace

std::vector<Shape> shapes_of(const ViaDefinition& via) {
  if (!via.generated) return via.shapes;
  const GeneratedVia& g = *via.generated;
  std::vector<Shape> shapes = via.shapes;
  if (g.rows < 1 || g.columns < 1 || static_cast<std::int64_t>(g.rows) * g.columns > kMostCuts) {
    return shapes;
  }
  const double step_x = g.cut_size.x + g.cut_spacing.x;
  const double step_y = g.cut_size.y + g.cut_spacing.y;
  const double width = step_x * g.columns - g.cut_spacing.x;
  const double height = step_y * g.rows - g.cut_spacing.y;
  const RealBox cuts{g.origin.x - width / 2, g.origin.y - height / 2, g.origin.x + width / 2,
                     g.origin.y + height / 2};
  shapes.push_back(box_shape(g.bottom, enclosing(cuts, g.bottom_enclosure, g.bottom_offset)));
  shapes.push_back(box_shape(g.top, enclosing(cuts, g.top_enclosure, g.top_offset)));
  const CutPattern pattern(g.pattern, g.pattern.empty() ? 0 : g.rows);
  for (int row = 0; row < g.rows; ++row) {
    for (int column = 0; column < g.columns; ++column) {
      if (!pattern.has(row, column)) continue;
      const double x = cuts.x_min + step_x * column;
      const double y = cuts.y_min + step_y * row;
      shapes.push_back(box_shape(g.cut, {x, y, x + g.cut_size.x, y + g.cut_size.y}));
    }
  }
  return shapes;
}

}  // namespace yieldloop::ingest::lefdef
