#include <algorithm>
#include <cmath>

#include "gui/charts/bar_charts.h"
#include "gui/charts/canvas.h"

namespace yieldloop::charts {
namespace {

constexpr double kRightText = 128.0;  // n and q beside the plot.

struct ForestPlan {
  std::size_t shown = 0;
  FrameParts parts;
  Frame frame;
  Axis axis;
  std::vector<Tick> ticks;
  double row_height = 1;
};

ForestPlan plan(const ForestSpec& spec, const QRectF& rect, const Theme& theme) {
  ForestPlan p;
  p.shown = std::min(spec.rows.size(), std::max<std::size_t>(1, spec.max_rows));
  const QFont font = chart_font(theme, theme.text_px);
  double low = spec.reference, high = spec.reference, widest = 0;
  for (std::size_t i = 0; i < p.shown; ++i) {
    const ForestRow& row = spec.rows[i];
    for (const double v : {row.effect, row.low, row.high}) {
      if (!std::isfinite(v)) continue;
      low = std::min(low, v);
      high = std::max(high, v);
    }
    widest = std::max(widest, text_width(font, label_text(row.label)));
  }
  const double margin = high > low ? (high - low) * 0.06 : 1;
  low -= margin;
  high += margin;
  p.parts = {.title = label_text(spec.title), .x_title = label_text(spec.x_title)};
  if (p.shown < spec.rows.size()) {
    p.parts.note = QStringLiteral("%1 further rows are not shown").arg(spec.rows.size() - p.shown);
  }
  p.parts.left_labels = std::min(widest + 2, rect.width() * 0.38);
  p.parts.right_labels = std::min(kRightText, rect.width() * 0.3);
  p.parts.bottom_labels = line_height(chart_font(theme, theme.small_px));
  p.frame = chart_frame(rect, theme, p.parts);
  // Column heads stand above the first row.
  p.frame.plot.setTop(p.frame.plot.top() + line_height(chart_font(theme, theme.small_px)));
  p.axis = {low, high, p.frame.plot.left(), p.frame.plot.right()};
  p.ticks = nice_ticks(low, high, std::clamp(static_cast<int>(p.frame.plot.width() / 70), 2, 8),
                       spec.percent);
  p.row_height = std::min(
      p.frame.plot.height() / static_cast<double>(std::max<std::size_t>(1, p.shown)), 30.0);
  p.frame.plot.setHeight(p.row_height * static_cast<double>(std::max<std::size_t>(1, p.shown)));
  p.frame.x_title.moveTop(p.frame.plot.bottom() + p.parts.bottom_labels + 6);
  return p;
}

double row_y(const ForestPlan& p, std::size_t i) {
  return p.frame.plot.top() + p.row_height * (static_cast<double>(i) + 0.5);
}

bool alarming(const ForestSpec& spec, const ForestRow& row) {
  if (!spec.q_column) return false;
  const bool excludes = row.low > spec.reference || row.high < spec.reference;
  return excludes && !row.inconclusive && row.q_value.value_or(0.0) < spec.q_alarm;
}

void draw_row(Canvas& canvas, const ForestSpec& spec, const ForestPlan& p, std::size_t i) {
  const ForestRow& row = spec.rows[i];
  const Theme& theme = canvas.theme();
  const Rgb ink = alarming(spec, row) ? theme.alert : row.inconclusive ? theme.axis : theme.accent;
  const double y = row_y(p, i);
  // An open end of an interval reaches to the edge of the plot.
  const auto x_at = [&](double v) {
    return p.axis.at(std::isnan(v) ? spec.reference : std::clamp(v, p.axis.low, p.axis.high));
  };
  const double x = x_at(row.effect);
  const QRectF& plot = p.frame.plot;
  if (row.selected) {
    canvas.selection(QRectF(plot.left() - p.parts.left_labels - 6, y - p.row_height / 2 + 1.5,
                            plot.width() + p.parts.left_labels + p.parts.right_labels + 10,
                            p.row_height - 3));
  }
  canvas.line(x_at(row.low), y, x_at(row.high), y, ink, 2);
  for (const double end : {row.low, row.high}) {
    if (std::isfinite(end)) canvas.line(x_at(end), y - 4, x_at(end), y + 4, ink, 2);
  }
  canvas.painter().setPen(QPen(colour(ink), 1.6));
  canvas.painter().setBrush(colour(row.inconclusive ? theme.background : ink));
  const double r = alarming(spec, row) ? 4.5 : 3.5;
  alarming(spec, row) ? canvas.painter().drawRect(QRectF(x - r, y - r, 2 * r, 2 * r))
                      : canvas.painter().drawEllipse(QPointF(x, y), r, r);
  const QFont font = chart_font(theme, theme.text_px);
  const double height = p.row_height;
  canvas.text(
      QRectF(plot.left() - p.parts.left_labels - 6, y - height / 2, p.parts.left_labels, height),
      Qt::AlignRight | Qt::AlignVCenter, label_text(row.label), font, theme.text);
  const QFont small = chart_font(theme, theme.small_px);
  const double right = plot.right() + 8;
  canvas.text(QRectF(right, y - height / 2, 50, height), Qt::AlignLeft | Qt::AlignVCenter,
              QString::fromStdString(format_count(row.n)), small, theme.text);
  if (!spec.q_column) return;
  const QString decided =
      row.q_value ? QString::fromStdString(*row.q_value < 1e-12 ? "< 1e\u221212"
                                                                : format_number(*row.q_value, 2))
                  : QStringLiteral("\u2013");
  canvas.text(QRectF(right + 50, y - height / 2, p.parts.right_labels - 52, height),
              Qt::AlignLeft | Qt::AlignVCenter,
              row.inconclusive ? QStringLiteral("inconclusive") : decided, small, theme.text);
}

void draw_heads(Canvas& canvas, const ForestSpec& spec, const ForestPlan& p) {
  const Theme& theme = canvas.theme();
  const QFont small = chart_font(theme, theme.small_px);
  const double height = line_height(small);
  const double y = p.frame.plot.top() - height - 1;
  const double right = p.frame.plot.right() + 8;
  canvas.text(QRectF(right, y, spec.q_column ? 48 : 100, height), Qt::AlignLeft | Qt::AlignVCenter,
              label_text(spec.n_title), small, theme.muted);
  if (!spec.q_column) return;
  canvas.text(QRectF(right + 50, y, 76, height), Qt::AlignLeft | Qt::AlignVCenter,
              QStringLiteral("adjusted q"), small, theme.muted);
}

}  // namespace

void paint(QPainter& painter, const QRectF& rect, const ForestSpec& spec, const Theme& theme) {
  Canvas canvas(painter, rect, theme);
  const ForestPlan p = plan(spec, rect, theme);
  draw_frame_texts(canvas, p.frame, p.parts);
  if (spec.rows.empty()) {
    canvas.empty(p.frame.plot, QStringLiteral("No effects to show"));
    return;
  }
  const QRectF& plot = p.frame.plot;
  draw_bottom_axis(canvas, plot, p.axis, p.ticks);
  const double x = p.axis.at(spec.reference);
  canvas.line(x, plot.top(), x, plot.bottom(), theme.text, 1.2, Qt::DashLine);
  draw_heads(canvas, spec, p);
  for (std::size_t i = 0; i < p.shown; ++i) draw_row(canvas, spec, p, i);
}

int hit_test(const ForestSpec& spec, const QRectF& rect, const QPointF& point, const Theme& theme) {
  const ForestPlan p = plan(spec, rect, theme);
  if (!rect.contains(point)) return -1;
  const double row = std::floor((point.y() - p.frame.plot.top()) / p.row_height);
  return row >= 0 && row < static_cast<double>(p.shown) ? static_cast<int>(row) : -1;
}

}  // namespace yieldloop::charts
