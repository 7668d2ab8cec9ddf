#include "gui/charts/wafer_map.h"

#include <QImage>
#include <QPaintDevice>
#include <QPainterPath>
#include <QTransform>
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "gui/charts/canvas.h"
#include "gui/charts/palette.h"
#include "gui/charts/splat.h"
#include "gui/charts/wafer_geometry.h"

namespace yieldloop::charts {
namespace {

constexpr double kGapFrom = 4.0;      // Dies smaller than this touch each other.
constexpr double kLabelWidth = 27.0;  // Dies smaller than this carry no label.
constexpr std::size_t kSplatFrom = 5000;

bool dimmed(const WaferMapSpec& spec, const MapDie& die) {
  if (die.state == DieState::kSuperseded || die.state == DieState::kEdgeExcluded) return true;
  if (spec.isolated_bins.empty()) return false;
  return std::ranges::find(spec.isolated_bins, die.bin) == spec.isolated_bins.end();
}

bool has_value(const MapDie& die) { return die.n > 0 && std::isfinite(die.value); }

double scale_fraction(const ValueScale& scale, double value) {
  return scale.high > scale.low ? (value - scale.low) / (scale.high - scale.low) : 0.5;
}

// The notch is part of the outline: a rounded bite, at least four pixels deep.
QPainterPath wafer_outline(const WaferGeometry& g) {
  const double radius = g.radius_um;
  const double depth = std::max(radius * 0.035, 4.0 / g.pixels_per_um);
  const double half = depth / radius;  // Radians to each side.
  QPainterPath path;
  constexpr int kSteps = 180;
  for (int i = 0; i <= kSteps; ++i) {
    const double a = -M_PI / 2 + half + (2 * M_PI - 2 * half) * i / kSteps;
    const QPointF p = g.to_screen(radius * std::cos(a), radius * std::sin(a));
    i == 0 ? path.moveTo(p) : path.lineTo(p);
  }
  path.lineTo(g.to_screen(0, -radius + depth));
  path.closeSubpath();
  return path;
}

void draw_die(Canvas& canvas, const WaferMapSpec& spec, const MapDie& die, QRectF box,
              double pixel) {
  // Edges on whole device pixels, one pixel apart: sharp and even.
  const auto snap = [pixel](double v) { return std::round(v * pixel) / pixel; };
  const double gap =
      std::min(box.width(), box.height()) >= kGapFrom ? std::max(1.0 / pixel, 0.5) : 0.0;
  box = QRectF(QPointF(snap(box.left()), snap(box.top())),
               QPointF(snap(box.right()) - gap, snap(box.bottom()) - gap));
  canvas.painter().fillRect(box, colour(die_colour(spec, die, canvas.theme())));
}

// Out of the colour range: a triangle up or down, because colour alone cannot say it.
void draw_range_mark(Canvas& canvas, const WaferMapSpec& spec, const MapDie& die,
                     const QRectF& box) {
  const bool valued = spec.colouring == DieColouring::kValue && die.state == DieState::kTested;
  if (!valued || !has_value(die) || std::min(box.width(), box.height()) < 5) return;
  const bool above = die.value > spec.scale.high;
  if (!above && die.value >= spec.scale.low) return;
  const double r = std::min(box.width(), box.height()) * 0.3;
  const double s = above ? -1 : 1;
  const QPointF c = box.center();
  const std::array<QPointF, 3> corners{QPointF(c.x(), c.y() + s * r),
                                       QPointF(c.x() - r, c.y() - s * r * 0.8),
                                       QPointF(c.x() + r, c.y() - s * r * 0.8)};
  canvas.painter().setPen(Qt::NoPen);
  canvas.painter().setBrush(colour(ink_on(die_colour(spec, die, canvas.theme()))));
  canvas.painter().drawPolygon(corners.data(), 3);
}

void draw_dies(Canvas& canvas, const WaferMapSpec& spec, const WaferGeometry& g) {
  QPainter& painter = canvas.painter();
  const QTransform transform = painter.transform();
  const double scale = std::hypot(transform.m11(), transform.m12());
  const double pixel =
      scale * (painter.device() != nullptr ? painter.device()->devicePixelRatioF() : 1.0);
  const bool labels = spec.show_labels && g.die_width_um * g.pixels_per_um >= kLabelWidth &&
                      g.die_height_um * g.pixels_per_um >= 13;
  const QFont font = chart_font(canvas.theme(), 8);
  painter.setRenderHint(QPainter::Antialiasing, false);
  for (const MapDie& die : spec.dies) draw_die(canvas, spec, die, g.die(die.die), pixel);
  painter.setRenderHint(QPainter::Antialiasing, true);
  for (const MapDie& die : spec.dies) {
    const QRectF box = g.die(die.die);
    draw_range_mark(canvas, spec, die, box);
    if (labels) {
      canvas.text(box, Qt::AlignCenter,
                  QStringLiteral("%1,%2").arg(die.die.x).arg(die.die.y).replace(QLatin1Char('-'),
                                                                                QChar(0x2212)),
                  font, ink_on(die_colour(spec, die, canvas.theme())));
    }
  }
}

void draw_circle(Canvas& canvas, const WaferGeometry& g, double radius_um, Qt::PenStyle style) {
  const QPointF c = g.disc.center();
  const double r = radius_um * g.pixels_per_um;
  canvas.painter().setBrush(Qt::NoBrush);
  canvas.painter().setPen(QPen(colour(canvas.theme().muted), 1, style));
  canvas.painter().drawEllipse(c, r, r);
}

void draw_reticles(Canvas& canvas, const WaferMapSpec& spec, const WaferGeometry& g) {
  if (spec.reticle_columns < 1 || spec.reticle_rows < 1) return;
  // Fields narrower than this would cover the dies with lines.
  const double field = spec.reticle_columns * g.die_width_um * g.pixels_per_um;
  if (field < 4) return;
  const Theme& theme = canvas.theme();
  const bool fine = field < 30;
  const Rgb ink = fine ? blend(theme.text, theme.panel, 0.35) : theme.text;
  const auto lines = [&](double pitch, double centre, int step, int origin, bool vertical) {
    const double low = (centre - g.radius_um) / pitch;
    const double high = (centre + g.radius_um) / pitch;
    const double first = origin + std::ceil((low - origin) / step) * step;
    for (double k = first; k <= high; k += step) {
      const double at = k * pitch - centre;
      const double half = std::sqrt(std::max(0.0, g.radius_um * g.radius_um - at * at));
      const QPointF a = vertical ? g.to_screen(at, -half) : g.to_screen(-half, at);
      const QPointF b = vertical ? g.to_screen(at, half) : g.to_screen(half, at);
      canvas.line(a.x(), a.y(), b.x(), b.y(), ink, fine ? 0.5 : 1.0);
    }
  };
  lines(g.die_width_um, g.centre_x_um, spec.reticle_columns, spec.reticle_origin.x, true);
  lines(g.die_height_um, g.centre_y_um, spec.reticle_rows, spec.reticle_origin.y, false);
}

double defect_radius(const MapDefect& defect) {
  return std::clamp(1.2 + 0.8 * std::sqrt(std::max(0.0, defect.size_um)), 1.5, 6.0);
}

Rgb defect_colour(const MapDefect& defect) {
  return defect.category <= 0 ? 0xff101418
                              : category_colour(static_cast<std::size_t>(defect.category - 1));
}

void draw_defects(Canvas& canvas, const WaferMapSpec& spec, const WaferGeometry& g) {
  if (spec.defects.size() > kSplatFrom) {
    std::vector<SplatPoint> points;
    points.reserve(spec.defects.size());
    for (const MapDefect& defect : spec.defects) {
      const QPointF at = g.to_screen(defect.x_um, defect.y_um);
      points.push_back({at.x(), at.y(), defect_colour(defect)});
    }
    splat(canvas.painter(), g.disc, points, 1.2);
  } else {
    for (const MapDefect& defect : spec.defects) {
      canvas.painter().setBrush(colour(defect_colour(defect)));
      canvas.painter().setPen(QPen(Qt::white, 0.8));
      const double r = defect_radius(defect);
      canvas.painter().drawEllipse(g.to_screen(defect.x_um, defect.y_um), r, r);
    }
  }
  for (const MapDefect& defect : spec.defects) {
    if (!defect.selected) continue;
    const QPointF at = g.to_screen(defect.x_um, defect.y_um);
    const double r = defect_radius(defect) + 3;
    canvas.painter().setBrush(Qt::NoBrush);
    for (const auto& [ink, width] : {std::pair{Qt::black, 3.0}, std::pair{Qt::white, 1.2}}) {
      canvas.painter().setPen(QPen(ink, width));
      canvas.painter().drawEllipse(at, r, r);
    }
  }
}

void draw_arrow(Canvas& canvas, const QPointF& from, const QPointF& to, const QString& name) {
  const Theme& theme = canvas.theme();
  canvas.line(from.x(), from.y(), to.x(), to.y(), theme.text, 1.4);
  const double angle = std::atan2(to.y() - from.y(), to.x() - from.x());
  for (const double side : {0.5, -0.5}) {
    canvas.line(to.x(), to.y(), to.x() - 5 * std::cos(angle + side),
                to.y() - 5 * std::sin(angle + side), theme.text, 1.4);
  }
  const QPointF at = to + QPointF(std::cos(angle) * 7, std::sin(angle) * 7);
  canvas.text(QRectF(at.x() - 6, at.y() - 7, 12, 14), Qt::AlignCenter, name,
              chart_font(theme, theme.small_px), theme.text);
}

// Arrows in the empty lower-left corner of the disc's square; a ring on the origin die.
void draw_axes(Canvas& canvas, const WaferMapSpec& spec, const WaferGeometry& g) {
  const QPointF origin = g.to_screen(0, 0);
  const double unit = 18 / g.pixels_per_um;
  const QPointF x = g.to_screen(unit, 0) - origin;
  const QPointF y = g.to_screen(0, unit) - origin;
  const double back_x = std::min({0.0, x.x(), y.x()});
  const double back_y = std::max({0.0, x.y(), y.y()});
  const QPointF corner(g.disc.left() + 6 - back_x * 1.5, g.disc.bottom() - 6 - back_y * 1.5);
  draw_arrow(canvas, corner, corner + x, QStringLiteral("x"));
  draw_arrow(canvas, corner, corner + y, QStringLiteral("y"));
  const bool has_origin = std::ranges::any_of(spec.dies, [](const MapDie& die) {
    return die.die == DieIndex{0, 0};
  });
  if (!has_origin) return;
  const QRectF box = g.die({0, 0});
  const double r = std::clamp(std::min(box.width(), box.height()) * 0.32, 2.0, 7.0);
  const QPointF at =
      g.die_pixels() >= kLabelWidth ? box.topLeft() + QPointF(r + 1, r + 1) : box.center();
  canvas.painter().setBrush(Qt::NoBrush);
  for (const auto& [ink, width] : {std::pair{Qt::black, 2.6}, std::pair{Qt::white, 1.0}}) {
    canvas.painter().setPen(QPen(ink, width));
    canvas.painter().drawEllipse(at, r, r);
  }
}

struct LegendLine {
  QString text;
  Rgb fill = 0;
};

std::vector<LegendLine> bin_lines(const WaferMapSpec& spec, const Theme& theme) {
  std::map<std::pair<bool, int>, std::int64_t> counts;  // Passing bins first, then by number.
  std::array<std::int64_t, 4> states{};
  for (const MapDie& die : spec.dies) {
    ++states[static_cast<std::size_t>(die.state)];
    if (die.state != DieState::kTested) continue;
    ++counts[{!die.pass, spec.colouring == DieColouring::kBin ? die.bin : 0}];
  }
  std::vector<LegendLine> lines;
  const auto add = [&](const QString& name, std::int64_t count, Rgb fill) {
    if (count > 0) {
      lines.push_back(
          {name + QLatin1Char(' ') + QString::fromStdString(format_count(count)), fill});
    }
  };
  for (const auto& [key, count] : counts) {
    const auto& [fail, bin] = key;
    const QString verdict = fail ? QStringLiteral("fail") : QStringLiteral("pass");
    if (spec.colouring == DieColouring::kBin) {
      add(QStringLiteral("bin %1 %2:").arg(bin).arg(verdict), count, bin_colour(bin, !fail));
    } else {
      add(verdict + QLatin1Char(':'), count, fail ? kFailColour : kPassColour);
    }
  }
  add(QStringLiteral("no data:"), states[1], theme.no_data);
  add(QStringLiteral("superseded:"), states[2], blend(theme.no_data, theme.panel, 0.5));
  add(QStringLiteral("edge-excluded:"), states[3], blend(theme.no_data, theme.panel, 0.5));
  return lines;
}

void draw_map_legend(Canvas& canvas, const WaferMapSpec& spec, const WaferGeometry& g) {
  if (g.legend.isEmpty()) return;
  const Theme& theme = canvas.theme();
  if (spec.colouring == DieColouring::kValue || spec.colouring == DieColouring::kRate) {
    const double height = std::min(g.legend.height(), 220.0);
    draw_scale_bar(canvas, QRectF(g.legend.left(), g.legend.top(), g.legend.width(), height),
                   spec.scale.low, spec.scale.high, spec.scale.percent, spec.scale.diverging,
                   label_text(spec.scale.title), false);
    return;
  }
  const QFont font = chart_font(theme, theme.small_px);
  const double row = line_height(font) + 4;
  double y = g.legend.top();
  const auto lines = bin_lines(spec, theme);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (y + 2 * row > g.legend.bottom() && i + 1 < lines.size()) {
      canvas.text(QRectF(g.legend.left(), y, g.legend.width(), row),
                  Qt::AlignLeft | Qt::AlignVCenter,
                  QStringLiteral("and %1 more").arg(lines.size() - i), font, theme.muted);
      return;
    }
    canvas.painter().fillRect(QRectF(g.legend.left(), y + (row - 10) / 2, 10, 10),
                              colour(lines[i].fill));
    canvas.text(QRectF(g.legend.left() + 15, y, g.legend.width() - 15, row),
                Qt::AlignLeft | Qt::AlignVCenter, lines[i].text, font, theme.text);
    y += row;
  }
}

void draw_texts(Canvas& canvas, const WaferMapSpec& spec, const WaferGeometry& g, bool small) {
  const Theme& theme = canvas.theme();
  const Qt::Alignment place = (small ? Qt::AlignHCenter : Qt::AlignLeft) | Qt::AlignVCenter;
  canvas.text(g.title, place, label_text(spec.title),
              chart_font(theme, small ? theme.text_px : theme.title_px, true), theme.text);
  const QFont font = chart_font(theme, theme.small_px);
  canvas.text(g.subtitle, place, label_text(spec.subtitle), font, theme.muted);
  canvas.text(g.note, Qt::AlignLeft | Qt::AlignVCenter, wafer_note(spec, g.inferred), font,
              theme.muted);
}

}  // namespace

