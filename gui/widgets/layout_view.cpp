#include "gui/widgets/layout_view.h"

#include <QApplication>
#include <QKeyEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QPainter>
#include <QStringList>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "engine/core/number_text.h"
#include "gui/charts/theme.h"

namespace yieldloop::widgets {
namespace {

constexpr double kLeastMark = 11.0;       ///< Pixels: a place is never drawn smaller.
constexpr double kPlaceShare = 1.0 / 12;  ///< Of the view, that a place takes when it is shown.
constexpr double kLeastWindowUm = 6.0;

QRectF layout_box(const layout::Layout& layout, layout::CellIndex top) {
  const layout::Box box = layout.cell(top).bbox;
  const double um = layout.dbu_um();
  return {static_cast<double>(box.x_min) * um, static_cast<double>(box.y_min) * um,
          static_cast<double>(box.width()) * um, static_cast<double>(box.height()) * um};
}

/// 1, 2 or 5 times a power of ten, at most `limit`.
double round_length(double limit) {
  const double power = std::pow(10.0, std::floor(std::log10(limit)));
  for (const double step : {5.0, 2.0}) {
    if (step * power <= limit) return step * power;
  }
  return power;
}

QString length_text(double um) {
  if (um >= 1000) return QString::fromStdString(format_number(um / 1000)) + " mm";
  if (um < 0.1) return QString::fromStdString(format_number(um * 1000)) + " nm";
  return QString::fromStdString(format_number(um)) + QStringLiteral(" \u00b5m");
}

}  // namespace

LayoutView::LayoutView(QWidget* parent)
    : QWidget(parent), wanted_(std::make_shared<std::atomic<unsigned>>(0)) {
  setAccessibleName(tr("Layout"));
  setMouseTracking(true);
  setFocusPolicy(Qt::StrongFocus);
  setMinimumSize(200, 160);
  pool_.setMaxThreadCount(1);
}

LayoutView::~LayoutView() {
  ++*wanted_;
  pool_.waitForDone();
}

void LayoutView::show_layout(std::shared_ptr<const layout::Layout> layout, layout::CellIndex top,
                             std::vector<viewmodel::LayerStyle> layers) {
  layout_ = std::move(layout);
  top_ = top;
  layers_ = std::move(layers);
  message_.clear();
  picture_ = {};
  places_.clear();
  dots_.clear();
  place_ = -1;
  fit();
}

void LayoutView::show_message(const QString& sentence) {
  ++*wanted_;
  layout_.reset();
  layers_.clear();
  places_.clear();
  dots_.clear();
  place_ = -1;
  message_ = sentence;
  update();
}

void LayoutView::set_layers(std::vector<viewmodel::LayerStyle> layers) {
  layers_ = std::move(layers);
  moved();
}

void LayoutView::show_places(std::vector<LayoutLocation> places, std::vector<LayoutDot> dots) {
  places_ = std::move(places);
  dots_ = std::move(dots);
  place_ = -1;
  show_place(0);
  update();
}

void LayoutView::set_dots(std::vector<LayoutDot> dots) {
  dots_ = std::move(dots);
  update();
}

void LayoutView::show_place(int index) {
  const int n = place_count();
  if (n == 0 || !layout_) {
    emit place_shown(-1, n);
    return;
  }
  place_ = ((index % n) + n) % n;
  const LayoutLocation& at = places_[static_cast<std::size_t>(place_)];
  const double side = std::max(kLeastWindowUm, std::max(at.w_um, at.h_um) / kPlaceShare);
  port_.fit(QRectF(at.x_um + at.w_um / 2 - side / 2, at.y_um + at.h_um / 2 - side / 2, side, side),
            0.0);
  fitted_ = false;
  moved();
  emit place_shown(place_, n);
}

void LayoutView::fit() {
  fitted_ = true;
  if (layout_) {
    port_.size = QSizeF(size());
    port_.fit(layout_box(*layout_, top_));
  }
  moved();
}

bool LayoutView::go_to(const QString& text) {
  const QStringList parts = text.split(QLatin1Char(','));
  if (parts.size() < 2 || parts.size() > 3) return false;
  std::vector<double> numbers;
  for (const QString& part : parts) {
    bool fine = false;
    numbers.push_back(part.trimmed().toDouble(&fine));
    if (!fine || !std::isfinite(numbers.back())) return false;
  }
  if (parts.size() == 3 && !(numbers[2] > 0)) return false;
  port_.centre = {numbers[0], numbers[1]};
  if (parts.size() == 3) {
    const double half = numbers[2] / 2;
    port_.fit(QRectF(numbers[0] - half, numbers[1] - half, 2 * half, 2 * half), 0.0);
  }
  fitted_ = false;
  moved();
  return true;
}

void LayoutView::zoom_at(const QPointF& at, double factor) {
  port_.zoom_at(at, factor);
  fitted_ = false;
  moved();
}

viewmodel::RasterRequest LayoutView::request() const {
  return {.layout = layout_,
          .top = top_,
          .layers = layers_,
          .window = port_.window(),
          .width = width(),
          .height = height()};
}

void LayoutView::moved() {
  update();
  if (!layout_ || width() < 2 || height() < 2) return;
  const unsigned number = ++*wanted_;
  drawing_ = true;
  pool_.clear();  // Requests that never started.
  pool_.start([this, number, wanted = wanted_, asked = request()] {
    auto picture = std::make_shared<viewmodel::LayoutPicture>(
        viewmodel::draw_layout(asked, [&] { return *wanted != number; }));
    if (picture->cancelled || *wanted != number) return;
    QMetaObject::invokeMethod(
        this,
        [this, picture, number] {
          if (*wanted_ != number) return;
          drawing_ = false;
          picture_ = std::move(*picture);
          update();
        },
        Qt::QueuedConnection);
  });
}

void LayoutView::draw_now() {
  if (!layout_) return;
  ++*wanted_;
  picture_ = viewmodel::draw_layout(request(), [] { return false; });
  drawing_ = false;
  update();
}

void LayoutView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), Qt::white);
  if (!layout_) {
    painter.setPen(QColor(charts::light_theme().muted));
    painter.drawText(rect().adjusted(30, 30, -30, -30), Qt::AlignCenter | Qt::TextWordWrap,
                     message_);
    return;
  }
  paint_picture(painter);
  painter.setRenderHint(QPainter::Antialiasing);
  paint_marks(painter);
  paint_scale(painter);
  if (button_ == Qt::RightButton && pressed_ != last_) {
    painter.setPen(QPen(Qt::black, 1, Qt::DashLine));
    painter.setBrush(QColor(0, 114, 178, 30));
    painter.drawRect(QRectF(pressed_, last_).normalized());
  }
}

