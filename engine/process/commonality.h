/// \file
/// Which tool, chamber, recipe, reticle, slot, wait or test equipment explains the bad wafers.
///
/// Every attribute of the process history is compared by `lot_contrast.h`: exposed wafers
/// against lot mates where lots are split, lots against lots otherwise. Each attribute is also
/// tried from an instant on (onset) and within a window; a wait, above a threshold. Looking
/// for the best split has its price (`stats::maximally_selected_p`; windows: Bonferroni), and
/// the three forms share the attribute's error budget 0.5 : 0.35 : 0.15. One p for an
/// attribute; q by Benjamini-Hochberg over all attributes that could be tested.
///
/// Causes are accepted one at a time, largest evidence first; each one's effect is taken out
/// of the response before the next look, so that an echo (a tool that merely shares wafers
/// with the culprit) disappears and says what explains it. Attributes met by the same wafers
/// (Jaccard above 0.98) are reported together, undecided, with the experiment that decides.
///
/// Source: sequential removal: Turner et al., ITC 2002, 464; Y. Benjamini and Y. Hochberg,
/// J. R. Statist. Soc. B 57 (1995) 289; weighted Bonferroni: C. Genovese, K. Roeder and
/// L. Wasserman, Biometrika 93 (2006) 509.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"
#include "engine/process/exposure.h"
#include "engine/process/response.h"

namespace yieldloop::process {

struct CommonalityOptions {
  double alpha = 0.05;                 ///< q at which a cause is accepted, in (0, 0.5].
  std::size_t min_exposed_wafers = 3;  ///< On either side, >= 2.
  std::size_t max_causes = 8;          ///< >= 1.
  double same_wafers_jaccard = 0.98;   ///< Above it two sets are not told apart.
  bool time_windows = true;
  bool queue_times = true;
  bool test_equipment = true;
  /// Repeats on responses shuffled between lots and within lots; 0: not measured.
  std::size_t shuffles = 0;
  std::uint64_t seed = 1;
};

struct AttributeResult {
  AttributeName name{};
  std::vector<AttributeName> same_wafers;  ///< Exactly the same wafers.
  double effect = 0.0;                     ///< Units of the response, per exposed wafer.
  Interval effect_ci{0.0, 0.0};
  bool harmful = false;
  double p_value = 1.0;
  double q_value = 1.0;
  double z = 0.0;
  std::string test;
  std::int64_t wafers_exposed = 0, wafers_unexposed = 0;
  std::int64_t lots_exposed = 0, lots_with_unexposed = 0;
  double within_lot_share = 0.0;        ///< Of the information; the rest compares whole lots.
  UtcMicros from{}, to{};               ///< Known where only a period is bad.
  std::optional<double> limit_minutes;  ///< Waits above this are the exposed ones.
  int explained_by = -1;                ///< Position in causes, when it is an echo of that one.
  /// Even a perfect split over these lots could not reach alpha in this family.
  bool needs_more_lots = false;
  friend bool operator==(const AttributeResult&, const AttributeResult&) = default;
};

struct Cause {
  AttributeResult attribute;
  std::vector<WaferId> wafers;            ///< Exposed, sorted.
  double total = 0.0;                     ///< effect times wafers.
  std::vector<AttributeName> candidates;  ///< Itself first; more than one: undecided.
  std::string why;                        ///< Empty when decided.
  std::string deciding_experiment;
  friend bool operator==(const Cause&, const Cause&) = default;
};

struct CommonalityResult {
  std::string response, unit;
  bool in_die = false;
  std::int64_t wafers = 0, lots = 0;
  std::vector<AttributeResult> attributes;  ///< Smallest p first, before any removal.
  std::vector<Cause> causes;                ///< In order of acceptance.
  /// Lot-by-lot suspects that the values accuse (Bonferroni over the family) but that so few
  /// lots cannot settle: even a perfect split would be luck somewhere. Strongest first, at most
  /// 10; to be shown as undecided.
  std::vector<AttributeResult> unsettled;
  std::string unsettled_experiment;  ///< Empty when there are none.
  std::size_t family = 0;            ///< Attributes tested: the size behind every q.
  std::string family_text;
  std::size_t untestable = 0;  ///< Rows met by all, by too few, or by one lot only.
  std::optional<double> shuffled_alarm_rate;
  std::vector<double> residual;  ///< Shape: [wafers]: response without the causes' effects.
  friend bool operator==(const CommonalityResult&, const CommonalityResult&) = default;
};

/// The result does not depend on the order of rows in `data`.
/// Errors: kInvalidOptions (COMM-0001); kInvalidOptions (COMM-0002) when the response has not
/// one value for each wafer; kNoData (COMM-0003) when fewer than 6 wafers have a response,
/// (COMM-0004) when there is no process history, (COMM-0005) when no attribute separates any
/// wafers, as when one lot went one way.
Result<CommonalityResult> commonality(const FabData& data, const Response& response,
                                      const CommonalityOptions& options = {});

}  // namespace yieldloop::process
