/// \file
/// Do die with one label (field position, tester site) fail more than the others of their wafer
/// and ring?
///
/// Strata are wafer x ring (equal-area rings about the middle of the tested map), so neither a
/// bad wafer nor a radial pattern counts. For each wafer and label: d = fails - expected and
/// its hypergeometric variance v. Over any set of wafers the evidence is the weaker of
/// Cochran-Mantel-Haenszel, z = sum d / sqrt(sum v), and Student's t of the wafers' d, which
/// does not trust die of one wafer to be independent.
///
/// Source: N. Mantel and W. Haenszel, J. Natl. Cancer Inst. 22 (1959) 719.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/core/die_outcomes.h"
#include "engine/core/fab_data.h"
#include "engine/core/finding.h"

namespace yieldloop::process {

/// Ring 0..rings-1 of every outcome, centre first.
std::vector<std::uint8_t> equal_area_rings(const Product& product,
                                           std::span<const DieOutcome> outcomes, int rings);

struct LabelCell {
  double excess = 0;    ///< d.
  double variance = 0;  ///< v.
  double die = 0, fails = 0;
};

struct LabelEvidence {
  double z = 0.0;  ///< The weaker of the two; 0 when they disagree in sign.
  double p_greater = 1.0;
  double die = 0, fails = 0, excess = 0;
  std::int64_t wafers = 0;       ///< With die of the label and something to compare.
  Interval excess_ci{0.0, 0.0};  ///< Of the sum of d, by Student's t over wafers.
};

class LabelExcess {
 public:
  /// Shape: labels is [outcomes], 0..labels-1 or negative for none. Outcomes sorted by wafer.
  LabelExcess(std::span<const DieOutcome> outcomes, std::span<const std::uint8_t> rings,
              std::span<const int> labels, int label_count, std::size_t wafers);

  const LabelCell& cell(std::uint32_t wafer, int label) const {
    return cells_[static_cast<std::size_t>(label) * wafers_ + wafer];
  }
  /// Over the wafers for which `in` is not 0.
  LabelEvidence evidence(int label, std::span<const char> in) const;
  /// z of "the wafers in the set have more excess than the others" (Welch's t).
  double contrast_z(int label, std::span<const char> in) const;
  /// Fail minus the ring's fail rate on the wafer; Shape: [outcomes].
  std::span<const float> residuals() const { return residuals_; }

 private:
  std::size_t wafers_;
  std::vector<LabelCell> cells_;  ///< Shape: [labels, wafers].
  std::vector<float> residuals_;
};

}  // namespace yieldloop::process
