/// \file
/// Which suggestions to take together under a budget.
///
/// One suggestion per cause at most; masks are paid once however many suggestions use them.
/// Only masks cost money here, so the best choice for a set of masks is, cause by cause, the
/// largest gain among the suggestions whose masks lie in the set. Trying every set of masks is
/// therefore an exact search; with more than `kMostMasks` masks those of the suggestions with
/// the smallest gains are left out and the result says so.
/// With a budget the gain is maximised within it. Without one every suggestion is taken that pays
/// its masks within the horizon, or every one when there are no prices.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/core/product.h"
#include "engine/feedback/suggestion_document.h"

namespace yieldloop::feedback {

inline constexpr std::size_t kMostMasks = 14;

struct PortfolioItem {
  std::string id;
  std::size_t cause = 0;  ///< Items of one cause exclude each other.
  std::vector<std::string> masks;
  double gain = 0.0;  ///< Good die per wafer.
  Interval gain_ci;
};

struct PortfolioPrices {
  std::optional<double> mask;          ///< Money for each.
  std::optional<double> die_per_week;  ///< Money per week of one good die per wafer.
  double horizon_weeks = 26.0;
};

/// Shape: items is [n] in rank order. Cost: O(2^masks * n).
Portfolio choose_portfolio(std::span<const PortfolioItem> items, const Budget& budget,
                           const PortfolioPrices& prices);

}  // namespace yieldloop::feedback
