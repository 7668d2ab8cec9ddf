// The elements of a cell: what an info byte announces is read in the standard's order, and only
// when the record is whole is it looked at.

#include <algorithm>
#include <cmath>

#include "ingest/readers/oasis/oasis_stream.h"
#include "ingest/readers/oasis/trapezoids.h"

namespace yieldloop::ingest::oasis {

using geometry::Coord;
using geometry::Point;
using geometry::Point32;
using layout::Box;
using layout::LayerKey;
using layout::PathStyle;
using layout::Repetition;

namespace {

// Bits that most elements share: 00..XYRD L.
constexpr std::uint8_t kLayerBit = 0x01, kTypeBit = 0x02, kRepeatBit = 0x04, kYBit = 0x08,
                       kXBit = 0x10;

/// Points a file may make of its bytes by using a point list again.
constexpr std::uint64_t kFreePoints = 4 << 20;
constexpr std::uint64_t kPointsPerByte = 32;

Coord clamped(Coord value) { return std::clamp(value, -kFarthest, kFarthest); }

/// Real noise such as 90.00000000000001 means the round number.
double snapped(double value, double unit) {
  const double nearest = std::round(value / unit) * unit;
  return std::abs(value - nearest) < 1e-9 * unit ? nearest : value;
}

/// Reads a size; a negative one cannot be written.
Coord size_of(OasisCursor& cursor) {
  return static_cast<Coord>(std::min(cursor.unsigned_int(), static_cast<std::uint64_t>(kFarthest)));
}

}  // namespace

OasisStream::Outcome OasisStream::element(OasisCursor& cursor, RecordId id) {
  repeated_ = false;
  repetition_too_far_ = false;
  Outcome outcome = Outcome::kDone;
  switch (id) {
    case RecordId::kPlacement: outcome = placement(cursor, false); break;
    case RecordId::kPlacementTurned: outcome = placement(cursor, true); break;
    case RecordId::kText: outcome = text(cursor); break;
    case RecordId::kRectangle: outcome = rectangle(cursor); break;
    case RecordId::kPolygon: outcome = polygon(cursor); break;
    case RecordId::kPath: outcome = path(cursor); break;
    case RecordId::kTrapezoid:
    case RecordId::kTrapezoidA:
    case RecordId::kTrapezoidB: outcome = trapezoid_record(cursor, id); break;
    case RecordId::kCTrapezoid: outcome = ctrapezoid_record(cursor); break;
    case RecordId::kCircle: outcome = circle(cursor); break;
    default: outcome = extension_geometry(cursor); break;
  }
  return !in_cell_ ? Outcome::kMisplaced : outcome;
}

void OasisStream::layer_and_type(OasisCursor& cursor, std::uint8_t info) {
  if ((info & kLayerBit) != 0) modal_.layer = cursor.unsigned_int();
  if ((info & kTypeBit) != 0) modal_.datatype = cursor.unsigned_int();
}

void OasisStream::place_and_repeat(OasisCursor& cursor, std::uint8_t info, Point& at) {
  if ((info & kXBit) != 0) {
    const Coord x = cursor.signed_int();
    at.x = modal_.relative ? clamped(at.x + x) : x;
  }
  if ((info & kYBit) != 0) {
    const Coord y = cursor.signed_int();
    at.y = modal_.relative ? clamped(at.y + y) : y;
  }
  if ((info & kRepeatBit) != 0) read_repetition(cursor);
}

Repetition OasisStream::listed(std::vector<Point32>& offsets) {
  if (repetition_too_far_) return {};
  return layout::repetition_of(*builder_.add_offsets(std::move(offsets)));
}

/// Types 4 to 7: spaces along one axis.
Repetition OasisStream::spaced(OasisCursor& cursor, bool along_x, bool grid) {
  const std::uint64_t more = cursor.unsigned_int();
  const std::uint64_t unit = grid ? cursor.unsigned_int() : 1;
  if (more >= cursor.left()) return cursor.set_bad(), Repetition{};
  std::vector<Point32> offsets;
  offsets.reserve(static_cast<std::size_t>(more) + 2);
  offsets.push_back({});
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i <= more; ++i) {
    const std::uint64_t space = cursor.unsigned_int();
    constexpr std::uint64_t kMost = 0x7FFFFFFF;
    if (space > kMost || unit > kMost || space * unit > kMost - at) {
      repetition_too_far_ = true;
      continue;
    }
    at += space * unit;
    const auto by = static_cast<std::int32_t>(at);
    offsets.push_back(along_x ? Point32{by, 0} : Point32{0, by});
  }
  return listed(offsets);
}

