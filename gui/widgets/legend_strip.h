/// \file
/// The one legend that maps and gallery share.
#pragma once

#include <QLabel>
#include <vector>

#include "gui/viewmodel/chart_specs.h"

namespace yieldloop::widgets {

class LegendStrip final : public QLabel {
 public:
  explicit LegendStrip(QWidget* parent = nullptr);
  void show_items(const std::vector<viewmodel::LegendItem>& items);
};

}  // namespace yieldloop::widgets
