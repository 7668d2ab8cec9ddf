#include "ingest/readers/gdsii/gdsii_layout.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include "engine/core/text.h"
#include "engine/layout/layout_builder.h"
#include "ingest/readers/gdsii/gdsii_records.h"

namespace yieldloop::ingest::gdsii {
namespace {

using geometry::Coord;
using geometry::Point32;
using layout::LayerKey;
using layout::PathStyle;

constexpr std::string_view kContextCell = "$$$CONTEXT_INFO$$$";

/// What stands between an element's first record and ENDEL.
struct Element {
  RecordType type{};
  std::uint64_t byte_offset = 0;
  std::size_t ordinal = 0;
  std::optional<int> layer;
  int datatype = 0;
  std::vector<Point32> points;
  std::string_view name;  ///< SNAME or STRING.
  bool has_name = false;
  Coord width = 0;
  int path_type = 0;
  Coord begin_extension = 0;
  Coord end_extension = 0;
  bool mirror = false;
  double magnification = 1.0;
  double angle = 0.0;
  std::uint32_t columns = 0;
  std::uint32_t rows = 0;
  bool bad_transform = false;

  void start(const GdsiiRecord& record, std::size_t at) {
    std::vector<Point32> reused = std::move(points);
    reused.clear();
    *this = Element{};
    points = std::move(reused);
    type = record.type;
    byte_offset = record.byte_offset;
    ordinal = at;
  }
};

const char* name_of(RecordType type) {
  switch (type) {
    case RecordType::kBoundary: return "BOUNDARY";
    case RecordType::kPath: return "PATH";
    case RecordType::kSref: return "SREF";
    case RecordType::kAref: return "AREF";
    case RecordType::kText: return "TEXT";
    case RecordType::kNode: return "NODE";
    case RecordType::kBox: return "BOX";
    default: return "element";
  }
}

/// Real8 noise such as 90.00000000000001 means the round number.
double snapped(double value, double unit) {
  const double nearest = std::round(value / unit) * unit;
  return std::abs(value - nearest) < 1e-9 * unit ? nearest : value;
}

/// Databases are a whole number of units to the micrometre nearly always: 0.001, not
/// 0.0010000000000000002.
double simple_unit(double um) {
  const double per_um = std::round(1.0 / um);
  return per_um >= 1.0 && std::abs(um * per_um - 1.0) < 1e-9 ? 1.0 / per_um : um;
}

class StreamReader {
 public:
  StreamReader(Bytes bytes, Rejects& rejects, const GdsiiOptions& options)
      : cursor_(bytes), rejects_(rejects), options_(options), builder_(0.001) {}

  Result<GdsiiFile> read();

 private:
  enum class Place : std::uint8_t { kLibrary, kCellHead, kCell, kElement };

  void plain_boundaries();
  void report_done();
  void take(const GdsiiRecord& record);
  void library_record(const GdsiiRecord& record);
  void cell_record(const GdsiiRecord& record);
  void element_record(const GdsiiRecord& record);
  void name_cell(const GdsiiRecord& record);
  void read_points(const GdsiiRecord& record);
  void finish_element();
  void add_shape();
  void add_placement();
  void broken_end(Walk walk);
  void reject(std::uint64_t offset, std::size_t dropped, std::string id, std::string message);
  void reject_element(std::string id, const std::string& why);
  std::string here() const {
    return cell_name_.empty() ? "" : " in cell " + escape_controls(cell_name_);
  }