/// Types 1, 2, 3, 8 and 9: regular.
Repetition OasisStream::array(OasisCursor& cursor, std::uint64_t type) {
  constexpr std::uint64_t kMost = 0x7FFFFFFF;
  const bool two = type == 1 || type == 8;
  std::uint64_t columns = cursor.unsigned_int();
  std::uint64_t rows = two ? cursor.unsigned_int() : 0;
  Point column_step, row_step;
  if (type == 8 || type == 9) {
    column_step = cursor.g_delta();
    if (two) row_step = cursor.g_delta();
  } else {
    if (type != 3) column_step.x = size_of(cursor);
    if (type == 1) row_step.y = size_of(cursor);
    if (type == 3) row_step.y = size_of(cursor);
  }
  if (type == 3) std::swap(columns, rows);
  if (columns > kMost - 2 || rows > kMost - 2 || !geometry::fits32(column_step) ||
      !geometry::fits32(row_step)) {
    repetition_too_far_ = true;
    return {};
  }
  Repetition repetition;
  repetition.columns = type == 3 ? 1 : static_cast<std::uint32_t>(columns + 2);
  repetition.rows = two || type == 3 ? static_cast<std::uint32_t>(rows + 2) : 1;
  repetition.column_step = geometry::narrow(column_step);
  repetition.row_step = geometry::narrow(row_step);
  return repetition;
}

/// Types 10 and 11: anywhere.
Repetition OasisStream::scattered(OasisCursor& cursor, bool grid) {
  const std::uint64_t more = cursor.unsigned_int();
  const Coord unit = grid ? size_of(cursor) : 1;
  if (more >= cursor.left()) return cursor.set_bad(), Repetition{};
  std::vector<Point32> offsets;
  offsets.reserve(static_cast<std::size_t>(more) + 2);
  offsets.push_back({});
  Point at;
  for (std::uint64_t i = 0; i <= more; ++i) {
    const Point step = cursor.g_delta();
    if (!geometry::fits32(step) || !geometry::fits32(unit)) {
      repetition_too_far_ = true;
      continue;
    }
    at = at + Point{step.x * unit, step.y * unit};
    if (geometry::fits32(at)) {
      offsets.push_back(geometry::narrow(at));
    } else {
      repetition_too_far_ = true;
      at = {};
    }
  }
  return listed(offsets);
}

void OasisStream::read_repetition(OasisCursor& cursor) {
  repeated_ = true;
  const std::uint64_t type = cursor.unsigned_int();
  if (type == 0) return;
  if (type > 11) return cursor.set_bad();
  Repetition repetition;
  if (type >= 4 && type <= 7)
    repetition = spaced(cursor, type <= 5, type == 5 || type == 7);
  else if (type >= 10)
    repetition = scattered(cursor, type == 11);
  else
    repetition = array(cursor, type);
  modal_.repetition.reset();
  if (!repetition_too_far_ && !cursor.bad()) modal_.repetition = repetition;
}

std::optional<LayerKey> OasisStream::key() const {
  constexpr std::uint64_t kMost = 0x7FFFFFFF;
  if (*modal_.layer > kMost || *modal_.datatype > kMost) return std::nullopt;
  return LayerKey{static_cast<int>(*modal_.layer), static_cast<int>(*modal_.datatype)};
}

OasisStream::Outcome OasisStream::rectangle(OasisCursor& cursor) {
  const std::uint8_t info = cursor.byte();  // SWHXYRDL
  layer_and_type(cursor, info);
  if ((info & 0x40) != 0) modal_.width = size_of(cursor);
  if ((info & 0x20) != 0) modal_.height = size_of(cursor);
  if ((info & 0x80) != 0) modal_.height = modal_.width;
  place_and_repeat(cursor, info, modal_.geometry_at);
  if (cursor.bad() || cell_ == layout::kNoCell) return Outcome::kDone;
  if (repetition_too_far_) return Outcome::kTooFar;
  if (!modal_.layer || !modal_.datatype || !modal_.width || !modal_.height ||
      (repeated_ && !modal_.repetition))
    return Outcome::kUnset;
  const auto on = key();
  if (!on) return Outcome::kTooFar;
  const Point at = modal_.geometry_at;
  return outcome_of(builder_.add_box(cell_, *on,
                                     {at.x, at.y, at.x + *modal_.width, at.y + *modal_.height},
                                     repeated_ ? *modal_.repetition : Repetition{}));
}

