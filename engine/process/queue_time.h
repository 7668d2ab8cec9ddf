/// \file
/// How long may a wafer wait before a step?
///
/// For each step with queue times, every threshold is tried: wafers that waited longer against
/// the others, by lot_contrast.h. The p of the best threshold carries the price of choosing
/// (stats::maximally_selected_p); for steps that pass, the same search on shuffled responses
/// (lot means between lots, residuals within) gives a permutation p that must agree. The
/// thresholds whose z^2 lies within 3.84 of the best make its 95 % interval. q:
/// Benjamini-Hochberg over the steps.
///
/// Source: R. Miller and D. Siegmund, Biometrics 38 (1982) 1011; profile interval: D. Hinkley,
/// Biometrika 57 (1970) 1.
#pragma once

#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"
#include "engine/process/response.h"

namespace yieldloop::process {

struct QueueTimeOptions {
  double alpha = 0.05;                 ///< In (0, 0.5].
  std::size_t min_exposed_wafers = 5;  ///< On either side of a threshold, >= 2.
  std::size_t permutations = 199;      ///< For steps with q <= alpha.
  std::uint64_t seed = 1;
};

struct QueueTimeEffect {
  NameId step{};
  double limit_minutes = 0.0;  ///< Recommended: the longest wait among the good ones.
  Interval limit_ci{0.0, 0.0};
  double effect = 0.0;  ///< Units of the response per wafer above the limit.
  Interval effect_ci{0.0, 0.0};
  bool harmful = false;
  double p_value = 1.0, q_value = 1.0;
  double permutation_p = 1.0;  ///< 1 when it was not asked for.
  std::int64_t wafers_above = 0, wafers_below = 0;
  double mean_change = 0.0;  ///< effect x share above: per wafer of the scope.
  friend bool operator==(const QueueTimeEffect&, const QueueTimeEffect&) = default;
};

struct QueueTimeResult {
  std::vector<QueueTimeEffect> steps;  ///< Smallest p first.
  std::size_t family = 0;
  std::string family_text;
  friend bool operator==(const QueueTimeResult&, const QueueTimeResult&) = default;
};

/// Errors: kInvalidOptions (QTIM-0001); kInvalidOptions (QTIM-0002) when the response has not
/// one value for each wafer; kNoData (QTIM-0003) when no step has comparable queue times.
Result<QueueTimeResult> queue_time_effects(const FabData& data, const Response& response,
                                           const QueueTimeOptions& options = {});

}  // namespace yieldloop::process
