#include "ingest/readers/oasis/cell_writer.h"

#include <algorithm>
#include <tuple>

#include "engine/layout/path_shape.h"

namespace yieldloop::ingest::oasis {

using geometry::Coord;
using geometry::Point;
using geometry::Point32;
using layout::Instance;
using layout::LayerShapes;
using layout::PathRange;
using layout::PathStyle;
using layout::PolygonRange;
using layout::RepeatedShape;
using layout::Repetition;

namespace {

constexpr std::uint8_t kLayerBit = 0x01, kTypeBit = 0x02, kRepeatBit = 0x04, kYBit = 0x08,
                       kXBit = 0x10;

/// Where equal things stand: single places and lists to be searched for arrays, and arrays as
/// they were drawn.
struct Gathered {
  std::vector<Point> places;
  std::vector<PlaceGroup> arrays;

  void add(Point at, const Repetition& repetition) {
    if (repetition.single()) return places.push_back(at);
    if (repetition.offsets != nullptr) {
      for (const Point32 by : repetition.offsets->offsets())
        places.push_back(at + static_cast<Point>(by));
      return;
    }
    PlaceGroup group;
    group.at = at;
    group.columns = repetition.columns;
    group.rows = repetition.rows;
    group.column_step = repetition.column_step;
    group.row_step = repetition.row_step;
    arrays.push_back(group);
  }