bool OasisStream::points32(std::span<const Point> points) {
  scratch_.clear();
  for (const Point p : points) {
    const Point at = modal_.geometry_at + p;
    if (!geometry::fits32(at)) return false;
    scratch_.push_back(geometry::narrow(at));
  }
  return true;
}

/// A polygon of the modal layer, placed and repeated as the record says.
OasisStream::Outcome OasisStream::add_points(std::span<const Point> points) {
  if (repetition_too_far_) return Outcome::kTooFar;
  if (!modal_.layer || !modal_.datatype || (repeated_ && !modal_.repetition))
    return Outcome::kUnset;
  const auto on = key();
  if (!on || !points32(points)) return Outcome::kTooFar;
  stored_points_ += points.size();
  if (stored_points_ > kFreePoints + kPointsPerByte * (bytes_.size() + file_.unpacked))
    return Outcome::kTooMuch;
  return outcome_of(
      builder_.add_polygon(cell_, *on, scratch_, repeated_ ? *modal_.repetition : Repetition{}));
}

OasisStream::Outcome OasisStream::polygon(OasisCursor& cursor) {
  const std::uint8_t info = cursor.byte();  // 00PXYRDL
  layer_and_type(cursor, info);
  if ((info & 0x20) != 0) {
    read_point_list(cursor, true, polygon_points_);
    modal_.has_polygon = true;
  }
  place_and_repeat(cursor, info, modal_.geometry_at);
  if (cursor.bad() || cell_ == layout::kNoCell) return Outcome::kDone;
  if (!modal_.has_polygon) return Outcome::kUnset;
  if (polygon_points_.size() < 3) return Outcome::kBadShape;
  return add_points(polygon_points_);
}

void OasisStream::path_extensions(OasisCursor& cursor) {
  const std::uint64_t scheme = cursor.unsigned_int();  // 0000SSEE
  const auto one = [&](std::uint64_t how, Modal<Coord>& extension) {
    if (how == 1) extension = 0;
    if (how == 2) extension = modal_.half_width;
    if (how == 3) extension = cursor.signed_int();
  };
  one(scheme >> 2 & 3, modal_.begin_extension);
  one(scheme & 3, modal_.end_extension);
}

OasisStream::Outcome OasisStream::path(OasisCursor& cursor) {
  const std::uint8_t info = cursor.byte();  // EWPXYRDL
  layer_and_type(cursor, info);
  if ((info & 0x40) != 0) modal_.half_width = size_of(cursor);
  if ((info & 0x80) != 0) path_extensions(cursor);
  if ((info & 0x20) != 0) {
    read_point_list(cursor, false, path_points_);
    modal_.has_path = true;
  }
  place_and_repeat(cursor, info, modal_.geometry_at);
  if (cursor.bad() || cell_ == layout::kNoCell) return Outcome::kDone;
  if (repetition_too_far_) return Outcome::kTooFar;
  if (!modal_.layer || !modal_.datatype || !modal_.half_width || !modal_.has_path ||
      !modal_.begin_extension || !modal_.end_extension || (repeated_ && !modal_.repetition))
    return Outcome::kUnset;
  const auto on = key();
  constexpr Coord kWidest = Coord{1} << 31;
  if (!on || *modal_.half_width > kWidest || std::abs(*modal_.begin_extension) > kWidest ||
      std::abs(*modal_.end_extension) > kWidest || !points32(path_points_))
    return Outcome::kTooFar;
  stored_points_ += path_points_.size();
  if (stored_points_ > kFreePoints + kPointsPerByte * (bytes_.size() + file_.unpacked))
    return Outcome::kTooMuch;
  PathStyle style;
  style.width = 2 * *modal_.half_width;
  style.begin_extension = *modal_.begin_extension;
  style.end_extension = *modal_.end_extension;
  if (style.begin_extension != 0 || style.end_extension != 0) style.ends = PathStyle::Ends::kCustom;
  if (style.width > 0 && style.begin_extension == *modal_.half_width &&
      style.end_extension == *modal_.half_width) {
    style.ends = PathStyle::Ends::kHalfWidth;
    style.begin_extension = style.end_extension = 0;
  }
  return outcome_of(builder_.add_path(cell_, *on, scratch_, style,
                                      repeated_ ? *modal_.repetition : Repetition{}));
}

