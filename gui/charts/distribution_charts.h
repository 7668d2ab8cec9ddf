/// \file
/// Histogram, box plot by category, heat map.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gui/charts/theme.h"
#include "gui/charts/wafer_map.h"

class QPainter;
class QPointF;
class QRectF;

namespace yieldloop::charts {

/// Bin width by Freedman-Diaconis, 2 * IQR / n^(1/3), unless `bin_count` is given; at most 200.
/// Source: D. Freedman, P. Diaconis, Z. Wahrscheinlichkeitstheorie 57 (1981) 453-476.
struct HistogramSpec {
  std::string title;
  std::string x_title;
  std::vector<double> values;  ///< Values that are not finite are counted in a note.
  int bin_count = 0;
  std::optional<double> lower_limit, upper_limit;
};
struct HistogramBins {
  double low = 0.0, width = 1.0;
  std::vector<std::int64_t> counts;
  std::int64_t not_finite = 0;
};
HistogramBins histogram_bins(const HistogramSpec& spec);
void paint(QPainter& painter, const QRectF& rect, const HistogramSpec& spec,
           const Theme& theme = light_theme());
/// Position of the bin; -1 for none.
int hit_test(const HistogramSpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme = light_theme());

struct BoxGroup {
  std::string label;
  std::vector<double> values;
  bool highlighted = false;
};
/// Quartiles by linear interpolation of order statistics, whiskers to the last value within
/// 1.5 IQR, points beyond. Source: J. W. Tukey, "Exploratory Data Analysis" (1977), ch. 2;
/// R. J. Hyndman, Y. Fan, Am. Stat. 50 (1996) 361-365, definition 7.
struct BoxSpec {
  std::string title;
  std::string y_title;
  std::vector<BoxGroup> groups;
  std::optional<double> reference;  ///< Line across, e.g. the overall median.
  bool percent = false;
};
struct BoxStatistics {
  double low_whisker = 0.0, q1 = 0.0, median = 0.0, q3 = 0.0, high_whisker = 0.0;
  std::vector<double> outliers;
  std::int64_t n = 0;
};
BoxStatistics box_statistics(std::vector<double> values);
void paint(QPainter& painter, const QRectF& rect, const BoxSpec& spec,
           const Theme& theme = light_theme());
int hit_test(const BoxSpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme = light_theme());

/// Shape: values is [rows * columns], row by row; NaN cells are grey.
struct HeatMapSpec {
  std::string title;
  std::vector<std::string> rows, columns;
  std::vector<double> values;
  ValueScale scale;
  int selected = -1;  ///< Position in values.
};
void paint(QPainter& painter, const QRectF& rect, const HeatMapSpec& spec,
           const Theme& theme = light_theme());
/// Position in values; -1 for none.
int hit_test(const HeatMapSpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme = light_theme());

}  // namespace yieldloop::charts
