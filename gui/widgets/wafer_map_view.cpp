#include "gui/widgets/wafer_map_view.h"

#include <QApplication>
#include <QHelpEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

namespace yieldloop::widgets {
namespace {

constexpr double kMostZoom = 60.0;

}  // namespace

WaferMapView::WaferMapView(QWidget* parent) : QWidget(parent) {
  setAccessibleName(tr("Wafer map"));
  setMouseTracking(true);
  setFocusPolicy(Qt::StrongFocus);
  setMinimumSize(200, 160);
}

void WaferMapView::show_map(viewmodel::MapChart chart) {
  const bool same = chart.wafer == chart_.wafer && message_.isEmpty();
  chart_ = std::move(chart);
  message_.clear();
  if (!same) fit();
  update();
}

void WaferMapView::show_message(const QString& sentence) {
  chart_ = {};
  message_ = sentence;
  fit();
}

void WaferMapView::fit() {
  zoom_ = 1.0;
  offset_ = {};
  update();
}

QRectF WaferMapView::map_rect() const { return {offset_, QSizeF(size()) * zoom_}; }

void WaferMapView::zoom_at(const QPointF& at, double factor) {
  const double next = std::clamp(zoom_ * factor, 0.5, kMostZoom);
  offset_ = at + (offset_ - at) * (next / zoom_);
  zoom_ = next;
  update();
}

void WaferMapView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.fillRect(rect(), Qt::white);
  if (!message_.isEmpty()) {
    painter.setPen(QColor(charts::light_theme().muted));
    painter.drawText(rect().adjusted(20, 20, -20, -20), Qt::AlignCenter | Qt::TextWordWrap,
                     message_);
    return;
  }
  charts::paint(painter, map_rect(), chart_.spec);
  if (!dragging_) return;
  painter.setPen(QPen(Qt::black, 1, Qt::DashLine));
  painter.setBrush(QColor(0, 114, 178, 30));
  if (button_ == Qt::LeftButton && lasso_) {
    painter.drawPolygon(trail_);
  } else if (button_ != Qt::MiddleButton) {
    painter.drawRect(QRectF(pressed_, last_).normalized());
  }
}

void WaferMapView::wheelEvent(QWheelEvent* event) {
  zoom_at(event->position(), std::pow(1.2, event->angleDelta().y() / 120.0));
  event->accept();
}

void WaferMapView::mousePressEvent(QMouseEvent* event) {
  button_ = event->button();
  pressed_ = last_ = event->position();
  trail_ = {pressed_};
  dragging_ = false;
}

void WaferMapView::mouseMoveEvent(QMouseEvent* event) {
  if (event->buttons() == Qt::NoButton) {
    emit hovered(text_at(event->position()));
    return;
  }
  const QPointF moved = event->position() - last_;
  last_ = event->position();
  dragging_ =
      dragging_ || (last_ - pressed_).manhattanLength() >= QApplication::startDragDistance();
  if (!dragging_) return;
  if (button_ == Qt::MiddleButton) offset_ += moved;
  trail_ << last_;
  update();
}

void WaferMapView::mouseReleaseEvent(QMouseEvent* event) {
  last_ = event->position();
  if (button_ == Qt::LeftButton) {
    pick(event);
  } else if (button_ == Qt::RightButton && !dragging_) {
    QMenu::exec(actions(), event->globalPosition().toPoint());
  } else if (button_ == Qt::RightButton) {
    const QRectF box = QRectF(pressed_, last_).normalized();
    const double share = std::max({box.width() / width(), box.height() / height(), 0.02});
    const bool in = last_.x() + last_.y() > pressed_.x() + pressed_.y();
    const QPointF middle = box.center();
    zoom_at(middle, in ? 1 / share : share);
    if (in) offset_ += QRectF(rect()).center() - middle;
  }
  dragging_ = false;
  button_ = Qt::NoButton;
  update();
}

void WaferMapView::pick(QMouseEvent* event) {
  const auto mode = viewmodel::pick_mode(event->modifiers());
  std::set<viewmodel::DieKey> dies;
  const auto add = [&](int i) {
    dies.insert({chart_.wafer, chart_.spec.dies[static_cast<std::size_t>(i)].die});
  };
  if (dragging_) {
    const QPolygonF area = lasso_ ? trail_ : QPolygonF(QRectF(pressed_, last_).normalized());
    for (const int i : charts::dies_within(chart_.spec, map_rect(), area)) add(i);
  } else {
    const int defect = charts::defect_at(chart_.spec, map_rect(), event->position());
    if (defect >= 0) {
      emit defects_picked({chart_.defects[static_cast<std::size_t>(defect)]}, mode);
      return;
    }
    const int die = charts::hit_test(chart_.spec, map_rect(), event->position());
    if (die >= 0) add(die);
  }
  emit dies_picked(dies, mode);
}

QString WaferMapView::text_at(const QPointF& at) const {
  if (!message_.isEmpty()) return {};
  std::string text;
  const int die = charts::hit_test(chart_.spec, map_rect(), at);
  if (die >= 0) text = charts::die_tooltip(chart_.spec, static_cast<std::size_t>(die));
  const int defect = charts::defect_at(chart_.spec, map_rect(), at);
  if (defect >= 0) {
    const auto& key = chart_.defects[static_cast<std::size_t>(defect)];
    const auto& spec = chart_.spec.defects[static_cast<std::size_t>(defect)];
    text += (text.empty() ? "" : "; ") + std::string("defect ") + std::to_string(key.defect) +
            " of " + key.inspection + ", class " + std::to_string(spec.category);
  }
  return QString::fromStdString(text);
}

bool WaferMapView::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip) return QWidget::event(event);
  const auto* help = static_cast<QHelpEvent*>(event);
  const QString text = text_at(help->pos());
  text.isEmpty() ? QToolTip::hideText() : QToolTip::showText(help->globalPos(), text, this);
  return true;
}

}  // namespace yieldloop::widgets
