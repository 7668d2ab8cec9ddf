/// \file
/// Charts without a window: PNG and SVG bytes of any spec that has a paint().
#pragma once

#include <functional>
#include <string>

#include "gui/charts/theme.h"

class QImage;
class QPainter;
class QRectF;

namespace yieldloop::charts {

/// Device-independent pixels.
struct ChartSize {
  int width = 640;
  int height = 400;
};

using PaintFunction = std::function<void(QPainter&, const QRectF&)>;

/// Makes a QGuiApplication on the offscreen platform when the program has none; fonts need one.
/// Call it on the main thread before the first text is drawn; the functions below call it too.
void ensure_gui_application();

/// The whole image, filled by `paint`. `scale` is the device pixel ratio.
QImage paint_image(const PaintFunction& paint, ChartSize size, double scale);
/// Encoded picture bytes; the same spec gives the same bytes.
std::string paint_png(const PaintFunction& paint, ChartSize size, double scale);
std::string paint_svg(const PaintFunction& paint, ChartSize size, const std::string& title);

template <class Spec>
PaintFunction painter_of(const Spec& spec, const Theme& theme) {
  return
      [&spec, &theme](QPainter& painter, const QRectF& rect) { paint(painter, rect, spec, theme); };
}

/// The spec and theme must outlive the call only.
template <class Spec>
std::string to_png(const Spec& spec, ChartSize size, double scale = 1.0,
                   const Theme& theme = light_theme()) {
  return paint_png(painter_of(spec, theme), size, scale);
}

template <class Spec>
std::string to_svg(const Spec& spec, ChartSize size, const Theme& theme = light_theme()) {
  return paint_svg(painter_of(spec, theme), size, spec.title);
}

}  // namespace yieldloop::charts
