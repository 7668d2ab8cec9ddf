#include "gui/charts/wafer_geometry.h"

#include <QPolygonF>
#include <algorithm>
#include <cmath>

#include "gui/charts/canvas.h"

namespace yieldloop::charts {
namespace {

constexpr double kLegendWidth = 118.0;
constexpr double kLegendFrom = 260.0;  // Narrower maps have no room for a legend.

bool grid_given(const WaferMapSpec& spec) {
  return spec.die_width_um > 0 && spec.die_height_um > 0 && spec.centre_x_um && spec.centre_y_um;
}

}  // namespace

QString wafer_note(const WaferMapSpec& spec, bool inferred) {
  QStringList notes;
  if (spec.unpositioned > 0) {
    notes << QString::fromStdString(format_count(spec.unpositioned)) +
                 QStringLiteral(" results without a place are not drawn");
  }
  if (inferred && !spec.dies.empty()) {
    notes << QStringLiteral("die grid placed by the dies themselves");
  }
  return notes.join(QStringLiteral("; "));
}

WaferGeometry::WaferGeometry(const WaferMapSpec& spec, const QRectF& rect, const Theme& theme)
    : turns_(((spec.quarter_turns % 4) + 4) % 4), mirrored_(spec.mirrored) {
  radius_um = std::max(1.0, spec.wafer_diameter_mm * 500.0);
  inferred = !grid_given(spec);
  place_parts(spec, rect, theme);
  place_grid(spec);
}

void WaferGeometry::place_parts(const WaferMapSpec& spec, const QRectF& rect, const Theme& theme) {
  const bool small = rect.width() < kLegendFrom;
  const double padding = small ? 3 : 8;
  QRectF inner = rect.adjusted(padding, padding, -padding, -padding);
  if (!spec.title.empty()) {
    const double height =
        line_height(chart_font(theme, small ? theme.text_px : theme.title_px, true));
    title = QRectF(inner.left(), inner.top(), inner.width(), height);
    inner.setTop(inner.top() + height);
  }
  const double line = line_height(chart_font(theme, theme.small_px));
  if (!spec.subtitle.empty()) {
    subtitle = QRectF(inner.left(), inner.top(), inner.width(), line);
    inner.setTop(inner.top() + line);
  }
  if (!small && !wafer_note(spec, inferred).isEmpty()) {
    note = QRectF(inner.left(), inner.bottom() - line, inner.width(), line);
    inner.setBottom(inner.bottom() - line - 2);
  }
  if (spec.show_legend && !small) {
    legend =
        QRectF(inner.right() - kLegendWidth, inner.top() + 8, kLegendWidth, inner.height() - 8);
    inner.setRight(inner.right() - kLegendWidth - 10);
  }
  const double margin = small ? 3 : 6;
  const double side = std::max(2.0, std::min(inner.width(), inner.height()) - 2 * margin);
  centre_ = inner.center();
  disc = QRectF(centre_.x() - side / 2, centre_.y() - side / 2, side, side);
  pixels_per_um = side / (2 * radius_um);
}

void WaferGeometry::place_grid(const WaferMapSpec& spec) {
  int min_x = 0, max_x = 0, min_y = 0, max_y = 0;
  bool first = true;
  for (const MapDie& die : spec.dies) {
    min_x = first ? die.die.x : std::min<int>(min_x, die.die.x);
    max_x = first ? die.die.x : std::max<int>(max_x, die.die.x);
    min_y = first ? die.die.y : std::min<int>(min_y, die.die.y);
    max_y = first ? die.die.y : std::max<int>(max_y, die.die.y);
    first = false;
  }
  die_width_um = spec.die_width_um;
  die_height_um = spec.die_height_um;
  if (!(die_width_um > 0)) die_width_um = 2 * radius_um / (max_x - min_x + 1);
  if (!(die_height_um > 0)) die_height_um = 2 * radius_um / (max_y - min_y + 1);
  centre_x_um = spec.centre_x_um.value_or((min_x + max_x + 1) * 0.5 * die_width_um);
  centre_y_um = spec.centre_y_um.value_or((min_y + max_y + 1) * 0.5 * die_height_um);
}

QPointF WaferGeometry::to_screen(double x_um, double y_um) const {
  double x = mirrored_ ? -x_um : x_um;
  double y = y_um;
  for (int i = 0; i < turns_; ++i) {  // One clockwise quarter turn: (x, y) -> (y, -x).
    const double old_x = x;
    x = y;
    y = -old_x;
  }
  return {centre_.x() + x * pixels_per_um, centre_.y() - y * pixels_per_um};
}

QPointF WaferGeometry::to_wafer(const QPointF& point) const {
  double x = (point.x() - centre_.x()) / pixels_per_um;
  double y = (centre_.y() - point.y()) / pixels_per_um;
  for (int i = 0; i < turns_; ++i) {
    const double old_x = x;
    x = -y;
    y = old_x;
  }
  return {mirrored_ ? -x : x, y};
}

QPointF WaferGeometry::grid_point(double column, double row) const {
  return to_screen(column * die_width_um - centre_x_um, row * die_height_um - centre_y_um);
}

QRectF WaferGeometry::die(DieIndex die) const {
  return QRectF(grid_point(die.x, die.y), grid_point(die.x + 1, die.y + 1)).normalized();
}

double WaferGeometry::die_pixels() const {
  return std::min(die_width_um, die_height_um) * pixels_per_um;
}

QRectF die_rect(const WaferMapSpec& spec, const QRectF& rect, std::size_t index,
                const Theme& theme) {
  if (index >= spec.dies.size()) return {};
  return WaferGeometry(spec, rect, theme).die(spec.dies[index].die);
}

QPointF notch_point(const WaferMapSpec& spec, const QRectF& rect, const Theme& theme) {
  const WaferGeometry geometry(spec, rect, theme);
  return geometry.to_screen(0, -geometry.radius_um);
}

int hit_test(const WaferMapSpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme) {
  const WaferGeometry geometry(spec, rect, theme);
  const QPointF at = geometry.to_wafer(point);
  const double column = std::floor((at.x() + geometry.centre_x_um) / geometry.die_width_um);
  const double row = std::floor((at.y() + geometry.centre_y_um) / geometry.die_height_um);
  // The last one is drawn on top: a valid result covers the one it superseded.
  for (std::size_t i = spec.dies.size(); i-- > 0;) {
    if (spec.dies[i].die.x == column && spec.dies[i].die.y == row) return static_cast<int>(i);
  }
  return -1;
}

int defect_at(const WaferMapSpec& spec, const QRectF& rect, const QPointF& point, double reach,
              const Theme& theme) {
  const WaferGeometry geometry(spec, rect, theme);
  int best = -1;
  double best_distance = reach;
  for (std::size_t i = 0; i < spec.defects.size(); ++i) {
    const QPointF at = geometry.to_screen(spec.defects[i].x_um, spec.defects[i].y_um) - point;
    const double distance = std::hypot(at.x(), at.y());
    if (distance <= best_distance) {
      best = static_cast<int>(i);
      best_distance = distance;
    }
  }
  return best;
}

std::vector<int> dies_within(const WaferMapSpec& spec, const QRectF& rect, const QPolygonF& lasso,
                             const Theme& theme) {
  const WaferGeometry geometry(spec, rect, theme);
  const QRectF bounds = lasso.boundingRect();
  std::vector<int> inside;
  for (std::size_t i = 0; i < spec.dies.size(); ++i) {
    const QPointF centre = geometry.die(spec.dies[i].die).center();
    if (bounds.contains(centre) && lasso.containsPoint(centre, Qt::OddEvenFill)) {
      inside.push_back(static_cast<int>(i));
    }
  }
  return inside;
}

}  // namespace yieldloop::charts
