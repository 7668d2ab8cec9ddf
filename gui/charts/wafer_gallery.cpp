#include "gui/charts/wafer_gallery.h"

#include <QRectF>
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "gui/charts/canvas.h"
#include "gui/charts/palette.h"
#include "gui/charts/wafer_geometry.h"

namespace yieldloop::charts {
namespace {

constexpr double kPadding = 8.0;

struct Grid {
  QRectF title, cells, legend;
  int columns = 1;
  int rows = 1;
};

bool has_scale(const WaferMapSpec& common) {
  return common.colouring == DieColouring::kValue || common.colouring == DieColouring::kRate;
}

std::vector<LegendEntry> legend_entries(const WaferGallerySpec& spec, const Theme& theme) {
  std::vector<LegendEntry> entries;
  if (spec.common.colouring == DieColouring::kBin) {
    std::set<std::pair<bool, int>> bins;
    for (const WaferMapSpec& map : spec.maps) {
      for (const MapDie& die : map.dies) {
        if (die.state == DieState::kTested) bins.insert({!die.pass, die.bin});
      }
    }
    for (const auto& [fail, bin] : bins) {
      if (entries.size() == 16) break;
      entries.push_back({QStringLiteral("bin %1 %2")
                             .arg(bin)
                             .arg(fail ? QStringLiteral("fail") : QStringLiteral("pass")),
                         bin_colour(bin, !fail)});
    }
  } else {
    entries.push_back({QStringLiteral("pass"), kPassColour});
    entries.push_back({QStringLiteral("fail"), kFailColour});
  }
  entries.push_back({QStringLiteral("no data"), theme.no_data});
  return entries;
}

Grid grid_of(const WaferGallerySpec& spec, const QRectF& rect, const Theme& theme) {
  Grid grid;
  QRectF inner = rect.adjusted(kPadding, kPadding, -kPadding, -kPadding);
  if (!spec.title.empty()) {
    const double height = line_height(chart_font(theme, theme.title_px, true));
    grid.title = QRectF(inner.left(), inner.top(), inner.width(), height);
    inner.setTop(inner.top() + height + 4);
  }
  if (spec.common.show_legend) {
    const double small = line_height(chart_font(theme, theme.small_px));
    const double height =
        has_scale(spec.common)
            ? 2 * small + 18
            : std::max(legend_height(legend_entries(spec, theme), inner.width() - 44, theme), 36.0);
    grid.legend = QRectF(inner.left(), inner.bottom() - height, inner.width(), height);
    inner.setBottom(inner.bottom() - height - 4);
  }
  grid.cells = inner;
  const int count = std::max(1, static_cast<int>(spec.maps.size()));
  grid.columns = spec.columns > 0 ? std::min(spec.columns, count) : 1;
  const double text = line_height(chart_font(theme, theme.text_px)) * 2;
  double best = -1e9;
  for (int columns = 1; spec.columns <= 0 && columns <= count; ++columns) {
    const int rows = (count + columns - 1) / columns;
    const double side = std::min(inner.width() / columns, inner.height() / rows - text);
    if (side > best) {
      best = side;
      grid.columns = columns;
    }
  }
  grid.rows = (count + grid.columns - 1) / grid.columns;
  return grid;
}

QRectF cell_of(const Grid& grid, std::size_t index) {
  const auto columns = static_cast<std::size_t>(grid.columns);
  const double width = grid.cells.width() / grid.columns;
  const double height = grid.cells.height() / grid.rows;
  const std::size_t column = index % columns, row = index / columns;
  return {grid.cells.left() + width * static_cast<double>(column),
          grid.cells.top() + height * static_cast<double>(row), width, height};
}

// Which way x and y grow, once for all maps.
void draw_axis_key(Canvas& canvas, const WaferMapSpec& common, const QRectF& box) {
  const WaferGeometry g(common, QRectF(0, 0, 100, 100), canvas.theme());
  const Theme& theme = canvas.theme();
  const QFont font = chart_font(theme, theme.small_px);
  const QPointF zero = g.to_screen(0, 0);
  const QPointF middle = box.center();
  for (const bool is_x : {true, false}) {
    const double unit = 11 / g.pixels_per_um;
    const QPointF d = (is_x ? g.to_screen(unit, 0) : g.to_screen(0, unit)) - zero;
    canvas.line(middle.x(), middle.y(), middle.x() + d.x(), middle.y() + d.y(), theme.text, 1.3);
    const QPointF at = middle + d * 1.55;
    canvas.text(QRectF(at.x() - 6, at.y() - 7, 12, 14), Qt::AlignCenter,
                is_x ? QStringLiteral("x") : QStringLiteral("y"), font, theme.text);
  }
}

void draw_gallery_legend(Canvas& canvas, const WaferGallerySpec& spec, const Grid& grid) {
  if (grid.legend.isEmpty()) return;
  const QRectF key(grid.legend.left(), grid.legend.top(), 40, grid.legend.height());
  draw_axis_key(canvas, spec.common, key);
  const QRectF rest = grid.legend.adjusted(52, 0, 0, 0);
  if (!has_scale(spec.common)) {
    draw_legend(canvas, rest.adjusted(0, 4, 0, 0), legend_entries(spec, canvas.theme()));
    return;
  }
  const ValueScale& scale = spec.common.scale;
  draw_scale_bar(
      canvas, QRectF(rest.left(), rest.top(), std::min(rest.width(), 360.0), rest.height()),
      scale.low, scale.high, scale.percent, scale.diverging, label_text(scale.title), true);
}

}  // namespace

WaferMapSpec gallery_map(const WaferGallerySpec& spec, std::size_t index) {
  WaferMapSpec map = spec.maps[index];
  map.colouring = spec.common.colouring;
  map.scale = spec.common.scale;
  map.quarter_turns = spec.common.quarter_turns;
  map.mirrored = spec.common.mirrored;
  map.isolated_bins = spec.common.isolated_bins;
  map.ring_count = spec.common.ring_count;
  map.show_legend = false;
  map.show_axes = false;
  map.show_labels = false;
  return map;
}

ValueScale shared_scale(const WaferGallerySpec& spec) {
  ValueScale scale = spec.common.scale;
  bool first = true;
  for (const WaferMapSpec& map : spec.maps) {
    for (const MapDie& die : map.dies) {
      if (die.n <= 0 || die.state != DieState::kTested || !std::isfinite(die.value)) continue;
      scale.low = first ? die.value : std::min(scale.low, die.value);
      scale.high = first ? die.value : std::max(scale.high, die.value);
      first = false;
    }
  }
  if (first) {
    scale.low = 0;
    scale.high = 1;
  }
  return scale;
}

QRectF gallery_cell(const WaferGallerySpec& spec, const QRectF& rect, std::size_t index,
                    const Theme& theme) {
  if (index >= spec.maps.size()) return {};
  return cell_of(grid_of(spec, rect, theme), index);
}

GalleryHit gallery_hit_test(const WaferGallerySpec& spec, const QRectF& rect, const QPointF& point,
                            const Theme& theme) {
  const Grid grid = grid_of(spec, rect, theme);
  for (std::size_t i = 0; i < spec.maps.size(); ++i) {
    const QRectF cell = cell_of(grid, i);
    if (cell.contains(point)) {
      return {static_cast<int>(i), hit_test(gallery_map(spec, i), cell, point, theme)};
    }
  }
  return {};
}

int hit_test(const WaferGallerySpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme) {
  return gallery_hit_test(spec, rect, point, theme).map;
}

void paint(QPainter& painter, const QRectF& rect, const WaferGallerySpec& spec,
           const Theme& theme) {
  Canvas canvas(painter, rect, theme);
  const Grid grid = grid_of(spec, rect, theme);
  canvas.text(grid.title, Qt::AlignLeft | Qt::AlignVCenter, label_text(spec.title),
              chart_font(theme, theme.title_px, true), theme.text);
  if (spec.maps.empty()) {
    canvas.empty(grid.cells, QStringLiteral("No wafers to show"));
    return;
  }
  for (std::size_t i = 0; i < spec.maps.size(); ++i) {
    paint(painter, cell_of(grid, i), gallery_map(spec, i), theme);
  }
  for (const std::size_t index : spec.selected) {
    if (index < spec.maps.size()) {
      canvas.selection(cell_of(grid, index).adjusted(1.5, 1.5, -1.5, -1.5));
    }
  }
  draw_gallery_legend(canvas, spec, grid);
}

}  // namespace yieldloop::charts
