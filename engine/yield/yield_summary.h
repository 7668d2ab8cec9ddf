/// \file
/// How much of what was tested is good: by wafer, by lot and over all, first pass and final,
/// and which bins take the rest.
///
/// Two averages differ and both are named: the die-weighted yield is good die over tested
/// die; the mean wafer yield is the plain mean of the wafers' yields. The interval of the
/// die-weighted yield treats lots (wafers where there is one lot) as the units that scatter,
/// since die of one wafer are not independent.
///
/// Source: interval of a ratio mean over clusters: W. G. Cochran, Sampling Techniques, 3rd
/// ed. (1977) 11.6; one cluster: E. B. Wilson, JASA 22 (1927) 209.
#pragma once

#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::yield {

struct YieldCount {
  std::int64_t tested = 0;
  std::int64_t good = 0;
  double yield() const {
    return tested > 0 ? static_cast<double>(good) / static_cast<double>(tested) : 0.0;
  }
  friend bool operator==(const YieldCount&, const YieldCount&) = default;
};

struct WaferYield {
  WaferId wafer;
  YieldCount first_pass{};
  YieldCount final{};
  friend bool operator==(const WaferYield&, const WaferYield&) = default;
};

struct LotYield {
  NameId lot{};
  std::int64_t wafers = 0;
  YieldCount first_pass{};
  YieldCount final{};
  double mean_wafer_yield = 0.0;  ///< Of final.
  friend bool operator==(const LotYield&, const LotYield&) = default;
};

struct BinShare {
  int bin = 0;
  bool pass = false;
  std::int64_t die = 0;
  double share = 0.0;       ///< Of all tested die.
  double cumulative = 0.0;  ///< Of the failed die up to and with this bin; 0 for pass bins.
  friend bool operator==(const BinShare&, const BinShare&) = default;
};

struct YieldSummary {
  std::vector<WaferYield> wafers;  ///< Wafers with a tested die, in FabData's order.
  std::vector<LotYield> lots;      ///< In order of first appearance.
  YieldCount first_pass{};
  YieldCount final{};
  Interval final_ci;
  double mean_wafer_yield = 0.0;
  std::size_t rows = 0;             ///< Test rows, retests included.
  std::size_t superseded = 0;       ///< Rows that a later test replaced.
  std::size_t unplaced = 0;         ///< Rows without a die coordinate, not in any count.
  std::vector<BinShare> hard_bins;  ///< Failing bins, largest first, then passing bins.
  std::vector<BinShare> soft_bins;
  friend bool operator==(const YieldSummary&, const YieldSummary&) = default;
};

struct YieldSummaryOptions {
  NameId insertion;  ///< Empty: a die is good when it passes every insertion.
};

/// Conserves counts: the bins' die, the wafers' die and the lots' die each sum to `final`.
/// Errors: kNoData (YIEL-0005) when no die was tested.
Result<YieldSummary> yield_summary(const FabData& data, const YieldSummaryOptions& options = {});

}  // namespace yieldloop::yield