Rgb die_colour(const WaferMapSpec& spec, const MapDie& die, const Theme& theme) {
  Rgb fill = theme.no_data;
  const bool valued =
      spec.colouring == DieColouring::kValue || spec.colouring == DieColouring::kRate;
  if (die.state != DieState::kNoData) {
    if (valued && has_value(die)) {
      const double fraction = scale_fraction(spec.scale, die.value);
      fill = spec.scale.diverging ? diverging(fraction) : viridis(fraction);
    } else if (spec.colouring == DieColouring::kBin) {
      fill = bin_colour(die.bin, die.pass);
    } else if (!valued) {
      fill = die.pass ? kPassColour : kFailColour;
    }
  }
  return dimmed(spec, die) ? blend(fill, theme.panel, 0.72) : fill;
}

std::string die_tooltip(const WaferMapSpec& spec, std::size_t index) {
  if (index >= spec.dies.size()) return {};
  const MapDie& die = spec.dies[index];
  std::string text = "die (" + format_count(die.die.x) + ", " + format_count(die.die.y) + "): ";
  switch (die.state) {
    case DieState::kNoData: return text + "no data";
    case DieState::kSuperseded: text += "superseded, "; break;
    case DieState::kEdgeExcluded: text += "edge-excluded, "; break;
    case DieState::kTested: break;
  }
  if (spec.colouring == DieColouring::kRate) {
    return text + (has_value(die) ? format_percent(die.value) + " of " + format_count(die.n)
                                  : std::string("no data"));
  }
  text += "bin " + format_count(die.bin) + (die.pass ? ", pass" : ", fail");
  if (spec.colouring == DieColouring::kValue) text += ", value " + format_number(die.value, 4);
  return text;
}

