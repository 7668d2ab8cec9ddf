/// \file
/// What all charts draw alike: text that is elided rather than clipped, axes, notes, legends.
/// Private to gui/charts. Every `*_frame` is computed without a painter, so that hit tests and
/// painting agree.
#pragma once

#include <QColor>
#include <QFont>
#include <QPainter>
#include <QRectF>
#include <QString>
#include <string>
#include <vector>

#include "gui/charts/number_format.h"
#include "gui/charts/theme.h"

namespace yieldloop::charts {

QColor colour(Rgb rgb);
QFont chart_font(const Theme& theme, double pixels, bool bold = false);
double text_width(const QFont& font, const QString& text);
double line_height(const QFont& font);
/// Invalid UTF-8 becomes U+FFFD, control characters become blanks.
QString label_text(const std::string& text);

/// Value to pixel; `from` is the pixel of `low`.
struct Axis {
  double low = 0.0, high = 1.0;
  double from = 0.0, to = 1.0;
  double at(double value) const;
  double value_at(double pixel) const;
};

/// Saves and restores the painter, fills the background, and knows the theme.
class Canvas {
 public:
  Canvas(QPainter& painter, const QRectF& rect, const Theme& theme);
  ~Canvas();
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;

  QPainter& painter() { return painter_; }
  const Theme& theme() const { return theme_; }

  /// Elided on the right to the width of the rectangle.
  void text(const QRectF& rect, Qt::Alignment alignment, const QString& text, const QFont& font,
            Rgb ink);
  /// Read from bottom to top, centred in the rectangle.
  void vertical_text(const QRectF& rect, const QString& text, const QFont& font, Rgb ink);
  void line(double x1, double y1, double x2, double y2, Rgb ink, double width = 1.0,
            Qt::PenStyle style = Qt::SolidLine);
  /// Outline seen on any colour: black without, white within.
  void selection(const QRectF& rect);
  /// "No data: ..." in the middle of the chart.
  void empty(const QRectF& rect, const QString& why);

 private:
  QPainter& painter_;
  const Theme& theme_;
};

/// Places of the parts of a chart with two axes.
struct Frame {
  QRectF title, plot, x_labels, x_title, y_title, note;
};

struct FrameParts {
  QString title, x_title, y_title, note;
  double left_labels = 0.0;  ///< Width of the labels left of the plot.
  double right_labels = 0.0;
  double bottom_labels = 0.0;  ///< Height of the labels under the plot.
};

Frame chart_frame(const QRectF& rect, const Theme& theme, const FrameParts& parts);
void draw_frame_texts(Canvas& canvas, const Frame& frame, const FrameParts& parts);

double widest_label(const std::vector<Tick>& ticks, const Theme& theme);
/// Grid lines and labels left of the plot (or right of it, without grid).
void draw_left_axis(Canvas& canvas, const QRectF& plot, const Axis& axis,
                    const std::vector<Tick>& ticks);
void draw_bottom_axis(Canvas& canvas, const QRectF& plot, const Axis& axis,
                      const std::vector<Tick>& ticks);

/// Labels of equally wide columns: flat where they fit, slanted where not, every k-th when even
/// that is too narrow.
double category_height(const std::vector<QString>& labels, double column_width, const Theme& theme);
void draw_category_labels(Canvas& canvas, const QRectF& bounds, const QRectF& plot,
                          const std::vector<QString>& labels);

/// Swatches with texts in rows that wrap; returns the height used when drawn.
struct LegendEntry {
  QString text;
  Rgb colour = 0;
  bool line = false;
};
double legend_height(const std::vector<LegendEntry>& entries, double width, const Theme& theme);
void draw_legend(Canvas& canvas, const QRectF& rect, const std::vector<LegendEntry>& entries);

/// A scale bar with ticks, for maps.
void draw_scale_bar(Canvas& canvas, const QRectF& rect, double low, double high, bool percent,
                    bool is_diverging, const QString& title, bool horizontal);

}  // namespace yieldloop::charts
