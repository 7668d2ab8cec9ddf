/// \file
/// What the traced defects cost at test: die that carry one against die that do not.
///
/// Every inspected and tested die is exposed when it carries at least one of the given defects.
/// The fail rates are compared within wafers (Mantel-Haenszel risk difference), so that a wafer
/// that is bad for another reason does not count against the pattern. A share 1 - s of the given
/// defects is background and kills as the other defects do (RD_other, die with other defects
/// only against die with none):
///
///   kill          = (RD - (1 - s) RD_other) / s,  in [-1, 1]
///   die per wafer = - kill * s * (share of inspected die that carry one) * tested die per wafer
///
/// Source: T. Sato, Biometrics 45 (1989) 1323 (interval of the risk difference).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/tracing/exposure.h"

namespace yieldloop::tracing {

struct DieLink {
  bool known = false;         ///< False when no inspected die was tested.
  std::int64_t die_with = 0;  ///< Tested die that carry one of the defects.
  std::int64_t fails_with = 0;
  std::int64_t die_without = 0;
  std::int64_t fails_without = 0;
  double kill = 0.0;  ///< Added chance to fail of a die with an attributed defect.
  Interval kill_ci{0.0, 0.0};
  double p_value = 1.0;
  double die_per_wafer = 0.0;  ///< <= 0 when die are lost; mean over all wafers.
  Interval die_per_wafer_ci{0.0, 0.0};
  double loss_die_total = 0.0;  ///< Over all tested wafers of the data, >= 0.
  std::vector<WaferId> wafers;  ///< That carry at least one, ascending.
  friend bool operator==(const DieLink&, const DieLink&) = default;
};

/// `defects` are positions in exposure.defects; `attributable_share` is the part of them that
/// is not background.
DieLink link_to_die(const FabData& data, const StepExposure& exposure,
                    std::span<const std::size_t> defects, double attributable_share);

}  // namespace yieldloop::tracing
