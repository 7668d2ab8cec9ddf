#include "ingest/readers/oasis/oasis_output.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <span>

#include "ingest/readers/oasis/block_codec.h"

namespace yieldloop::ingest::oasis {

using geometry::Coord;
using geometry::Point;

namespace {

std::uint64_t magnitude(Coord value) {
  return static_cast<std::uint64_t>(value < 0 ? -value : value);
}

/// 0 to 7 for E N W S NE NW SW SE; 8 for any other step.
unsigned direction(Point step) {
  if (step.y == 0) return step.x >= 0 ? 0 : 2;
  if (step.x == 0) return step.y > 0 ? 1 : 3;
  if (magnitude(step.x) != magnitude(step.y)) return 8;
  if (step.y > 0) return step.x > 0 ? 4 : 5;
  return step.x < 0 ? 6 : 7;
}

/// What the steps of a point list have in common.
struct StepKinds {
  bool manhattan = true;
  bool octangular = true;
  bool alternate_from_x = true;
  bool alternate_from_y = true;
};

StepKinds kinds_of(const std::vector<Point>& steps) {
  StepKinds kinds;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Point s = steps[i];
    const bool along_x = s.y == 0 && s.x != 0;
    const bool along_y = s.x == 0 && s.y != 0;
    kinds.manhattan = kinds.manhattan && (along_x || along_y);
    kinds.octangular = kinds.octangular && direction(s) < 8;
    kinds.alternate_from_x = kinds.alternate_from_x && (i % 2 == 0 ? along_x : along_y);
    kinds.alternate_from_y = kinds.alternate_from_y && (i % 2 == 0 ? along_y : along_x);
  }
  return kinds;
}

void put_spaces(const std::vector<Point>& list, bool along_x, RecordBytes& out) {
  std::uint64_t grid = 0;
  const auto space = [&](std::size_t i) {
    return magnitude(along_x ? list[i].x - list[i - 1].x : list[i].y - list[i - 1].y);
  };
  for (std::size_t i = 1; i < list.size(); ++i) grid = std::gcd(grid, space(i));
  const bool on_grid = grid > 1 && list.size() > 3;
  out.unsigned_int((along_x ? 4U : 6U) + (on_grid ? 1U : 0U));
  out.unsigned_int(list.size() - 2);
  if (on_grid) out.unsigned_int(grid);
  for (std::size_t i = 1; i < list.size(); ++i)
    out.unsigned_int(on_grid ? space(i) / grid : space(i));
}

void put_list(const std::vector<Point>& list, RecordBytes& out) {
  bool one_row = true, one_column = true;
  Coord grid = 0;
  for (std::size_t i = 1; i < list.size(); ++i) {
    const Point step = list[i] - list[i - 1];
    one_row = one_row && step.y == 0;
    one_column = one_column && step.x == 0;
    grid = std::gcd(std::gcd(grid, step.x), step.y);
  }
  if (one_row || one_column) return put_spaces(list, one_row, out);
  const bool on_grid = grid > 1 && list.size() > 3;
  out.unsigned_int(on_grid ? 11 : 10);
  out.unsigned_int(list.size() - 2);
  if (on_grid) out.unsigned_int(static_cast<std::uint64_t>(grid));
  const Coord unit = on_grid ? grid : 1;
  for (std::size_t i = 1; i < list.size(); ++i) {
    const Point step = list[i] - list[i - 1];
    out.g_delta({step.x / unit, step.y / unit});
  }
}

}  // namespace

void RecordBytes::append(Bytes more) {
  if (more.empty()) return;
  const std::size_t before = bytes_.size();
  bytes_.resize(before + more.size());
  std::memcpy(bytes_.data() + before, more.data(), more.size());
}

void RecordBytes::unsigned_int(std::uint64_t value) {
  while (value >= 0x80) {
    byte(static_cast<std::uint8_t>(value & 0x7F) | 0x80U);
    value >>= 7;
  }
  byte(static_cast<std::uint8_t>(value));
}

void RecordBytes::signed_int(Coord value) {
  unsigned_int(magnitude(value) << 1 | (value < 0 ? 1U : 0U));
}

