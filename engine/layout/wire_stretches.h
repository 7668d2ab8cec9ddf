/// \file
/// The stretches of a net that a missing-material defect can cut through; for this folder.
///
/// Cross-sections are the horizontal and the vertical chords of the net. A stretch of equal chords
/// counts where the wire goes on at both of its ends, or where it is at least as long as it is
/// wide. Units: database units.
#pragma once

#include <span>
#include <vector>

#include "engine/core/function_ref.h"
#include "engine/geometry/box.h"
#include "engine/layout/fault_cells.h"

namespace yieldloop::layout {

struct WireStretch {
  geometry::Box32 box;
  bool vertical = false;  ///< The wire runs along y and its width is along x.
};

/// Stretches narrower than `below` of the union of the boxes. What reaches the border of `seen`
/// goes on beyond it; a chord that ends there is longer than it looks and is left out.
std::vector<WireStretch> wire_stretches(std::span<const geometry::Box32> net,
                                        const geometry::Box32& seen, geometry::Coord below);

/// The centres of defects that cut the stretch, as a site. Without ends its walls along the wire
/// are far away: the caller keeps to cells that lie within the stretch.
FaultSite open_site(const WireStretch& stretch, bool end_effects);

/// Calls visit(sites, part) for parts of the cell that the stretches either span or leave out.
void cover_without_ends(std::span<const WireStretch> stretches, const FaultSite& cell,
                        FunctionRef<void(std::span<const FaultSite>, const FaultSite&)> visit);

}  // namespace yieldloop::layout
