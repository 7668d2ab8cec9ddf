#include <algorithm>
#include <cmath>

#include "gui/charts/canvas.h"
#include "gui/charts/distribution_charts.h"
#include "gui/charts/palette.h"

namespace yieldloop::charts {
namespace {

struct HeatPlan {
  FrameParts parts;
  Frame frame;
  QRectF scale;
  std::vector<QString> columns;
};

HeatPlan plan(const HeatMapSpec& spec, const QRectF& rect, const Theme& theme) {
  HeatPlan p;
  const QFont font = chart_font(theme, theme.small_px);
  double widest = 0;
  for (const std::string& row : spec.rows) {
    widest = std::max(widest, text_width(font, label_text(row)));
  }
  for (const std::string& column : spec.columns) p.columns.push_back(label_text(column));
  const auto count = static_cast<double>(std::max<std::size_t>(1, spec.columns.size()));
  p.parts = {.title = label_text(spec.title),
             .left_labels = std::min(widest + 2, rect.width() * 0.3),
             .right_labels = 84};
  const double column = chart_frame(rect, theme, p.parts).plot.width() / count;
  p.parts.bottom_labels = category_height(p.columns, column, theme);
  p.frame = chart_frame(rect, theme, p.parts);
  p.scale = QRectF(p.frame.plot.right() + 16, p.frame.plot.top(), 78,
                   std::min(p.frame.plot.height(), 200.0));
  return p;
}

bool well_formed(const HeatMapSpec& spec) {
  return !spec.rows.empty() && !spec.columns.empty() &&
         spec.values.size() == spec.rows.size() * spec.columns.size();
}

QRectF cell_rect(const HeatMapSpec& spec, const HeatPlan& p, std::size_t index) {
  const double width = p.frame.plot.width() / static_cast<double>(spec.columns.size());
  const double height = p.frame.plot.height() / static_cast<double>(spec.rows.size());
  const std::size_t column = index % spec.columns.size(), row = index / spec.columns.size();
  return {p.frame.plot.left() + width * static_cast<double>(column),
          p.frame.plot.top() + height * static_cast<double>(row), width, height};
}

Rgb cell_colour(const HeatMapSpec& spec, double value, const Theme& theme) {
  if (!std::isfinite(value)) return theme.no_data;
  const double range = spec.scale.high - spec.scale.low;
  const double fraction = range > 0 ? (value - spec.scale.low) / range : 0.5;
  return spec.scale.diverging ? diverging(fraction) : viridis(fraction);
}

}  // namespace

void paint(QPainter& painter, const QRectF& rect, const HeatMapSpec& spec, const Theme& theme) {
  Canvas canvas(painter, rect, theme);
  const HeatPlan p = plan(spec, rect, theme);
  draw_frame_texts(canvas, p.frame, p.parts);
  if (!well_formed(spec)) {
    canvas.empty(p.frame.plot, QStringLiteral("No cells to show"));
    return;
  }
  const QFont font = chart_font(theme, theme.small_px);
  const double height = line_height(font);
  for (std::size_t i = 0; i < spec.values.size(); ++i) {
    const QRectF cell = cell_rect(spec, p, i);
    const Rgb fill = cell_colour(spec, spec.values[i], theme);
    const double gap = std::min(cell.width(), cell.height()) > 6 ? 0.5 : 0.0;
    painter.fillRect(cell.adjusted(gap, gap, -gap, -gap), colour(fill));
    const QString number = QString::fromStdString(
        spec.scale.percent ? format_percent(spec.values[i]) : format_number(spec.values[i]));
    const bool fits = text_width(font, number) < cell.width() - 4 && cell.height() > height;
    if (fits && std::isfinite(spec.values[i])) {
      canvas.text(cell, Qt::AlignCenter, number, font, ink_on(fill));
    }
  }
  const double row = p.frame.plot.height() / static_cast<double>(spec.rows.size());
  const auto every = static_cast<std::size_t>(std::max(1.0, std::ceil(height / row)));
  for (std::size_t r = 0; r < spec.rows.size(); r += every) {
    const double y = p.frame.plot.top() + row * (static_cast<double>(r) + 0.5);
    canvas.text(QRectF(p.frame.plot.left() - p.parts.left_labels - 6, y - height / 2,
                       p.parts.left_labels, height),
                Qt::AlignRight | Qt::AlignVCenter, label_text(spec.rows[r]), font, theme.text);
  }
  draw_category_labels(canvas, rect, p.frame.plot, p.columns);
  draw_scale_bar(canvas, p.scale, spec.scale.low, spec.scale.high, spec.scale.percent,
                 spec.scale.diverging, label_text(spec.scale.title), false);
  if (spec.selected >= 0 && static_cast<std::size_t>(spec.selected) < spec.values.size()) {
    canvas.selection(cell_rect(spec, p, static_cast<std::size_t>(spec.selected)));
  }
}

int hit_test(const HeatMapSpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme) {
  if (!well_formed(spec)) return -1;
  const HeatPlan p = plan(spec, rect, theme);
  if (!p.frame.plot.contains(point)) return -1;
  const auto place = [](double at, double from, double length, std::size_t count) {
    const double k = (at - from) / length * static_cast<double>(count);
    return std::min(static_cast<std::size_t>(k), count - 1);
  };
  const std::size_t column =
      place(point.x(), p.frame.plot.left(), p.frame.plot.width(), spec.columns.size());
  const std::size_t row =
      place(point.y(), p.frame.plot.top(), p.frame.plot.height(), spec.rows.size());
  return static_cast<int>(row * spec.columns.size() + column);
}

}  // namespace yieldloop::charts
