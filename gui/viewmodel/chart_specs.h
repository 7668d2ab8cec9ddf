/// \file
/// From an opened fab and a selection to the specs that gui/charts paints. Every spec comes with
/// the names of its marks, so that a click is a pick.
#pragma once

#include <string>
#include <vector>

#include "gui/charts/bar_charts.h"
#include "gui/charts/palette.h"
#include "gui/charts/point_charts.h"
#include "gui/charts/wafer_gallery.h"
#include "gui/charts/wafer_map.h"
#include "gui/viewmodel/opened_fab.h"

namespace yieldloop::viewmodel {

struct MapOptions {
  int quarter_turns = 0;
  bool mirrored = false;
  bool defects = true;
  bool reticle_grid = false;
  charts::DieColouring colouring = charts::DieColouring::kBin;  ///< kBin or kPassFail.
  friend bool operator==(const MapOptions&, const MapOptions&) = default;
};

/// A wafer with all its die and, when asked, its defects. Shape: defects[i] names spec.defects[i].
struct MapChart {
  charts::WaferMapSpec spec;
  std::string wafer;
  std::vector<DefectKey> defects;
};
MapChart wafer_map(const OpenedFab& fab, WaferId wafer, const Selection& selection,
                   const MapOptions& options = {});

enum class GalleryOrder : std::uint8_t { kSlot, kLowestYield };

/// All wafers under one scale. When bins are selected, wafers without any die of them are left
/// out and counted in `hidden`. Shape: wafers[i] names spec.maps[i].
struct GalleryChart {
  charts::WaferGallerySpec spec;
  std::vector<std::string> wafers;
  std::size_t hidden = 0;
};
GalleryChart wafer_gallery(const OpenedFab& fab, const Selection& selection, GalleryOrder order,
                           const MapOptions& options = {});

/// Failing hard bins of the selected wafers, or of all when none is selected.
/// Shape: bins[i] names spec.bars[i].
struct ParetoChart {
  charts::ParetoSpec spec;
  std::vector<int> bins;
};
ParetoChart bin_pareto(const OpenedFab& fab, const Selection& selection);

/// Final yield with Wilson intervals: lot by lot, or wafer by wafer where there is one lot.
/// Shape: wafers[i] are the wafers behind spec.points[i].
struct TrendChart {
  charts::TrendSpec spec;
  std::vector<std::set<std::string>> wafers;
};
TrendChart yield_trend(const OpenedFab& fab, const Selection& selection);

/// What the colours of maps mean, in the order of bins.
struct LegendItem {
  std::string text;
  charts::Rgb colour = 0;
};
std::vector<LegendItem> bin_legend(const OpenedFab& fab, const MapOptions& options);

}  // namespace yieldloop::viewmodel
