/// \file
/// The same case-control table as tracing/layout_regression.h, seen by boosted trees: a second
/// opinion that assumes no shape and no additivity, and says nothing where it learns nothing.
///
/// Judged on what it has not seen: lots and parts of the die are cut into three folds each; the
/// trees learn from the defects of two thirds of the lots on two thirds of the die and are judged
/// on the other lots' defects on the other third of the die, against the constant rate. A place
/// that is hit again and again, or a lot with its own pattern, thus teaches nothing that pays.
///
///   gain = mean log-likelihood for each row beyond the constant's, over the judged rows
///
/// The gain must be positive and larger than on copies whose places are moved: on each copy the
/// defects' labels are exchanged between tiles, so that places keep their crowding but lose their
/// properties. p = (1 + copies with as much) / (1 + copies). Where it does not stand out nothing
/// more is computed. SHAP contributions (exact TreeSHAP, log of the rate) are then averaged over
/// the cases.
///
/// Source: S. Lundberg et al., Nature Machine Intelligence 2 (2020) 56; B. Phipson, G. Smyth, Stat.
/// Appl. Genet. Mol. Biol. 9 (2010) 39.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/tracing/layout_regression.h"

namespace yieldloop::findings {

struct BoostedOptions {
  double alpha = 0.05;
  std::size_t copies = 39;  ///< Of exchanged tiles, at most; stops at the second as good.
  std::size_t most_cases = 4'000;
  std::size_t controls_per_case = 4;
  std::size_t explained = 600;  ///< Cases whose contributions are averaged.
  std::uint64_t seed = 1;
};

struct BoostedColumn {
  std::string column;
  double share = 0.0;     ///< Of the mean |contribution| over all columns.
  double low_high = 0.0;  ///< Mean contribution above the 90th less below the 10th percentile.
  friend bool operator==(const BoostedColumn&, const BoostedColumn&) = default;
};

struct BoostedView {
  bool generalises = false;
  double gain = 0.0;  ///< Nats a row.
  double p_value = 1.0;
  std::size_t copies = 0;
  std::vector<BoostedColumn> columns;  ///< By falling share; empty when it does not generalise.
  std::string why_not;                 ///< One sentence when it does not.
  friend bool operator==(const BoostedView&, const BoostedView&) = default;
};

/// Errors: kCancelled of the trainer. Too few lots or tiles: it does not generalise and says why.
Result<BoostedView> boosted_view(const tracing::RegressionTable& table,
                                 const BoostedOptions& options, Progress& progress);

}  // namespace yieldloop::findings