void paint(QPainter& painter, const QRectF& rect, const WaferMapSpec& spec, const Theme& theme) {
  Canvas canvas(painter, rect, theme);
  const WaferGeometry g(spec, rect, theme);
  const bool small = g.legend.isEmpty() && rect.width() < 260;
  draw_texts(canvas, spec, g, small);
  const QPainterPath outline = wafer_outline(g);
  painter.fillPath(outline, colour(theme.panel));
  draw_dies(canvas, spec, g);
  draw_reticles(canvas, spec, g);
  for (int k = 1; k < spec.ring_count; ++k) {
    draw_circle(canvas, g, g.radius_um * std::sqrt(static_cast<double>(k) / spec.ring_count),
                Qt::DotLine);
  }
  if (spec.edge_exclusion_mm > 0 && !small) {
    draw_circle(canvas, g, g.radius_um - spec.edge_exclusion_mm * 1000.0, Qt::DashLine);
  }
  painter.setBrush(Qt::NoBrush);
  painter.setPen(QPen(colour(theme.text), small ? 1.0 : 1.5));
  painter.drawPath(outline);
  draw_defects(canvas, spec, g);
  for (const MapDie& die : spec.dies) {
    if (die.selected) canvas.selection(g.die(die.die));
  }
  if (spec.show_axes) draw_axes(canvas, spec, g);
  draw_map_legend(canvas, spec, g);
  if (spec.dies.empty() && spec.defects.empty()) {
    canvas.empty(g.disc, QStringLiteral("No dies to show"));
  }
}

