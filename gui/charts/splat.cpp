#include "gui/charts/splat.h"

#include <QImage>
#include <QPaintDevice>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace yieldloop::charts {

void splat(QPainter& painter, const QRectF& area, const std::vector<SplatPoint>& points,
           double radius) {
  const double screen = painter.device() != nullptr ? painter.device()->devicePixelRatioF() : 1.0;
  const double scale = std::clamp(screen, 1.0, 4.0);
  const int width = static_cast<int>(std::ceil(area.width() * scale));
  const int height = static_cast<int>(std::ceil(area.height() * scale));
  if (width < 1 || height < 1) return;
  QImage image(width, height, QImage::Format_ARGB32_Premultiplied);
  image.fill(Qt::transparent);
  const int half = std::max(0, static_cast<int>(std::lround(radius * scale - 0.5)));
  auto* pixels = reinterpret_cast<Rgb*>(image.bits());
  const auto stride = static_cast<std::ptrdiff_t>(image.bytesPerLine() / 4);
  for (const SplatPoint& point : points) {
    const double px = (point.x - area.left()) * scale;
    const double py = (point.y - area.top()) * scale;
    if (!(px >= 0 && py >= 0 && px < width && py < height)) continue;
    const int x = static_cast<int>(px);
    const int y = static_cast<int>(py);
    const int x0 = std::max(0, x - half), x1 = std::min(width - 1, x + half);
    for (int row = std::max(0, y - half); row <= std::min(height - 1, y + half); ++row) {
      std::fill(pixels + row * stride + x0, pixels + row * stride + x1 + 1,
                point.colour | 0xff000000U);
    }
  }
  painter.drawImage(area, image, QRectF(0, 0, area.width() * scale, area.height() * scale));
}

}  // namespace yieldloop::charts
