#include "gui/report/pdf_report.h"

#include <QBuffer>
#include <QFontMetricsF>
#include <QImage>
#include <QPainter>
#include <QPdfWriter>
#include <QTextLayout>
#include <QTextOption>
#include <algorithm>
#include <cmath>

#include "engine/core/sha256.h"
#include "engine/report/report_json.h"
#include "gui/charts/theme.h"
#include "gui/report/report_document.h"

namespace yieldloop::gui_report {
namespace {

// A4 in CSS pixels; the painter is scaled to them.
constexpr double kPageWidth = 793.7;
constexpr double kPageHeight = 1122.5;
constexpr double kMargin = 48.0;
constexpr double kFoot = 28.0;
constexpr int kResolution = 1200;
constexpr double kCellPadding = 4.0;
constexpr double kPictureScale = 3.0;

QString qt_text(const std::string& text) {
  QString out = QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
  for (QChar& c : out) {
    if (c.category() == QChar::Other_Control) c = QLatin1Char(' ');
  }
  return out;
}

QFont pdf_font(int pixels, bool bold = false) {
  QFont font(QString::fromStdString(charts::light_theme().font_family));
  font.setPixelSize(pixels);
  font.setBold(bold);
  font.setHintingPreference(QFont::PreferNoHinting);
  return font;
}

QColor ink(charts::Rgb rgb) { return QColor::fromRgba(rgb); }

/// Sets blocks one under the other and starts pages where they do not fit.
class PdfPages {
 public:
  PdfPages(QPdfWriter& writer, const std::string& title, int total)
      : writer_(writer), painter_(&writer), title_(qt_text(title)), total_(total) {
    painter_.scale(kResolution / 96.0, kResolution / 96.0);
    painter_.setRenderHint(QPainter::LosslessImageRendering);
    draw_foot();
  }
  int pages() const { return page_; }

  /// Says what stands under the next block: a heading stays with it.
  void announce(const Block* next) {
    constexpr double kSomeLines = 60;
    const auto* chart = next == nullptr ? nullptr : std::get_if<ReportChart>(next);
    follower_ = chart == nullptr ? kSomeLines
                                 : chart->size.height * std::min(1.0, width() / chart->size.width);
  }

  void operator()(const Heading& heading) {
    const int size = heading.level == 1 ? 22 : heading.level == 2 ? 15 : 11;
    if (heading.level == 2) y_ += 14;
    const double height = text_height(heading.text, pdf_font(size, true), width());
    need(height + follower_);  // Never alone at the foot of a page.
    if (heading.level == 2) rule();
    draw_text(heading.text, pdf_font(size, true), kMargin, width(), height);
    y_ += 5;
  }

  void operator()(const Paragraph& paragraph) {
    write(paragraph.text, pdf_font(paragraph.note ? 9 : 11), paragraph.note);
    y_ += 5;
  }

  void operator()(const Callout& callout) {
    const QFont font = pdf_font(13);
    const double height = text_height(callout.text, font, width() - 28) + 34;
    need(height);
    painter_.fillRect(QRectF(kMargin, y_, width(), height), ink(0xfff2f4f6));
    painter_.fillRect(QRectF(kMargin, y_, 7, height), ink(mark_of(callout.status)));
    y_ += 7;
    draw_text(callout.label, pdf_font(10, true), kMargin + 18, width() - 28, 15);
    draw_text(callout.text, font, kMargin + 18, width() - 28, height - 34);
    y_ += 20;
  }

  void operator()(const BulletList& list) {
    for (const std::string& item : list.items) {
      const double height = text_height(item, pdf_font(11), width() - 16);
      need(height);
      painter_.setFont(pdf_font(11));
      painter_.setPen(ink(0xff1b1f24));
      painter_.drawText(QPointF(kMargin + 2, y_ + 11), QStringLiteral("\u2022"));
      draw_text(item, pdf_font(11), kMargin + 16, width() - 16, height);
      y_ += 2;
    }
    y_ += 5;
  }

  void operator()(const ReportTable& table) {
    if (table.folded || table.columns.empty()) return;
    const std::vector<double> widths = column_widths(table);
    draw_row(table, widths, nullptr);
    for (const auto& row : table.rows) {
      if (y_ + row_height(table, widths, &row) > bottom()) {
        new_page();
        draw_row(table, widths, nullptr);
      }
      draw_row(table, widths, &row);
    }
    y_ += 10;
  }

