#include "ingest/readers/gdsii/gdsii_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/core/text.h"
#include "ingest/readers/gdsii/gdsii_records.h"

namespace yieldloop::ingest::gdsii {
namespace {

using layout::Box32;
using layout::Cell;
using layout::Coord;
using layout::Instance;
using layout::LayerKey;
using layout::Layout;
using layout::PathRange;
using layout::PathStyle;
using layout::Point;
using layout::Point32;
using layout::PolygonRange;
using layout::RepeatedShape;
using layout::Repetition;

constexpr std::size_t kMostPoints = 8191;  ///< In one XY record.
constexpr std::size_t kLongestText = 65'530;
constexpr std::uint32_t kMostColumns = 32'767;
constexpr std::uint64_t kTooMany = (std::uint64_t{1} << 32) + 1;  ///< Elements to write out.

/// Appends records to a buffer that is handed on when it is full.
class Records {
 public:
  explicit Records(ByteSink out) : out_(out) { buffer_.reserve(kFull + 131'072); }

  void header(RecordType type, std::uint8_t data_type, std::size_t size) {
    const std::size_t length = size + 4;
    put({static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length & 0xFF),
         static_cast<std::uint8_t>(type), data_type});
  }
  void empty(RecordType type) { header(type, 0, 0); }
  void int16(RecordType type, std::int64_t value) {
    header(type, 2, 2);
    word(value);
  }
  void bits(RecordType type, std::uint16_t value) {
    header(type, 1, 2);
    word(value);
  }
  void int32(RecordType type, std::int64_t value) {
    header(type, 3, 4);
    number(value);
  }
  void real8(RecordType type, std::initializer_list<double> values) {
    header(type, 5, 8 * values.size());
    for (const double v : values) real(v);
  }
  void text(RecordType type, std::string_view value) {
    header(type, 6, value.size() + value.size() % 2);
    for (const char c : value) buffer_.push_back(static_cast<std::byte>(c));
    if (value.size() % 2 != 0) buffer_.push_back(std::byte{0});
  }
  /// BGNLIB and BGNSTR carry two dates of six numbers; both are 1970-01-01 00:00:00.
  void dates(RecordType type) {
    header(type, 2, 24);
    for (int date = 0; date < 2; ++date)
      for (const int part : {1970, 1, 1, 0, 0, 0}) word(part);
  }
  void word(std::int64_t value) {
    put({static_cast<std::uint8_t>(value >> 8 & 0xFF), static_cast<std::uint8_t>(value & 0xFF)});
  }
  void number(std::int64_t value) {
    put({static_cast<std::uint8_t>(value >> 24 & 0xFF),
         static_cast<std::uint8_t>(value >> 16 & 0xFF),
         static_cast<std::uint8_t>(value >> 8 & 0xFF), static_cast<std::uint8_t>(value & 0xFF)});
  }
  void point(Point p) {
    number(p.x);
    number(p.y);
  }

  Status flush_when_full() { return buffer_.size() >= kFull ? flush() : Status(Ok{}); }
  Status flush() {
    YL_TRY(out_(buffer_));
    buffer_.clear();
    return Ok{};
  }

 private:
  static constexpr std::size_t kFull = 1 << 20;

  template <std::size_t N>
  void put(const std::uint8_t (&bytes)[N]) {
    for (const std::uint8_t b : bytes) buffer_.push_back(static_cast<std::byte>(b));
  }

  /// value = mantissa * 16^(exponent - 64), mantissa in [1/16, 1) with 56 bits.
  void real(double value) {
    std::uint64_t bits = 0;
    if (value != 0.0) {
      int exponent2 = 0;
      const double mantissa = std::frexp(std::abs(value), &exponent2);
      // frexp gives [1/2, 1) and a power of 2: the power of 16 above it shifts 0 to 3 bits down.
      const int exponent16 = static_cast<int>(std::ceil(exponent2 / 4.0));
      const auto whole = static_cast<std::uint64_t>(
          std::llround(std::ldexp(mantissa, 56 + exponent2 - 4 * exponent16)));
      bits = static_cast<std::uint64_t>(exponent16 + 64) << 56 | whole;
      if (value < 0) bits |= std::uint64_t{1} << 63;
    }
    number(static_cast<std::int64_t>(bits >> 32));
    number(static_cast<std::int64_t>(bits & 0xFFFFFFFF));
  }

  ByteSink out_;
  std::vector<std::byte> buffer_;
};

template <class Visit>
Status for_each_copy(const Repetition& repetition, Visit&& visit) {
  for (std::uint32_t row = 0; row < repetition.rows; ++row)
    for (std::uint32_t column = 0; column < repetition.columns; ++column)
      YL_TRY(visit(repetition.at(column, row)));
  return Ok{};
}

class StreamWriter {
 public:
  StreamWriter(const Layout& layout, ByteSink out, const GdsiiWriteOptions& options)
      : layout_(layout), out_(out), options_(options) {}

