#include "gui/widgets/wafer_gallery_view.h"

#include <QApplication>
#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QRubberBand>
#include <QScrollBar>
#include <QToolTip>
#include <algorithm>

namespace yieldloop::widgets {
namespace {

constexpr double kCellWidth = 124;
constexpr double kCellHeight = 140;

void outline(QPainter& painter, const QRectF& rect) {
  painter.setBrush(Qt::NoBrush);
  painter.setPen(QPen(Qt::black, 3));
  painter.drawRect(rect.adjusted(2, 2, -2, -2));
  painter.setPen(QPen(Qt::white, 1));
  painter.drawRect(rect.adjusted(2, 2, -2, -2));
}

}  // namespace

WaferGalleryView::WaferGalleryView(QWidget* parent) : QAbstractScrollArea(parent) {
  setAccessibleName(tr("Wafer gallery"));
  setFocusPolicy(Qt::StrongFocus);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setFrameShape(QFrame::NoFrame);
  band_ = new QRubberBand(QRubberBand::Rectangle, viewport());
}

void WaferGalleryView::show_gallery(viewmodel::GalleryChart chart) {
  // A change of the selection alone keeps the pictures.
  if (chart.spec.maps != chart_.spec.maps || chart.spec.common != chart_.spec.common) {
    painted_.assign(chart.spec.maps.size(), {});
  }
  chart_ = std::move(chart);
  set_scroll_range();
  viewport()->update();
}

int WaferGalleryView::columns() const {
  return std::max(1, static_cast<int>(viewport()->width() / kCellWidth));
}

double WaferGalleryView::cell_width() const {
  return static_cast<double>(viewport()->width()) / columns();
}

QRectF WaferGalleryView::cell(std::size_t index) const {
  const auto n = static_cast<std::size_t>(columns());
  const std::size_t column = index % n, row = index / n;
  return {static_cast<double>(column) * cell_width(),
          static_cast<double>(row) * kCellHeight - verticalScrollBar()->value(), cell_width(),
          kCellHeight};
}

int WaferGalleryView::wafer_at(const QPointF& at) const {
  for (std::size_t i = 0; i < chart_.wafers.size(); ++i) {
    if (cell(i).contains(at)) return static_cast<int>(i);
  }
  return -1;
}

void WaferGalleryView::set_scroll_range() {
  const auto n = static_cast<int>(chart_.wafers.size());
  const int rows = (n + columns() - 1) / columns();
  verticalScrollBar()->setPageStep(viewport()->height());
  verticalScrollBar()->setSingleStep(static_cast<int>(kCellHeight) / 3);
  verticalScrollBar()->setRange(
      0, std::max(0, static_cast<int>(rows * kCellHeight) - viewport()->height()));
}

void WaferGalleryView::reveal(const std::string& wafer) {
  const auto it = std::ranges::find(chart_.wafers, wafer);
  if (it == chart_.wafers.end()) return;
  const QRectF at = cell(static_cast<std::size_t>(it - chart_.wafers.begin()));
  QScrollBar* bar = verticalScrollBar();
  if (at.top() < 0) bar->setValue(bar->value() + static_cast<int>(at.top()));
  if (at.bottom() > viewport()->height()) {
    bar->setValue(bar->value() + static_cast<int>(at.bottom()) - viewport()->height());
  }
}

void WaferGalleryView::paintEvent(QPaintEvent*) {
  QPainter painter(viewport());
  painter.fillRect(viewport()->rect(), Qt::white);
  if (chart_.wafers.empty()) {
    painter.setPen(QColor(charts::light_theme().muted));
    painter.drawText(viewport()->rect(), Qt::AlignCenter, tr("There is no wafer to show."));
    return;
  }
  const double ratio = devicePixelRatioF();
  for (std::size_t i = 0; i < chart_.wafers.size(); ++i) {
    const QRectF at = cell(i);
    if (at.bottom() < 0 || at.top() > viewport()->height()) continue;
    QPixmap& picture = painted_[i];
    const QSize size = (at.size() * ratio).toSize();
    if (picture.size() != size) {
      picture = QPixmap(size);
      picture.setDevicePixelRatio(ratio);
      picture.fill(Qt::white);
      QPainter map(&picture);
      map.setRenderHint(QPainter::Antialiasing);
      charts::paint(map, QRectF(QPointF(0, 0), at.size()), charts::gallery_map(chart_.spec, i));
    }
    painter.drawPixmap(at.topLeft(), picture);
  }
  for (const std::size_t i : chart_.spec.selected) {
    if (i < chart_.wafers.size()) outline(painter, cell(i));
  }
}

void WaferGalleryView::resizeEvent(QResizeEvent* event) {
  QAbstractScrollArea::resizeEvent(event);
  set_scroll_range();
}

void WaferGalleryView::mousePressEvent(QMouseEvent* event) { pressed_ = event->pos(); }

void WaferGalleryView::mouseMoveEvent(QMouseEvent* event) {
  if (!event->buttons().testFlag(Qt::LeftButton)) return;
  if ((event->pos() - pressed_).manhattanLength() < QApplication::startDragDistance()) return;
  band_->setGeometry(QRect(pressed_, event->pos()).normalized());
  band_->show();
}

void WaferGalleryView::mouseReleaseEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return;
  std::set<std::string> wafers;
  if (band_->isVisible()) {
    const QRectF box(band_->geometry());
    band_->hide();
    for (std::size_t i = 0; i < chart_.wafers.size(); ++i) {
      if (cell(i).intersects(box)) wafers.insert(chart_.wafers[i]);
    }
  } else if (const int at = wafer_at(event->position()); at >= 0) {
    wafers.insert(chart_.wafers[static_cast<std::size_t>(at)]);
  }
  emit wafers_picked(wafers, viewmodel::pick_mode(event->modifiers()));
}

void WaferGalleryView::mouseDoubleClickEvent(QMouseEvent* event) {
  const int at = wafer_at(event->position());
  if (at >= 0) {
    emit wafer_opened(QString::fromStdString(chart_.wafers[static_cast<std::size_t>(at)]));
  }
}

bool WaferGalleryView::viewportEvent(QEvent* event) {
  if (event->type() != QEvent::ToolTip) return QAbstractScrollArea::viewportEvent(event);
  const auto* help = static_cast<QHelpEvent*>(event);
  const int at = wafer_at(help->pos());
  if (at < 0) {
    QToolTip::hideText();
    return true;
  }
  const auto i = static_cast<std::size_t>(at);
  const charts::WaferMapSpec map = charts::gallery_map(chart_.spec, i);
  std::string text = map.title + ", " + map.subtitle;
  const int die = charts::hit_test(map, cell(i), help->pos());
  if (die >= 0) text.append("\n").append(charts::die_tooltip(map, static_cast<std::size_t>(die)));
  QToolTip::showText(help->globalPos(), QString::fromStdString(text), viewport());
  return true;
}

}  // namespace yieldloop::widgets
