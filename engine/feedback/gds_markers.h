/// \file
/// Marker layers as a GDSII or OASIS stream: rectangles on layers of one cell, to lay over a chip.
///
/// Units: um in, rounded to `dbu_um`. The file has one structure; a GDSII file's dates are the
/// epoch, so that the same markers give the same bytes.
/// Source: GDSII Stream Format Manual, release 6.0: HEADER, BGNLIB, UNITS, BOUNDARY; REAL8 is
/// excess-64 base-16.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/core/result.h"

namespace yieldloop::feedback {

struct MarkerRectangle {
  int gds_layer = 0;  ///< In [0, 32767].
  int gds_datatype = 0;
  double x_um = 0.0, y_um = 0.0, w_um = 0.0, h_um = 0.0;
  friend bool operator==(const MarkerRectangle&, const MarkerRectangle&) = default;
};

/// Errors: kInvalidOptions (GDSM-0001) for a layer out of range, a size that is not positive, a
/// coordinate past 32 bits or a cell without name.
Result<std::vector<std::byte>> gds_markers(const std::string& cell,
                                           std::span<const MarkerRectangle> rectangles,
                                           double dbu_um = 0.001);

/// The same as an OASIS stream. Errors: the same.
Result<std::vector<std::byte>> oasis_markers(const std::string& cell,
                                             std::span<const MarkerRectangle> rectangles,
                                             double dbu_um = 0.001);

}  // namespace yieldloop::feedback
