#include "gui/charts/canvas.h"

#include <QFontMetricsF>
#include <QPen>
#include <algorithm>
#include <cmath>

#include "gui/charts/palette.h"

namespace yieldloop::charts {
namespace {

constexpr double kPadding = 8.0;
constexpr double kGap = 4.0;
constexpr double kSlant = 45.0;
constexpr double kSlantedLength = 96.0;
constexpr double kSwatch = 10.0;

double legend_entry_width(const LegendEntry& entry, const QFont& font) {
  return kSwatch + kGap + text_width(font, entry.text) + 14.0;
}

}  // namespace

QColor colour(Rgb rgb) { return QColor::fromRgba(rgb); }

QFont chart_font(const Theme& theme, double pixels, bool bold) {
  QFont font(QString::fromStdString(theme.font_family));
  // Qt takes whole pixel sizes only; points are not usable, because they depend on the device.
  font.setPixelSize(std::max(1, static_cast<int>(std::lround(pixels))));
  font.setBold(bold);
  font.setHintingPreference(QFont::PreferNoHinting);
  return font;
}

double text_width(const QFont& font, const QString& text) {
  return QFontMetricsF(font).horizontalAdvance(text);
}

double line_height(const QFont& font) { return QFontMetricsF(font).height(); }

QString label_text(const std::string& text) {
  QString label = QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
  for (QChar& c : label) {
    if (c.category() == QChar::Other_Control || c == QChar::LineSeparator) c = QLatin1Char(' ');
  }
  return label;
}

double Axis::at(double value) const {
  if (high == low) return (from + to) / 2;
  return from + (value - low) / (high - low) * (to - from);
}

double Axis::value_at(double pixel) const {
  if (to == from) return low;
  return low + (pixel - from) / (to - from) * (high - low);
}

Canvas::Canvas(QPainter& painter, const QRectF& rect, const Theme& theme)
    : painter_(painter), theme_(theme) {
  painter_.save();
  painter_.setRenderHint(QPainter::Antialiasing);
  painter_.setRenderHint(QPainter::TextAntialiasing);
  painter_.fillRect(rect, colour(theme.background));
}

Canvas::~Canvas() { painter_.restore(); }

void Canvas::text(const QRectF& rect, Qt::Alignment alignment, const QString& text,
                  const QFont& font, Rgb ink) {
  if (text.isEmpty() || rect.width() <= 0) return;
  painter_.setFont(font);
  painter_.setPen(colour(ink));
  const QString shown = QFontMetricsF(font).elidedText(text, Qt::ElideRight, rect.width() + 0.5);
  const int flags = static_cast<int>(alignment) | Qt::TextSingleLine | Qt::TextDontClip;
  painter_.drawText(rect, flags, shown);
}

void Canvas::vertical_text(const QRectF& rect, const QString& label, const QFont& font, Rgb ink) {
  painter_.save();
  painter_.translate(rect.center());
  painter_.rotate(-90);
  text(QRectF(-rect.height() / 2, -rect.width() / 2, rect.height(), rect.width()), Qt::AlignCenter,
       label, font, ink);
  painter_.restore();
}

void Canvas::line(double x1, double y1, double x2, double y2, Rgb ink, double width,
                  Qt::PenStyle style) {
  painter_.setPen(QPen(colour(ink), width, style, Qt::FlatCap));
  painter_.drawLine(QPointF(x1, y1), QPointF(x2, y2));
}

void Canvas::selection(const QRectF& rect) {
  painter_.setBrush(Qt::NoBrush);
  painter_.setPen(
      QPen(colour(theme_.select_outer), 3.0, Qt::SolidLine, Qt::SquareCap, Qt::MiterJoin));
  painter_.drawRect(rect);
  painter_.setPen(
      QPen(colour(theme_.select_inner), 1.2, Qt::SolidLine, Qt::SquareCap, Qt::MiterJoin));
  painter_.drawRect(rect);
}

void Canvas::empty(const QRectF& rect, const QString& why) {
  text(rect, Qt::AlignCenter, why, chart_font(theme_, theme_.text_px), theme_.muted);
}

Frame chart_frame(const QRectF& rect, const Theme& theme, const FrameParts& parts) {
  Frame frame;
  const QRectF inner = rect.adjusted(kPadding, kPadding, -kPadding, -kPadding);
  const double title = line_height(chart_font(theme, theme.title_px, true));
  const double text = line_height(chart_font(theme, theme.text_px));
  const double small = line_height(chart_font(theme, theme.small_px));
  double top = inner.top();
  if (!parts.title.isEmpty()) {
    frame.title = QRectF(inner.left(), top, inner.width(), title);
    top += title + kGap + 2;
  } else {
    top += small / 2;
  }
  double bottom = inner.bottom();
  if (!parts.note.isEmpty()) {
    frame.note = QRectF(inner.left(), bottom - small, inner.width(), small);
    bottom -= small + kGap;
  }
  double left = inner.left();
  if (!parts.y_title.isEmpty()) left += text + kGap;
  if (parts.left_labels > 0) left += parts.left_labels + kGap + 2;
  double right = inner.right() - (parts.right_labels > 0 ? parts.right_labels + kGap + 2 : kGap);
  if (!parts.x_title.isEmpty()) bottom -= text + 2;
  const double x_title_top = bottom;
  bottom -= parts.bottom_labels > 0 ? parts.bottom_labels + kGap : 0;
  right = std::max(right, left + 1);
  bottom = std::max(bottom, top + 1);
  frame.plot = QRectF(left, top, right - left, bottom - top);
  frame.x_labels = QRectF(left, bottom + kGap, right - left, parts.bottom_labels);
  frame.x_title = QRectF(left, x_title_top, right - left, text + 2);
  frame.y_title = QRectF(inner.left(), top, text, bottom - top);
  return frame;
}

void draw_frame_texts(Canvas& canvas, const Frame& frame, const FrameParts& parts) {
  const Theme& theme = canvas.theme();
  canvas.text(frame.title, Qt::AlignLeft | Qt::AlignVCenter, parts.title,
              chart_font(theme, theme.title_px, true), theme.text);
  const QFont font = chart_font(theme, theme.text_px);
  canvas.text(frame.x_title, Qt::AlignHCenter | Qt::AlignBottom, parts.x_title, font, theme.muted);
  if (!parts.y_title.isEmpty()) {
    canvas.vertical_text(frame.y_title, parts.y_title, font, theme.muted);
  }
  canvas.text(frame.note, Qt::AlignLeft | Qt::AlignVCenter, parts.note,
              chart_font(theme, theme.small_px), theme.muted);
}

double widest_label(const std::vector<Tick>& ticks, const Theme& theme) {
  const QFont font = chart_font(theme, theme.small_px);
  double widest = 0;
  for (const Tick& tick : ticks) {
    widest = std::max(widest, text_width(font, QString::fromStdString(tick.label)));
  }
  return std::ceil(widest);
}

void draw_left_axis(Canvas& canvas, const QRectF& plot, const Axis& axis,
                    const std::vector<Tick>& ticks) {
  const Theme& theme = canvas.theme();
  const QFont font = chart_font(theme, theme.small_px);
  const double height = line_height(font);
  for (const Tick& tick : ticks) {
    const double y = axis.at(tick.value);
    canvas.line(plot.left(), y, plot.right(), y, theme.grid);
    const QString label = QString::fromStdString(tick.label);
    const double width = text_width(font, label) + 1;
    canvas.text(QRectF(plot.left() - kGap - 2 - width, y - height / 2, width, height),
                Qt::AlignRight | Qt::AlignVCenter, label, font, theme.muted);
  }
  canvas.line(plot.left(), plot.top(), plot.left(), plot.bottom(), theme.axis);
}

void draw_bottom_axis(Canvas& canvas, const QRectF& plot, const Axis& axis,
                      const std::vector<Tick>& ticks) {
  const Theme& theme = canvas.theme();
  const QFont font = chart_font(theme, theme.small_px);
  const double height = line_height(font);
  double free_from = -1e9;
  for (const Tick& tick : ticks) {
    const double x = axis.at(tick.value);
    canvas.line(x, plot.top(), x, plot.bottom(), theme.grid);
    const QString label = QString::fromStdString(tick.label);
    const double width = text_width(font, label) + 1;
    if (x - width / 2 < free_from) continue;
    canvas.text(QRectF(x - width / 2, plot.bottom() + kGap, width, height), Qt::AlignCenter, label,
                font, theme.muted);
    free_from = x + width / 2 + kGap;
  }
  canvas.line(plot.left(), plot.bottom(), plot.right(), plot.bottom(), theme.axis);
}

double category_height(const std::vector<QString>& labels, double column_width,
                       const Theme& theme) {
  const QFont font = chart_font(theme, theme.small_px);
  double widest = 0;
  for (const QString& label : labels) widest = std::max(widest, text_width(font, label));
  if (widest <= column_width - kGap) return line_height(font);
  const double shown = std::min(widest, kSlantedLength);
  return (shown + line_height(font)) * std::sin(kSlant * M_PI / 180.0) + 2;
}

void draw_category_labels(Canvas& canvas, const QRectF& bounds, const QRectF& plot,
                          const std::vector<QString>& labels) {
  if (labels.empty()) return;
  const Theme& theme = canvas.theme();
  const QFont font = chart_font(theme, theme.small_px);
  const double height = line_height(font);
  const double column = plot.width() / static_cast<double>(labels.size());
  double widest = 0;
  for (const QString& label : labels) widest = std::max(widest, text_width(font, label));
  const bool flat = widest <= column - kGap;
  const auto every = static_cast<std::size_t>(std::max(1.0, std::ceil((height + 2) / column)));
  for (std::size_t i = 0; i < labels.size(); i += flat ? 1 : every) {
    const double x = plot.left() + column * (static_cast<double>(i) + 0.5);
    if (flat) {
      canvas.text(QRectF(x - column / 2, plot.bottom() + kGap, column, height), Qt::AlignCenter,
                  labels[i], font, theme.text);
      continue;
    }
    const double room = (x - bounds.left() - 2) / std::cos(kSlant * M_PI / 180.0);
    const double length = std::min(room, kSlantedLength);
    QPainter& painter = canvas.painter();
    painter.save();
    painter.translate(x + height * 0.3, plot.bottom() + kGap);
    painter.rotate(-kSlant);
    canvas.text(QRectF(-length, 0, length, height), Qt::AlignRight | Qt::AlignVCenter, labels[i],
                font, theme.text);
    painter.restore();
  }
}

double legend_height(const std::vector<LegendEntry>& entries, double width, const Theme& theme) {
  if (entries.empty()) return 0;
  const QFont font = chart_font(theme, theme.small_px);
  const double row = line_height(font) + 2;
  double x = 0;
  double height = row;
  for (const LegendEntry& entry : entries) {
    const double w = std::min(legend_entry_width(entry, font), width);
    if (x > 0 && x + w > width) {
      x = 0;
      height += row;
    }
    x += w;
  }
  return height;
}

void draw_legend(Canvas& canvas, const QRectF& rect, const std::vector<LegendEntry>& entries) {
  const Theme& theme = canvas.theme();
  const QFont font = chart_font(theme, theme.small_px);
  const double row = line_height(font) + 2;
  double x = 0;
  double y = rect.top();
  for (const LegendEntry& entry : entries) {
    const double w = std::min(legend_entry_width(entry, font), rect.width());
    if (x > 0 && x + w > rect.width()) {
      x = 0;
      y += row;
    }
    if (y + row > rect.bottom() + 1) return;
    const double left = rect.left() + x;
    if (entry.line) {
      canvas.line(left, y + row / 2, left + kSwatch, y + row / 2, entry.colour, 2);
    } else {
      canvas.painter().fillRect(QRectF(left, y + (row - kSwatch) / 2, kSwatch, kSwatch),
                                colour(entry.colour));
    }
    canvas.text(QRectF(left + kSwatch + kGap, y, w - kSwatch - kGap, row),
                Qt::AlignLeft | Qt::AlignVCenter, entry.text, font, theme.text);
    x += w;
  }
}

void draw_scale_bar(Canvas& canvas, const QRectF& rect, double low, double high, bool percent,
                    bool is_diverging, const QString& title, bool horizontal) {
  const Theme& theme = canvas.theme();
  const QFont font = chart_font(theme, theme.small_px);
  const double height = line_height(font);
  canvas.text(QRectF(rect.left(), rect.top(), rect.width(), height),
              Qt::AlignLeft | Qt::AlignVCenter, title, font, theme.muted);
  const double top = rect.top() + (title.isEmpty() ? 0 : height + 3);
  const QRectF bar = horizontal ? QRectF(rect.left() + 14, top, rect.width() - 28, 10)
                                : QRectF(rect.left(), top + 4, 12, rect.bottom() - top - 8);
  constexpr int kSteps = 64;
  for (int i = 0; i < kSteps; ++i) {
    const double f = (i + 0.5) / kSteps;
    const QColor fill = colour(is_diverging ? diverging(f) : viridis(f));
    const double a = static_cast<double>(i) / kSteps;
    const QRectF step = horizontal
                            ? QRectF(bar.left() + a * bar.width(), bar.top(),
                                     bar.width() / kSteps + 0.5, bar.height())
                            : QRectF(bar.left(), bar.bottom() - (a + 1.0 / kSteps) * bar.height(),
                                     bar.width(), bar.height() / kSteps + 0.5);
    canvas.painter().fillRect(step, fill);
  }
  const double length = horizontal ? bar.width() : bar.height();
  const auto ticks =
      nice_ticks(low, high, std::clamp(static_cast<int>(length / 42), 2, 6), percent);
  const Axis axis = horizontal ? Axis{low, high, bar.left(), bar.right()}
                               : Axis{low, high, bar.bottom(), bar.top()};
  for (const Tick& tick : ticks) {
    const QString label = QString::fromStdString(tick.label);
    const double at = axis.at(tick.value);
    if (horizontal) {
      canvas.line(at, bar.bottom(), at, bar.bottom() + 3, theme.axis);
      canvas.text(QRectF(at - 28, bar.bottom() + 3, 56, height), Qt::AlignCenter, label, font,
                  theme.text);
    } else {
      canvas.line(bar.right(), at, bar.right() + 3, at, theme.axis);
      canvas.text(QRectF(bar.right() + 6, at - height / 2, rect.right() - bar.right() - 6, height),
                  Qt::AlignLeft | Qt::AlignVCenter, label, font, theme.text);
    }
  }
}

}  // namespace yieldloop::charts
