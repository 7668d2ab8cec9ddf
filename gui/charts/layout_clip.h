/// \file
/// A clip of the layout: polygons by layer with markers on top, for reports and tooltips. The
/// desktop's large layout view has its own tiled painter.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gui/charts/theme.h"

class QPainter;
class QPointF;
class QRectF;

namespace yieldloop::charts {

/// Layout micrometres; y grows up.
struct ClipPoint {
  double x_um = 0.0, y_um = 0.0;
  friend bool operator==(const ClipPoint&, const ClipPoint&) = default;
};
struct ClipBox {
  double x_um = 0.0, y_um = 0.0, w_um = 0.0, h_um = 0.0;
  friend bool operator==(const ClipBox&, const ClipBox&) = default;
};
struct ClipLayer {
  std::string name;
  std::vector<std::vector<ClipPoint>> polygons;
  std::size_t colour_index = 0;  ///< By category_colour; a layer keeps its index everywhere.
};
struct ClipMarker {
  ClipBox box;  ///< A point when w and h are 0: drawn as a cross.
  std::string label;
  bool selected = false;
};

/// `window` empty (w or h 0) means: all that is given, with a margin. A scale bar is drawn.
struct LayoutClipSpec {
  std::string title;
  std::vector<ClipLayer> layers;  ///< Bottom first.
  std::vector<ClipMarker> markers;
  ClipBox window;
  bool show_legend = true;
};

void paint(QPainter& painter, const QRectF& rect, const LayoutClipSpec& spec,
           const Theme& theme = light_theme());
/// Position in spec.markers of the marker under the point; -1 for none.
int hit_test(const LayoutClipSpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme = light_theme());
/// Layout coordinates of a pixel.
ClipPoint layout_point(const LayoutClipSpec& spec, const QRectF& rect, const QPointF& point,
                       const Theme& theme = light_theme());

}  // namespace yieldloop::charts
