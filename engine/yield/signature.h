/// \file
/// Named spatial signatures on wafer maps: edge ring, centre, donut, local cluster, scratch.
///
/// Null: the wafer's fails lie anywhere among its tested die. Each test asks whether a window
/// holds more fails than that: zones are one window (exact hypergeometric tail); a local
/// cluster is the best of all discs of 2.2 and 3.3 die pitches, a scratch the best of line
/// segments one die wide in 24 directions. For the best of many windows the statistic is the
/// smallest hypergeometric tail, its p the share of random placements of as many fails that
/// reach it (seeded), or Bonferroni over the windows where that is smaller: both are valid and
/// order maps alike. q: Benjamini-Hochberg over wafers x tests. The label is the significant
/// test with the largest log likelihood ratio of two fail rates against one, less the logarithm
/// of the windows chosen from; none means no pattern, not no fails. A disc about the wafer's
/// middle counts as centre where both are significant.
///
/// Stacks (each lot, and all wafers) ask the same of the sum over wafers: the weaker of the
/// summed excess over its standard deviation and Student's t over the wafers' excesses, so
/// that one wafer is no pattern of its lot.
///
/// Zones by radius as a share of the tested map's radius: centre < 0.4, donut 0.4 to 0.8,
/// edge ring > 0.85.
///
/// Source: classes after M.-J. Wu, J.-S. Jang, J.-L. Chen, IEEE TSM 28 (2015) 1; scan
/// statistic: M. Kulldorff, Commun. Statist. 26 (1997) 1481.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/die_outcomes.h"
#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::yield {

enum class Signature : std::uint8_t { kEdgeRing, kCentre, kDonut, kLocal, kScratch, kNone };
inline constexpr std::size_t kSignatureTests = 5;

/// "edge_ring", "centre", "donut", "local", "scratch", "none".
std::string_view signature_name(Signature signature);
/// kNone for a text that names no signature.
Signature signature_of(std::string_view name);

struct SignatureOptions {
  double alpha = 0.05;             ///< q of a label, in (0, 0.5].
  std::size_t permutations = 199;  ///< Random placements for each map shape and fail count.
  std::size_t min_die = 20;        ///< Wafers with fewer tested die or under 3 fails: none.
  std::uint64_t seed = 1;
};

struct SignatureTest {
  double p_value = 1.0;
  double q_value = 1.0;
  double excess_fails = 0.0;  ///< Fails in the window beyond the rate outside it.
  double likelihood = 0.0;    ///< Log likelihood ratio less log(windows).
  DieIndex at{};              ///< Middle of the best window (local, scratch).
  friend bool operator==(const SignatureTest&, const SignatureTest&) = default;
};

struct WaferSignature {
  WaferId wafer;
  std::int64_t tested = 0, failed = 0;
  std::array<SignatureTest, kSignatureTests> tests{};  ///< By Signature.
  Signature label = Signature::kNone;
  friend bool operator==(const WaferSignature&, const WaferSignature&) = default;
};

struct StackedSignature {
  NameId lot{};  ///< Empty: all wafers.
  std::int64_t wafers = 0;
  std::array<SignatureTest, kSignatureTests> tests{};  ///< excess_fails is per wafer.
  Signature label = Signature::kNone;
  friend bool operator==(const StackedSignature&, const StackedSignature&) = default;
};

struct SignatureResult {
  std::vector<WaferSignature> wafers;    ///< Wafers with tested die, in order.
  std::vector<StackedSignature> stacks;  ///< All wafers first, then lots in order.
  std::string family_text;
  friend bool operator==(const SignatureResult&, const SignatureResult&) = default;
};

/// Errors: kInvalidOptions (SIGN-0001); kNoData (SIGN-0002) when no die was tested.
Result<SignatureResult> find_signatures(const FabData& data, const SignatureOptions& options = {});

/// 1 where the wafer has the label, 0 where not, NaN where it has no tested die: a response
/// for commonality. Shape: [wafer_count].
std::vector<double> signature_presence(const SignatureResult& result, Signature signature,
                                       std::size_t wafer_count);

}  // namespace yieldloop::yield
