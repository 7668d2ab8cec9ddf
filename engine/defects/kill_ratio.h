/// \file
/// How often a defect of each class kills its die.
///
/// With n_j defects of class j on a die of stratum s (wafer zone), tested good with probability
///
///   P(good) = Y_s * prod_j (1 - K_j)^n_j,   0 <= K_j <= 1, 0 < Y_s <= 1
///
/// the kill ratios K and base yields Y are the maximum-likelihood estimates; in b = -log Y and
/// k = -log(1 - K) the log-likelihood is concave and a projected Newton search finds its one
/// maximum. Intervals are profile likelihood (2 * drop = 3.841). The p-value of K_j = 0 is that
/// of the likelihood ratio against the half-and-half mixture of a point at zero and chi-squared
/// with one degree of freedom, because K_j = 0 is the edge of what is possible.
/// The simple ratio K = 1 - Y(with j) / Y(without any) is given beside it; it credits class j
/// with what other defects on the same die did.
/// `die_lost` shares the expected losses of each die among the classes on it by the Shapley
/// value, so that the shares add up to the expected number of die lost. `die_shared` shares the die
/// that were really lost in the same proportion, die by die, and adds up to exactly those.
///
/// Types can be finer than classes: by inspection step (layer), by size, by the pattern a defect
/// was traced to. Strata are zones and, by step, the set of steps a die was inspected at: a die
/// that one step did not look at may carry defects nobody saw, which its own base yield then allows
/// for.
///
/// Value at a known point: Y = 0.9, K = 0.4 gives 0.9, 0.54, 0.324, 0.1944 for n = 0..3.
/// Source: US patent 6,496,788 (the simple ratio, by number of defects); S. G. Self, K.-Y. Liang,
/// JASA 82 (1987) 605-610 (the mixture); L. S. Shapley, "A value for n-person games", 1953.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::defects {

/// All die of one stratum that carry the same defects.
struct KillCell {
  std::vector<int> counts;  ///< Shape: [types].
  int stratum = 0;
  std::int64_t good = 0;
  std::int64_t bad = 0;
  friend bool operator==(const KillCell&, const KillCell&) = default;
};

/// What a type is made of; empty where it is not asked or does not apply.
struct KillFacets {
  std::string step, class_name, size, pattern;
  friend auto operator<=>(const KillFacets&, const KillFacets&) = default;
};

struct KillTable {
  std::vector<std::string> types;
  std::vector<KillFacets> facets;  ///< Shape: as types; empty when the table was made by hand.
  int strata = 1;
  std::vector<KillCell> cells;
  std::int64_t die = 0;
  friend bool operator==(const KillTable&, const KillTable&) = default;
};

struct KillTableOptions {
  std::string step{};         ///< Only defects of this inspection step; empty: all steps.
  int zones = 3;              ///< Rings of equal area by die centre, each with its base yield.
  int max_count = 5;          ///< Counts above are capped: 1 - (1-K)^n hardly changes there.
  std::int64_t min_die = 10;  ///< A type on fewer die joins the type "other" (of its step).
  bool by_step = false;       ///< Each inspection step's defects are types of their own.
  /// Rising; a defect belongs to the bin below the first edge above its size. Empty: not by size.
  std::vector<double> size_edges_um{};
  /// Shape: empty or [data.defects]; the pattern each defect was traced to, empty for none.
  std::vector<std::string> pattern{};
  std::size_t most_types = 100;  ///< The most frequent; others join "other".
};

struct KillRatio {
  std::string type{};
  std::int64_t defects = 0;
  std::int64_t die = 0;  ///< Tested die that carry at least one.
  double simple = 0.0;   ///< 1 - Y(with)/Y(without any).
  double kill = 0.0;     ///< Maximum likelihood, in [0, 1].
  Interval kill_ci{};
  double p_value = 1.0;     ///< Of K = 0.
  double q_value = 1.0;     ///< Benjamini-Hochberg over the types of this result.
  double die_lost = 0.0;    ///< Expected, Shapley share.
  double die_shared = 0.0;  ///< Of the die lost, in that proportion.
  friend bool operator==(const KillRatio&, const KillRatio&) = default;
};

struct KillResult {
  std::vector<double> base_yield;  ///< Shape: [strata].
  std::vector<KillRatio> ratios;   ///< In the order of KillTable::types.
  double log_likelihood = 0.0;
  double base_die_lost = 0.0;  ///< Shapley share of the base losses.
  double base_die_shared = 0.0;
  friend bool operator==(const KillResult&, const KillResult&) = default;
};

/// Only die that were both inspected and tested count; a die is good when its final result of
/// every insertion passed. Errors: kNoData (KILL-0001), kInvalidOptions (KILL-0003).
Result<KillTable> kill_table(const FabData& data, const KillTableOptions& options = {});

/// `die_shared` of all types and the base add up to the bad die.
/// REQUIRES: every cell has types.size() counts >= 0 and a stratum in [0, strata).
/// Errors: kNoData (KILL-0002) when no die is good or none is bad.
Result<KillResult> kill_ratios(const KillTable& table);

/// Die lost to one layer: the sum over the types of an inspection step.
struct LayerLoss {
  std::string step;  ///< Empty: what no defect explains.
  double die_lost = 0.0;
  double die_shared = 0.0;
  friend bool operator==(const LayerLoss&, const LayerLoss&) = default;
};

/// Defects laid over test results: the table's types with their kill ratios, and the losses by
/// layer.
struct KillOverlay {
  KillTable table;
  KillResult result;
  std::vector<LayerLoss> layers;  ///< The base first, then by step.
  std::int64_t die = 0, die_lost = 0;
};

/// kill_table, kill_ratios and their sums by step. Errors: theirs.
Result<KillOverlay> kill_overlay(const FabData& data, const KillTableOptions& options);

/// Shapley value of player i in the game v(S) = 1 - prod over S of survive[k]; the values add
/// up to v(all).
std::vector<double> shapley_losses(const std::vector<double>& survive);

}  // namespace yieldloop::defects
