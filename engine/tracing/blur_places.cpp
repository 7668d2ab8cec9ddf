#include "engine/tracing/blur_places.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace yieldloop::tracing {
namespace {

/// Poisson log-likelihood without what the rate does not enter; rate 0 allows no event.
double poisson_term(double events, double places, double rate) {
  return events * std::log(std::max(rate, 1e-12)) - rate * places;
}

}  // namespace

std::vector<char> high_groups(std::span<const double> events, std::span<const double> places) {
  const std::size_t n = events.size();
  std::vector<char> high(n, 0);
  const double all_events = std::accumulate(events.begin(), events.end(), 0.0);
  const double all_places = std::accumulate(places.begin(), places.end(), 0.0);
  if (n == 0 || all_events <= 0.0) return high;
  // The best split of the groups in the order of their rates is where two rates fit best.
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return events[a] * places[b] > events[b] * places[a];
  });
  const double one_rate = poisson_term(all_events, all_places, all_events / all_places);
  double best = one_rate, high_rate = all_events / all_places, low_rate = high_rate;
  double m = 0.0, p = 0.0;
  for (std::size_t i = 0; i + 1 < n; ++i) {
    m += events[order[i]], p += places[order[i]];
    const double m2 = std::max(0.0, all_events - m), p2 = all_places - p;
    if (!(p > 0.0) || !(p2 > 0.0)) continue;
    const double two = poisson_term(m, p, m / p) + poisson_term(m2, p2, m2 / p2);
    if (two > best) best = two, high_rate = m / p, low_rate = m2 / p2;
  }
  // Choosing the split costs the logarithm of how many there were, and a second rate.
  if (best - one_rate < 2.0 + std::log(static_cast<double>(n)) || low_rate > 0.3 * high_rate) {
    std::ranges::fill(high, char{1});
    return high;
  }
  double share = 0.5;
  std::vector<double> chance(n, 0.0);
  for (int round = 0; round < 200; ++round) {
    double hm = 0.0, hp = 0.0, lm = 0.0, lp = 0.0;
    for (std::size_t g = 0; g < n; ++g) {
      const double odds = std::log(share / (1.0 - share)) +
                          poisson_term(events[g], places[g], high_rate) -
                          poisson_term(events[g], places[g], low_rate);
      chance[g] = 1.0 / (1.0 + std::exp(std::clamp(-odds, -500.0, 500.0)));
      hm += chance[g] * events[g], hp += chance[g] * places[g];
      lm += (1.0 - chance[g]) * events[g], lp += (1.0 - chance[g]) * places[g];
    }
    const double before = high_rate;
    if (hp > 0.0) high_rate = hm / hp;
    if (lp > 0.0) low_rate = lm / lp;
    share = std::clamp(hp / (hp + lp), 0.02, 0.98);
    if (std::abs(high_rate - before) < 1e-9 * before) break;
  }
  for (std::size_t g = 0; g < n; ++g) high[g] = chance[g] > 0.5;
  return high;
}

}  // namespace yieldloop::tracing
