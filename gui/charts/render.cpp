#include "gui/charts/render.h"

#include <QBuffer>
#include <QByteArray>
#include <QGuiApplication>
#include <QImage>
#include <QPainter>
#include <QSvgGenerator>

namespace yieldloop::charts {
namespace {

QtMessageHandler previous_handler = nullptr;

// A service or a cron job has no session folder; Qt says so on stderr, where it helps nobody.
void drop_session_warning(QtMsgType type, const QMessageLogContext& context, const QString& text) {
  if (text.startsWith(QLatin1String("QStandardPaths: XDG_RUNTIME_DIR"))) return;
  if (previous_handler != nullptr) previous_handler(type, context, text);
}

}  // namespace

void ensure_gui_application() {
  if (QCoreApplication::instance() != nullptr) return;
  // Qt keeps references to argc and argv for as long as the application lives.
  static int argument_count = 1;
  static char name[] = "yieldloop";
  static char* arguments[] = {name, nullptr};
  qputenv("QT_QPA_PLATFORM", "offscreen");
  // Left to the end of the process on purpose: destroying it among other statics is not safe.
  previous_handler = qInstallMessageHandler(drop_session_warning);
  static auto* application = new QGuiApplication(argument_count, arguments);
  (void)application;
  qInstallMessageHandler(previous_handler);
}

QImage paint_image(const PaintFunction& paint, ChartSize size, double scale) {
  ensure_gui_application();
  QImage image(qRound(size.width * scale), qRound(size.height * scale),
               QImage::Format_ARGB32_Premultiplied);
  image.setDevicePixelRatio(scale);
  image.fill(Qt::transparent);
  QPainter painter(&image);
  paint(painter, QRectF(0, 0, size.width, size.height));
  painter.end();
  return image;
}

std::string paint_png(const PaintFunction& paint, ChartSize size, double scale) {
  const QImage image = paint_image(paint, size, scale).convertToFormat(QImage::Format_RGB888);
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  image.save(&buffer, "PNG");
  return bytes.toStdString();
}

std::string paint_svg(const PaintFunction& paint, ChartSize size, const std::string& title) {
  ensure_gui_application();
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  QSvgGenerator generator;
  generator.setOutputDevice(&buffer);
  generator.setSize(QSize(size.width, size.height));
  generator.setViewBox(QRect(0, 0, size.width, size.height));
  // Qt writes the title as it is given.
  generator.setTitle(QString::fromStdString(title).toHtmlEscaped());
  generator.setDescription(QString());
  QPainter painter(&generator);
  paint(painter, QRectF(0, 0, size.width, size.height));
  painter.end();
  // Verdana has the widths of DejaVu Sans and is where DejaVu is not.
  bytes.replace("font-family=\"DejaVu Sans\"", "font-family=\"DejaVu Sans, Verdana, sans-serif\"");
  return bytes.toStdString();
}

}  // namespace yieldloop::charts
