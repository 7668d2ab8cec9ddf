/// \file
/// Pareto of losses, effects with intervals, and contributions to a prediction.
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

struct ParetoBar {
  std::string label;
  double count = 0.0;
  std::optional<double> baseline;  ///< The same count expected from the baseline: a tick mark.
  std::optional<Rgb> colour;       ///< bin_colour(bin, false) for a bin; the accent otherwise.
  bool selected = false;
};

/// Bars are drawn in descending order of count; those beyond `max_bars` become one grey bar
/// "others (k)". The cumulative line is a share of the sum over all bars.
struct ParetoSpec {
  std::string title;
  std::string y_title = "dies";
  std::vector<ParetoBar> bars;
  std::size_t max_bars = 12;
  bool cumulative = true;
};
void paint(QPainter& painter, const QRectF& rect, const ParetoSpec& spec,
           const Theme& theme = light_theme());
/// Position in spec.bars; -1 for none and for "others".
int hit_test(const ParetoSpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme = light_theme());

struct ForestRow {
  std::string label;
  double effect = 0.0;
  double low = 0.0, high = 0.0;  ///< 95 % interval.
  std::int64_t n = 0;
  std::optional<double> q_value;  ///< Adjusted within its family.
  bool inconclusive = false;      ///< Too little data to decide: hollow mark, said in words.
  bool selected = false;
};

/// One effect with interval per row, in the order given, against a line at `reference`.
struct ForestSpec {
  std::string title;
  std::string x_title;
  std::vector<ForestRow> rows;
  double reference = 0.0;
  double q_alarm = 0.05;  ///< Rows below it whose interval excludes the reference are alert.
  bool percent = false;
  std::string n_title = "n";
  bool q_column = true;       ///< False where no test stands behind the rows: they are then plain.
  std::size_t max_rows = 20;  ///< Further rows are counted in a note.
};
void paint(QPainter& painter, const QRectF& rect, const ForestSpec& spec,
           const Theme& theme = light_theme());
int hit_test(const ForestSpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme = light_theme());

struct Contribution {
  std::string label;
  double value = 0.0;
  std::string note;  ///< The feature's value, "queue = 212 min".
};

/// SHAP contributions: bars right (raises the prediction) and left (lowers it), largest first;
/// the rest is summed in one bar. What makes the prediction worse has the alert colour.
struct ContributionSpec {
  std::string title;
  std::string x_title = "contribution";
  std::vector<Contribution> rows;
  std::optional<double> base;        ///< Prediction without features.
  std::optional<double> prediction;  ///< base + sum of contributions.
  bool higher_is_better = true;      ///< A yield; false for a fail probability.
  std::size_t max_rows = 12;
};
void paint(QPainter& painter, const QRectF& rect, const ContributionSpec& spec,
           const Theme& theme = light_theme());
int hit_test(const ContributionSpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme = light_theme());

}  // namespace yieldloop::charts