OasisStream::Outcome OasisStream::trapezoid_record(OasisCursor& cursor, RecordId id) {
  const std::uint8_t info = cursor.byte();  // OWHXYRDL
  layer_and_type(cursor, info);
  if ((info & 0x40) != 0) modal_.width = size_of(cursor);
  if ((info & 0x20) != 0) modal_.height = size_of(cursor);
  const Coord delta_a = id != RecordId::kTrapezoidB ? cursor.signed_int() : 0;
  const Coord delta_b = id != RecordId::kTrapezoidA ? cursor.signed_int() : 0;
  place_and_repeat(cursor, info, modal_.geometry_at);
  if (cursor.bad() || cell_ == layout::kNoCell) return Outcome::kDone;
  if (!modal_.width || !modal_.height) return Outcome::kUnset;
  const auto c = trapezoid((info & 0x80) != 0, *modal_.width, *modal_.height, delta_a, delta_b);
  if (!c) return Outcome::kBadShape;
  return add_points(std::span(c->points).first(c->count));
}

OasisStream::Outcome OasisStream::ctrapezoid_record(OasisCursor& cursor) {
  const std::uint8_t info = cursor.byte();  // TWHXYRDL
  layer_and_type(cursor, info);
  if ((info & 0x80) != 0) modal_.ctrapezoid = cursor.unsigned_int();
  if ((info & 0x40) != 0) modal_.width = size_of(cursor);
  if ((info & 0x20) != 0) modal_.height = size_of(cursor);
  place_and_repeat(cursor, info, modal_.geometry_at);
  if (cursor.bad() || cell_ == layout::kNoCell) return Outcome::kDone;
  if (!modal_.ctrapezoid) return Outcome::kUnset;
  const std::uint64_t type = *modal_.ctrapezoid;
  if ((ctrapezoid_uses_width(type) && !modal_.width) ||
      (ctrapezoid_uses_height(type) && !modal_.height))
    return Outcome::kUnset;
  // A size that the type derives is as good as written: later records use it, and may double it.
  if (!ctrapezoid_uses_width(type)) modal_.width = std::min(2 * *modal_.height, kFarthest);
  if (!ctrapezoid_uses_height(type)) {
    modal_.height = std::min(ctrapezoid_height(type, *modal_.width), kFarthest);
  }
  const auto c = ctrapezoid(type, *modal_.width, *modal_.height);
  if (!c) return Outcome::kBadShape;
  return add_points(std::span(c->points).first(c->count));
}

OasisStream::Outcome OasisStream::circle(OasisCursor& cursor) {
  const std::uint8_t info = cursor.byte();  // 00rXYRDL
  layer_and_type(cursor, info);
  if ((info & 0x20) != 0) modal_.radius = size_of(cursor);
  place_and_repeat(cursor, info, modal_.geometry_at);
  if (cursor.bad() || cell_ == layout::kNoCell) return Outcome::kDone;
  if (repetition_too_far_) return Outcome::kTooFar;
  if (!modal_.layer || !modal_.datatype || !modal_.radius || (repeated_ && !modal_.repetition))
    return Outcome::kUnset;
  const auto on = key();
  const Point centre[] = {{}};
  constexpr Coord kWidest = Coord{1} << 31;
  if (!on || *modal_.radius > kWidest || !points32(centre)) return Outcome::kTooFar;
  PathStyle style;
  style.width = 2 * *modal_.radius;
  style.ends = PathStyle::Ends::kRound;
  return outcome_of(builder_.add_path(cell_, *on, scratch_, style,
                                      repeated_ ? *modal_.repetition : Repetition{}));
}

