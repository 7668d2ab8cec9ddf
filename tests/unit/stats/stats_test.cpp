#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "engine/stats/contingency.h"
#include "engine/stats/distributions.h"
#include "engine/stats/group_tests.h"
#include "engine/stats/intervals.h"
#include "engine/stats/multiplicity.h"
#include "engine/stats/overdispersion.h"
#include "engine/stats/resampling.h"
#include "engine/stats/trend.h"

using namespace yieldloop;
using namespace yieldloop::stats;

TEST_CASE("distributions: tails agree with closed forms", "[stats]") {
  CHECK_THAT(normal_two_sided_p(1.959963984540054), WithinAbs(0.05, 1e-12));
  CHECK_THAT(normal_upper_p(10.0) / 7.619853024160526e-24, WithinAbs(1.0, 1e-9));
  CHECK_THAT(chi_squared_upper_p(2.0, 2), WithinAbs(std::exp(-1.0), 1e-14));
  CHECK_THAT(student_t_two_sided_p(1.0, 1), WithinAbs(0.5, 1e-12));  // Cauchy.
  CHECK_THAT(f_upper_p(4.0, 2, 2), WithinAbs(0.2, 1e-12));           // 1/(1+F) for 2 and 2.
  CHECK_THAT(poisson_upper_p(1, 2.0), WithinAbs(1 - std::exp(-2.0), 1e-14));
  CHECK_THAT(binomial_upper_p(3, 3, 0.5), WithinAbs(0.125, 1e-14));
  CHECK_THAT(student_t_to_z(-3.0, 1e7), WithinAbs(-3.0, 1e-5));
}

TEST_CASE("distributions: nothing to go on is p = 1", "[stats]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(student_t_two_sided_p(3.0, 0.0) == 1.0);
  CHECK(student_t_two_sided_p(nan, 5.0) == 1.0);
  CHECK(chi_squared_upper_p(nan, 1) == 1.0);
  CHECK(f_upper_p(-1, 1, 1) == 1.0);
}

TEST_CASE("hypergeometric: a perfect split of 20 lots with 4 bad is 1/4845", "[stats]") {
  CHECK_THAT(hypergeometric_upper_p(4, 4, 4, 20), WithinRel(1.0 / 4845, 1e-10));
  double sum = 0;
  for (int k = 0; k <= 7; ++k) sum += hypergeometric_point_p(k, 7, 12, 30);
  CHECK_THAT(sum, WithinAbs(1.0, 1e-12));
}

TEST_CASE("benjamini-hochberg: worked by hand, order does not matter", "[stats]") {
  const std::vector<double> p{0.04, 0.01, 0.03, 0.5};
  const auto q = benjamini_hochberg(p);
  CHECK_THAT(q[1], WithinAbs(0.04, 1e-15));
  CHECK_THAT(q[2], WithinAbs(0.04 * 4 / 3, 1e-15));  // min(0.06, 0.0533)
  CHECK_THAT(q[0], WithinAbs(0.04 * 4 / 3, 1e-15));
  CHECK_THAT(q[3], WithinAbs(0.5, 1e-15));
  const std::vector<double> reversed(p.rbegin(), p.rend());
  auto back = benjamini_hochberg(reversed);
  std::ranges::reverse(back);
  CHECK(back == q);
  CHECK(benjamini_hochberg({}).empty());
}

TEST_CASE("maximally selected p: bounds the share of null walks that cross", "[stats]") {
  const double z = 2.8;
  int crossed = 0;
  for (std::uint64_t r = 0; r < 4000; ++r) {
    Random random(r);
    double walk = 0, best = 0;
    for (int n = 1; n <= 200; ++n) {
      walk += random.normal();
      if (n >= 5) best = std::max(best, std::abs(walk) / std::sqrt(n));
    }
    crossed += best >= z;
  }
  const double p = maximally_selected_p(z, 5, 200, 196);
  CHECK(crossed / 4000.0 < p + 0.01);
  CHECK(p < 0.12);  // Bonferroni would say 1.
}

TEST_CASE("intervals: published values", "[stats]") {
  CHECK_THAT(wilson_interval(8, 10).low, WithinAbs(0.4902, 5e-5));
  CHECK_THAT(wilson_interval(8, 10).high, WithinAbs(0.9433, 5e-5));
  CHECK_THAT(clopper_pearson_interval(682, 925).low, WithinAbs(0.7076683, 5e-8));
  CHECK_THAT(clopper_pearson_interval(682, 925).high, WithinAbs(0.7654066, 5e-8));
  CHECK_THAT(clopper_pearson_interval(0, 10).high, WithinAbs(1 - std::pow(0.025, 0.1), 1e-12));
  CHECK(clopper_pearson_interval(10, 10).high == 1.0);
  CHECK_THAT(poisson_rate_interval(137, 24.19893).low, WithinAbs(4.753125, 1e-5));
  CHECK_THAT(poisson_rate_interval(137, 24.19893).high, WithinAbs(6.692709, 1e-5));
  CHECK_THAT(poisson_rate_interval(0, 2.0).high, WithinAbs(-std::log(0.025) / 2, 1e-12));
}