void RecordBytes::real(double value) {
  constexpr double kMost = 9e15;
  if (value == std::floor(value) && std::abs(value) < kMost) {
    unsigned_int(value < 0 ? 1 : 0);
    return unsigned_int(static_cast<std::uint64_t>(std::abs(value)));
  }
  unsigned_int(7);
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (unsigned i = 0; i < 8; ++i) byte(static_cast<std::uint8_t>(bits >> (8 * i) & 0xFF));
}

void RecordBytes::string(std::string_view value) {
  unsigned_int(value.size());
  append(std::as_bytes(std::span(value.data(), value.size())));
}

void RecordBytes::g_delta(Point step) {
  const unsigned d = direction(step);
  if (d < 8) {
    return unsigned_int(std::max(magnitude(step.x), magnitude(step.y)) << 4 | d << 1);
  }
  unsigned_int(magnitude(step.x) << 2 | (step.x < 0 ? 2U : 0U) | 1U);
  signed_int(step.y);
}

void put_repetition(const PlaceGroup& group, RecordBytes& out) {
  if (!group.list.empty()) return put_list(group.list, out);
  std::uint64_t columns = group.columns, rows = group.rows;
  Point c = group.column_step, r = group.row_step;
  if (columns == 1 || (rows > 1 && c.x == 0 && r.y == 0)) {
    std::swap(columns, rows);
    std::swap(c, r);
  }
  const bool two = rows > 1;
  if (c.y == 0 && c.x >= 0 && (!two || (r.x == 0 && r.y >= 0))) {
    out.unsigned_int(two ? 1 : 2);
    out.unsigned_int(columns - 2);
    if (two) out.unsigned_int(rows - 2);
    out.unsigned_int(magnitude(c.x));
    if (two) out.unsigned_int(magnitude(r.y));
  } else if (!two && c.x == 0 && c.y >= 0) {
    out.unsigned_int(3);
    out.unsigned_int(columns - 2);
    out.unsigned_int(magnitude(c.y));
  } else {
    out.unsigned_int(two ? 8 : 9);
    out.unsigned_int(columns - 2);
    if (two) out.unsigned_int(rows - 2);
    out.g_delta(c);
    if (two) out.g_delta(r);
  }
}

void put_point_list(std::span<const Point> points, bool polygon, RecordBytes& out) {
  std::vector<Point> steps;
  for (std::size_t i = 1; i < points.size(); ++i) steps.push_back(points[i] - points[i - 1]);
  std::vector<Point> ring = steps;
  if (polygon) ring.push_back(points.front() - points.back());
  const StepKinds kinds = kinds_of(ring);
  const bool even = ring.size() % 2 == 0;
  if ((kinds.alternate_from_x || kinds.alternate_from_y) && (!polygon || even)) {
    if (polygon) steps.pop_back();  // both the last corner and the way back are implied
    out.unsigned_int(kinds.alternate_from_x ? 0 : 1);
    out.unsigned_int(steps.size());
    for (const Point s : steps) out.signed_int(s.x + s.y);
    return;
  }
  const std::uint64_t type = kinds.manhattan ? 2 : kinds.octangular ? 3 : 4;
  out.unsigned_int(type);
  out.unsigned_int(steps.size());
  for (const Point s : steps) {
    const std::uint64_t by = std::max(magnitude(s.x), magnitude(s.y));
    if (type == 4)
      out.g_delta(s);
    else
      out.unsigned_int(by << (type == 2 ? 2 : 3) | direction(s));
  }
}

Status OasisOutput::put(Bytes bytes) {
  position_ += bytes.size();
  crc_ = crc32(crc_, bytes);
  return out_(bytes);
}

Status OasisOutput::plain(const RecordBytes& records) { return put(records.view()); }

Status OasisOutput::packed(const RecordBytes& records) {
  constexpr std::size_t kWorthIt = 64;
  if (records.size() >= kWorthIt) {
    pack_block(records.view(), block_);
    if (!block_.empty()) {
      RecordBytes header;
      header.id(RecordId::kCBlock);
      header.unsigned_int(0);
      header.unsigned_int(records.size());
      header.unsigned_int(block_.size());
      if (header.size() + block_.size() < records.size()) {
        YL_TRY(put(header.view()));
        return put(block_);
      }
    }
  }
  return put(records.view());
}

}  // namespace yieldloop::ingest::oasis