OasisStream::Outcome OasisStream::extension_geometry(OasisCursor& cursor) {
  const std::uint8_t info = cursor.byte();  // 000XYRDL
  (void)cursor.unsigned_int();              // its attribute, private to who wrote it
  layer_and_type(cursor, info);
  (void)cursor.string();
  place_and_repeat(cursor, info, modal_.geometry_at);
  return Outcome::kDone;
}

OasisStream::Outcome OasisStream::text(OasisCursor& cursor) {
  const std::uint8_t info = cursor.byte();  // 0CNXYRTL
  if ((info & 0x40) != 0) {
    if ((info & 0x20) != 0) {
      const std::uint64_t number = cursor.unsigned_int();
      if (!cursor.bad()) modal_.text_string = text_of(number);
    } else {
      modal_.text_string = builder_.add_string(cursor.string());
    }
  }
  if ((info & kLayerBit) != 0) modal_.text_layer = cursor.unsigned_int();
  if ((info & kTypeBit) != 0) modal_.text_type = cursor.unsigned_int();
  place_and_repeat(cursor, info, modal_.text_at);
  if (cursor.bad() || cell_ == layout::kNoCell) return Outcome::kDone;
  if (repetition_too_far_) return Outcome::kTooFar;
  if (modal_.text_string == nullptr || !modal_.text_layer || !modal_.text_type ||
      (repeated_ && !modal_.repetition))
    return Outcome::kUnset;
  constexpr std::uint64_t kMost = 0x7FFFFFFF;
  if (*modal_.text_layer > kMost || *modal_.text_type > kMost || !geometry::fits32(modal_.text_at))
    return Outcome::kTooFar;
  const LayerKey on{static_cast<int>(*modal_.text_layer), static_cast<int>(*modal_.text_type)};
  const bool added =
      builder_.add_text(cell_, on, geometry::narrow(modal_.text_at), modal_.text_string,
                        repeated_ ? *modal_.repetition : Repetition{});
  return added ? Outcome::kDone : Outcome::kTooFar;
}

OasisStream::Outcome OasisStream::placement(OasisCursor& cursor, bool turned) {
  const std::uint8_t info = cursor.byte();  // CNXYRAAF, turned: CNXYRMAF
  constexpr std::uint8_t kX = 0x20, kY = 0x10, kRepeat = 0x08;
  if ((info & 0x80) != 0) {
    if ((info & 0x40) != 0) {
      const std::uint64_t number = cursor.unsigned_int();
      if (!cursor.bad()) modal_.placed_cell = cell_of(number);
    } else {
      const std::string_view name = cursor.string();
      if (!cursor.bad()) modal_.placed_cell = builder_.cell(name);
    }
  }
  double magnification = 1.0, angle = 90.0 * (info >> 1 & 3);
  if (turned) {
    magnification = (info & 0x04) != 0 ? cursor.real() : 1.0;
    angle = (info & 0x02) != 0 ? cursor.real() : 0.0;
  }
  // The three bits stand one place higher than in shapes.
  const auto shared =
      static_cast<std::uint8_t>(((info & kX) != 0 ? kXBit : 0) | ((info & kY) != 0 ? kYBit : 0) |
                                ((info & kRepeat) != 0 ? kRepeatBit : 0));
  place_and_repeat(cursor, shared, modal_.placement_at);
  if (cursor.bad() || cell_ == layout::kNoCell) return Outcome::kDone;
  if (repetition_too_far_ || !geometry::fits32(modal_.placement_at)) return Outcome::kTooFar;
  if (!modal_.placed_cell || (repeated_ && !modal_.repetition)) return Outcome::kUnset;
  if (!std::isfinite(angle) || std::abs(angle) > 1e9 || !(magnification > 1e-9) ||
      !(magnification < 1e9))
    return Outcome::kBadTurn;
  layout::Instance instance;
  if (repeated_) static_cast<Repetition&>(instance) = *modal_.repetition;
  instance.cell = *modal_.placed_cell;
  instance.displacement = geometry::narrow(modal_.placement_at);
  const bool added = builder_.add_instance(cell_, instance, (info & 0x01) != 0,
                                           snapped(magnification, 1.0), snapped(angle, 90.0));
  return added ? Outcome::kDone : Outcome::kTooFar;
}

}  // namespace yieldloop::ingest::oasis
