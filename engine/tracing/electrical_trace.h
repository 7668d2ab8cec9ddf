/// \file
/// Which layout features explain where die fail electrically, without any visible defect.
///
/// Block b, tested on N_b die of which n_b fail, holds e_bc of cause c (electrical_exposure.h).
/// With fails h_b = -N_b log(1 - n_b / N_b) (several in one die counted for what they are),
///
///   h_b ~ mean N_b sum over c of lambda_c e_bc,   lambda_c >= 0
///
/// an additive Poisson regression through the origin, which given the total is the deconvolution of
/// root_cause.h with P(b | c) = N_b e_bc / sum. The null is "fails go by area". A cause is asked
/// beside area and those accepted before it, by the drop of the deviance D, twice:
///
///   drop / phi                  against half chi-squared(1), phi the dispersion of the block
///   shares
///                               over wafers, at least 1
///   drop / max(phi, D1 / d)     against half F(1, d), d = blocks - parameters: blocks differ for
///                               reasons that no exposure knows, and few blocks say little
///
/// and its p-value is the larger. Causes come in two tiers: what a layer holds as a whole (vias
/// single and doubled, wire length), and the many single patterns and cells, of which a few blocks
/// always fit some by chance. Each tier has half of the error budget (q: Benjamini-Hochberg within
/// the tier over all causes that the blocks can tell from area, times 2). Of the causes with q <=
/// alpha the one that explains most is taken, a first-tier cause before a second-tier one that
/// explains as much (within 1.92 log-likelihood times the dispersion). It is a finding only when no
/// other cause of its tier explains the blocks as well or has the same profile; else all of these
/// are named as undecided. Second-tier causes beside a first-tier one are named as what it is
/// confounded with.
///
/// Source: P. McCullagh, J. A. Nelder, "Generalized Linear Models", 2nd ed. (1989), chapters 4 and
/// 6 (identity link, quasi-likelihood F tests); that of root_cause.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/block_tests.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"
#include "engine/tracing/electrical_exposure.h"

namespace yieldloop::tracing {

struct ElectricalOptions {
  double alpha = 0.05;          ///< In (0, 0.5].
  std::int64_t min_fails = 20;  ///< Over all blocks.
};

struct BlockFails {
  std::string cell;
  std::int64_t executed = 0;
  std::int64_t failed = 0;
  double expected_by_area = 0.0;
  double expected = 0.0;  ///< With the accepted causes.
  friend bool operator==(const BlockFails&, const BlockFails&) = default;
};

/// One cause asked beside area.
struct ElectricalTest {
  ElectricalCause cause;
  double exposure = 0.0;  ///< On one die, over all blocks.
  bool distinct = true;   ///< False when its profile over the blocks is that of area, or when
                          ///< one block carries most of its difference from it.
  double share = 0.0;     ///< Of the fails, beside area (or, accepted, beside all accepted).
  Interval share_ci{0.0, 1.0};
  double rate_per_opportunity = 0.0;  ///< Fails per place (via, um, cell) and tested die.
  Interval rate_per_opportunity_ci{0.0, 0.0};
  double rate_ratio = 1.0;  ///< Fails of the blocks over what area leaves without this cause.
  double deviance_drop = 0.0;
  double p_value = 1.0;
  double q_value = 1.0;
  friend bool operator==(const ElectricalTest&, const ElectricalTest&) = default;
};

/// A cause that was accepted, or the set of causes that explain the blocks alike.
struct ElectricalVerdict {
  std::size_t best = 0;             ///< Position in tests.
  std::vector<std::size_t> rivals;  ///< Ascending, without best; empty when decided.
  std::vector<std::size_t> finer;   ///< Second-tier causes that explain as much.
  double die_per_wafer = 0.0;       ///< <= 0.
  Interval die_per_wafer_ci{0.0, 0.0};
  double loss_die_total = 0.0;
  friend bool operator==(const ElectricalVerdict&, const ElectricalVerdict&) = default;
};

struct ElectricalTrace {
  std::vector<BlockFails> blocks;     ///< Sorted by cell.
  std::vector<ElectricalTest> tests;  ///< In the order of the exposures, area first.
  std::vector<ElectricalVerdict> verdicts;
  std::int64_t fails = 0;
  std::int64_t wafers = 0;
  double dispersion = 1.0;  ///< phi, over wafers.
  std::vector<std::string> caveats;
  std::vector<WaferId> failing_wafers;  ///< With at least one fail, ascending.
  friend bool operator==(const ElectricalTrace&, const ElectricalTrace&) = default;
};

/// Errors: kInvalidOptions (ELEC-0001); kNoData (ELEC-0002) when there are fewer than three blocks
/// or too few fails to ask.
Result<ElectricalTrace> trace_electrical(const BlockTests& tests, const BlockExposures& exposures,
                                         const ElectricalOptions& options = {});

}  // namespace yieldloop::tracing