  GdsiiCursor cursor_;
  Rejects& rejects_;
  GdsiiOptions options_;
  layout::LayoutBuilder builder_;
  Place place_ = Place::kLibrary;
  Element element_;
  layout::CellIndex cell_ = layout::kNoCell;
  std::string cell_name_;
  bool skip_cell_ = false;  ///< Inside a context cell or a second definition.
  bool ended_ = false;
  std::uint64_t next_done_ = 0;
  std::optional<double> metres_per_dbu_;
  GdsiiFile file_;
};

void StreamReader::reject(std::uint64_t offset, std::size_t dropped, std::string id,
                          std::string message) {
  Reject row;
  row.byte_offset = offset;
  row.record = cursor_.ordinal() == 0 ? 0 : cursor_.ordinal() - 1;
  row.bytes_dropped = dropped;
  row.id = std::move(id);
  row.message = std::move(message);
  rejects_.push_back(std::move(row));
}

void StreamReader::reject_element(std::string id, const std::string& why) {
  reject(element_.byte_offset, cursor_.position() - element_.byte_offset, std::move(id),
         fmt::format("{} at byte {}{} {}; it was dropped.", name_of(element_.type),
                     element_.byte_offset, here(), why));
}

Result<GdsiiFile> StreamReader::read() {
  GdsiiRecord record;
  Walk walk = cursor_.next(record);
  if (walk != Walk::kRecord || record.type != RecordType::kHeader || record.int16s() < 1)
    return Error{Errc::kFormat, "GDSI-0001",
                 "The file does not begin with a GDSII HEADER record; check that it is a GDSII "
                 "stream and was not cut at its start."};
  file_.version = record.int16(0);
  while (!ended_) {
    if (place_ == Place::kCell && !skip_cell_) plain_boundaries();
    walk = cursor_.next(record);
    if (walk != Walk::kRecord) break;
    take(record);
    if (cursor_.position() >= next_done_) report_done();
  }
  if (!ended_) broken_end(walk);
  file_.records = cursor_.ordinal();
  const double dbu_um = simple_unit(metres_per_dbu_.value_or(0.0) * 1e6);
  if (!(dbu_um > 0.0) || !std::isfinite(dbu_um))
    return Error{Errc::kFormat, "GDSI-0010",
                 "The GDSII stream has no UNITS record with a database unit above 0 m; export it "
                 "again."};
  builder_.set_dbu_um(dbu_um);
  YL_ASSIGN(file_.layout, builder_.build());
  return std::move(file_);
}

/// Nearly everything in a layout is a BOUNDARY of four records in the usual order: those are taken
/// here in one step each, up to the first element that is anything else.
void StreamReader::plain_boundaries() {
  PlainBoundary b;
  while (cursor_.next_plain_boundary(b)) {
    const LayerKey key{b.layer, b.datatype};
    if (b.is_box()) {
      builder_.add_box(cell_, key, b.box());
    } else if (b.count < 3) {
      element_.type = RecordType::kBoundary;
      element_.byte_offset = b.byte_offset;
      reject_element("GDSI-0009", "has fewer than three corners");
    } else {
      element_.points.clear();
      for (std::size_t i = 0; i < b.count; ++i) element_.points.push_back(b.point(i));
      builder_.add_polygon(cell_, key, element_.points);
    }
    if (cursor_.position() >= next_done_) report_done();
  }
}

void StreamReader::report_done() {
  constexpr std::uint64_t kEvery = 8 << 20;
  next_done_ = cursor_.position() + kEvery;
  if (options_.done) options_.done(cursor_.position());
}

void StreamReader::broken_end(Walk walk) {
  const std::uint64_t at = cursor_.position();
  const std::size_t left = cursor_.left();
  if (place_ == Place::kElement) reject_element("GDSI-0005", "is not closed by ENDEL");
  if (walk == Walk::kBadLength) {
    reject(at, left, "GDSI-0003",
           fmt::format("The record at byte {}{} has an impossible length; it and the {} bytes "
                       "behind it were dropped, send the file again.",
                       at, here(), left));
  } else {
    reject(at, left, "GDSI-0002",
           fmt::format("The file ends at byte {}{} without ENDLIB; {} bytes of a broken record "
                       "were dropped, send the file again.",
                       at + left, here(), left));
  }
}

void StreamReader::take(const GdsiiRecord& record) {
  if (record.type == RecordType::kEndLib) {
    if (place_ == Place::kElement) reject_element("GDSI-0005", "is not closed by ENDEL");
    ended_ = true;
    return;
  }
  switch (place_) {
    case Place::kLibrary: library_record(record); break;
    case Place::kCellHead: name_cell(record); break;
    case Place::kCell: cell_record(record); break;
    case Place::kElement: element_record(record); break;
  }
}

void StreamReader::library_record(const GdsiiRecord& record) {
  switch (record.type) {
    case RecordType::kBgnStr: place_ = Place::kCellHead; break;
    case RecordType::kLibName: builder_.set_library_name(std::string(record.text())); break;
    case RecordType::kUnits:
      if (record.data.size() >= 16) {
        file_.user_units_per_dbu = record.real8(0);
        metres_per_dbu_ = record.real8(1);
      }
      break;
    case RecordType::kBoundary:
    case RecordType::kPath:
    case RecordType::kSref:
    case RecordType::kAref:
    case RecordType::kText:
    case RecordType::kBox:
    case RecordType::kNode:
      reject(record.byte_offset, record.data.size() + 4, "GDSI-0005",
             fmt::format("{} at byte {} stands outside of any cell; it was dropped.",
                         name_of(record.type), record.byte_offset));
      break;
    default: break;  // BGNLIB, REFLIBS, FONTS and the parts of elements that were dropped
  }
}

void StreamReader::name_cell(const GdsiiRecord& record) {
  if (record.type != RecordType::kStrName) {
    reject(record.byte_offset, record.data.size() + 4, "GDSI-0005",
           fmt::format("The cell that begins before byte {} has no STRNAME; it was dropped.",
                       record.byte_offset));
    place_ = Place::kCell;
    skip_cell_ = true;
    cell_name_.clear();
    cell_record(record);
    return;
  }
  place_ = Place::kCell;
  cell_name_ = std::string(record.text());
  skip_cell_ = cell_name_ == kContextCell;
  if (skip_cell_) return;
  cell_ = builder_.cell(cell_name_);
  if (builder_.define(cell_)) return;
  skip_cell_ = true;
  reject(record.byte_offset, 0, "GDSI-0007",
         fmt::format("Cell {} is drawn a second time at byte {}; the first one was kept.",
                     escape_controls(cell_name_), record.byte_offset));
}

void StreamReader::cell_record(const GdsiiRecord& record) {
  switch (record.type) {
    case RecordType::kBoundary:
    case RecordType::kPath:
    case RecordType::kSref:
    case RecordType::kAref:
    case RecordType::kText:
    case RecordType::kBox:
    case RecordType::kNode:
      element_.start(record, cursor_.ordinal());
      place_ = Place::kElement;
      break;
    case RecordType::kEndStr:
      place_ = Place::kLibrary;
      cell_name_.clear();
      break;
    case RecordType::kBgnStr:
      reject(record.byte_offset, 0, "GDSI-0005",
             fmt::format("A new cell begins at byte {} before the end of the last{}; both were "
                         "kept.",
                         record.byte_offset, here()));
      place_ = Place::kCellHead;
      break;
    default: break;  // STRCLASS, properties of structures
  }
}

void StreamReader::read_points(const GdsiiRecord& record) {
  const std::size_t count = record.int32s() / 2;  // several XY records make one long polygon
  for (std::size_t i = 0; i < count; ++i)
    element_.points.push_back({record.int32(2 * i), record.int32(2 * i + 1)});
}

void StreamReader::element_record(const GdsiiRecord& record) {
  Element& e = element_;
  const bool has16 = record.int16s() >= 1;
  const bool has32 = record.int32s() >= 1;
  switch (record.type) {
    case RecordType::kEndEl:
      place_ = Place::kCell;
      if (!skip_cell_) finish_element();
      break;
    case RecordType::kXy: read_points(record); break;
    case RecordType::kLayer:
      if (has16) e.layer = static_cast<std::uint16_t>(record.int16(0));
      break;
    case RecordType::kDatatype:
    case RecordType::kTextType:
    case RecordType::kBoxType:
    case RecordType::kNodeType:
      if (has16) e.datatype = static_cast<std::uint16_t>(record.int16(0));
      break;
    case RecordType::kWidth:
      if (has32) e.width = std::abs(Coord{record.int32(0)});
      break;
    case RecordType::kPathType:
      if (has16) e.path_type = record.int16(0);
      break;
    case RecordType::kBgnExtn:
      if (has32) e.begin_extension = record.int32(0);
      break;
    case RecordType::kEndExtn:
      if (has32) e.end_extension = record.int32(0);
      break;
    case RecordType::kSname:
    case RecordType::kString:
      e.name = record.text();
      e.has_name = true;
      break;
    case RecordType::kColRow:
      if (record.int16s() >= 2) {
        e.columns = static_cast<std::uint16_t>(record.int16(0));
        e.rows = static_cast<std::uint16_t>(record.int16(1));
      }
      break;
    case RecordType::kStrans: e.mirror = has16 && record.int16(0) < 0; break;
    case RecordType::kMag:
      if (record.data.size() >= 8) e.magnification = record.real8(0);
      break;
    case RecordType::kAngle:
      if (record.data.size() >= 8) e.angle = record.real8(0);
      break;
    case RecordType::kBoundary:
    case RecordType::kPath:
    case RecordType::kSref:
    case RecordType::kAref:
    case RecordType::kText:
    case RecordType::kBox:
    case RecordType::kNode:
    case RecordType::kEndStr:
    case RecordType::kBgnStr:
      reject(e.byte_offset, record.byte_offset - e.byte_offset, "GDSI-0005",
             fmt::format("{} at byte {}{} is not closed by ENDEL; it was dropped.", name_of(e.type),
                         e.byte_offset, here()));
      place_ = Place::kCell;
      cell_record(record);
      break;
    default: break;  // ELFLAGS, PLEX, PRESENTATION, PROPATTR, PROPVALUE, ...
  }
}

void StreamReader::finish_element() {
  switch (element_.type) {
    case RecordType::kNode: return;
    case RecordType::kSref:
    case RecordType::kAref: add_placement(); return;
    default: add_shape(); return;
  }
}

void StreamReader::add_shape() {
  const Element& e = element_;
  if (!e.layer) return reject_element("GDSI-0004", "has no LAYER");
  if (e.points.empty()) return reject_element("GDSI-0004", "has no coordinates");
  const LayerKey key{*e.layer, e.datatype};
  switch (e.type) {
    case RecordType::kText:
      if (options_.keep_texts) builder_.add_text(cell_, key, e.points[0], e.name);
      return;
    case RecordType::kBox: {
      geometry::Box box;
      for (const Point32 p : e.points) box.include(geometry::Point{p.x, p.y});
      builder_.add_box(cell_, key, box);
      return;
    }
    case RecordType::kPath: {
      PathStyle style;
      style.width = e.width;
      style.ends = e.path_type == 1   ? PathStyle::Ends::kRound
                   : e.path_type == 2 ? PathStyle::Ends::kHalfWidth
                   : e.path_type == 4 ? PathStyle::Ends::kCustom
                                      : PathStyle::Ends::kFlush;
      style.begin_extension = e.begin_extension;
      style.end_extension = e.end_extension;
      if (builder_.add_path(cell_, key, e.points, style) == layout::Added::kTooFar)
        reject_element("GDSI-0006", "reaches past the 32-bit coordinates a layout may have");
      return;
    }
    default:
      if (e.points.size() < 3) return reject_element("GDSI-0009", "has fewer than three corners");
      builder_.add_polygon(cell_, key, e.points);
  }
}

void StreamReader::add_placement() {
  const Element& e = element_;
  const bool array = e.type == RecordType::kAref;
  if (!e.has_name) return reject_element("GDSI-0004", "has no SNAME");
  if (e.points.size() < (array ? 3U : 1U)) return reject_element("GDSI-0004", "lacks coordinates");
  if (array && (e.columns == 0 || e.rows == 0))
    return reject_element("GDSI-0008", "has no columns or no rows");
  if (!std::isfinite(e.angle) || std::abs(e.angle) > 1e9 || !(e.magnification > 1e-9) ||
      !(e.magnification < 1e9))
    return reject_element("GDSI-0008", "has an angle or a magnification that places nothing");
  layout::Instance instance;
  instance.cell = builder_.cell(e.name);
  instance.displacement = e.points[0];
  if (array) {
    instance.columns = e.columns;
    instance.rows = e.rows;
    // Differences of 32-bit numbers divided by at least 1: they need not fit when it is 1.
    const auto step = [&](Point32 end, std::uint32_t count, Point32& out) {
      const auto part = [count](Coord from, Coord to) {
        return static_cast<Coord>(
            std::llround(static_cast<double>(to - from) / static_cast<double>(count)));
      };
      const geometry::Point p{part(e.points[0].x, end.x), part(e.points[0].y, end.y)};
      if (!geometry::fits32(p)) return count == 1;
      out = geometry::narrow(p);
      return true;
    };
    if (!step(e.points[1], e.columns, instance.column_step) ||
        !step(e.points[2], e.rows, instance.row_step))
      return reject_element("GDSI-0008", "has a pitch that does not fit 32 bits");
  }
  if (!builder_.add_instance(cell_, instance, e.mirror, snapped(e.magnification, 1.0),
                             snapped(e.angle, 90.0)))
    reject_element("GDSI-0008", "has an array that reaches past what a layout may hold");
}

}  // namespace

bool looks_like_gdsii(Bytes head) {
  const auto byte = [head](std::size_t i) { return std::to_integer<unsigned>(head[i]); };
  if (head.size() < 10) return false;
  return byte(0) == 0 && byte(1) == 6 && byte(2) == 0 && byte(3) == 2 && byte(8) == 1 &&
         byte(9) == 2;
}

Result<GdsiiFile> read_gdsii_file(Bytes bytes, Rejects& rejects, const GdsiiOptions& options) {
  return StreamReader(bytes, rejects, options).read();
}

Result<layout::Layout> read_gdsii(Bytes bytes, Rejects& rejects, const GdsiiOptions& options) {
  YL_ASSIGN(GdsiiFile file, read_gdsii_file(bytes, rejects, options));
  return std::move(file.layout);
}

bool may_be_gdsii(Bytes head) {
  const auto byte = [head](std::size_t i) { return std::to_integer<unsigned>(head[i]); };
  return head.size() >= 6 && byte(0) == 0 && byte(2) == 0 && byte(3) == 2;
}

}  // namespace yieldloop::ingest::gdsii