  void operator()(const ReportChart& chart) {
    const double scale = std::min(1.0, width() / chart.size.width);
    const double height = chart.size.height * scale;
    need(height);
    if (chart.vector) {
      painter_.save();
      painter_.translate(kMargin, y_);
      painter_.scale(scale, scale);
      chart.paint(painter_, QRectF(0, 0, chart.size.width, chart.size.height),
                  charts::light_theme());
      painter_.restore();
    } else {
      // Rectangles that touch show seams in most viewers, so maps are pictures.
      const auto paint = [&](QPainter& painter, const QRectF& rect) {
        chart.paint(painter, rect, charts::light_theme());
      };
      const QImage image = charts::paint_image(paint, chart.size, kPictureScale);
      painter_.drawImage(QRectF(kMargin, y_, chart.size.width * scale, height),
                         image.convertToFormat(QImage::Format_RGB32));
    }
    y_ += height + 8;
  }

 private:
  static double width() { return kPageWidth - 2 * kMargin; }
  static double bottom() { return kPageHeight - kMargin - kFoot; }

  static charts::Rgb mark_of(report::ReportStatus status) {
    switch (status) {
      case report::ReportStatus::kAlarm: return 0xffd55e00;
      case report::ReportStatus::kAttention: return 0xffe69f00;
      case report::ReportStatus::kNormal: return 0xff0072b2;
      case report::ReportStatus::kNoNewData: break;
    }
    return 0xff8c959f;
  }

  /// Between words; within one only where it is wider than the room.
  static QTextOption wrapped(Qt::Alignment side) {
    QTextOption option(side);
    option.setWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    return option;
  }

  static double text_height(const std::string& text, const QFont& font, double room) {
    QTextLayout layout(qt_text(text), font);
    layout.setTextOption(wrapped(Qt::AlignLeft));
    double height = 0;
    layout.beginLayout();
    for (QTextLine line = layout.createLine(); line.isValid(); line = layout.createLine()) {
      line.setLineWidth(room);
      height += line.height();
    }
    layout.endLayout();
    return std::ceil(height);
  }

  void need(double height) {
    if (y_ + height > bottom() && y_ > kMargin) new_page();
  }

  void new_page() {
    writer_.newPage();
    ++page_;
    y_ = kMargin;
    draw_foot();
  }

  void draw_foot() {
    const QFont font = pdf_font(9);
    const QRectF foot(kMargin, kPageHeight - kMargin, width(), 14);
    painter_.setFont(font);
    painter_.setPen(ink(0xff57606a));
    painter_.drawText(foot, Qt::AlignLeft,
                      QFontMetricsF(font).elidedText(title_, Qt::ElideRight, width() - 110));
    painter_.drawText(foot, Qt::AlignRight, QStringLiteral("page %1 of %2").arg(page_).arg(total_));
  }

  void rule() {
    painter_.setPen(QPen(ink(0xffd5dae0), 0.8));
    painter_.drawLine(QPointF(kMargin, y_ - 5), QPointF(kMargin + width(), y_ - 5));
  }

  void draw_text(const std::string& text, const QFont& font, double x, double room, double height,
                 bool muted = false, Qt::Alignment side = Qt::AlignLeft) {
    painter_.setFont(font);
    painter_.setPen(ink(muted ? 0xff57606a : 0xff1b1f24));
    painter_.drawText(QRectF(x, y_, room, height + 2), qt_text(text), wrapped(side));
    y_ += height;
  }

  /// A long text goes on over pages, line by line.
  void write(const std::string& text, const QFont& font, bool muted) {
    const double height = text_height(text, font, width());
    need(std::min(height, bottom() - kMargin));
    draw_text(text, font, kMargin, width(), height, muted);
  }

  /// Natural widths where they fit; otherwise short columns keep theirs and long ones share.
  std::vector<double> column_widths(const ReportTable& table) const {
    std::vector<double> natural, least;
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      double wide = 0, word = 0;
      const auto measure = [&](const std::string& text, const QFont& font) {
        const QFontMetricsF metrics(font);
        wide = std::max(wide, metrics.horizontalAdvance(qt_text(text)));
        for (const QString& part : qt_text(text).split(QLatin1Char(' '))) {
          word = std::max(word, metrics.horizontalAdvance(part));
        }
      };
      measure(table.columns[c].title, pdf_font(9, true));
      for (const auto& row : table.rows) measure(row[c], pdf_font(9));
      natural.push_back(wide + 2 * kCellPadding + 2);
      // Numbers stay on one line with their unit; titles of such columns may wrap.
      double cells = 0;
      for (const auto& row : table.rows) {
        cells = std::max(cells, QFontMetricsF(pdf_font(9)).horizontalAdvance(qt_text(row[c])));
      }
      if (table.columns[c].number) word = std::max(word, cells);
      least.push_back(std::min(word, 110.0) + 2 * kCellPadding + 2);
    }
    double sum = 0, least_sum = 0;
    for (const double w : natural) sum += w;
    for (const double w : least) least_sum += w;
    if (sum <= width()) return natural;
    const double spare = std::max(0.0, width() - least_sum);
    std::vector<double> widths;
    for (std::size_t c = 0; c < natural.size(); ++c) {
      const double share = (natural[c] - least[c]) / std::max(1.0, sum - least_sum);
      widths.push_back(least_sum <= width() ? least[c] + spare * share
                                            : width() * least[c] / least_sum);
    }
    return widths;
  }

