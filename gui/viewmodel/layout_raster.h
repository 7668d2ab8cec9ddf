/// \file
/// A window of a layout as pixels, layer by layer, without ever flattening it.
///
/// The hierarchy is walked from the top; a placement smaller than a pixel is one dot, an array
/// whose steps are smaller than a pixel is one box, so the work is bounded by what the picture can
/// show rather than by the size of the chip. Each layer is a mask of covered and edge pixels; the
/// masks are then laid over each other in stack order with the layer's colour and pattern.
/// Units: window in micrometres of the top cell.
#pragma once

#include <QImage>
#include <QRectF>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/product.h"
#include "engine/layout/flat_view.h"
#include "gui/charts/theme.h"

namespace yieldloop::viewmodel {

/// Edges are drawn, the inside is left as it is.
inline constexpr int kOutlineOnly = -1;

struct LayerStyle {
  layout::LayerIndex layer = 0;
  std::string name;        ///< "M1 (10/0)", or "10/0" for a layer the product does not name.
  std::string short_name;  ///< "M1".
  charts::Rgb colour = 0;
  int pattern = 0;  ///< See layer_pattern; kOutlineOnly for marker layers.
  bool visible = true;
};

/// Layers in stack order of the product, then the others by key; colours by category_colour, so
/// that a layer keeps its colour.
std::vector<LayerStyle> layer_styles(const layout::FlatView& view, const Product& product);

/// Whether a pattern's ink lies on a pixel; patterns repeat every 8 pixels.
bool layer_pattern(int pattern, int x, int y);

struct RasterRequest {
  std::shared_ptr<const layout::Layout> layout;  ///< Keeps the view's layout alive.
  layout::CellIndex top = layout::kNoCell;
  std::vector<LayerStyle> layers;
  QRectF window;  ///< top() is the lowest y.
  int width = 0;
  int height = 0;
  std::uint64_t most_shapes = 30'000'000;  ///< For each layer.
};

struct LayoutPicture {
  QImage image;
  QRectF window;
  std::uint64_t drawn = 0;  ///< Shapes and dots.
  bool complete = true;     ///< False when `most_shapes` was reached: say so.
  bool cancelled = false;
};

/// Safe from any thread. `cancelled` is asked often.
LayoutPicture draw_layout(const RasterRequest& request, const std::function<bool()>& cancelled);

}  // namespace yieldloop::viewmodel
