#include <algorithm>
#include <cmath>

#include "gui/charts/canvas.h"
#include "gui/charts/distribution_charts.h"

namespace yieldloop::charts {
namespace {

constexpr int kMostBins = 200;

struct HistogramPlan {
  HistogramBins bins;
  FrameParts parts;
  Frame frame;
  Axis x, y;
  std::vector<Tick> x_ticks, y_ticks;
};

int chosen_bin_count(const HistogramSpec& spec, const std::vector<double>& values, double range) {
  if (spec.bin_count > 0) return std::min(spec.bin_count, kMostBins);
  const BoxStatistics box = box_statistics(values);
  const double width = 2 * (box.q3 - box.q1) /
                       std::cbrt(static_cast<double>(std::max<std::size_t>(1, values.size())));
  const double wanted = width > 0 ? range / width : std::sqrt(static_cast<double>(values.size()));
  return static_cast<int>(std::clamp(std::ceil(wanted), 1.0, static_cast<double>(kMostBins)));
}

HistogramPlan plan(const HistogramSpec& spec, const QRectF& rect, const Theme& theme) {
  HistogramPlan p;
  p.bins = histogram_bins(spec);
  double low = p.bins.low;
  double high = p.bins.low + p.bins.width * static_cast<double>(p.bins.counts.size());
  for (const auto& limit : {spec.lower_limit, spec.upper_limit}) {
    if (!limit || !std::isfinite(*limit)) continue;
    low = std::min(low, *limit);
    high = std::max(high, *limit);
  }
  if (!(high > low)) high = low + 1;
  const double margin = (high - low) * 0.03;
  double most = 1;
  for (const auto count : p.bins.counts) most = std::max(most, static_cast<double>(count));
  most *= 1.06;
  p.y_ticks = nice_ticks(0, most, 5);
  p.parts = {.title = label_text(spec.title),
             .x_title = label_text(spec.x_title),
             .y_title = QStringLiteral("count"),
             .left_labels = widest_label(p.y_ticks, theme),
             .bottom_labels = line_height(chart_font(theme, theme.small_px))};
  p.parts.note = QString::fromStdString(
      "n = " + format_count(static_cast<std::int64_t>(spec.values.size()) - p.bins.not_finite));
  if (p.bins.not_finite > 0) {
    p.parts.note += QString::fromStdString("; " + format_count(p.bins.not_finite) +
                                           " values that are not finite are left out");
  }
  p.frame = chart_frame(rect, theme, p.parts);
  p.x = {low - margin, high + margin, p.frame.plot.left(), p.frame.plot.right()};
  p.y = {0, most, p.frame.plot.bottom(), p.frame.plot.top()};
  p.x_ticks =
      nice_ticks(p.x.low, p.x.high, std::clamp(static_cast<int>(p.frame.plot.width() / 70), 2, 9));
  return p;
}

QRectF bin_rect(const HistogramPlan& p, std::size_t i) {
  const double low = p.bins.low + p.bins.width * static_cast<double>(i);
  const double left = p.x.at(low), right = p.x.at(low + p.bins.width);
  const double top = p.y.at(static_cast<double>(p.bins.counts[i]));
  return {left, top, right - left, p.frame.plot.bottom() - top};
}

}  // namespace

HistogramBins histogram_bins(const HistogramSpec& spec) {
  HistogramBins bins;
  std::vector<double> values;
  values.reserve(spec.values.size());
  for (const double v : spec.values) {
    if (std::isfinite(v)) values.push_back(v);
  }
  bins.not_finite = static_cast<std::int64_t>(spec.values.size() - values.size());
  if (values.empty()) return bins;
  const auto [least, most] = std::ranges::minmax(values);
  const double range = most - least;
  const int count = range > 0 ? chosen_bin_count(spec, values, range) : 1;
  bins.width = range > 0 ? range / count : 1.0;
  bins.low = range > 0 ? least : least - 0.5;
  bins.counts.assign(static_cast<std::size_t>(count), 0);
  for (const double v : values) {
    const double place = std::floor((v - bins.low) / bins.width);
    const auto bin = static_cast<std::size_t>(std::clamp(place, 0.0, count - 1.0));
    ++bins.counts[bin];
  }
  return bins;
}

void paint(QPainter& painter, const QRectF& rect, const HistogramSpec& spec, const Theme& theme) {
  Canvas canvas(painter, rect, theme);
  const HistogramPlan p = plan(spec, rect, theme);
  draw_frame_texts(canvas, p.frame, p.parts);
  if (p.bins.counts.empty()) {
    canvas.empty(p.frame.plot, QStringLiteral("No values to show"));
    return;
  }
  draw_left_axis(canvas, p.frame.plot, p.y, p.y_ticks);
  for (std::size_t i = 0; i < p.bins.counts.size(); ++i) {
    const QRectF box = bin_rect(p, i);
    const double gap = box.width() > 4 ? 0.5 : 0;
    painter.fillRect(box.adjusted(gap, 0, -gap, 0), colour(theme.accent));
  }
  draw_bottom_axis(canvas,
                   QRectF(p.frame.plot.left(), p.frame.plot.bottom(), p.frame.plot.width(), 0), p.x,
                   p.x_ticks);
  const QFont font = chart_font(theme, theme.small_px);
  const double height = line_height(font);
  for (const auto& [limit, name, left] : {std::tuple{spec.lower_limit, "lower limit", false},
                                          std::tuple{spec.upper_limit, "upper limit", true}}) {
    if (!limit || !std::isfinite(*limit)) continue;
    const double x = p.x.at(*limit);
    canvas.line(x, p.frame.plot.top(), x, p.frame.plot.bottom(), theme.alert, 1.6, Qt::DashLine);
    const double width = text_width(font, QLatin1String(name)) + 2;
    const QRectF box(left ? x - width - 3 : x + 3, p.frame.plot.top(), width, height);
    painter.fillRect(box, colour(theme.background));
    canvas.text(box, Qt::AlignCenter, QLatin1String(name), font, theme.text);
  }
}

int hit_test(const HistogramSpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme) {
  const HistogramPlan p = plan(spec, rect, theme);
  for (std::size_t i = 0; i < p.bins.counts.size(); ++i) {
    QRectF column = bin_rect(p, i);
    column.setTop(p.frame.plot.top());
    if (column.contains(point)) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace yieldloop::charts
