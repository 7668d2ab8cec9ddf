/// \file
/// The wafer map: die grid, notch, axes, rings, reticle grid, defects, selection.
///
/// The frame is the wafer's with the notch down, in micrometres from the wafer centre; x grows
/// right and y up. The lower-left corner of die (x, y) lies at (x * die_width - centre_x,
/// y * die_height - centre_y). `quarter_turns` and `mirrored` change the drawing only: labels,
/// tooltips and hit tests keep the prober's die index, and the notch moves with the wafer.
/// A die without result is grey, never the fail colour; superseded and edge-excluded dies are
/// dimmed. The origin die and the directions of the axes are always shown.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/core/quantity.h"
#include "gui/charts/theme.h"

class QPainter;
class QPointF;
class QPolygonF;
class QRectF;

namespace yieldloop::charts {

enum class DieState : std::uint8_t {
  kTested,
  kNoData,        ///< On the wafer, but no result: grey.
  kSuperseded,    ///< An older result that no longer counts: dimmed.
  kEdgeExcluded,  ///< Inside the edge exclusion: dimmed.
};

enum class DieColouring : std::uint8_t { kPassFail, kBin, kValue, kRate };

struct MapDie {
  DieIndex die;
  int bin = 0;
  bool pass = false;
  double value = std::numeric_limits<double>::quiet_NaN();  ///< For kValue and kRate.
  std::int64_t n = 1;  ///< Results behind `value`; a die with n = 0 has no data.
  DieState state = DieState::kTested;
  bool selected = false;
  friend bool operator==(const MapDie&, const MapDie&) = default;
};

struct MapDefect {
  double x_um = 0.0, y_um = 0.0;  ///< From the wafer centre, notch down.
  double size_um = 0.0;           ///< Sets the size of the point, by its square root.
  int category = 0;               ///< Colour, by category_colour.
  bool selected = false;
  friend bool operator==(const MapDefect&, const MapDefect&) = default;
};

/// The range of kValue and kRate colours; give the limits, so that wafers compare.
struct ValueScale {
  double low = 0.0;
  double high = 1.0;
  bool percent = false;
  bool diverging = false;  ///< Neutral in the middle of the range; otherwise viridis.
  std::string title;
  friend bool operator==(const ValueScale&, const ValueScale&) = default;
};

struct WaferMapSpec {
  std::string title;     ///< "L012/W03".
  std::string subtitle;  ///< "final yield 91.3 % of 412 dies".
  std::vector<MapDie> dies;
  std::vector<MapDefect> defects;
  double die_width_um = 0.0;  ///< 0: square dies that fill the wafer are drawn.
  double die_height_um = 0.0;
  std::optional<double> centre_x_um;  ///< Wafer centre in the die grid's frame; when absent, the
  std::optional<double> centre_y_um;  ///< middle of the dies given, and the map says so.
  double wafer_diameter_mm = 300.0;
  double edge_exclusion_mm = 0.0;  ///< Drawn as a dashed circle when > 0.
  int quarter_turns = 0;           ///< Clockwise, as seen.
  bool mirrored = false;           ///< Left and right exchanged before turning.
  DieColouring colouring = DieColouring::kPassFail;
  ValueScale scale;
  int ring_count = 0;       ///< Rings of equal area, drawn as circles.
  int reticle_columns = 0;  ///< 0: no reticle grid.
  int reticle_rows = 0;
  DieIndex reticle_origin;
  bool show_legend = true;
  bool show_axes = true;           ///< Origin mark and axis arrows; the notch is always drawn.
  bool show_labels = true;         ///< Die labels, where they fit.
  std::int64_t unpositioned = 0;   ///< Results without a place: said in a note, never drawn.
  std::vector<int> isolated_bins;  ///< When not empty, dies of other bins are dimmed.
  friend bool operator==(const WaferMapSpec&, const WaferMapSpec&) = default;
};

void paint(QPainter& painter, const QRectF& rect, const WaferMapSpec& spec,
           const Theme& theme = light_theme());

/// Position in spec.dies of the die under `point`, -1 when there is none.
int hit_test(const WaferMapSpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme = light_theme());
/// Position in spec.defects of the nearest defect within `reach` pixels, -1 when there is none.
int defect_at(const WaferMapSpec& spec, const QRectF& rect, const QPointF& point,
              double reach = 6.0, const Theme& theme = light_theme());
/// Positions of the dies whose centre lies inside a lasso or rubber band.
std::vector<int> dies_within(const WaferMapSpec& spec, const QRectF& rect, const QPolygonF& lasso,
                             const Theme& theme = light_theme());
/// Where the die is drawn; empty when the index is out of range.
QRectF die_rect(const WaferMapSpec& spec, const QRectF& rect, std::size_t index,
                const Theme& theme = light_theme());
/// Where the middle of the notch is drawn.
QPointF notch_point(const WaferMapSpec& spec, const QRectF& rect,
                    const Theme& theme = light_theme());
/// The colour the die is filled with.
Rgb die_colour(const WaferMapSpec& spec, const MapDie& die, const Theme& theme = light_theme());
/// "die (3, −2): bin 5, fail": the text of a tooltip; it never depends on turning or mirroring.
std::string die_tooltip(const WaferMapSpec& spec, std::size_t index);

/// Pass rate and n of each die place over several wafers of one geometry; dies that are not
/// kTested do not count. The first map gives geometry and flags. Shape: one MapDie per place,
/// sorted by die.
WaferMapSpec stacked_map(std::span<const WaferMapSpec> maps);

}  // namespace yieldloop::charts
