/// \file
/// The layout: drawn by a worker thread, moved and zoomed without waiting for it, with the places
/// of a finding and its defects on top.
///
/// While a new picture is made the old one is shown where it belongs. The wheel keeps the point
/// under the pointer; a right drag to the right or down shows what is in the box, to the left or up
/// puts the view into it; a middle drag moves.
#pragma once

#include <QThreadPool>
#include <QWidget>
#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "gui/viewmodel/layout_raster.h"
#include "gui/viewmodel/opened_fab.h"
#include "gui/viewmodel/viewport.h"

namespace yieldloop::widgets {

struct LayoutDot {
  QPointF at;  ///< Layout um.
  viewmodel::DefectKey defect;
};

class LayoutView final : public QWidget {
  Q_OBJECT

 public:
  explicit LayoutView(QWidget* parent = nullptr);
  ~LayoutView() override;

  void show_layout(std::shared_ptr<const layout::Layout> layout, layout::CellIndex top,
                   std::vector<viewmodel::LayerStyle> layers);
  void show_message(const QString& sentence);
  void set_layers(std::vector<viewmodel::LayerStyle> layers);
  /// The places of a finding and its defects; the first place is shown.
  void show_places(std::vector<LayoutLocation> places, std::vector<LayoutDot> dots);
  void set_dots(std::vector<LayoutDot> dots);

  /// Goes to a place; wraps around. -1: no place.
  void show_place(int index);
  int place() const { return place_; }
  int place_count() const { return static_cast<int>(places_.size()); }

  void fit();
  /// "x,y" or "x,y,size" in um; false when it is neither.
  bool go_to(const QString& text);
  const viewmodel::Viewport& viewport() const { return port_; }
  void zoom_at(const QPointF& at, double factor);
  /// Draws the picture now instead of in the worker; for pictures and tests.
  void draw_now();
  bool has_layout() const { return layout_ != nullptr; }

  QSize sizeHint() const override { return {640, 560}; }

 signals:
  void cursor_moved(double x_um, double y_um);
  void place_shown(int index, int count);
  void defects_picked(const std::set<yieldloop::viewmodel::DefectKey>& defects,
                      yieldloop::viewmodel::PickMode mode);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  viewmodel::RasterRequest request() const;
  void moved();  ///< The viewport changed: repaint and ask for a new picture.
  void paint_picture(QPainter& painter) const;
  void paint_marks(QPainter& painter) const;
  void paint_scale(QPainter& painter) const;
  QRectF place_box(const LayoutLocation& place) const;  ///< In pixels.

  std::shared_ptr<const layout::Layout> layout_;
  layout::CellIndex top_ = layout::kNoCell;
  std::vector<viewmodel::LayerStyle> layers_;
  std::vector<LayoutLocation> places_;
  std::vector<LayoutDot> dots_;
  int place_ = -1;
  QString message_;
  viewmodel::Viewport port_;
  bool fitted_ = true;  ///< Nobody has moved the view yet: a resize fits again.
  viewmodel::LayoutPicture picture_;
  std::shared_ptr<std::atomic<unsigned>> wanted_;  ///< Number of the newest request.
  bool drawing_ = false;
  Qt::MouseButton button_ = Qt::NoButton;
  QPointF pressed_, last_;
  QThreadPool pool_;  ///< Last: its tasks end before the rest goes.
};

}  // namespace yieldloop::widgets
