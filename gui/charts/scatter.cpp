#include <algorithm>
#include <cmath>

#include "gui/charts/canvas.h"
#include "gui/charts/palette.h"
#include "gui/charts/point_charts.h"
#include "gui/charts/splat.h"

namespace yieldloop::charts {
namespace {

constexpr std::size_t kSplatFrom = 5000;

struct ScatterPlan {
  FrameParts parts;
  Frame frame;
  QRectF legend;
  std::vector<LegendEntry> entries;
  Axis x, y;
  std::vector<Tick> x_ticks, y_ticks;
  std::size_t drawn = 0;
};

bool drawable(const ScatterPoint& point) {
  return std::isfinite(point.x) && std::isfinite(point.y);
}

void add_margin(double& low, double& high) {
  if (!(high >= low)) low = 0, high = 1;
  const double margin = high > low ? (high - low) * 0.04 : std::max(std::abs(high) * 0.05, 0.5);
  low -= margin;
  high += margin;
}

Rgb point_colour(const ScatterSpec& spec, const ScatterPoint& point, const Theme& theme) {
  if (spec.categories.empty()) return theme.accent;
  return category_colour(static_cast<std::size_t>(std::max(0, point.category)));
}

ScatterPlan plan(const ScatterSpec& spec, const QRectF& rect, const Theme& theme) {
  ScatterPlan p;
  double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
  for (const ScatterPoint& point : spec.points) {
    if (!drawable(point)) continue;
    ++p.drawn;
    x0 = std::min(x0, point.x), x1 = std::max(x1, point.x);
    y0 = std::min(y0, point.y), y1 = std::max(y1, point.y);
  }
  if (spec.diagonal && p.drawn > 0) {
    x0 = y0 = std::min(x0, y0);
    x1 = y1 = std::max(x1, y1);
  }
  add_margin(x0, x1);
  add_margin(y0, y1);
  p.y_ticks = nice_ticks(y0, y1, std::clamp(static_cast<int>(rect.height() / 55), 3, 8));
  p.parts = {.title = label_text(spec.title),
             .x_title = label_text(spec.x_title),
             .y_title = label_text(spec.y_title),
             .left_labels = widest_label(p.y_ticks, theme),
             .bottom_labels = line_height(chart_font(theme, theme.small_px))};
  if (p.drawn < spec.points.size()) {
    p.parts.note =
        QStringLiteral("%1 points without a value are not drawn").arg(spec.points.size() - p.drawn);
  }
  p.frame = chart_frame(rect, theme, p.parts);
  for (std::size_t i = 0; i < spec.categories.size(); ++i) {
    p.entries.push_back({label_text(spec.categories[i]), category_colour(i)});
  }
  if (!p.entries.empty()) {
    const double height = legend_height(p.entries, p.frame.plot.width(), theme);
    p.legend = QRectF(p.frame.plot.left(), p.frame.plot.top(), p.frame.plot.width(), height);
    p.frame.plot.setTop(p.frame.plot.top() + height + 4);
  }
  p.x = {x0, x1, p.frame.plot.left(), p.frame.plot.right()};
  p.y = {y0, y1, p.frame.plot.bottom(), p.frame.plot.top()};
  p.x_ticks = nice_ticks(x0, x1, std::clamp(static_cast<int>(p.frame.plot.width() / 70), 2, 9));
  return p;
}

void draw_points(Canvas& canvas, const ScatterSpec& spec, const ScatterPlan& p) {
  const Theme& theme = canvas.theme();
  if (p.drawn > kSplatFrom) {
    std::vector<SplatPoint> points;
    points.reserve(p.drawn);
    for (const ScatterPoint& point : spec.points) {
      if (!drawable(point)) continue;
      points.push_back({p.x.at(point.x), p.y.at(point.y), point_colour(spec, point, theme)});
    }
    splat(canvas.painter(), p.frame.plot, points, 1.0);
  } else {
    const double r = p.drawn > 800 ? 2.0 : 3.0;
    canvas.painter().setPen(QPen(colour(theme.background), 0.6));
    for (const ScatterPoint& point : spec.points) {
      if (!drawable(point)) continue;
      canvas.painter().setBrush(colour(point_colour(spec, point, theme)));
      canvas.painter().drawEllipse(QPointF(p.x.at(point.x), p.y.at(point.y)), r, r);
    }
  }
  canvas.painter().setBrush(Qt::NoBrush);
  for (const ScatterPoint& point : spec.points) {
    if (!point.selected || !drawable(point)) continue;
    const QPointF at(p.x.at(point.x), p.y.at(point.y));
    for (const auto& [ink, width] :
         {std::pair{theme.select_outer, 3.0}, std::pair{theme.select_inner, 1.2}}) {
      canvas.painter().setPen(QPen(colour(ink), width));
      canvas.painter().drawEllipse(at, 5.5, 5.5);
    }
  }
}

}  // namespace

void paint(QPainter& painter, const QRectF& rect, const ScatterSpec& spec, const Theme& theme) {
  Canvas canvas(painter, rect, theme);
  const ScatterPlan p = plan(spec, rect, theme);
  draw_frame_texts(canvas, p.frame, p.parts);
  if (p.drawn == 0) {
    canvas.empty(p.frame.plot, QStringLiteral("No points to show"));
    return;
  }
  draw_left_axis(canvas, p.frame.plot, p.y, p.y_ticks);
  draw_bottom_axis(canvas, p.frame.plot, p.x, p.x_ticks);
  if (spec.diagonal) {
    const double low = std::max(p.x.low, p.y.low), high = std::min(p.x.high, p.y.high);
    canvas.line(p.x.at(low), p.y.at(low), p.x.at(high), p.y.at(high), theme.axis, 1.2,
                Qt::DashLine);
  }
  draw_points(canvas, spec, p);
  draw_legend(canvas, p.legend, p.entries);
}

int hit_test(const ScatterSpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme) {
  const ScatterPlan p = plan(spec, rect, theme);
  int best = -1;
  double best_distance = 8;
  for (std::size_t i = 0; i < spec.points.size(); ++i) {
    if (!drawable(spec.points[i])) continue;
    const double distance =
        std::hypot(p.x.at(spec.points[i].x) - point.x(), p.y.at(spec.points[i].y) - point.y());
    if (distance <= best_distance) {
      best = static_cast<int>(i);
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace yieldloop::charts
