/// \file
/// Which wait does the damage, once it is known that waiting does.
///
/// Waits of neighbouring steps go together, and a test of "waited longer than T" asks each of them
/// at its own best T. Damage that grows with the wait tells them apart: for each step the response
/// is fitted by least squares to the minutes above a limit,
///
///   y = a + b max(0, wait - L),   L over the quantiles of the waits,
///
/// and the step and limit that leave the smallest residual are taken. The interval of the effect
/// treats lots as clusters, because whole lots wait together.
///
/// Source: hinge regression: D. V. Hinkley, JASA 66 (1971) 736; clustered variance: K.-Y. Liang and
/// S. L. Zeger, Biometrika 73 (1986) 13; largest statistic of a family under permutation: P.
/// Westfall and S. Young, Resampling-Based Multiple Testing (1993).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/process/response.h"

namespace yieldloop::process {

struct WaitDamage {
  NameId step{};
  double limit_minutes = 0.0;
  double per_hour = 0.0;   ///< b, in units of the response for each hour above the limit.
  double explained = 0.0;  ///< Share of the response's variance, in [0, 1].
  double effect = 0.0;     ///< Mean over the wafers above the limit, units of the response.
  Interval effect_ci{0.0, 0.0};
  std::vector<WaferId> wafers;  ///< Above the limit, sorted.
  friend bool operator==(const WaitDamage&, const WaitDamage&) = default;
};

/// Shape: universe is [wafers of data], 1 where the wafer takes part. Nothing when no step has a
/// harmful wait on at least `least_wafers` wafers.
std::optional<WaitDamage> most_damaging_wait(const FabData& data, const Response& response,
                                             std::span<const char> universe,
                                             std::size_t least_wafers = 5);

/// Whether the loss of lots grows with the minutes beyond some limit of some step.
///
/// A threshold asks whether long waits differ from short ones; where the damage grows, the lots
/// beyond it differ so much among themselves that few of them prove nothing. Here the lots' means
/// are fitted to the minutes beyond every limit of every step; the largest share explained is
/// compared with its own largest value on lots exchanged at random, so that `p_value` is of the
/// whole family and exact for exchangeable lots.
struct GrowingWait {
  WaitDamage damage;
  double p_value = 1.0;
  std::size_t draws = 0;
  std::int64_t lots = 0;
  std::size_t steps = 0;  ///< Asked.
  friend bool operator==(const GrowingWait&, const GrowingWait&) = default;
};

/// Shape: universe is [wafers of data]. Nothing with fewer than 8 lots, or when no wait is harmful.
std::optional<GrowingWait> growing_wait(const FabData& data, const Response& response,
                                        std::span<const char> universe, std::uint64_t seed = 1);

}  // namespace yieldloop::process