  Status write();

 private:
  Status check() const;
  Status cell(const Cell& cell);
  Status shapes(const layout::LayerShapes& shapes);
  Status repeated(const layout::LayerShapes& shapes, LayerKey key, const RepeatedShape& shape);
  Status box(LayerKey key, const Box32& box, Point by);
  Status polygon(LayerKey key, std::span<const Point32> points, Point by);
  Status path(LayerKey key, std::span<const Point32> points, const PathStyle& style, Point by);
  Status text(const layout::Text& text, Point by);
  Status instance(const Instance& instance);
  Status array(const Instance& instance);
  Status placement(const Instance& instance, Point at);
  void transform(const Instance& instance);
  void layer(LayerKey key, RecordType type_record);

  const Layout& layout_;
  Records out_;
  const GdsiiWriteOptions& options_;
};

Status StreamWriter::check() const {
  for (const LayerKey key : layout_.layers()) {
    if (key.layer > 65'535 || key.datatype > 65'535)
      return Error{Errc::kUnsupported, "GDSI-0015",
                   fmt::format("Layer {} cannot be written as GDSII, whose layers and data types "
                               "end at 65535; write OASIS.",
                               layout::to_string(key))};
  }
  std::uint64_t elements = std::min(layout_.texts(), kTooMany);
  for (const Cell& cell : layout_.cells()) {
    for (const layout::LayerShapes& shapes : cell.layers)
      elements = std::min(elements + std::min(shapes.elements, kTooMany), kTooMany);
    std::size_t longest = cell.name.size();
    for (const layout::Text& text : cell.texts) longest = std::max(longest, text.string->size());
    if (longest > kLongestText)
      return Error{Errc::kUnsupported, "GDSI-0017",
                   fmt::format("A name or text of {} characters in cell {} does not fit a GDSII "
                               "record; write OASIS.",
                               longest, escape_controls(cell.name.substr(0, 80)))};
  }
  if (elements == kTooMany)
    return Error{Errc::kUnsupported, "GDSI-0016",
                 "The layout repeats shapes more than 4,294,967,296 times, which GDSII would have "
                 "to write one by one; write OASIS."};
  return Ok{};
}

Status StreamWriter::write() {
  YL_TRY(check());
  out_.int16(RecordType::kHeader, 600);
  out_.dates(RecordType::kBgnLib);
  out_.text(RecordType::kLibName,
            layout_.library_name().empty() ? options_.library_name : layout_.library_name());
  out_.real8(RecordType::kUnits, {layout_.dbu_um(), layout_.dbu_um() * 1e-6});
  for (const layout::CellIndex index : layout_.bottom_up())
    if (layout_.cell(index).defined) YL_TRY(cell(layout_.cell(index)));
  out_.empty(RecordType::kEndLib);
  return out_.flush();
}

Status StreamWriter::cell(const Cell& cell) {
  out_.dates(RecordType::kBgnStr);
  out_.text(RecordType::kStrName, cell.name);
  for (const layout::LayerShapes& on_layer : cell.layers) YL_TRY(shapes(on_layer));
  for (const layout::Text& t : cell.texts)
    YL_TRY(for_each_copy(t.repetition, [&](Point by) { return text(t, by); }));
  for (const Instance& placed : cell.instances) YL_TRY(instance(placed));
  out_.empty(RecordType::kEndStr);
  return out_.flush_when_full();
}

Status StreamWriter::shapes(const layout::LayerShapes& shapes) {
  const LayerKey key = layout_.layers()[shapes.layer];
  for (const Box32& b : shapes.boxes) YL_TRY(box(key, b, {}));
  for (const PolygonRange& p : shapes.polygons) YL_TRY(polygon(key, shapes.points_of(p), {}));
  for (const PathRange& p : shapes.paths) YL_TRY(path(key, shapes.points_of(p.line), p.style, {}));
  for (const RepeatedShape& r : shapes.repeated) YL_TRY(repeated(shapes, key, r));
  return Ok{};
}

Status StreamWriter::repeated(const layout::LayerShapes& shapes, LayerKey key,
                              const RepeatedShape& shape) {
  return for_each_copy(shape.repetition, [&](Point by) {
    if (shape.kind == RepeatedShape::Kind::kBox) return box(key, shape.box, by);
    if (shape.kind == RepeatedShape::Kind::kPolygon)
      return polygon(key, shapes.points_of(shapes.repeated_polygons[shape.item]), by);
    const PathRange& p = shapes.repeated_paths[shape.item];
    return path(key, shapes.points_of(p.line), p.style, by);
  });
}

void StreamWriter::layer(LayerKey key, RecordType type_record) {
  out_.int16(RecordType::kLayer, key.layer);
  out_.int16(type_record, key.datatype);
}

Status StreamWriter::box(LayerKey key, const Box32& box, Point by) {
  const layout::Box b = static_cast<layout::Box>(box).moved(by);
  out_.empty(RecordType::kBoundary);
  layer(key, RecordType::kDatatype);
  out_.header(RecordType::kXy, 3, 40);
  for (const Coord v :
       {b.x_min, b.y_min, b.x_min, b.y_max, b.x_max, b.y_max, b.x_max, b.y_min, b.x_min, b.y_min})
    out_.number(v);
  out_.empty(RecordType::kEndEl);
  return out_.flush_when_full();
}

Status StreamWriter::polygon(LayerKey key, std::span<const Point32> points, Point by) {
  out_.empty(RecordType::kBoundary);
  layer(key, RecordType::kDatatype);
  const std::size_t all = points.size() + 1;  // the first corner closes the ring
  for (std::size_t first = 0; first < all; first += kMostPoints) {
    const std::size_t last = std::min(first + kMostPoints, all);
    out_.header(RecordType::kXy, 3, 8 * (last - first));
    for (std::size_t i = first; i < last; ++i)
      out_.point(static_cast<Point>(points[i % points.size()]) + by);
    YL_TRY(out_.flush_when_full());
  }
  out_.empty(RecordType::kEndEl);
  return Ok{};
}

Status StreamWriter::path(LayerKey key, std::span<const Point32> points, const PathStyle& style,
                          Point by) {
  constexpr std::array<std::uint8_t, 4> kTypes{0, 1, 2, 4};  // in the order of PathStyle::Ends
  out_.empty(RecordType::kPath);
  layer(key, RecordType::kDatatype);
  out_.int16(RecordType::kPathType, kTypes.at(static_cast<std::size_t>(style.ends)));
  out_.int32(RecordType::kWidth, style.width);
  if (style.ends == PathStyle::Ends::kCustom) {
    out_.int32(RecordType::kBgnExtn, style.begin_extension);
    out_.int32(RecordType::kEndExtn, style.end_extension);
  }
  for (std::size_t first = 0; first < points.size(); first += kMostPoints) {
    const std::size_t last = std::min(first + kMostPoints, points.size());
    out_.header(RecordType::kXy, 3, 8 * (last - first));
    for (std::size_t i = first; i < last; ++i) out_.point(static_cast<Point>(points[i]) + by);
    YL_TRY(out_.flush_when_full());
  }
  out_.empty(RecordType::kEndEl);
  return Ok{};
}

Status StreamWriter::text(const layout::Text& text, Point by) {
  out_.empty(RecordType::kText);
  layer(text.key, RecordType::kTextType);
  out_.header(RecordType::kXy, 3, 8);
  out_.point(static_cast<Point>(text.at) + by);
  out_.text(RecordType::kString, *text.string);
  out_.empty(RecordType::kEndEl);
  return out_.flush_when_full();
}

void StreamWriter::transform(const Instance& instance) {
  constexpr std::uint16_t kMirror = 0x8000;
  layout::GeneralPlacement p{geometry::mirrored(instance.orientation), 1.0,
                             90.0 * geometry::quarter_turns(instance.orientation)};
  if (instance.general >= 0)
    p = layout_.general_placements()[static_cast<std::size_t>(instance.general)];
  if (!p.mirror && p.magnification == 1.0 && p.degrees == 0.0) return;
  out_.bits(RecordType::kStrans, p.mirror ? kMirror : 0);
  if (p.magnification != 1.0) out_.real8(RecordType::kMag, {p.magnification});
  if (p.degrees != 0.0) out_.real8(RecordType::kAngle, {p.degrees});
}

Status StreamWriter::placement(const Instance& instance, Point at) {
  if (!geometry::fits32(at))
    return Error{Errc::kUnsupported, "GDSI-0018",
                 fmt::format("A copy of cell {} stands past the 32-bit coordinates of GDSII; "
                             "shorten its array.",
                             escape_controls(layout_.cell(instance.cell).name))};
  out_.empty(RecordType::kSref);
  out_.text(RecordType::kSname, layout_.cell(instance.cell).name);
  transform(instance);
  out_.header(RecordType::kXy, 3, 8);
  out_.point(at);
  out_.empty(RecordType::kEndEl);
  return out_.flush_when_full();
}

Status StreamWriter::array(const Instance& instance) {
  const Point origin = instance.displacement;
  const auto corner = [&](Point32 step, std::uint32_t count) {
    return origin + Point{Coord{step.x} * count, Coord{step.y} * count};
  };
  const Point columns_end = corner(instance.column_step, instance.columns);
  const Point rows_end = corner(instance.row_step, instance.rows);
  if (!geometry::fits32(columns_end) || !geometry::fits32(rows_end)) {
    return for_each_copy(instance, [&](Point by) { return placement(instance, origin + by); });
  }
  out_.empty(RecordType::kAref);
  out_.text(RecordType::kSname, layout_.cell(instance.cell).name);
  transform(instance);
  out_.header(RecordType::kColRow, 2, 4);
  out_.word(instance.columns);
  out_.word(instance.rows);
  out_.header(RecordType::kXy, 3, 24);
  for (const Point p : {origin, columns_end, rows_end}) out_.point(p);
  out_.empty(RecordType::kEndEl);
  return out_.flush_when_full();
}

Status StreamWriter::instance(const Instance& instance) {
  const Point origin = instance.displacement;
  if (instance.single()) return placement(instance, origin);
  if (instance.offsets != nullptr)
    return for_each_copy(instance, [&](Point by) { return placement(instance, origin + by); });
  for (std::uint32_t row = 0; row < instance.rows; row += kMostColumns) {
    for (std::uint32_t column = 0; column < instance.columns; column += kMostColumns) {
      Instance part = instance;
      part.columns = std::min(kMostColumns, instance.columns - column);
      part.rows = std::min(kMostColumns, instance.rows - row);
      const Point at = Layout::element_at(instance, column, row);
      if (geometry::fits32(at)) part.displacement = geometry::narrow(at);
      YL_TRY(part.single() || !geometry::fits32(at) ? placement(part, at) : array(part));
    }
  }
  return Ok{};
}

}  // namespace

Status write_gdsii(const layout::Layout& layout, ByteSink out, const GdsiiWriteOptions& options) {
  return StreamWriter(layout, out, options).write();
}

Result<std::vector<std::byte>> gdsii_bytes(const layout::Layout& layout,
                                           const GdsiiWriteOptions& options) {
  std::vector<std::byte> all;
  YL_TRY(write_gdsii(
      layout,
      [&all](Bytes bytes) -> Status {
        all.insert(all.end(), bytes.begin(), bytes.end());
        return Ok{};
      },
      options));
  return all;
}

}  // namespace yieldloop::ingest::gdsii
