#include <algorithm>
#include <cmath>
#include <numeric>

#include "gui/charts/bar_charts.h"
#include "gui/charts/canvas.h"

namespace yieldloop::charts {
namespace {

struct Row {
  int index = -1;
  double value = 0;
  QString label;
};

struct ContributionPlan {
  std::vector<Row> rows;
  FrameParts parts;
  Frame frame;
  Axis axis;
  std::vector<Tick> ticks;
  double row_height = 1;
};

std::vector<Row> ordered_rows(const ContributionSpec& spec) {
  std::vector<int> order(spec.rows.size());
  std::iota(order.begin(), order.end(), 0);
  const auto row = [&](int i) -> const Contribution& {
    return spec.rows[static_cast<std::size_t>(i)];
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return std::abs(row(a).value) > std::abs(row(b).value); });
  const std::size_t most = std::max<std::size_t>(1, spec.max_rows);
  const std::size_t shown = order.size() > most + 1 ? most : order.size();
  std::vector<Row> rows;
  for (std::size_t i = 0; i < shown; ++i) {
    const Contribution& c = row(order[i]);
    rows.push_back(
        {order[i], c.value, label_text(c.note.empty() ? c.label : c.label + ": " + c.note)});
  }
  if (shown < order.size()) {
    Row others{.label = QStringLiteral("others (%1)").arg(order.size() - shown)};
    for (std::size_t i = shown; i < order.size(); ++i) others.value += row(order[i]).value;
    rows.push_back(others);
  }
  return rows;
}

ContributionPlan plan(const ContributionSpec& spec, const QRectF& rect, const Theme& theme) {
  ContributionPlan p;
  p.rows = ordered_rows(spec);
  const QFont font = chart_font(theme, theme.text_px);
  double extent = 0, widest = 0;
  for (const Row& row : p.rows) {
    if (std::isfinite(row.value)) extent = std::max(extent, std::abs(row.value));
    widest = std::max(widest, text_width(font, row.label));
  }
  extent = extent > 0 ? extent * 1.25 : 1;
  p.parts = {.title = label_text(spec.title), .x_title = label_text(spec.x_title)};
  if (spec.base && spec.prediction) {
    p.parts.note = QString::fromStdString("without features " + format_number(*spec.base) +
                                          ", prediction " + format_number(*spec.prediction));
  }
  p.parts.left_labels = std::min(widest + 2, rect.width() * 0.45);
  p.parts.right_labels = 12;
  p.parts.bottom_labels = line_height(chart_font(theme, theme.small_px));
  p.frame = chart_frame(rect, theme, p.parts);
  p.axis = {-extent, extent, p.frame.plot.left(), p.frame.plot.right()};
  p.ticks =
      nice_ticks(-extent, extent, std::clamp(static_cast<int>(p.frame.plot.width() / 60), 2, 6));
  p.row_height = std::min(
      p.frame.plot.height() / static_cast<double>(std::max<std::size_t>(1, p.rows.size())), 28.0);
  p.frame.plot.setHeight(p.row_height *
                         static_cast<double>(std::max<std::size_t>(1, p.rows.size())));
  p.frame.x_title.moveTop(p.frame.plot.bottom() + p.parts.bottom_labels + 6);
  return p;
}

}  // namespace

void paint(QPainter& painter, const QRectF& rect, const ContributionSpec& spec,
           const Theme& theme) {
  Canvas canvas(painter, rect, theme);
  const ContributionPlan p = plan(spec, rect, theme);
  draw_frame_texts(canvas, p.frame, p.parts);
  if (p.rows.empty()) {
    canvas.empty(p.frame.plot, QStringLiteral("No contributions to show"));
    return;
  }
  const QRectF& plot = p.frame.plot;
  draw_bottom_axis(canvas, plot, p.axis, p.ticks);
  const QFont font = chart_font(theme, theme.text_px);
  const QFont small = chart_font(theme, theme.small_px);
  const double zero = p.axis.at(0);
  for (std::size_t i = 0; i < p.rows.size(); ++i) {
    const Row& row = p.rows[i];
    const double y = plot.top() + p.row_height * static_cast<double>(i);
    const double x = p.axis.at(row.value);
    const QRectF bar =
        QRectF(QPointF(zero, y + p.row_height * 0.18), QPointF(x, y + p.row_height * 0.82))
            .normalized();
    const bool good = (row.value > 0) == spec.higher_is_better;
    painter.fillRect(bar, colour(row.index < 0 ? theme.no_data
                                 : good        ? theme.accent
                                               : theme.alert));
    canvas.text(QRectF(plot.left() - p.parts.left_labels - 6, y, p.parts.left_labels, p.row_height),
                Qt::AlignRight | Qt::AlignVCenter, row.label, font, theme.text);
    const std::string sign = row.value > 0 ? "+" : "";
    const QRectF number =
        row.value > 0 ? QRectF(x + 4, y, 60, p.row_height) : QRectF(x - 64, y, 60, p.row_height);
    canvas.text(number, (row.value > 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter,
                QString::fromStdString(sign + format_number(row.value)), small, theme.text);
  }
  canvas.line(zero, plot.top(), zero, plot.bottom(), theme.text, 1.2);
}

int hit_test(const ContributionSpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme) {
  const ContributionPlan p = plan(spec, rect, theme);
  if (!rect.contains(point)) return -1;
  const double row = std::floor((point.y() - p.frame.plot.top()) / p.row_height);
  if (row < 0 || row >= static_cast<double>(p.rows.size())) return -1;
  return p.rows[static_cast<std::size_t>(row)].index;
}

}  // namespace yieldloop::charts
