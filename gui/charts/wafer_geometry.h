/// \file
/// Where things of a wafer map lie on the picture. Private to gui/charts.
#pragma once

#include <QPointF>
#include <QRectF>

#include "gui/charts/wafer_map.h"

namespace yieldloop::charts {

class WaferGeometry {
 public:
  WaferGeometry(const WaferMapSpec& spec, const QRectF& rect, const Theme& theme);

  QPointF to_screen(double x_um, double y_um) const;
  /// Wafer micrometres of a pixel.
  QPointF to_wafer(const QPointF& point) const;
  QRectF die(DieIndex die) const;
  QPointF grid_point(double column, double row) const;
  /// Of the die width or height on the picture, whichever is smaller.
  double die_pixels() const;

  QRectF title, subtitle, disc, legend, note;
  double pixels_per_um = 1.0;
  double radius_um = 150'000.0;
  double die_width_um = 1.0, die_height_um = 1.0;
  double centre_x_um = 0.0, centre_y_um = 0.0;
  bool inferred = false;  ///< Size or centre of the grid was not given.

 private:
  int turns_ = 0;
  bool mirrored_ = false;
  QPointF centre_;

  void place_parts(const WaferMapSpec& spec, const QRectF& rect, const Theme& theme);
  void place_grid(const WaferMapSpec& spec);
};

/// Texts of the notes under the map: unpositioned results, inferred geometry.
QString wafer_note(const WaferMapSpec& spec, bool inferred);

}  // namespace yieldloop::charts
