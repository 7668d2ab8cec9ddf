/// \file
/// Writes the elements of one cell as OASIS records; for this folder's sources.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "engine/layout/layout.h"
#include "ingest/readers/oasis/oasis_output.h"

namespace yieldloop::ingest::oasis {

using TextNumbers = std::map<std::string_view, std::uint64_t>;

/// What is drawn, apart from where: its corners or line from its first point on.
struct Outline {
  bool is_path = false;
  layout::PathStyle style;
  std::vector<geometry::Point> points;
  friend bool operator<(const Outline& a, const Outline& b);
};

/// One object a cell: it knows what the modal variables are while it writes.
class CellWriter {
 public:
  CellWriter(const layout::Layout& layout, const TextNumbers& texts, OasisOutput& out)
      : layout_(layout), texts_(texts), out_(out) {}

  Status write(const layout::Cell& cell);

 private:
  Status layer(const layout::LayerShapes& shapes);
  Status boxes(const layout::LayerShapes& shapes);
  Status outlines(const layout::LayerShapes& shapes);
  Status texts(const layout::Cell& cell);
  Status placements(const layout::Cell& cell);
  Status box(geometry::Coord width, geometry::Coord height, const PlaceGroup& group);
  Status outline(const Outline& what, const PlaceGroup& group);
  void path_body(const Outline& what, std::uint8_t info, const RecordBytes& points);
  static Outline outline_of(std::span<const geometry::Point32> points);
  Outline outline_of(std::span<const geometry::Point32> points, const layout::PathStyle& style);

  /// The bits of an info byte for layer, type, place and repetition, and what they announce.
  std::uint8_t shared_bits(const PlaceGroup& group, geometry::Point& modal_at);
  void put_shared_head(std::uint8_t info);
  void put_place(std::uint8_t info, geometry::Point step, const PlaceGroup& group);
  Status flush(bool all);

  const layout::Layout& layout_;
  const TextNumbers& texts_;
  OasisOutput& out_;
  RecordBytes records_;
  // Modal variables.
  layout::LayerKey key_;
  std::optional<std::uint64_t> layer_, datatype_;
  std::optional<geometry::Coord> width_, height_, half_width_;
  geometry::Point geometry_at_, text_at_, placement_at_;
  geometry::Point step_;    ///< Of the record at hand.
  geometry::Point origin_;  ///< Where the outline at hand begins.
  RecordBytes repetition_;
  std::optional<RecordBytes> polygon_points_, path_points_;
};

}  // namespace yieldloop::ingest::oasis
