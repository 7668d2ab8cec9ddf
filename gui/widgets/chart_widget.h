/// \file
/// Any chart of gui/charts in a window: painted, hovered, clicked.
#pragma once

#include <QString>
#include <QWidget>
#include <functional>
#include <memory>
#include <utility>

#include "gui/viewmodel/selection_model.h"

class QPainter;

namespace yieldloop::widgets {

class ChartWidget : public QWidget {
  Q_OBJECT

 public:
  explicit ChartWidget(const QString& accessible_name, QWidget* parent = nullptr);

  /// Spec must have paint() and hit_test() in yieldloop::charts. `tip` gives the tooltip of a mark.
  template <class Spec>
  void show_chart(Spec spec, std::function<QString(int)> tip) {
    auto shared = std::make_shared<const Spec>(std::move(spec));
    paint_ = [shared](QPainter& painter, const QRectF& rect) { paint(painter, rect, *shared); };
    hit_ = [shared](const QRectF& rect, const QPointF& at) { return hit_test(*shared, rect, at); };
    tip_ = std::move(tip);
    update();
  }

  QSize sizeHint() const override { return {420, 220}; }
  QSize minimumSizeHint() const override { return {160, 110}; }

 signals:
  /// -1 when nothing was under the pointer.
  void picked(int mark, yieldloop::viewmodel::PickMode mode);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  bool event(QEvent* event) override;

 private:
  int mark_at(const QPointF& at) const;
  std::function<void(QPainter&, const QRectF&)> paint_;
  std::function<int(const QRectF&, const QPointF&)> hit_;
  std::function<QString(int)> tip_;
};

}  // namespace yieldloop::widgets
