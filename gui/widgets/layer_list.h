/// \file
/// The layers of the layout with their colours and patterns; a double click hides or shows one.
#pragma once

#include <QTreeWidget>
#include <vector>

#include "gui/viewmodel/layout_raster.h"

namespace yieldloop::widgets {

class LayerList final : public QTreeWidget {
  Q_OBJECT

 public:
  explicit LayerList(QWidget* parent = nullptr);
  /// Layers hidden before stay hidden, by name.
  void show_layers(std::vector<viewmodel::LayerStyle> layers);
  const std::vector<viewmodel::LayerStyle>& layers() const { return layers_; }
  void toggle(std::size_t index);

 signals:
  void layers_changed();

 private:
  void fill();
  std::vector<viewmodel::LayerStyle> layers_;
};

}  // namespace yieldloop::widgets
