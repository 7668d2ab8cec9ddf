/// \file
/// Yield by place on the wafer: rings of equal area and quadrants.
///
/// Rings: share of the tested map's area inside a die, k/n to (k+1)/n, centre first. Quadrants
/// about the middle of the map, counter-clockwise from upper right (notch down); die on an axis
/// belong to the quadrant counter-clockwise of it. Intervals are Wilson's and take die as
/// independent.
///
/// Source: E. B. Wilson, JASA 22 (1927) 209.
#pragma once

#include <span>
#include <vector>

#include "engine/core/die_outcomes.h"
#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::yield {

struct ZoneOptions {
  int rings = 5;  ///< In [1, 64].
};

struct ZoneYield {
  std::int64_t tested = 0, good = 0;
  double yield = 0.0;  ///< 0 when nothing was tested.
  Interval yield_ci{0.0, 1.0};
  friend bool operator==(const ZoneYield&, const ZoneYield&) = default;
};

struct ZoneYields {
  std::vector<ZoneYield> rings;      ///< Shape: [rings].
  std::vector<ZoneYield> quadrants;  ///< Shape: [4].
  friend bool operator==(const ZoneYields&, const ZoneYields&) = default;
};

/// Every die is in one ring and one quadrant. Order does not matter.
/// Errors: kInvalidOptions (YIEL-0006); kNoData (YIEL-0007) when no die is given.
Result<ZoneYields> zone_yields(const Product& product, std::span<const DieOutcome> outcomes,
                               const ZoneOptions& options = {});

}  // namespace yieldloop::yield
