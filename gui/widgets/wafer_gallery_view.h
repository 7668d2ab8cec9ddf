/// \file
/// All wafers as small maps that scroll; only those in sight are painted.
#pragma once

#include <QAbstractScrollArea>
#include <QPixmap>
#include <vector>

#include "gui/viewmodel/chart_specs.h"

class QRubberBand;

namespace yieldloop::widgets {

class WaferGalleryView final : public QAbstractScrollArea {
  Q_OBJECT

 public:
  explicit WaferGalleryView(QWidget* parent = nullptr);

  void show_gallery(viewmodel::GalleryChart chart);
  const viewmodel::GalleryChart& chart() const { return chart_; }
  /// Scrolls so that the wafer is in sight.
  void reveal(const std::string& wafer);

 signals:
  void wafers_picked(const std::set<std::string>& wafers, yieldloop::viewmodel::PickMode mode);
  void wafer_opened(const QString& wafer);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  bool viewportEvent(QEvent* event) override;

 private:
  int columns() const;
  double cell_width() const;
  QRectF cell(std::size_t index) const;  ///< In viewport pixels.
  int wafer_at(const QPointF& at) const;
  void set_scroll_range();

  viewmodel::GalleryChart chart_;
  std::vector<QPixmap> painted_;
  QPoint pressed_;
  QRubberBand* band_ = nullptr;
};

}  // namespace yieldloop::widgets