  double row_height(const ReportTable& table, const std::vector<double>& widths,
                    const std::vector<std::string>* row) const {
    double height = 0;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      const std::string& cell = row == nullptr ? table.columns[c].title : (*row)[c];
      height = std::max(
          height, text_height(cell, pdf_font(9, row == nullptr), widths[c] - 2 * kCellPadding));
    }
    return height + 2 * kCellPadding;
  }

  /// `row` null: the head.
  void draw_row(const ReportTable& table, const std::vector<double>& widths,
                const std::vector<std::string>* row) {
    const double height = row_height(table, widths, row);
    need(row == nullptr ? height + 30 : height);
    double sum = 0;
    for (const double w : widths) sum += w;
    if (row == nullptr) painter_.fillRect(QRectF(kMargin, y_, sum, height), ink(0xfff2f4f6));
    const double top = y_;
    double x = kMargin;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      y_ = top + kCellPadding;
      const std::string& cell = row == nullptr ? table.columns[c].title : (*row)[c];
      draw_text(cell, pdf_font(9, row == nullptr), x + kCellPadding, widths[c] - 2 * kCellPadding,
                height - 2 * kCellPadding, false,
                table.columns[c].number ? Qt::AlignRight : Qt::AlignLeft);
      x += widths[c];
    }
    y_ = top + height;
    painter_.setPen(QPen(ink(0xffd5dae0), 0.6));
    painter_.drawLine(QPointF(kMargin, y_), QPointF(kMargin + sum, y_));
  }

  QPdfWriter& writer_;
  QPainter painter_;
  QString title_;
  int total_ = 0;
  int page_ = 1;
  double y_ = kMargin;
  double follower_ = 0;
};

std::string written(const report::ReportContent& content, const std::vector<Block>& blocks,
                    int total, int& pages) {
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  {
    QPdfWriter writer(&buffer);
    writer.setPageSize(QPageSize(QPageSize::A4));
    writer.setPageMargins(QMarginsF(0, 0, 0, 0));
    writer.setResolution(kResolution);
    writer.setTitle(qt_text(content.title));
    writer.setCreator(qt_text("yieldloop " + content.provenance.version));
    PdfPages sheets(writer, content.title, total);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      sheets.announce(i + 1 < blocks.size() ? &blocks[i + 1] : nullptr);
      std::visit(sheets, blocks[i]);
    }
    pages = sheets.pages();
  }
  return bytes.toStdString();
}

/// "2026-03-14T02:10:00Z" -> "20260314021000".
std::string digits_of(const std::string& time) {
  std::string digits;
  for (const char c : time) {
    if (c >= '0' && c <= '9' && digits.size() < 14) digits += c;
  }
  if (digits.size() < 8) digits = "19700101";
  return digits + std::string(14 - digits.size(), '0');
}

}  // namespace

void fix_pdf_identity(std::string& pdf, const std::string& date, const std::string& id) {
  constexpr std::string_view kDate = "/CreationDate (D:";
  for (auto at = pdf.find(kDate); at != std::string::npos; at = pdf.find(kDate, at + 1)) {
    const auto from = at + kDate.size();
    const auto end = pdf.find(')', from);
    if (end == std::string::npos) break;
    // The time, then an offset such as +01'00': as long as it was, but always UTC.
    for (std::size_t i = from; i < end; ++i) {
      const std::size_t place = i - from;
      if (place < date.size()) {
        pdf[i] = date[place];
      } else if (pdf[i] == '-') {
        pdf[i] = '+';
      } else if (pdf[i] >= '0' && pdf[i] <= '9') {
        pdf[i] = '0';
      }
    }
  }
  const auto trailer = pdf.rfind("/ID");
  if (trailer == std::string::npos || id.empty()) return;
  const auto end = pdf.find(']', trailer);
  std::size_t used = 0;
  bool inside = false;
  for (std::size_t i = trailer; i < end && end != std::string::npos; ++i) {
    if (pdf[i] == '<') {
      inside = true;
      used = 0;
    } else if (pdf[i] == '>') {
      inside = false;
    } else if (inside) {
      pdf[i] = id[used++ % id.size()];
    }
  }
}

std::string render_pdf(const report::ReportContent& content) {
  charts::ensure_gui_application();
  const std::vector<Block> blocks = report_document(content);
  int pages = 0;
  // The first pass counts the pages, the second knows the count.
  written(content, blocks, 0, pages);
  int again = 0;
  std::string pdf = written(content, blocks, pages, again);
  fix_pdf_identity(pdf, digits_of(content.provenance.created),
                   Sha256::of(report::report_json(content)).hex().substr(0, 32));
  return pdf;
}

}  // namespace yieldloop::gui_report
