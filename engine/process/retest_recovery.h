/// \file
/// Does a probe card or tester fail good die at first touch that pass when they are tested again?
///
/// A die that fails first and passes finally was misread. The share of such die among those first
/// touched is taken for each lot on each card (or tester); the mean over the lots of one card is
/// compared with the other lots', the lots exchanged at random (one-sided). What a process does to
/// die is not mended by touching them again, so this tells a test artefact from a process problem,
/// also where every site is affected and no site stands out. Cards and testers of all insertions
/// make one family (Benjamini-Hochberg). The one with the smallest p is taken, its lots are set
/// aside and the rest is asked again.
///
/// Wear: whether the share grows with the order of touching, over the lots of the card and over
/// the wafers within its lots, each by exchange at random; p is twice the smaller.
///
/// Loss: with n die first touched, R of them recovered and a share s of the fails tested again
/// (by bin), the chance c to be misread solves c (1 - c) = R / (s n); c n - R good die stay lost.
///
/// Source: R. A. Fisher, The Design of Experiments (1935), permutation test.
#pragma once

#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::process {

struct RetestRecoveryOptions {
  double alpha = 0.05;          ///< In (0, 0.5].
  double least_excess = 0.002;  ///< Of the die first touched.
  double least_ratio = 1.5;     ///< Against the other lots.
  std::size_t permutations = 9999;
  std::uint64_t seed = 1;
};

struct Misreader {
  NameId insertion{}, probe_card{}, tester{};  ///< Card or tester; the other one is empty.
  double recovered_share = 0.0;                ///< Mean over its lots, of die first touched.
  double background_share = 0.0;               ///< The same over the other lots.
  double first_share = 0.0, last_share = 0.0;  ///< Of its first and last lot.
  double p_value = 1.0, q_value = 1.0;
  double wear_p_value = 1.0;
  std::int64_t die = 0, recovered = 0, lots = 0, other_lots = 0;
  double die_per_wafer = 0.0;  ///< Change of good die after retest; negative: loss.
  Interval die_per_wafer_ci{0.0, 0.0};
  std::vector<WaferId> on_wafers;                    ///< Sorted.
  std::vector<std::pair<NameId, NameId>> same_lots;  ///< Card, tester: what met the same lots.
  friend bool operator==(const Misreader&, const Misreader&) = default;
};

struct RetestRecoveryResult {
  std::vector<Misreader> misreaders;  ///< In order of acceptance.
  std::size_t family = 0;
  std::string family_text;
  friend bool operator==(const RetestRecoveryResult&, const RetestRecoveryResult&) = default;
};

/// The result does not depend on the order of rows.
/// Errors: kInvalidOptions (RETE-0001); kNoData (RETE-0002) when no die was tested again, or no
/// card or tester has 3 lots with 3 others to compare them with.
Result<RetestRecoveryResult> retest_recovery(const FabData& data,
                                             const RetestRecoveryOptions& options = {});

}  // namespace yieldloop::process
