/// \file
/// Everything `yieldloop suggest` says about a scope, and its JSON (yieldloop.suggestions/1).
///
/// Units: gains in good die per wafer over all wafers of the scope, money in the currency of
/// product.toml, intervals at 95 %.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/finding.h"

namespace yieldloop::feedback {

/// What may be spent. Empty limits do not bind.
struct Budget {
  std::optional<double> money;
  std::optional<int> mask_layers;  ///< New masks, reticles included.
  friend bool operator==(const Budget&, const Budget&) = default;
};

/// One point of the frontier: no other choice gains more for the same cost or less.
struct PortfolioPoint {
  double cost = 0.0;  ///< Money where masks have a price, else the number of masks.
  int masks = 0;
  double good_die_per_wafer = 0.0;
  std::vector<std::string> chosen;
  friend bool operator==(const PortfolioPoint&, const PortfolioPoint&) = default;
};

struct Portfolio {
  Budget budget;
  std::vector<std::string> chosen;  ///< Suggestion ids, in rank order; one per cause.
  double good_die_per_wafer = 0.0;
  Interval good_die_per_wafer_ci;  ///< Half-widths of independent causes added in quadrature.
  std::optional<double> money_per_week;
  std::optional<double> cost_money;
  int masks = 0;
  bool exact = true;  ///< False when there were more masks than the search takes; see notes.
  std::vector<PortfolioPoint> frontier;  ///< By rising cost.
  friend bool operator==(const Portfolio&, const Portfolio&) = default;
};

struct SuggestionsDocument {
  std::string product;
  std::int64_t wafers = 0;
  std::vector<Suggestion> suggestions;  ///< By rank.
  Portfolio portfolio;
  std::vector<std::string> notes;  ///< "No finding in this scope, so nothing is suggested."
  friend bool operator==(const SuggestionsDocument&, const SuggestionsDocument&) = default;
};

/// The document as JSON text, indented by two blanks, ending with a newline. Side effects that
/// were not computed are null, not zero.
std::string suggestions_json(const SuggestionsDocument& document);

}  // namespace yieldloop::feedback
