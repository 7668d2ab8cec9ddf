/// \file
/// Critical area: how much of the layout a random defect must hit to make a fault.
///
///   A_c = integral over x of A(x) f(x) dx,  x from 0 to x_max
///
/// A(x) is the area of the places where the centre of a square defect of side x (L-infinity
/// model) makes a fault. It is found for all sizes at once, as parabolas between knots
/// (fault_curve.h), so that A_c is exact for any size law, x0 and x_max. Nothing above x_max
/// counts and f is not scaled up for it. With ends of lines the integral grows like ln(x_max), so
/// every result states its x_max.
///
/// Shorts: the defect touches two nets. Nets are what `nets` says; without it, pieces of the
/// layer that touch: what is joined outside of a tile and its margin of x_max, or through other
/// layers, then counts as two nets (`net_aware` says which).
/// Opens: the defect covers a whole cross-section of a wire. Cross-sections are the horizontal and
/// vertical chords of the union; a stretch of equal chords counts where the wire goes on at both of
/// its ends, or where it is at least as long as it is wide (so bumps on a wire do not count).
/// A way round through a loop is not credited. A(x) is summed over the nets: a defect that opens
/// two nets is two faults, so that moving wires apart never changes the opens.
/// Vias are in critical_vias.h.
///
/// Known point: two parallel wires L = 1000 um, s = 0.1 um apart, x0 = 0.05 um, inverse cube,
/// x_max = 100 um, centres within the wires' length: 24.950025 um^2. With the ends and
/// x_max = 2 um: 22.57272866 um^2.
///
/// Oblique shapes are worked on as staircases of step x0 / 4 (at least 1 database unit) that keep
/// each row's mean width: every border is off by less than one step, so that A(x) lies between
/// A(x - 2 steps) and A(x + 2 steps).
/// Source: C. H. Stapper, IBM J. Res. Dev. 27 (1983) 549 (size laws); E. Papadopoulou and D. T.
/// Lee, IEEE Trans. CAD 18 (1999) 463 (the L-infinity model); A. V. Ferris-Prabhu, IEEE Trans.
/// Electron Devices 32 (1985) 1727 (opens and shorts of wires). Method and its limits:
/// docs/analyses/critical_area.md.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/layout/fault_curve.h"
#include "engine/layout/flat_view.h"

namespace yieldloop::layout {

enum class FaultKind : std::uint8_t { kShort, kOpen };

/// The net of a point that lies in a shape; nothing where it is not known. Thread-safe.
using NetFinder = std::function<std::optional<std::uint64_t>(LayerIndex, Point)>;

struct CriticalAreaOptions {
  FaultKind kind = FaultKind::kShort;
  SizeLaw law = SizeLaw::kInverseCube;
  double x0_um = 0.05;
  double x_max_um = 2.0;
  /// Where centres of defects may lie; the layer's box grown by x_max / 2 when empty.
  std::optional<Box> window;
  /// Opens only: a defect whose centre lies past the end of a stretch but that still covers a
  /// cross-section counts. For shorts the window decides.
  bool end_effects = true;
  NetFinder nets;         ///< Whole-chip nets; pieces of the layer when empty.
  double tile_um = 50.0;  ///< Larger where more than 2048 would stand in a row.
  /// 0 works on every tile; otherwise at most so many, drawn at random without replacement.
  std::size_t max_tiles = 0;
  std::uint64_t seed = 1;
};

struct TileCriticalArea {
  Box tile;
  double um2 = 0.0;
  friend bool operator==(const TileCriticalArea&, const TileCriticalArea&) = default;
};

struct CriticalArea {
  FaultKind kind = FaultKind::kShort;
  SizeLaw law = SizeLaw::kInverseCube;
  double x0_um = 0.0;
  double x_max_um = 0.0;
  double um2 = 0.0;
  /// Of sampling the tiles, with the finite population correction; 0 when all were done.
  double standard_error_um2 = 0.0;
  /// Normal 95 % interval of the sampling; equal to um2 when all were done.
  double ci95_low_um2 = 0.0;
  double ci95_high_um2 = 0.0;
  std::size_t tiles_done = 0;
  std::size_t tiles_total = 0;
  std::size_t tiles_repeated = 0;       ///< Of those done: same content as one worked out before.
  std::size_t tiles_oblique = 0;        ///< Of those done: with shapes that became staircases.
  bool net_aware = false;               ///< Nets came from the caller.
  double window_um2 = 0.0;              ///< Area the centres were taken from.
  std::vector<TileCriticalArea> tiles;  ///< Those done, in the grid's order.
  FaultCurve curve;                     ///< A(x) of the tiles done, in database units.
  friend bool operator==(const CriticalArea&, const CriticalArea&) = default;
};

/// Errors: kInvalidOptions LAYO-0008 (a size or tile that is not above 0, x_max not above x0, or
/// a size that no spot defect has), kNoData LAYO-0009 (nothing drawn on the layer), kCancelled
/// LAYO-0007.
Result<CriticalArea> critical_area(const FlatView& view, LayerIndex layer,
                                   const CriticalAreaOptions& options, Progress& progress);

/// A(x) alone, for defects whose centre lies in the window. Units: um, um^2.
/// REQUIRES: sides of the window grown by x below 2^28 database units.
double fault_area(const FlatView& view, LayerIndex layer, FaultKind kind, double x_um,
                  const Box& window, bool end_effects = true);

}  // namespace yieldloop::layout
