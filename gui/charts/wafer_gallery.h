/// \file
/// Many small wafer maps that share one colour scale, one legend and one orientation.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gui/charts/wafer_map.h"

namespace yieldloop::charts {

/// The colouring, scale, turning and isolated bins of `common` hold for all maps; its dies and
/// texts are not used.
struct WaferGallerySpec {
  std::string title;
  std::vector<WaferMapSpec> maps;
  WaferMapSpec common;
  int columns = 0;                    ///< 0: as many as fit best.
  std::vector<std::size_t> selected;  ///< Positions of outlined maps.
};

struct GalleryHit {
  int map = -1;
  int die = -1;  ///< In that map; -1 between dies.
};

void paint(QPainter& painter, const QRectF& rect, const WaferGallerySpec& spec,
           const Theme& theme = light_theme());
GalleryHit gallery_hit_test(const WaferGallerySpec& spec, const QRectF& rect, const QPointF& point,
                            const Theme& theme = light_theme());
/// Position of the map under the point, -1 when there is none.
int hit_test(const WaferGallerySpec& spec, const QRectF& rect, const QPointF& point,
             const Theme& theme = light_theme());
/// Where map `index` is drawn.
QRectF gallery_cell(const WaferGallerySpec& spec, const QRectF& rect, std::size_t index,
                    const Theme& theme = light_theme());
/// The map as the gallery draws it: with the common scale and flags.
WaferMapSpec gallery_map(const WaferGallerySpec& spec, std::size_t index);
/// The smallest range over all maps' values, for a shared scale; [0, 1] when there are none.
ValueScale shared_scale(const WaferGallerySpec& spec);

}  // namespace yieldloop::charts