  /// Everything, in an order that does not depend on how it was added.
  std::vector<PlaceGroup> groups() {
    std::vector<PlaceGroup> all = find_arrays(std::move(places));
    const auto key = [](const PlaceGroup& g) {
      return std::tuple(g.at.y, g.at.x, g.columns, g.rows, g.column_step, g.row_step);
    };
    std::sort(arrays.begin(), arrays.end(),
              [&](const PlaceGroup& a, const PlaceGroup& b) { return key(a) < key(b); });
    all.insert(all.begin(), arrays.begin(), arrays.end());
    return all;
  }
};

bool is_single(const PlaceGroup& group) {
  return group.list.empty() && group.columns == 1 && group.rows == 1;
}

}  // namespace

bool operator<(const Outline& a, const Outline& b) {
  const auto key = [](const Outline& o) {
    return std::tuple(o.is_path, o.style.width, o.style.ends, o.style.begin_extension,
                      o.style.end_extension);
  };
  return key(a) != key(b) ? key(a) < key(b) : a.points < b.points;
}

Status CellWriter::flush(bool all) {
  constexpr std::size_t kFull = 1 << 20;
  if (records_.size() == 0 || (!all && records_.size() < kFull)) return Ok{};
  YL_TRY(out_.packed(records_));
  records_.clear();
  return Ok{};
}

Status CellWriter::write(const layout::Cell& cell) {
  records_.id(RecordId::kXyRelative);
  for (const LayerShapes& shapes : cell.layers) YL_TRY(layer(shapes));
  YL_TRY(texts(cell));
  YL_TRY(placements(cell));
  const bool empty =
      records_.size() == 1 && cell.layers.empty() && cell.texts.empty() && cell.instances.empty();
  if (empty) records_.clear();
  return flush(true);
}

Status CellWriter::layer(const LayerShapes& shapes) {
  key_ = layout_.layers()[shapes.layer];
  YL_TRY(boxes(shapes));
  return outlines(shapes);
}

std::uint8_t CellWriter::shared_bits(const PlaceGroup& group, Point& modal_at) {
  std::uint8_t info = 0;
  if (layer_ != static_cast<std::uint64_t>(key_.layer)) info |= kLayerBit;
  if (datatype_ != static_cast<std::uint64_t>(key_.datatype)) info |= kTypeBit;
  step_ = group.at - modal_at;
  modal_at = group.at;
  if (step_.x != 0) info |= kXBit;
  if (step_.y != 0) info |= kYBit;
  if (!is_single(group)) info |= kRepeatBit;
  return info;
}

void CellWriter::put_shared_head(std::uint8_t info) {
  if ((info & kLayerBit) != 0)
    records_.unsigned_int(*(layer_ = static_cast<std::uint64_t>(key_.layer)));
  if ((info & kTypeBit) != 0)
    records_.unsigned_int(*(datatype_ = static_cast<std::uint64_t>(key_.datatype)));
}

void CellWriter::put_place(std::uint8_t info, Point step, const PlaceGroup& group) {
  if ((info & kXBit) != 0) records_.signed_int(step.x);
  if ((info & kYBit) != 0) records_.signed_int(step.y);
  if ((info & kRepeatBit) == 0) return;
  RecordBytes repetition;
  put_repetition(group, repetition);
  if (repetition == repetition_) return records_.unsigned_int(0);
  records_.append(repetition.view());
  repetition_ = std::move(repetition);
}

Status CellWriter::boxes(const LayerShapes& shapes) {
  std::map<std::pair<Coord, Coord>, Gathered> sizes;
  auto last = sizes.end();
  const auto add = [&](const layout::Box& b, const Repetition& repetition) {
    const std::pair size{b.width(), b.height()};
    if (last == sizes.end() || last->first != size) last = sizes.try_emplace(size).first;
    last->second.add({b.x_min, b.y_min}, repetition);
  };
  for (const layout::Box32& b : shapes.boxes) add(b, {});
  for (const RepeatedShape& r : shapes.repeated)
    if (r.kind == RepeatedShape::Kind::kBox) add(r.box, r.repetition);
  for (auto& [size, places] : sizes)
    for (const PlaceGroup& group : places.groups()) YL_TRY(box(size.first, size.second, group));
  return Ok{};
}

Status CellWriter::box(Coord width, Coord height, const PlaceGroup& group) {
  constexpr std::uint8_t kSquare = 0x80, kWidth = 0x40, kHeight = 0x20;
  std::uint8_t info = shared_bits(group, geometry_at_);
  const bool square = width == height;
  if (width_ != width) info |= kWidth;
  if (square)
    info |= kSquare;
  else if (height_ != height)
    info |= kHeight;
  records_.id(RecordId::kRectangle);
  records_.byte(info);
  put_shared_head(info);
  if ((info & kWidth) != 0) records_.unsigned_int(static_cast<std::uint64_t>(width));
  if ((info & kHeight) != 0) records_.unsigned_int(static_cast<std::uint64_t>(height));
  width_ = width;
  height_ = height;
  put_place(info, step_, group);
  return flush(false);
}

Outline CellWriter::outline_of(std::span<const Point32> points) {
  Outline result;
  for (const Point32 p : points)
    result.points.push_back(static_cast<Point>(p) - static_cast<Point>(points.front()));
  return result;
}

Status CellWriter::outlines(const LayerShapes& shapes) {
  std::map<Outline, Gathered> kinds;
  const auto add = [&](std::span<const Point32> points, const PathStyle* style,
                       const Repetition& repetition) {
    Outline what = style == nullptr ? outline_of(points) : outline_of(points, *style);
    if (what.points.empty()) return;
    kinds[std::move(what)].add(origin_, repetition);
  };
  const auto polygon = [&](const PolygonRange& p, const Repetition& repetition) {
    origin_ = shapes.points_of(p).front();
    add(shapes.points_of(p), nullptr, repetition);
  };
  const auto path = [&](const PathRange& p, const Repetition& repetition) {
    origin_ = shapes.points_of(p.line).front();
    add(shapes.points_of(p.line), &p.style, repetition);
  };
  for (const PolygonRange& p : shapes.polygons) polygon(p, {});
  for (const PathRange& p : shapes.paths) path(p, {});
  for (const RepeatedShape& r : shapes.repeated) {
    if (r.kind == RepeatedShape::Kind::kPolygon)
      polygon(shapes.repeated_polygons[r.item], r.repetition);
    if (r.kind == RepeatedShape::Kind::kPath) path(shapes.repeated_paths[r.item], r.repetition);
  }
  for (auto& [what, places] : kinds)
    for (const PlaceGroup& group : places.groups()) YL_TRY(outline(what, group));
  return Ok{};
}

Outline CellWriter::outline_of(std::span<const Point32> points, const PathStyle& style) {
  const bool circle = points.size() == 1 && style.ends == PathStyle::Ends::kRound;
  const bool as_path = style.width % 2 == 0 && (circle || style.ends != PathStyle::Ends::kRound);
  if (!as_path) {
    const std::vector<Point32> ring = layout::path_ring(points, style);
    if (ring.empty()) return {};
    origin_ = ring.front();
    return outline_of(ring);
  }
  Outline result = outline_of(points);
  result.is_path = true;
  result.style = style;
  return result;
}

Status CellWriter::outline(const Outline& what, const PlaceGroup& group) {
  constexpr std::uint8_t kPoints = 0x20, kWidth = 0x40, kEnds = 0x80, kRadius = 0x20;
  std::uint8_t info = shared_bits(group, geometry_at_);
  if (what.is_path && what.points.size() == 1 && what.style.ends == PathStyle::Ends::kRound) {
    info |= kRadius;
    records_.id(RecordId::kCircle);
    records_.byte(info);
    put_shared_head(info);
    records_.unsigned_int(static_cast<std::uint64_t>(what.style.width / 2));
  } else {
    RecordBytes points;
    put_point_list(what.points, !what.is_path, points);
    std::optional<RecordBytes>& modal = what.is_path ? path_points_ : polygon_points_;
    if (modal != points) info |= kPoints;
    if (what.is_path) {
      if (half_width_ != what.style.width / 2) info |= kWidth;
      info |= kEnds;
      path_body(what, info, points);
    } else {
      records_.id(RecordId::kPolygon);
      records_.byte(info);
      put_shared_head(info);
      if ((info & kPoints) != 0) records_.append(points.view());
    }
    modal = std::move(points);
  }
  put_place(info, step_, group);
  return flush(false);
}

void CellWriter::path_body(const Outline& what, std::uint8_t info, const RecordBytes& points) {
  constexpr std::uint8_t kPoints = 0x20, kWidth = 0x40;
  constexpr std::uint64_t kFlush = 1, kHalf = 2, kExplicit = 3;
  const PathStyle& style = what.style;
  records_.id(RecordId::kPath);
  records_.byte(info);
  put_shared_head(info);
  half_width_ = style.width / 2;
  if ((info & kWidth) != 0) records_.unsigned_int(static_cast<std::uint64_t>(*half_width_));
  const bool custom = style.ends == PathStyle::Ends::kCustom;
  const auto scheme = [&](Coord extension) {
    if (style.ends == PathStyle::Ends::kHalfWidth) return kHalf;
    return custom && extension != 0 ? kExplicit : kFlush;
  };
  const std::uint64_t begin = scheme(style.begin_extension), end = scheme(style.end_extension);
  records_.unsigned_int(begin << 2 | end);
  if (begin == kExplicit) records_.signed_int(style.begin_extension);
  if (end == kExplicit) records_.signed_int(style.end_extension);
  if ((info & kPoints) != 0) records_.append(points.view());
}

Status CellWriter::texts(const layout::Cell& cell) {
  constexpr std::uint8_t kString = 0x40, kNumber = 0x20;
  std::map<std::pair<layout::LayerKey, std::uint64_t>, Gathered> kinds;
  for (const layout::Text& t : cell.texts)
    kinds[{t.key, texts_.at(*t.string)}].add(t.at, t.repetition);
  layer_.reset();  // texts have a layer and a type of their own
  datatype_.reset();
  for (auto& [what, places] : kinds) {
    key_ = what.first;
    for (const PlaceGroup& group : places.groups()) {
      const auto info = static_cast<std::uint8_t>(shared_bits(group, text_at_) | kString | kNumber);
      records_.id(RecordId::kText);
      records_.byte(info);
      records_.unsigned_int(what.second);
      put_shared_head(info);
      put_place(info, step_, group);
      YL_TRY(flush(false));
    }
  }
  return Ok{};
}

Status CellWriter::placements(const layout::Cell& cell) {
  constexpr std::uint8_t kCell = 0xC0, kX = 0x20, kY = 0x10, kRepeat = 0x08;
  using What = std::tuple<layout::CellIndex, geometry::Orientation, std::int32_t>;
  std::map<What, Gathered> kinds;
  for (const Instance& i : cell.instances)
    kinds[{i.cell, i.orientation, i.general}].add(i.displacement, i);
  std::optional<layout::CellIndex> placed;
  for (auto& [what, places] : kinds) {
    const auto [child, orientation, general] = what;
    const bool turned = general >= 0;
    layout::GeneralPlacement p;
    if (turned) p = layout_.general_placements()[static_cast<std::size_t>(general)];
    const bool mirror = turned ? p.mirror : geometry::mirrored(orientation);
    for (const PlaceGroup& group : places.groups()) {
      const std::uint8_t shared = shared_bits(group, placement_at_);
      auto info = static_cast<std::uint8_t>(mirror ? 1 : 0);
      if (placed != child) info |= kCell;
      if ((shared & kXBit) != 0) info |= kX;
      if ((shared & kYBit) != 0) info |= kY;
      if ((shared & kRepeatBit) != 0) info |= kRepeat;
      if (turned)
        info |= 0x06;  // both magnification and angle follow
      else
        info |= static_cast<std::uint8_t>(geometry::quarter_turns(orientation) << 1);
      records_.id(turned ? RecordId::kPlacementTurned : RecordId::kPlacement);
      records_.byte(info);
      if (placed != child) records_.unsigned_int(child);
      if (turned) {
        records_.real(p.magnification);
        records_.real(p.degrees);
      }
      put_place(shared, step_, group);
      placed = child;
      YL_TRY(flush(false));
    }
  }
  return Ok{};
}

}  // namespace yieldloop::ingest::oasis
