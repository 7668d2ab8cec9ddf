#include <algorithm>
#include <cmath>
#include <numeric>

#include "gui/charts/bar_charts.h"
#include "gui/charts/canvas.h"

namespace yieldloop::charts {
namespace {

struct Bar {
  int index = -1;  // In spec.bars; -1 for "others".
  double count = 0;
  QString label;
};

struct ParetoPlan {
  std::vector<Bar> bars;
  std::vector<QString> labels;
  double total = 0;
  FrameParts parts;
  Frame frame;
  Axis axis;
  std::vector<Tick> ticks;
};

std::vector<Bar> ordered_bars(const ParetoSpec& spec) {
  std::vector<int> order(spec.bars.size());
  std::iota(order.begin(), order.end(), 0);
  const auto count = [&](int i) { return spec.bars[static_cast<std::size_t>(i)].count; };
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return count(a) > count(b); });
  const std::size_t most = std::max<std::size_t>(1, spec.max_bars);
  const std::size_t shown = order.size() > most + 1 ? most : order.size();
  std::vector<Bar> bars;
  for (std::size_t i = 0; i < shown; ++i) {
    bars.push_back({order[i], count(order[i]),
                    label_text(spec.bars[static_cast<std::size_t>(order[i])].label)});
  }
  if (shown < order.size()) {
    Bar others{.label = QStringLiteral("others (%1)").arg(order.size() - shown)};
    for (std::size_t i = shown; i < order.size(); ++i) others.count += count(order[i]);
    bars.push_back(others);
  }
  return bars;
}

ParetoPlan plan(const ParetoSpec& spec, const QRectF& rect, const Theme& theme) {
  ParetoPlan p;
  p.bars = ordered_bars(spec);
  double highest = 0;
  for (const Bar& bar : p.bars) {
    p.total += bar.count;
    highest = std::max(highest, bar.count);
    p.labels.push_back(bar.label);
    if (bar.index >= 0) {
      const auto& baseline = spec.bars[static_cast<std::size_t>(bar.index)].baseline;
      highest = std::max(highest, baseline.value_or(0));
    }
  }
  highest = highest > 0 ? highest * 1.12 : 1;  // Room for the number on the tallest bar.
  p.ticks = nice_ticks(0, highest, 5);
  const bool has_baseline =
      std::ranges::any_of(spec.bars, [](const ParetoBar& bar) { return bar.baseline.has_value(); });
  p.parts = {.title = label_text(spec.title),
             .y_title = label_text(spec.y_title),
             .note = has_baseline ? QStringLiteral("horizontal tick: expected from the baseline")
                                  : QString(),
             .left_labels = widest_label(p.ticks, theme),
             .right_labels = spec.cumulative ? 34.0 : 0.0};
  const auto columns = static_cast<double>(std::max<std::size_t>(1, p.bars.size()));
  const double column = chart_frame(rect, theme, p.parts).plot.width() / columns;
  p.parts.bottom_labels = category_height(p.labels, column, theme);
  p.frame = chart_frame(rect, theme, p.parts);
  p.axis = {0, highest, p.frame.plot.bottom(), p.frame.plot.top()};
  return p;
}

QRectF bar_rect(const ParetoPlan& p, std::size_t i) {
  const double column = p.frame.plot.width() / static_cast<double>(p.bars.size());
  const double width = std::min(column * 0.72, 64.0);
  const double centre = p.frame.plot.left() + column * (static_cast<double>(i) + 0.5);
  const double top = p.axis.at(p.bars[i].count);
  return {centre - width / 2, top, width, p.frame.plot.bottom() - top};
}

