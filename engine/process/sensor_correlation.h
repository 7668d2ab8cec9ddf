/// \file
/// Which sensor summaries and metrology values move with the yield?
///
/// For every (step, sensor, statistic) of FDC and (step, parameter) of metrology: the wafer's
/// mean value against the response, by rank, inside lots (normal scores centred within lots,
/// n - lots - 1 degrees) and between lots (normal scores of lot means, lots - 2 degrees),
/// joined as z weighted by the root of the degrees. Lots that drift alike thus count as lots,
/// not as wafers. The effect is the change of the response per standard deviation of the
/// sensor, by least squares of the scores. q: Benjamini-Hochberg over all columns.
///
/// Source: C. Spearman, Am. J. Psychol. 15 (1904) 72; B. van der Waerden (1952) for the
/// scores; S. Stouffer (1949).
#pragma once

#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"
#include "engine/process/response.h"

namespace yieldloop::process {

struct SensorCorrelation {
  bool metrology = false;
  NameId step{}, sensor{}, statistic{};  ///< sensor holds the parameter of metrology.
  double rho = 0.0;                      ///< Spearman's, over wafers.
  double z = 0.0, p_value = 1.0, q_value = 1.0;
  std::int64_t wafers = 0, lots = 0;
  double effect_per_sd = 0.0;  ///< Units of the response per wafer.
  Interval effect_ci{0.0, 0.0};
  friend bool operator==(const SensorCorrelation&, const SensorCorrelation&) = default;
};

struct SensorCorrelationResult {
  std::vector<SensorCorrelation> columns;  ///< Smallest p first.
  std::size_t family = 0;
  std::string family_text;
  friend bool operator==(const SensorCorrelationResult&, const SensorCorrelationResult&) = default;
};

/// Columns with fewer than 8 wafers or one value only are left out.
/// Errors: kInvalidOptions (SENS-0001) when the response has not one value for each wafer;
/// kNoData (SENS-0002) when no column can be compared.
Result<SensorCorrelationResult> sensor_correlations(const FabData& data, const Response& response);

}  // namespace yieldloop::process
