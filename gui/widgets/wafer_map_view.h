/// \file
/// One wafer, large: zoom at the pointer, die and defects picked by click, band or lasso.
#pragma once

#include <QPointF>
#include <QPolygonF>
#include <QRectF>
#include <QWidget>

#include "gui/viewmodel/chart_specs.h"

namespace yieldloop::widgets {

class WaferMapView final : public QWidget {
  Q_OBJECT

 public:
  explicit WaferMapView(QWidget* parent = nullptr);

  /// A new wafer is shown whole; the same one keeps the zoom.
  void show_map(viewmodel::MapChart chart);
  /// Says why there is no map.
  void show_message(const QString& sentence);
  const viewmodel::MapChart& chart() const { return chart_; }

  void fit();
  /// The point stays where it is.
  void zoom_at(const QPointF& at, double factor);
  /// Where the whole map is drawn, in widget pixels; larger than the widget when zoomed.
  QRectF map_rect() const;
  /// A left drag draws a lasso instead of a band.
  void set_lasso(bool lasso) { lasso_ = lasso; }
  bool lasso() const { return lasso_; }

  QSize sizeHint() const override { return {640, 560}; }

 signals:
  void dies_picked(const std::set<yieldloop::viewmodel::DieKey>& dies,
                   yieldloop::viewmodel::PickMode mode);
  void defects_picked(const std::set<yieldloop::viewmodel::DefectKey>& defects,
                      yieldloop::viewmodel::PickMode mode);
  /// "die (3, −2): bin 5, fail"; empty when nothing is under the pointer.
  void hovered(const QString& text);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  bool event(QEvent* event) override;

 private:
  QString text_at(const QPointF& at) const;
  void pick(QMouseEvent* event);

  viewmodel::MapChart chart_;
  QString message_;
  double zoom_ = 1.0;
  QPointF offset_;
  bool lasso_ = false;
  bool dragging_ = false;
  Qt::MouseButton button_ = Qt::NoButton;
  QPointF pressed_, last_;
  QPolygonF trail_;
};

}  // namespace yieldloop::widgets
