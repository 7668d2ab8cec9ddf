#include <QPolygonF>
#include <algorithm>
#include <array>
#include <cmath>

#include "gui/charts/canvas.h"
#include "gui/charts/point_charts.h"

namespace yieldloop::charts {
namespace {

struct TrendPlan {
  std::vector<QString> labels;
  FrameParts parts;
  Frame frame;
  Axis axis;
  std::vector<Tick> ticks;
};

void widen(double& low, double& high, double value) {
  if (!std::isfinite(value)) return;
  low = std::min(low, value);
  high = std::max(high, value);
}

TrendPlan plan(const TrendSpec& spec, const QRectF& rect, const Theme& theme) {
  TrendPlan p;
  double low = INFINITY, high = -INFINITY;
  std::size_t excursions = 0;
  for (const TrendPoint& point : spec.points) {
    widen(low, high, point.value);
    widen(low, high, point.low.value_or(point.value));
    widen(low, high, point.high.value_or(point.value));
    excursions += point.excursion ? 1 : 0;
    p.labels.push_back(label_text(point.label));
  }
  for (const auto& level : {spec.baseline, spec.baseline_low, spec.baseline_high}) {
    if (level) widen(low, high, *level);
  }
  if (!(high >= low)) low = 0, high = 1;
  const double margin = high > low ? (high - low) * 0.08 : std::max(std::abs(high) * 0.05, 0.01);
  low -= margin;
  high += margin;
  if (spec.percent) low = std::max(low, 0.0), high = std::min(high, 1.0 + margin / 4);
  p.ticks =
      nice_ticks(low, high, std::clamp(static_cast<int>(rect.height() / 55), 3, 7), spec.percent);
  p.parts = {.title = label_text(spec.title),
             .x_title = label_text(spec.x_title),
             .y_title = label_text(spec.y_title),
             .left_labels = widest_label(p.ticks, theme)};
  QStringList notes;
  if (spec.baseline) {
    notes << QStringLiteral("line: ") + label_text(spec.baseline_title) + QLatin1Char(' ') +
                 QString::fromStdString(spec.percent ? format_percent(*spec.baseline)
                                                     : format_number(*spec.baseline));
  }
  if (spec.baseline_low && spec.baseline_high) {
    notes << QStringLiteral("band: ") + label_text(spec.band_title);
  }
  if (excursions > 0) notes << QStringLiteral("triangles: excursions (%1)").arg(excursions);
  p.parts.note = notes.join(QStringLiteral("; "));
  const auto columns = static_cast<double>(std::max<std::size_t>(1, spec.points.size()));
  const double column = chart_frame(rect, theme, p.parts).plot.width() / columns;
  p.parts.bottom_labels = category_height(p.labels, column, theme);
  p.frame = chart_frame(rect, theme, p.parts);
  p.axis = {low, high, p.frame.plot.bottom(), p.frame.plot.top()};
  return p;
}

QPointF place(const TrendSpec& spec, const TrendPlan& p, std::size_t i) {
  const double column = p.frame.plot.width() / static_cast<double>(spec.points.size());
  return {p.frame.plot.left() + column * (static_cast<double>(i) + 0.5),
          p.axis.at(spec.points[i].value)};
}

void draw_baseline(Canvas& canvas, const TrendSpec& spec, const TrendPlan& p) {
  const QRectF& plot = p.frame.plot;
  if (spec.baseline_low && spec.baseline_high) {
    QColor band = colour(canvas.theme().accent);
    band.setAlphaF(0.14F);
    const double top = p.axis.at(*spec.baseline_high);
    canvas.painter().fillRect(
        QRectF(plot.left(), top, plot.width(), p.axis.at(*spec.baseline_low) - top), band);
  }
  if (spec.baseline) {
    const double y = p.axis.at(*spec.baseline);
    canvas.line(plot.left(), y, plot.right(), y, canvas.theme().accent, 1.4, Qt::DashLine);
  }
}

void draw_mark(Canvas& canvas, const TrendSpec& spec, const TrendPoint& point, const QPointF& at,
               double radius) {
  const Theme& theme = canvas.theme();
  QPainter& painter = canvas.painter();
  if (point.excursion) {
    const double s = spec.baseline && point.value > *spec.baseline ? -1 : 1;
    const double r = radius + 2.5;
    const std::array<QPointF, 3> corners{QPointF(at.x(), at.y() + s * r),
                                         QPointF(at.x() - r, at.y() - s * r * 0.75),
                                         QPointF(at.x() + r, at.y() - s * r * 0.75)};
    painter.setPen(QPen(colour(theme.background), 1));
    painter.setBrush(colour(theme.alert));
    painter.drawPolygon(corners.data(), 3);
  } else {
    painter.setPen(QPen(colour(theme.background), radius > 2 ? 1 : 0));
    painter.setBrush(colour(theme.accent));
    painter.drawEllipse(at, radius, radius);
  }
  if (!point.selected) return;
  painter.setBrush(Qt::NoBrush);
  for (const auto& [ink, width] :
       {std::pair{theme.select_outer, 3.0}, std::pair{theme.select_inner, 1.2}}) {
    painter.setPen(QPen(colour(ink), width));
    painter.drawEllipse(at, radius + 4, radius + 4);
  }
}

}  // namespace

void paint(QPainter& painter, const QRectF& rect, const TrendSpec& spec, const Theme& theme) {
  Canvas canvas(painter, rect, theme);
  const TrendPlan p = plan(spec, rect, theme);
  draw_frame_texts(canvas, p.frame, p.parts);
  if (spec.points.empty()) {
    canvas.empty(p.frame.plot, QStringLiteral("No points to show"));
    return;
  }
  const QRectF& plot = p.frame.plot;
  draw_left_axis(canvas, plot, p.axis, p.ticks);
  draw_baseline(canvas, spec, p);
  canvas.line(plot.left(), plot.bottom(), plot.right(), plot.bottom(), theme.axis);
  const double column = plot.width() / static_cast<double>(spec.points.size());
  const double radius = std::clamp(column * 0.3, 1.5, 3.8);
  QPolygonF line;
  for (std::size_t i = 0; i < spec.points.size(); ++i) {
    const TrendPoint& point = spec.points[i];
    const QPointF at = place(spec, p, i);
    if (std::isfinite(point.value)) line << at;
    if (point.low && point.high && column > 3) {
      canvas.line(at.x(), p.axis.at(*point.low), at.x(), p.axis.at(*point.high), theme.axis, 1);
    }
  }
  if (spec.joined) {
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(colour(theme.accent), 1));
    painter.drawPolyline(line);
  }
  for (std::size_t i = 0; i < spec.points.size(); ++i) {
    if (!std::isfinite(spec.points[i].value)) continue;
    draw_mark(canvas, spec, spec.points[i], place(spec, p, i), radius);
  }
  draw_category_labels(canvas, rect, plot, p.labels);
}

int hit_test(const TrendSpec& spec, const QRectF& rect, const QPointF& point, const Theme& theme) {
  if (spec.points.empty()) return -1;
  const TrendPlan p = plan(spec, rect, theme);
  int best = -1;
  double best_distance = 10;
  for (std::size_t i = 0; i < spec.points.size(); ++i) {
    const QPointF d = place(spec, p, i) - point;
    const double distance = std::hypot(d.x(), d.y());
    if (distance < best_distance) {
      best = static_cast<int>(i);
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace yieldloop::charts