TEST_CASE("rate ratio: published values and refusals", "[stats]") {
  const auto r = poisson_rate_ratio(11, 800, 21, 3011);
  REQUIRE(r);
  CHECK_THAT(r->ratio, WithinAbs(1.971488, 1e-6));
  CHECK_THAT(r->interval.low, WithinAbs(0.8584264, 1e-6));
  CHECK_THAT(r->interval.high, WithinAbs(4.2772659, 1e-6));
  CHECK(poisson_rate_ratio(0, 1, 0, 1)->p_two_sided == 1.0);
  CHECK(std::isinf(poisson_rate_ratio(3, 1, 0, 1)->ratio));
  CHECK(poisson_rate_ratio(-1, 1, 0, 1).error().id == "STAT-0001");
  CHECK(poisson_rate_ratio(1, 0, 0, 1).error().id == "STAT-0001");
}

TEST_CASE("fisher: published values", "[stats]") {
  CHECK_THAT(fisher_exact(2, 10, 15, 3).p_two_sided, WithinAbs(0.0005367, 5e-8));
  CHECK_THAT(fisher_exact(2, 10, 15, 3).p_less, WithinAbs(0.0004652, 5e-8));
  CHECK_THAT(fisher_exact(3, 1, 1, 3).p_two_sided, WithinAbs(0.4857143, 5e-8));
  CHECK_THAT(fisher_exact(3, 1, 1, 3).p_greater, WithinAbs(0.2428571, 5e-8));
  CHECK_THAT(fisher_exact(0, 0, 3, 4).p_two_sided, WithinAbs(1.0, 1e-12));
}

TEST_CASE("cochran-mantel-haenszel: the Berkeley admissions", "[stats]") {
  const std::vector<Table2x2> departments{{512, 313, 89, 19},   {353, 207, 17, 8},
                                          {120, 205, 202, 391}, {138, 279, 131, 244},
                                          {53, 138, 94, 299},   {22, 351, 24, 317}};
  const auto r = cochran_mantel_haenszel(departments, true);
  CHECK_THAT(r.chi_squared, WithinAbs(1.4269, 5e-5));
  CHECK_THAT(r.p_value, WithinAbs(0.2323, 5e-5));
  CHECK_THAT(r.odds_ratio, WithinAbs(0.9046968, 5e-7));
  CHECK_THAT(r.odds_ratio_ci.low, WithinAbs(0.7719074, 5e-6));
  CHECK_THAT(r.odds_ratio_ci.high, WithinAbs(1.0603298, 5e-6));
  CHECK(r.strata_used == 6);
}

TEST_CASE("cochran-mantel-haenszel: a stratum that cannot inform changes nothing", "[stats]") {
  std::vector<Table2x2> strata{{5, 20, 3, 40}, {7, 10, 2, 30}};
  const auto before = cochran_mantel_haenszel(strata);
  strata.push_back({0, 12, 0, 9});
  const auto after = cochran_mantel_haenszel(strata);
  CHECK(after.p_value == before.p_value);
  CHECK(after.odds_ratio == before.odds_ratio);
  CHECK(std::abs(after.risk_difference) < std::abs(before.risk_difference));
  CHECK(cochran_mantel_haenszel({}).p_value == 1.0);
  // One stratum: the risk difference is the plain one.
  const std::vector<Table2x2> one{{5, 20, 3, 40}};
  CHECK_THAT(cochran_mantel_haenszel(one).risk_difference, WithinAbs(5 / 25.0 - 3 / 43.0, 1e-12));
}

