/// \file
/// Where a map is looked at from: which point is in the middle and how many pixels a unit takes.
///
/// The view's y grows up and the screen's down. Zooming at a point keeps that point where it is.
#pragma once

#include <QPointF>
#include <QRectF>
#include <QSizeF>
#include <algorithm>
#include <cmath>

namespace yieldloop::viewmodel {

struct Viewport {
  QPointF centre;       ///< Map units in the middle of the screen.
  double scale = 1.0;   ///< Pixels per map unit, > 0.
  QSizeF size{1, 1};    ///< Of the screen, pixels.
  double least = 1e-7;  ///< Limits of `scale`.
  double most = 1e5;

  QPointF to_screen(QPointF map) const {
    return {(map.x() - centre.x()) * scale + size.width() / 2,
            (centre.y() - map.y()) * scale + size.height() / 2};
  }
  QPointF to_map(QPointF screen) const {
    return {(screen.x() - size.width() / 2) / scale + centre.x(),
            centre.y() - (screen.y() - size.height() / 2) / scale};
  }
  /// The part of the map that is seen; y grows downwards in the QRectF, so top() is its lowest y.
  QRectF window() const {
    return {centre.x() - size.width() / 2 / scale, centre.y() - size.height() / 2 / scale,
            size.width() / scale, size.height() / scale};
  }
  void zoom_at(QPointF screen, double factor) {
    const QPointF held = to_map(screen);
    scale = std::clamp(scale * factor, least, most);
    const QPointF moved = to_map(screen);
    centre += held - moved;
  }
  /// Shows all of a part of the map (top() its lowest y), with `margin` as a share of it.
  void fit(const QRectF& part, double margin = 0.04) {
    centre = part.center();
    const double width = std::max(part.width(), 1e-9) * (1 + 2 * margin);
    const double height = std::max(part.height(), 1e-9) * (1 + 2 * margin);
    scale = std::clamp(std::min(size.width() / width, size.height() / height), least, most);
  }
  void pan(QPointF pixels) { centre += QPointF(-pixels.x(), pixels.y()) / scale; }
  /// A drag with the right button: right and down shows what is in the box, left and up puts what
  /// is seen now into the box.
  void drag_zoom(QPointF from, QPointF to) {
    const QRectF box = QRectF(from, to).normalized();
    if (box.width() < 4 && box.height() < 4) return;
    const double share = std::max(box.width() / size.width(), box.height() / size.height());
    const bool in = to.x() + to.y() > from.x() + from.y();
    if (in) {
      const QPointF middle = to_map(box.center());
      scale = std::clamp(scale / std::max(share, 1e-6), least, most);
      centre = middle;
    } else {
      zoom_at(box.center(), std::max(share, 1e-3));
    }
  }
};

}  // namespace yieldloop::viewmodel
