/// \file
/// Trend over wafers, lots or time, and scatter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gui/charts/theme.h"

class QPainter;
class QPointF;
class QRectF;

namespace yieldloop::charts {

struct TrendPoint {
  std::string label;  ///< Lot, wafer or date under the axis.
  double value = 0.0;
  std::optional<double> low, high;  ///< Interval of the point, drawn as a whisker.
  std::int64_t n = 0;
  bool excursion = false;
  bool selected = false;
};

/// Points are equally spaced in the order given. Excursions are triangles pointing away from the
/// baseline, so that they do not rest on colour.
struct TrendSpec {
  std::string title;
  std::string y_title;
  std::string x_title;
  std::vector<TrendPoint> points;
  std::optional<double> baseline;
  std::optional<double> baseline_low, baseline_high;  ///< Band around the baseline.
  std::string baseline_title = "baseline";            ///< What the line is, for the note.
  std::string band_title = "its interval";            ///< What the band is.
  bool percent = false;
  bool joined = true;
};
void paint(QPainter& painter, const QRectF& rect, const TrendSpec& spec,
           const Theme& theme = light_theme());
int hit_test(const TrendSpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme = light_theme());

struct ScatterPoint {
  double x = 0.0, y = 0.0;
  int category = 0;
  bool selected = false;
};

/// More than 5,000 points are splatted into an image instead of being drawn one by one.
struct ScatterSpec {
  std::string title;
  std::string x_title, y_title;
  std::vector<ScatterPoint> points;     ///< Points that are not finite are counted in a note.
  std::vector<std::string> categories;  ///< Legend; may be empty.
  bool diagonal = false;                ///< The line y = x, for predicted against actual.
};
void paint(QPainter& painter, const QRectF& rect, const ScatterSpec& spec,
           const Theme& theme = light_theme());
int hit_test(const ScatterSpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme = light_theme());

}  // namespace yieldloop::charts