WaferMapSpec stacked_map(std::span<const WaferMapSpec> maps) {
  WaferMapSpec stack;
  if (!maps.empty()) {
    stack = maps.front();
    stack.dies.clear();
    stack.defects.clear();
    stack.unpositioned = 0;
  }
  struct Count {
    std::int64_t n = 0, passed = 0;
  };
  std::map<DieIndex, Count> places;
  for (const WaferMapSpec& map : maps) {
    stack.unpositioned += map.unpositioned;
    for (const MapDie& die : map.dies) {
      Count& count = places[die.die];
      if (die.state != DieState::kTested) continue;
      ++count.n;
      count.passed += die.pass ? 1 : 0;
    }
  }
  for (const auto& [place, count] : places) {
    MapDie die{.die = place, .n = count.n};
    if (count.n > 0) {
      die.value = static_cast<double>(count.passed) / static_cast<double>(count.n);
    } else {
      die.state = DieState::kNoData;
    }
    stack.dies.push_back(die);
  }
  stack.colouring = DieColouring::kRate;
  stack.scale = {.low = 0, .high = 1, .percent = true, .title = "pass rate"};
  stack.title = "Stack of " + format_count(static_cast<std::int64_t>(maps.size())) + " wafers";
  stack.subtitle.clear();
  return stack;
}

}  // namespace yieldloop::charts
