#include <algorithm>
#include <cmath>

#include "gui/charts/canvas.h"
#include "gui/charts/distribution_charts.h"

namespace yieldloop::charts {
namespace {

constexpr double kFence = 1.5;

struct BoxPlan {
  std::vector<BoxStatistics> boxes;
  std::vector<QString> labels;
  FrameParts parts;
  Frame frame;
  Axis axis;
  std::vector<Tick> ticks;
};

// Definition 7 of Hyndman and Fan. REQUIRES: sorted and not empty.
double quantile(const std::vector<double>& sorted, double p) {
  const double place = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

BoxPlan plan(const BoxSpec& spec, const QRectF& rect, const Theme& theme) {
  BoxPlan p;
  double low = INFINITY, high = -INFINITY;
  for (const BoxGroup& group : spec.groups) {
    p.boxes.push_back(box_statistics(group.values));
    const BoxStatistics& box = p.boxes.back();
    p.labels.push_back(label_text(group.label + " (n=" + format_count(box.n) + ")"));
    if (box.n == 0) continue;
    low = std::min(low, box.low_whisker);
    high = std::max(high, box.high_whisker);
    for (const double v : box.outliers) low = std::min(low, v), high = std::max(high, v);
  }
  if (spec.reference && high >= low) {
    low = std::min(low, *spec.reference);
    high = std::max(high, *spec.reference);
  }
  if (!(high >= low)) low = 0, high = 1;
  const double margin = high > low ? (high - low) * 0.06 : std::max(std::abs(high) * 0.05, 0.5);
  low -= margin;
  high += margin;
  p.ticks = nice_ticks(low, high, 6, spec.percent);
  const auto columns = static_cast<double>(std::max<std::size_t>(1, spec.groups.size()));
  p.parts = {.title = label_text(spec.title),
             .y_title = label_text(spec.y_title),
             .left_labels = widest_label(p.ticks, theme)};
  const double column = chart_frame(rect, theme, p.parts).plot.width() / columns;
  p.parts.bottom_labels = category_height(p.labels, column, theme);
  p.frame = chart_frame(rect, theme, p.parts);
  p.axis = {low, high, p.frame.plot.bottom(), p.frame.plot.top()};
  return p;
}

void draw_box(Canvas& canvas, const BoxPlan& p, std::size_t i, bool highlighted) {
  const BoxStatistics& box = p.boxes[i];
  if (box.n == 0) return;
  const Theme& theme = canvas.theme();
  const double column = p.frame.plot.width() / static_cast<double>(p.boxes.size());
  const double x = p.frame.plot.left() + column * (static_cast<double>(i) + 0.5);
  const double half = std::min(column * 0.3, 26.0);
  const Rgb ink = highlighted ? theme.alert : theme.accent;
  QColor fill = colour(ink);
  fill.setAlphaF(0.28F);
  const double top = p.axis.at(box.q3), bottom = p.axis.at(box.q1);
  canvas.line(x, p.axis.at(box.high_whisker), x, top, ink, 1.2);
  canvas.line(x, bottom, x, p.axis.at(box.low_whisker), ink, 1.2);
  for (const double end : {box.low_whisker, box.high_whisker}) {
    canvas.line(x - half / 2, p.axis.at(end), x + half / 2, p.axis.at(end), ink, 1.2);
  }
  canvas.painter().setPen(QPen(colour(ink), 1.2));
  canvas.painter().setBrush(fill);
  canvas.painter().drawRect(QRectF(x - half, top, 2 * half, bottom - top));
  canvas.line(x - half, p.axis.at(box.median), x + half, p.axis.at(box.median), theme.text, 2);
  canvas.painter().setBrush(Qt::NoBrush);
  canvas.painter().setPen(QPen(colour(ink), 1));
  for (const double v : box.outliers) {
    canvas.painter().drawEllipse(QPointF(x, p.axis.at(v)), 2.2, 2.2);
  }
}

}  // namespace

BoxStatistics box_statistics(std::vector<double> values) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  BoxStatistics box;
  box.n = static_cast<std::int64_t>(values.size());
  if (values.empty()) return box;
  std::ranges::sort(values);
  box.q1 = quantile(values, 0.25);
  box.median = quantile(values, 0.5);
  box.q3 = quantile(values, 0.75);
  const double reach = kFence * (box.q3 - box.q1);
  box.low_whisker = box.q1;
  box.high_whisker = box.q3;
  for (const double v : values) {
    if (v < box.q1 - reach || v > box.q3 + reach) {
      box.outliers.push_back(v);
    } else {
      box.low_whisker = std::min(box.low_whisker, v);
      box.high_whisker = std::max(box.high_whisker, v);
    }
  }
  return box;
}

void paint(QPainter& painter, const QRectF& rect, const BoxSpec& spec, const Theme& theme) {
  Canvas canvas(painter, rect, theme);
  const BoxPlan p = plan(spec, rect, theme);
  draw_frame_texts(canvas, p.frame, p.parts);
  const bool empty =
      std::ranges::all_of(p.boxes, [](const BoxStatistics& box) { return box.n == 0; });
  if (empty) {
    canvas.empty(p.frame.plot, QStringLiteral("No values to show"));
    return;
  }
  const QRectF& plot = p.frame.plot;
  draw_left_axis(canvas, plot, p.axis, p.ticks);
  if (spec.reference) {
    const double y = p.axis.at(*spec.reference);
    canvas.line(plot.left(), y, plot.right(), y, theme.muted, 1.2, Qt::DashLine);
  }
  for (std::size_t i = 0; i < p.boxes.size(); ++i) {
    draw_box(canvas, p, i, spec.groups[i].highlighted);
  }
  canvas.line(plot.left(), plot.bottom(), plot.right(), plot.bottom(), theme.axis);
  draw_category_labels(canvas, rect, plot, p.labels);
}

int hit_test(const BoxSpec& spec, const QRectF& rect, const QPointF& point, const Theme& theme) {
  if (spec.groups.empty()) return -1;
  const BoxPlan p = plan(spec, rect, theme);
  if (point.x() < p.frame.plot.left() || point.x() >= p.frame.plot.right()) return -1;
  if (point.y() < p.frame.plot.top() || point.y() > rect.bottom()) return -1;
  const double column = p.frame.plot.width() / static_cast<double>(spec.groups.size());
  return static_cast<int>((point.x() - p.frame.plot.left()) / column);
}

}  // namespace yieldloop::charts
