/// \file
/// A(x) of one tile: where the centre of a square defect of side x makes a fault. For this folder.
#pragma once

#include <vector>

#include "engine/geometry/rectangles.h"
#include "engine/layout/critical_area.h"

namespace yieldloop::layout {

/// Lengths in database units, relative to the tile's lower-left corner.
class FaultArea {
 public:
  struct Model {
    FaultKind kind = FaultKind::kShort;
    bool end_effects = true;
    double x_max = 0.0;
    Coord staircase = 1;
  };
  FaultArea(const FlatView& view, LayerIndex layer, const Box& tile, const Model& model);

  /// Exact for Manhattan layouts. Cost: O(n log n) in the shapes of the tile and its margin.
  double at(double x) const;
  /// Ascending sizes from which on something new begins; A is 0 up to the first. All of them
  /// when few, otherwise only the first. Empty when A is 0 up to x_max.
  const std::vector<double>& breaks() const { return breaks_; }

 private:
  /// A stretch of a wire: the defect must cover `across` at one place of `along`.
  struct Stretch {
    geometry::Rect rect;
    bool vertical = false;  ///< The wire runs along y.
    std::size_t net = 0;    ///< Ascending in stretches_.
  };
  void find_gaps();
  void find_stretches(const geometry::Rect& seen);
  double shorts(double x) const;
  double opens(double x) const;

  Model model_;
  geometry::Rect window_;
  std::vector<std::vector<geometry::Rect>> nets_;
  std::vector<Stretch> stretches_;
  std::vector<double> breaks_;
};

}  // namespace yieldloop::layout
