#include "gui/widgets/chart_widget.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

namespace yieldloop::widgets {

ChartWidget::ChartWidget(const QString& accessible_name, QWidget* parent) : QWidget(parent) {
  setAccessibleName(accessible_name);
  setMouseTracking(true);
}

int ChartWidget::mark_at(const QPointF& at) const { return hit_ ? hit_(QRectF(rect()), at) : -1; }

void ChartWidget::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.fillRect(rect(), Qt::white);
  if (paint_) paint_(painter, QRectF(rect()));
}

void ChartWidget::mouseReleaseEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return;
  emit picked(mark_at(event->position()), viewmodel::pick_mode(event->modifiers()));
}

void ChartWidget::mouseMoveEvent(QMouseEvent* event) {
  setCursor(mark_at(event->position()) >= 0 ? Qt::PointingHandCursor : Qt::ArrowCursor);
}

bool ChartWidget::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip) return QWidget::event(event);
  const auto* help = static_cast<QHelpEvent*>(event);
  const int mark = mark_at(help->pos());
  if (mark >= 0 && tip_) {
    QToolTip::showText(help->globalPos(), tip_(mark), this);
  } else {
    QToolTip::hideText();
  }
  return true;
}

}  // namespace yieldloop::widgets
