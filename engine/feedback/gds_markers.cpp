#include "engine/feedback/gds_markers.h"

#include <cmath>

#include "engine/layout/layout_builder.h"
#include "ingest/readers/gdsii/gdsii_writer.h"
#include "ingest/readers/oasis/oasis_writer.h"

namespace yieldloop::feedback {
namespace {

bool fits(double dbu) { return std::isfinite(dbu) && std::abs(dbu) < 2147483647.0; }

bool is_good(const MarkerRectangle& r, double dbu_um) {
  return r.gds_layer >= 0 && r.gds_layer <= 32767 && r.gds_datatype >= 0 &&
         r.gds_datatype <= 32767 && r.w_um > 0.0 && r.h_um > 0.0 && fits(r.x_um / dbu_um) &&
         fits(r.y_um / dbu_um) && fits((r.x_um + r.w_um) / dbu_um) &&
         fits((r.y_um + r.h_um) / dbu_um);
}

layout::Box box_of(const MarkerRectangle& r, double dbu_um) {
  return {std::llround(r.x_um / dbu_um), std::llround(r.y_um / dbu_um),
          std::llround((r.x_um + r.w_um) / dbu_um), std::llround((r.y_um + r.h_um) / dbu_um)};
}

Result<layout::Layout> marker_layout(const std::string& cell,
                                     std::span<const MarkerRectangle> rectangles, double dbu_um) {
  bool good = !cell.empty() && dbu_um > 0.0;
  for (const MarkerRectangle& r : rectangles) good = good && is_good(r, dbu_um);
  if (!good) {
    return Error{Errc::kInvalidOptions, "GDSM-0001",
                 "Markers need a cell name, layers from 0 to 32767, positive sizes and coordinates "
                 "that fit 32 bits; correct the marker list."};
  }
  layout::LayoutBuilder builder(dbu_um);
  builder.set_library_name("YIELDLOOP");
  const layout::CellIndex marks = builder.add_cell(cell);
  for (const MarkerRectangle& r : rectangles)
    builder.add_box(marks, {r.gds_layer, r.gds_datatype}, box_of(r, dbu_um));
  return builder.build();
}

}  // namespace

Result<std::vector<std::byte>> gds_markers(const std::string& cell,
                                           std::span<const MarkerRectangle> rectangles,
                                           double dbu_um) {
  YL_ASSIGN(const layout::Layout layout, marker_layout(cell, rectangles, dbu_um));
  return ingest::gdsii::gdsii_bytes(layout);
}

Result<std::vector<std::byte>> oasis_markers(const std::string& cell,
                                             std::span<const MarkerRectangle> rectangles,
                                             double dbu_um) {
  YL_ASSIGN(const layout::Layout layout, marker_layout(cell, rectangles, dbu_um));
  return ingest::oasis::oasis_bytes(layout);
}

}  // namespace yieldloop::feedback