void LayoutView::paint_picture(QPainter& painter) const {
  if (picture_.image.isNull()) return;
  const QRectF& w = picture_.window;
  const QPointF top_left = port_.to_screen({w.left(), w.bottom()});
  const QPointF bottom_right = port_.to_screen({w.right(), w.top()});
  painter.drawImage(QRectF(top_left, bottom_right), picture_.image);
  if (picture_.complete) return;
  painter.setPen(QColor(charts::light_theme().alert));
  painter.drawText(rect().adjusted(8, 4, -8, -4), Qt::AlignTop | Qt::AlignRight,
                   tr("Not all shapes are shown: zoom in"));
}

QRectF LayoutView::place_box(const LayoutLocation& l) const {
  QRectF box =
      QRectF(port_.to_screen({l.x_um, l.y_um + l.h_um}), port_.to_screen({l.x_um + l.w_um, l.y_um}))
          .normalized();
  const double dx = std::max(2.0, (kLeastMark - box.width()) / 2);
  const double dy = std::max(2.0, (kLeastMark - box.height()) / 2);
  return box.adjusted(-dx, -dy, dx, dy);
}

void LayoutView::paint_marks(QPainter& painter) const {
  painter.setBrush(Qt::NoBrush);
  const QRectF seen = QRectF(rect()).adjusted(-20, -20, 20, 20);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const QRectF box = place_box(places_[i]);
    if (!box.intersects(seen)) continue;
    const bool shown = static_cast<int>(i) == place_;
    painter.setPen(QPen(Qt::white, shown ? 6 : 4));
    painter.drawRect(box);
    painter.setPen(QPen(Qt::black, shown ? 3 : 1.5));
    painter.drawRect(box);
  }
  for (const LayoutDot& dot : dots_) {
    const QPointF at = port_.to_screen(dot.at);
    if (!seen.contains(at)) continue;
    painter.setPen(QPen(Qt::white, 4));
    painter.drawLine(at + QPointF(-5, -5), at + QPointF(5, 5));
    painter.drawLine(at + QPointF(-5, 5), at + QPointF(5, -5));
    painter.setPen(QPen(QColor(charts::light_theme().alert), 2));
    painter.drawLine(at + QPointF(-4.5, -4.5), at + QPointF(4.5, 4.5));
    painter.drawLine(at + QPointF(-4.5, 4.5), at + QPointF(4.5, -4.5));
  }
}

