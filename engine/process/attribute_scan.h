/// \file
/// The best form (always, since, between, above) of each attribute, and its price in p.
/// Used by commonality.h and queue_time.h; the method is described there.
#pragma once

#include <memory>
#include <vector>

#include "engine/core/random.h"
#include "engine/process/commonality.h"
#include "engine/process/lot_contrast.h"

namespace yieldloop::process {

/// What the scan settled on for one attribute: exposed are wafers [begin, end) of its row.
struct ScanResult {
  bool testable = false;
  std::size_t begin = 0, end = 0;
  bool restricted = false;
  double p_value = 1.0;
  Contrast contrast{};
  std::size_t exposed = 0, lots_exposed = 0, lots_with_unexposed = 0;
};

/// Frames of one response, one for each universe, made when first asked for.
class FrameCache {
 public:
  FrameCache(const ExposureTable& table, const Response& response,
             const std::vector<double>& value);
  const ContrastFrame& frame(std::size_t universe);
  ContrastSums& sums(std::size_t universe);

 private:
  const ExposureTable& table_;
  const Response& response_;
  const std::vector<double>& value_;
  std::vector<std::unique_ptr<ContrastFrame>> frames_;
  std::vector<std::unique_ptr<ContrastSums>> sums_;
};

ScanResult scan_attribute(const Exposure& row, FrameCache& frames,
                          const CommonalityOptions& options);

/// The response with lot means shuffled between lots and residuals within lots, so that the
/// lots stay as alike inside as they were. NaN stays where it is.
std::vector<double> shuffled_response(const ExposureTable& table,
                                      const std::vector<double>& response, Random& random);

/// The contrast of a fixed slice of a row.
ScanResult contrast_slice(const Exposure& row, std::size_t begin, std::size_t end,
                          FrameCache& frames);

}  // namespace yieldloop::process
