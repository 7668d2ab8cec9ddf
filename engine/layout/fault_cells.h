/// \file
/// The area that growing boxes cover, once or by two nets, for every size at once; for this folder.
///
/// A site is a box whose four walls move outward by x / 2. It may begin turned inside out (its low
/// wall above its high one) and then covers nothing until the walls have met; so a defect that
/// must cover a wire of width w is a site between the wire's far walls, and the places where two
/// sites both cover are again a site: the inner one of each pair of walls. "Covered by two nets"
/// is therefore "covered by a pair", and one problem is left: the union of sites.
///
/// That is the L-infinity Voronoi diagram of the sites, cut into cells on the way down: a cell
/// keeps the sites that can be nearest somewhere in it (none is whose smallest distance exceeds
/// another's largest, or whose walls always stay inside another's), and where few are left the
/// union follows by inclusion and exclusion; each term is the product of two lengths that grow
/// with 2, 1 or no moving wall, hence a few knots of the curve.
/// Cost: O(n log n) for n sites of which every place sees few.
/// Source: E. Papadopoulou and D. T. Lee, IEEE Trans. CAD 18 (1999) 463 (critical area as the
/// second-order Voronoi diagram in L-infinity).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/layout/fault_curve.h"

namespace yieldloop::layout {

/// Units: half database units, relative to some corner, so that walls move by 1 as x grows by 1.
/// Coordinates must stay within +-2^29.
struct FaultSite {
  std::int32_t x_min = 0;
  std::int32_t y_min = 0;
  std::int32_t x_max = 0;
  std::int32_t y_max = 0;
  std::uint32_t net = 0;
};

/// Working memory that is kept between tiles. Not thread-safe.
class FaultCells {
 public:
  /// Adds the area of the cell that at least one site covers.
  void cover_once(std::span<const FaultSite> sites, const FaultSite& cell, FaultCurveBuilder& out);
  /// Adds the area of the cell that sites of at least two nets cover.
  /// REQUIRES: no site is inside out.
  void cover_twice(std::span<const FaultSite> sites, const FaultSite& cell, FaultCurveBuilder& out);

 private:
  struct Slice {
    std::size_t first = 0;
    std::size_t last = 0;
  };
  void twice(Slice from, const FaultSite& cell);
  void once(Slice from, const FaultSite& cell);
  void pairs(Slice near, const FaultSite& cell);
  void measure(Slice slice, const FaultSite& cell);
  Slice keep_nearest(Slice from, const FaultSite& cell);
  Slice keep_two_nets(Slice from, const FaultSite& cell);
  bool worth_comparing(Slice slice, Slice from, const FaultSite& cell) const;
  void drop_hidden(Slice& slice, const FaultSite& cell);
  void drop_doubly_hidden(Slice& slice, const FaultSite& cell);
  void inclusion(std::size_t first, std::size_t last, const FaultSite& common,
                 const FaultSite& cell, int sign);
  void term(const FaultSite& site, std::int32_t from, const FaultSite& cell, int sign);

  std::vector<FaultSite> sites_;  ///< A stack: each cell's sites above those of its parent.
  std::vector<std::int32_t> nearest_, farthest_;  ///< Of the slice measured last.
  FaultCurveBuilder* out_ = nullptr;
};

}  // namespace yieldloop::layout
