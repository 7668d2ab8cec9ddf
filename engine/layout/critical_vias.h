/// \file
/// How many connections between two layers random via fails would break.
///
/// Cuts that join the same piece below with the same piece above are one connection, and it
/// breaks only when all of them fail. With q the chance that one cut fails by itself,
///
///   broken connections = sum over connections of q^m,     m cuts each
///
/// so a single cut counts q and a pair q^2. One defect may also cover all cuts of a connection:
/// with W x H the box around them, A(x) = (x - W)(x - H) from x = max(W, H) on, summed over the
/// connections; this is the critical area of the via layer for blocked cuts.
/// A second route through other layers is not credited.
///
/// Known point: 1000 single cuts and 500 pairs at q = 1e-4: 0.1 + 5e-6.
/// The rule follows from cuts that fail independently; derived in docs/analyses/critical_area.md.
#pragma once

#include <map>

#include "engine/layout/connectivity.h"
#include "engine/layout/layer_pieces.h"

namespace yieldloop::layout {

struct CriticalViaOptions {
  double fail_rate = 0.0;  ///< q, the chance that one cut fails.
  SizeLaw law = SizeLaw::kInverseCube;
  double x0_um = 0.05;
  double x_max_um = 2.0;
};

/// Cuts that stand for each other.
struct ViaConnection {
  std::uint32_t below = 0;  ///< Piece of the layer below, as LayerPieces numbers them.
  std::uint32_t above = 0;
  std::uint32_t cuts = 0;
  Box box;  ///< Around all cuts.
  friend bool operator==(const ViaConnection&, const ViaConnection&) = default;
};

struct CriticalVias {
  std::uint64_t cuts = 0;
  std::uint64_t unconnected = 0;           ///< Metal missing below or above; in no connection.
  std::vector<ViaConnection> connections;  ///< Ascending by (below, above).
  std::map<std::uint32_t, std::uint64_t> by_cuts;  ///< Cuts of a connection -> connections.
  double expected_fails = 0.0;                     ///< Sum of q^m.
  FaultCurve curve;                                ///< One defect covers a whole connection.
  double um2 = 0.0;                                ///< Its critical area.
  SizeLaw law = SizeLaw::kInverseCube;
  double x0_um = 0.0;
  double x_max_um = 0.0;
  friend bool operator==(const CriticalVias&, const CriticalVias&) = default;
};

/// The connections of a set of cuts; touching cuts are one. REQUIRES: the pieces are those of the
/// layers below and above. `cuts` and `unconnected` are filled.
CriticalVias connections_of(std::vector<Box> cuts, const LayerPieces& below,
                            const LayerPieces& above);
/// A(x) of one connection, up to x_max, in quarter square database units.
FaultCurve connection_curve(const ViaConnection& connection, Coord x_max);

/// Errors: kInvalidOptions LAYO-0030 (a rate outside 0 to 1, or sizes as for critical_area),
/// kCancelled LAYO-0007.
Result<CriticalVias> critical_vias(const FlatView& view, const ViaLayer& layers,
                                   const CriticalViaOptions& options, Progress& progress);

}  // namespace yieldloop::layout