void draw_bars(Canvas& canvas, const ParetoSpec& spec, const ParetoPlan& p) {
  const Theme& theme = canvas.theme();
  const QFont font = chart_font(theme, theme.small_px);
  const double height = line_height(font);
  const double column = p.frame.plot.width() / static_cast<double>(p.bars.size());
  for (std::size_t i = 0; i < p.bars.size(); ++i) {
    const QRectF box = bar_rect(p, i);
    const ParetoBar* bar =
        p.bars[i].index < 0 ? nullptr : &spec.bars[static_cast<std::size_t>(p.bars[i].index)];
    const Rgb fill = bar == nullptr ? theme.no_data : bar->colour.value_or(theme.accent);
    canvas.painter().fillRect(box, colour(fill));
    canvas.painter().setBrush(Qt::NoBrush);
    canvas.painter().setPen(QPen(colour(theme.axis), 0.6));
    canvas.painter().drawRect(box);
    if (bar != nullptr && bar->baseline) {
      const double y = p.axis.at(*bar->baseline);
      canvas.line(box.left() - 4, y, box.right() + 4, y, theme.background, 4);
      canvas.line(box.left() - 4, y, box.right() + 4, y, theme.text, 2);
    }
    if (bar != nullptr && bar->selected) canvas.selection(box);
    const QString number = QString::fromStdString(format_number(p.bars[i].count, 4));
    double top = box.top();
    if (bar != nullptr && bar->baseline) top = std::min(top, p.axis.at(*bar->baseline) - 2);
    if (text_width(font, number) < column) {
      canvas.text(QRectF(box.center().x() - column / 2, top - height - 1, column, height),
                  Qt::AlignCenter, number, font, theme.text);
    }
  }
}

void draw_cumulative(Canvas& canvas, const ParetoPlan& p) {
  const Theme& theme = canvas.theme();
  const QRectF& plot = p.frame.plot;
  const QFont font = chart_font(theme, theme.small_px);
  const double height = line_height(font);
  const Axis share{0, 1, plot.bottom(), plot.top()};
  for (const Tick& tick : nice_ticks(0, 1, 5, true)) {
    canvas.text(QRectF(plot.right() + 6, share.at(tick.value) - height / 2, 40, height),
                Qt::AlignLeft | Qt::AlignVCenter, QString::fromStdString(tick.label), font,
                theme.muted);
  }
  canvas.line(plot.right(), plot.top(), plot.right(), plot.bottom(), theme.axis);
  double sum = 0;
  QPolygonF line;
  for (std::size_t i = 0; i < p.bars.size(); ++i) {
    sum += p.bars[i].count;
    line << QPointF(bar_rect(p, i).center().x(), share.at(sum / p.total));
  }
  canvas.painter().setBrush(Qt::NoBrush);
  canvas.painter().setPen(QPen(colour(theme.background), 3.5));
  canvas.painter().drawPolyline(line);
  canvas.painter().setPen(QPen(colour(theme.text), 1.4));
  canvas.painter().drawPolyline(line);
  canvas.painter().setBrush(colour(theme.background));
  for (const QPointF& point : line) canvas.painter().drawEllipse(point, 2.6, 2.6);
}

}  // namespace

void paint(QPainter& painter, const QRectF& rect, const ParetoSpec& spec, const Theme& theme) {
  Canvas canvas(painter, rect, theme);
  const ParetoPlan p = plan(spec, rect, theme);
  draw_frame_texts(canvas, p.frame, p.parts);
  if (p.bars.empty() || !(p.total > 0)) {
    canvas.empty(p.frame.plot, QStringLiteral("Nothing to count"));
    return;
  }
  draw_left_axis(canvas, p.frame.plot, p.axis, p.ticks);
  draw_bars(canvas, spec, p);
  canvas.line(p.frame.plot.left(), p.frame.plot.bottom(), p.frame.plot.right(),
              p.frame.plot.bottom(), theme.axis);
  if (spec.cumulative) draw_cumulative(canvas, p);
  draw_category_labels(canvas, rect, p.frame.plot, p.labels);
}

int hit_test(const ParetoSpec& spec, const QRectF& rect, const QPointF& point, const Theme& theme) {
  const ParetoPlan p = plan(spec, rect, theme);
  for (std::size_t i = 0; i < p.bars.size(); ++i) {
    QRectF column = bar_rect(p, i);
    // Low bars are hard to hit, so the whole column counts, labels included.
    column.setTop(p.frame.plot.top());
    column.setBottom(p.frame.x_labels.bottom());
    if (column.contains(point)) return p.bars[i].index;
  }
  return -1;
}

}  // namespace yieldloop::charts
