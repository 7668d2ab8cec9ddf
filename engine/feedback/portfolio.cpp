#include "engine/feedback/portfolio.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <set>

namespace yieldloop::feedback {
namespace {

struct Choice {
  std::vector<std::size_t> items;
  std::uint32_t used = 0;  ///< Masks the chosen items need.
  double gain = 0.0;
};

/// The masks that take part, in order of the best gain that needs them.
std::vector<std::string> masks_in_order(std::span<const PortfolioItem> items) {
  std::vector<const PortfolioItem*> by_gain;
  for (const PortfolioItem& item : items) by_gain.push_back(&item);
  std::ranges::stable_sort(by_gain, std::ranges::greater{}, &PortfolioItem::gain);
  std::vector<std::string> masks;
  for (const PortfolioItem* item : by_gain) {
    for (const std::string& mask : item->masks) {
      if (std::ranges::find(masks, mask) == masks.end()) masks.push_back(mask);
    }
  }
  return masks;
}

class Search {
 public:
  Search(std::span<const PortfolioItem> items, std::vector<std::string> masks)
      : items_(items), masks_(std::move(masks)) {
    for (const PortfolioItem& item : items_) {
      std::uint32_t need = 0;
      bool possible = true;
      for (const std::string& mask : item.masks) {
        const auto it = std::ranges::find(masks_, mask);
        possible = possible && it != masks_.end();
        if (it != masks_.end()) need |= 1u << static_cast<unsigned>(it - masks_.begin());
      }
      needs_.push_back(need);
      possible_.push_back(possible);
    }
  }

  /// Cause by cause the largest gain among the items that fit the masks; the first on a tie.
  Choice best_for(std::uint32_t set) const {
    std::map<std::size_t, std::size_t> best;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (!possible_[i] || (needs_[i] & ~set) != 0 || items_[i].gain <= 0.0) continue;
      const auto [it, added] = best.try_emplace(items_[i].cause, i);
      if (!added && items_[i].gain > items_[it->second].gain) it->second = i;
    }
    Choice choice;
    for (const auto& [cause, i] : best) {
      choice.items.push_back(i);
      choice.used |= needs_[i];
      choice.gain += items_[i].gain;
    }
    std::ranges::sort(choice.items);
    return choice;
  }

  std::uint32_t sets() const { return 1u << masks_.size(); }

 private:
  std::span<const PortfolioItem> items_;
  std::vector<std::string> masks_;
  std::vector<std::uint32_t> needs_;
  std::vector<bool> possible_;
};

double cost_of(const Choice& choice, const PortfolioPrices& prices) {
  return std::popcount(choice.used) * prices.mask.value_or(1.0);
}

bool fits(const Choice& choice, const Budget& budget, const PortfolioPrices& prices) {
  if (budget.mask_layers && std::popcount(choice.used) > *budget.mask_layers) return false;
  return !budget.money || !prices.mask || cost_of(choice, prices) <= *budget.money;
}

/// What is maximised: gain within a budget, else what remains after the masks are paid.
double worth(const Choice& choice, const Budget& budget, const PortfolioPrices& prices) {
  if (budget.money || budget.mask_layers || !prices.mask || !prices.die_per_week) {
    return choice.gain;
  }
  return choice.gain * *prices.die_per_week * prices.horizon_weeks - cost_of(choice, prices);
}

std::vector<std::string> ids_of(const Choice& choice, std::span<const PortfolioItem> items) {
  std::vector<std::string> ids;
  for (const std::size_t i : choice.items) ids.push_back(items[i].id);
  return ids;
}

std::vector<PortfolioPoint> frontier_of(std::vector<Choice> choices,
                                        std::span<const PortfolioItem> items,
                                        const PortfolioPrices& prices) {
  std::ranges::stable_sort(choices, [&](const Choice& a, const Choice& b) {
    const double ca = cost_of(a, prices), cb = cost_of(b, prices);
    return ca != cb ? ca < cb : a.gain > b.gain;
  });
  std::vector<PortfolioPoint> frontier;
  for (const Choice& choice : choices) {
    if (!frontier.empty() && choice.gain <= frontier.back().good_die_per_wafer + 1e-12) continue;
    frontier.push_back(
        {cost_of(choice, prices), std::popcount(choice.used), choice.gain, ids_of(choice, items)});
  }
  return frontier;
}

void describe(const Choice& choice, std::span<const PortfolioItem> items,
              const PortfolioPrices& prices, Portfolio& portfolio) {
  double below = 0.0, above = 0.0;
  for (const std::size_t i : choice.items) {
    below += std::pow(items[i].gain - items[i].gain_ci.low, 2);
    above += std::pow(items[i].gain_ci.high - items[i].gain, 2);
  }
  portfolio.chosen = ids_of(choice, items);
  portfolio.good_die_per_wafer = choice.gain;
  portfolio.good_die_per_wafer_ci = {choice.gain - std::sqrt(below),
                                     choice.gain + std::sqrt(above)};
  portfolio.masks = std::popcount(choice.used);
  if (prices.mask) portfolio.cost_money = cost_of(choice, prices);
  if (prices.die_per_week) portfolio.money_per_week = choice.gain * *prices.die_per_week;
}

}  // namespace

Portfolio choose_portfolio(std::span<const PortfolioItem> items, const Budget& budget,
                           const PortfolioPrices& prices) {
  Portfolio portfolio;
  portfolio.budget = budget;
  auto masks = masks_in_order(items);
  portfolio.exact = masks.size() <= kMostMasks;
  if (!portfolio.exact) masks.resize(kMostMasks);
  const Search search(items, std::move(masks));
  std::vector<Choice> choices;
  Choice best;
  bool found = false;
  for (std::uint32_t set = 0; set < search.sets(); ++set) {
    Choice choice = search.best_for(set);
    if (fits(choice, budget, prices)) {
      const double gained = worth(choice, budget, prices);
      const double so_far = worth(best, budget, prices);
      const bool cheaper = cost_of(choice, prices) < cost_of(best, prices);
      if (!found || gained > so_far + 1e-12 || (gained > so_far - 1e-12 && cheaper)) best = choice;
      found = true;
    }
    choices.push_back(std::move(choice));
  }
  if (found) describe(best, items, prices, portfolio);
  portfolio.frontier = frontier_of(std::move(choices), items, prices);
  return portfolio;
}

}  // namespace yieldloop::feedback