void LayoutView::paint_scale(QPainter& painter) const {
  const double length = round_length(std::max(1e-6, width() / 4.0 / port_.scale));
  const double pixels = length * port_.scale;
  const QPointF from(14, height() - 14);
  const QString text = length_text(length) + (drawing_ ? tr("   drawing ...") : QString());
  const QRectF plate(from.x() - 6, from.y() - 24,
                     std::max(pixels, painter.fontMetrics().horizontalAdvance(text) + 4.0) + 12,
                     31);
  painter.fillRect(plate, QColor(255, 255, 255, 220));
  painter.setPen(QPen(Qt::black, 2));
  painter.drawLine(from, from + QPointF(pixels, 0));
  painter.drawLine(from + QPointF(0, -4), from + QPointF(0, 4));
  painter.drawLine(from + QPointF(pixels, -4), from + QPointF(pixels, 4));
  painter.drawText(from + QPointF(0, -8), text);
}

void LayoutView::resizeEvent(QResizeEvent*) {
  port_.size = QSizeF(size());
  if (fitted_) {
    fit();
  } else {
    moved();
  }
}

void LayoutView::wheelEvent(QWheelEvent* event) {
  zoom_at(event->position(), std::pow(1.25, event->angleDelta().y() / 120.0));
  event->accept();
}

void LayoutView::mousePressEvent(QMouseEvent* event) {
  button_ = event->button();
  pressed_ = last_ = event->position();
}

void LayoutView::mouseMoveEvent(QMouseEvent* event) {
  const QPointF at = event->position();
  if (layout_) {
    const QPointF um = port_.to_map(at);
    emit cursor_moved(um.x(), um.y());
  }
  const bool pan = button_ == Qt::MiddleButton ||
                   (button_ == Qt::RightButton && event->modifiers().testFlag(Qt::ShiftModifier));
  if (pan && event->buttons() != Qt::NoButton) {
    port_.pan(at - last_);
    pressed_ = at;
    fitted_ = false;
    moved();
  }
  last_ = at;
  if (button_ == Qt::RightButton) update();
}

void LayoutView::mouseReleaseEvent(QMouseEvent* event) {
  const QPointF at = event->position();
  const bool dragged = (at - pressed_).manhattanLength() >= QApplication::startDragDistance();
  if (button_ == Qt::RightButton && dragged) {
    port_.drag_zoom(pressed_, at);
    fitted_ = false;
    moved();
  } else if (button_ == Qt::RightButton) {
    QMenu::exec(actions(), event->globalPosition().toPoint());
  } else if (button_ == Qt::LeftButton) {
    std::set<viewmodel::DefectKey> near;
    for (const LayoutDot& dot : dots_) {
      if ((port_.to_screen(dot.at) - at).manhattanLength() < 9) near.insert(dot.defect);
    }
    if (!near.empty()) emit defects_picked(near, viewmodel::pick_mode(event->modifiers()));
  }
  button_ = Qt::NoButton;
  update();
}

void LayoutView::keyPressEvent(QKeyEvent* event) {
  const double step = 0.2 * std::min(width(), height());
  QPointF by;
  switch (event->key()) {
    case Qt::Key_Left: by = {step, 0}; break;
    case Qt::Key_Right: by = {-step, 0}; break;
    case Qt::Key_Up: by = {0, step}; break;
    case Qt::Key_Down: by = {0, -step}; break;
    case Qt::Key_Plus: zoom_at(QRectF(rect()).center(), 1.5); return;
    case Qt::Key_Minus: zoom_at(QRectF(rect()).center(), 1 / 1.5); return;
    default: QWidget::keyPressEvent(event); return;
  }
  port_.pan(by);
  fitted_ = false;
  moved();
}

}  // namespace yieldloop::widgets
