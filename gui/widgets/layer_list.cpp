#include "gui/widgets/layer_list.h"

#include <QHeaderView>
#include <QImage>
#include <set>

namespace yieldloop::widgets {
namespace {

QPixmap swatch(const viewmodel::LayerStyle& style) {
  QImage image(22, 14, QImage::Format_RGB32);
  image.fill(Qt::white);
  const QColor colour(style.colour);
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) {
      const bool edge = x == 0 || y == 0 || x == image.width() - 1 || y == image.height() - 1;
      const double share = edge ? 0.95 : viewmodel::layer_pattern(style.pattern, x, y) ? 0.6 : 0.2;
      const auto mix = [&](int c) { return static_cast<int>(255 + share * (c - 255)); };
      const bool inside = style.visible && style.pattern != viewmodel::kOutlineOnly;
      if (inside || edge) {
        image.setPixel(x, y, qRgb(mix(colour.red()), mix(colour.green()), mix(colour.blue())));
      }
    }
  }
  return QPixmap::fromImage(image);
}

}  // namespace

LayerList::LayerList(QWidget* parent) : QTreeWidget(parent) {
  setAccessibleName(tr("Layers"));
  setHeaderLabels({tr("Layer"), tr("Shown")});
  setRootIsDecorated(false);
  setExpandsOnDoubleClick(false);
  setIconSize({22, 14});
  header()->setStretchLastSection(false);
  header()->setSectionResizeMode(0, QHeaderView::Stretch);
  header()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
  setToolTip(tr("Double click hides or shows a layer"));
  connect(this, &QTreeWidget::itemActivated, this, [this](QTreeWidgetItem* item) {
    toggle(static_cast<std::size_t>(indexOfTopLevelItem(item)));
  });
}

void LayerList::show_layers(std::vector<viewmodel::LayerStyle> layers) {
  std::set<std::string> hidden;
  for (const auto& layer : layers_) {
    if (!layer.visible) hidden.insert(layer.name);
  }
  layers_ = std::move(layers);
  for (auto& layer : layers_) layer.visible = layer.visible && !hidden.contains(layer.name);
  fill();
}

void LayerList::toggle(std::size_t index) {
  if (index >= layers_.size()) return;
  layers_[index].visible = !layers_[index].visible;
  fill();
  emit layers_changed();
}

void LayerList::fill() {
  const int current = indexOfTopLevelItem(currentItem());
  clear();
  for (const auto& layer : layers_) {
    auto* item = new QTreeWidgetItem(this);
    item->setText(0, QString::fromStdString(layer.name));
    item->setIcon(0, swatch(layer));
    item->setText(1, layer.visible ? tr("yes") : tr("hidden"));
    if (!layer.visible) item->setForeground(0, QColor(0x8c, 0x95, 0x9f));
  }
  if (current >= 0) setCurrentItem(topLevelItem(current));
}

}  // namespace yieldloop::widgets