TEST_CASE("mann-whitney: published exact value, brute force, ties", "[stats]") {
  const std::vector<double> x{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
  const std::vector<double> y{1.15, 0.88, 0.90, 0.74, 1.21};
  const auto r = mann_whitney(x, y);
  REQUIRE(r);
  CHECK(r->statistic == 35.0);
  CHECK_THAT(r->p_value, WithinAbs(2 * 0.1272, 1e-4));
  // Two against two, fully separated: 2 of the 6 orders are as extreme.
  CHECK_THAT(mann_whitney(std::vector{1.0, 2.0}, std::vector{3.0, 4.0})->p_value,
             WithinAbs(1.0 / 3, 1e-12));
  CHECK(mann_whitney(std::vector{1.0, 1.0}, std::vector{1.0, 1.0})->p_value == 1.0);
  CHECK(mann_whitney({}, y).error().id == "STAT-0002");
}

TEST_CASE("kruskal-wallis, welch, anova: published values", "[stats]") {
  const std::vector<double> h{2.9, 3.0, 2.5, 2.6, 3.2, 3.8, 2.7, 4.0, 2.4, 2.8, 3.4, 3.7, 2.2, 2.0};
  const std::vector<int> hg{0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2};
  CHECK_THAT(kruskal_wallis(h, hg)->statistic, WithinAbs(0.77143, 5e-6));
  CHECK_THAT(kruskal_wallis(h, hg)->p_value, WithinAbs(0.68, 5e-3));

  const std::vector<double> a{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
  const std::vector<double> b{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
  const auto w = welch_t(a, b);
  CHECK_THAT(w->statistic, WithinAbs(-1.8608, 5e-5));
  CHECK_THAT(w->degrees, WithinAbs(17.776, 5e-4));
  CHECK_THAT(w->p_value, WithinAbs(0.07939, 5e-6));
  CHECK_THAT(w->effect_ci.low, WithinAbs(-3.3654832, 1e-6));

  const std::vector<double> plants{4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14,
                                   4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69,
                                   6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26};
  std::vector<int> groups(30);
  for (int i = 0; i < 30; ++i) groups[static_cast<std::size_t>(i)] = i / 10;
  CHECK_THAT(one_way_anova(plants, groups)->statistic, WithinAbs(4.846, 5e-4));
  CHECK_THAT(one_way_anova(plants, groups)->p_value, WithinAbs(0.01591, 5e-6));
  CHECK(one_way_anova(plants, std::vector<int>(30, 0)).error().id == "STAT-0002");
}

TEST_CASE("spearman and normal scores: monotone is 1, scores are symmetric", "[stats]") {
  const std::vector<double> x{1, 2, 3, 4, 5, 6};
  const std::vector<double> y{1, 4, 9, 16, 25, 36};
  CHECK_THAT(spearman(x, y)->effect, WithinAbs(1.0, 1e-12));
  CHECK(spearman(std::vector<double>{1, 2}, std::vector<double>{1, 2}).error().id == "STAT-0002");
  const auto scores = normal_scores(x);
  CHECK_THAT(std::accumulate(scores.begin(), scores.end(), 0.0), WithinAbs(0.0, 1e-12));
  const std::vector<double> tied{5, 5, 1};
  CHECK(mid_ranks(tied) == std::vector<double>{2.5, 2.5, 1});
}

TEST_CASE("lines: exact on a line, Theil-Sen is not moved by an outlier", "[stats]") {
  std::vector<double> x(21), y(21);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<double>(i);
    y[i] = 3 - 2 * x[i];
  }
  CHECK_THAT(least_squares_line(x, y)->slope, WithinAbs(-2, 1e-12));
  y[20] = 1000;
  CHECK_THAT(theil_sen_line(x, y)->slope, WithinAbs(-2, 1e-12));
  CHECK(theil_sen_line(x, y)->slope_ci.high < 0);
  CHECK(least_squares_line(std::vector<double>(5, 1.0), std::vector<double>(5, 1.0)).error().id ==
        "STAT-0003");
}

TEST_CASE("overdispersion: a coin has phi near 1, beta-binomial wafers give rho back", "[stats]") {
  Random random(5);
  std::vector<double> n(2000, 200.0), coin(2000), beta(2000);
  for (std::size_t i = 0; i < n.size(); ++i) {
    coin[i] = static_cast<double>(random.binomial(200, 0.3));
    // Beta(6, 14): mean 0.3, rho = 1/(6+14+1).
    const double a = random.gamma(6, 1), b = random.gamma(14, 1);
    beta[i] = static_cast<double>(random.binomial(200, a / (a + b)));
  }
  CHECK_THAT(estimate_overdispersion(coin, n)->phi, WithinAbs(1.0, 0.1));
  CHECK_THAT(estimate_overdispersion(coin, n)->rho, WithinAbs(0.0, 1e-3));
  CHECK_THAT(estimate_overdispersion(beta, n)->rho, WithinAbs(1.0 / 21, 5e-3));
  CHECK(estimate_overdispersion({}, {}).error().id == "STAT-0006");
}

TEST_CASE("resampling: p agrees with the exact law and the stream is fixed", "[stats]") {
  const auto draw = [](Random& r) { return r.uniform(); };
  const auto p = permutation_p_value(0.9, 4000, 1, draw);
  CHECK_THAT(p.p_value, WithinAbs(0.1, 0.02));
  CHECK(permutation_p_value(0.9, 4000, 1, draw) == p);
  const auto early = permutation_p_value(0.9, 4000, 1, draw, 10);
  CHECK(early.exceedances == 10);
  CHECK(early.draws < 400);
  const std::vector<double> data{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const auto mean = [&](std::span<const std::size_t> picks) {
    double sum = 0;
    for (const auto i : picks) sum += data[i];
    return sum / static_cast<double>(picks.size());
  };
  const Interval ci = bootstrap_interval(data.size(), 2000, 3, mean);
  CHECK_THAT(ci.low, WithinAbs(5.5 - 1.78, 0.25));
  CHECK_THAT(ci.high, WithinAbs(5.5 + 1.78, 0.25));
}
