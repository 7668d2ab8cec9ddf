#include "gui/charts/layout_clip.h"

#include <QPainterPath>
#include <QPolygonF>
#include <algorithm>
#include <cmath>

#include "gui/charts/canvas.h"
#include "gui/charts/palette.h"

namespace yieldloop::charts {
namespace {

struct ClipPlan {
  FrameParts parts;
  Frame frame;
  QRectF view;  // Within the plot, in the window's proportions.
  ClipBox window;
  double pixels_per_um = 1;
  std::vector<LegendEntry> entries;
  QRectF legend;
};

ClipBox all_content(const LayoutClipSpec& spec) {
  double x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
  const auto widen = [&](double x, double y) {
    x0 = std::min(x0, x), x1 = std::max(x1, x);
    y0 = std::min(y0, y), y1 = std::max(y1, y);
  };
  for (const ClipLayer& layer : spec.layers) {
    for (const auto& polygon : layer.polygons) {
      for (const ClipPoint& point : polygon) widen(point.x_um, point.y_um);
    }
  }
  for (const ClipMarker& marker : spec.markers) {
    widen(marker.box.x_um, marker.box.y_um);
    widen(marker.box.x_um + marker.box.w_um, marker.box.y_um + marker.box.h_um);
  }
  if (!(x1 >= x0)) return {0, 0, 1, 1};
  const double margin = std::max({(x1 - x0) * 0.05, (y1 - y0) * 0.05, 1e-3});
  return {x0 - margin, y0 - margin, x1 - x0 + 2 * margin, y1 - y0 + 2 * margin};
}

ClipPlan plan(const LayoutClipSpec& spec, const QRectF& rect, const Theme& theme) {
  ClipPlan p;
  p.parts.title = label_text(spec.title);
  p.frame = chart_frame(rect, theme, p.parts);
  QRectF area = p.frame.plot;
  if (spec.show_legend) {
    for (const ClipLayer& layer : spec.layers) {
      p.entries.push_back({label_text(layer.name), category_colour(layer.colour_index)});
    }
    const double height = legend_height(p.entries, area.width(), theme);
    p.legend = QRectF(area.left(), area.bottom() - height, area.width(), height);
    area.setBottom(area.bottom() - height - 4);
  }
  p.window = spec.window.w_um > 0 && spec.window.h_um > 0 ? spec.window : all_content(spec);
  p.pixels_per_um = std::min(area.width() / p.window.w_um, area.height() / p.window.h_um);
  const double width = p.window.w_um * p.pixels_per_um;
  const double height = p.window.h_um * p.pixels_per_um;
  p.view = QRectF(area.center().x() - width / 2, area.center().y() - height / 2, width, height);
  return p;
}

QPointF to_screen(const ClipPlan& p, double x, double y) {
  return {p.view.left() + (x - p.window.x_um) * p.pixels_per_um,
          p.view.bottom() - (y - p.window.y_um) * p.pixels_per_um};
}

QRectF marker_rect(const ClipPlan& p, const ClipMarker& marker) {
  const ClipBox& b = marker.box;
  return QRectF(to_screen(p, b.x_um, b.y_um), to_screen(p, b.x_um + b.w_um, b.y_um + b.h_um))
      .normalized();
}

void draw_layers(Canvas& canvas, const LayoutClipSpec& spec, const ClipPlan& p) {
  for (const ClipLayer& layer : spec.layers) {
    const QColor ink = colour(category_colour(layer.colour_index));
    QColor fill = ink;
    fill.setAlphaF(0.45F);
    canvas.painter().setPen(QPen(ink, 1));
    canvas.painter().setBrush(fill);
    for (const auto& polygon : layer.polygons) {
      QPolygonF points;
      for (const ClipPoint& point : polygon) points << to_screen(p, point.x_um, point.y_um);
      canvas.painter().drawPolygon(points);
    }
  }
}

void draw_marker(Canvas& canvas, const ClipPlan& p, const ClipMarker& marker) {
  const Theme& theme = canvas.theme();
  const QRectF box = marker_rect(p, marker);
  if (marker.box.w_um <= 0 && marker.box.h_um <= 0) {
    const QPointF c = box.center();
    for (const auto& [ink, width] :
         {std::pair{theme.background, 4.0}, std::pair{theme.alert, 1.8}}) {
      canvas.line(c.x() - 6, c.y() - 6, c.x() + 6, c.y() + 6, ink, width);
      canvas.line(c.x() - 6, c.y() + 6, c.x() + 6, c.y() - 6, ink, width);
    }
  } else {
    canvas.painter().setBrush(Qt::NoBrush);
    for (const auto& [ink, width] :
         {std::pair{theme.background, 3.6}, std::pair{theme.alert, 1.8}}) {
      canvas.painter().setPen(QPen(colour(ink), width));
      canvas.painter().drawRect(box);
    }
  }
  if (marker.selected) canvas.selection(box.adjusted(-4, -4, 4, 4));
  if (marker.label.empty()) return;
  const QFont font = chart_font(theme, theme.small_px);
  const QString label = label_text(marker.label);
  const double height = line_height(font);
  const double width = std::min(text_width(font, label) + 4, p.view.width());
  const double x = std::clamp(box.center().x() - width / 2, p.view.left(), p.view.right() - width);
  const double above = box.top() - height - 4;
  const double y =
      above >= p.view.top() ? above : std::min(box.bottom() + 4, p.view.bottom() - height);
  const QRectF place(x, y, width, height);
  canvas.painter().fillRect(place, colour(theme.background));
  canvas.text(place, Qt::AlignCenter, label, font, theme.text);
}

void draw_length_bar(Canvas& canvas, const ClipPlan& p) {
  const Theme& theme = canvas.theme();
  const double wanted = p.window.w_um * 0.3;
  const double power = std::pow(10.0, std::floor(std::log10(wanted)));
  const double ratio = wanted / power;
  const double length = power * (ratio >= 5 ? 5 : ratio >= 2 ? 2 : 1);
  const double pixels = length * p.pixels_per_um;
  const QFont font = chart_font(theme, theme.small_px);
  const QString label = QString::fromStdString(length >= 1 ? format_number(length) + " \u00b5m"
                                                           : format_number(length * 1000) + " nm");
  const double width = std::max(pixels, text_width(font, label)) + 10;
  const double height = line_height(font) + 8;
  const QRectF box(p.view.left() + 6, p.view.bottom() - height - 6, width, height);
  QColor paper = colour(theme.background);
  paper.setAlphaF(0.88F);
  canvas.painter().fillRect(box, paper);
  const double y = box.bottom() - 4;
  canvas.line(box.left() + 5, y, box.left() + 5 + pixels, y, theme.text, 2);
  canvas.text(QRectF(box.left() + 5, box.top(), width - 10, height - 6),
              Qt::AlignLeft | Qt::AlignVCenter, label, font, theme.text);
}

}  // namespace

void paint(QPainter& painter, const QRectF& rect, const LayoutClipSpec& spec, const Theme& theme) {
  Canvas canvas(painter, rect, theme);
  const ClipPlan p = plan(spec, rect, theme);
  draw_frame_texts(canvas, p.frame, p.parts);
  const bool any_shape = std::ranges::any_of(
      spec.layers, [](const ClipLayer& layer) { return !layer.polygons.empty(); });
  if (!any_shape && spec.markers.empty()) {
    canvas.empty(p.frame.plot, QStringLiteral("No layout to show"));
    return;
  }
  painter.fillRect(p.view, colour(theme.panel));
  painter.save();
  painter.setClipRect(p.view, Qt::IntersectClip);
  draw_layers(canvas, spec, p);
  for (const ClipMarker& marker : spec.markers) draw_marker(canvas, p, marker);
  painter.restore();
  draw_length_bar(canvas, p);
  painter.setBrush(Qt::NoBrush);
  painter.setPen(QPen(colour(theme.axis), 1));
  painter.drawRect(p.view);
  draw_legend(canvas, p.legend, p.entries);
}

int hit_test(const LayoutClipSpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme) {
  const ClipPlan p = plan(spec, rect, theme);
  if (!p.view.contains(point)) return -1;
  int best = -1;
  double smallest = INFINITY;
  for (std::size_t i = 0; i < spec.markers.size(); ++i) {
    const QRectF box = marker_rect(p, spec.markers[i]).adjusted(-4, -4, 4, 4);
    const double area = box.width() * box.height();
    if (box.contains(point) && area < smallest) {
      best = static_cast<int>(i);
      smallest = area;
    }
  }
  return best;
}

ClipPoint layout_point(const LayoutClipSpec& spec, const QRectF& rect, const QPointF& point,
                       const Theme& theme) {
  const ClipPlan p = plan(spec, rect, theme);
  return {p.window.x_um + (point.x() - p.view.left()) / p.pixels_per_um,
          p.window.y_um + (p.view.bottom() - point.y()) / p.pixels_per_um};
}

}  // namespace yieldloop::charts
