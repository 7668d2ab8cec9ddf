/// \file
/// Many questions at once: q-values for a stated family.
///
/// Benjamini-Hochberg: with p sorted ascending, q_(i) = min over j >= i of m p_(j) / j, at
/// most 1. Reporting all q <= a keeps the expected share of false reports at or below a when
/// the tests are independent or positively dependent.
///
/// Source: Y. Benjamini and Y. Hochberg, J. R. Statist. Soc. B 57 (1995) 289.
#pragma once

#include <span>
#include <vector>

namespace yieldloop::stats {

/// Shape: p is [m], the result is [m] in the same order. NaN counts as 1.
/// Cost: O(m log m). The order of the input does not change any q.
std::vector<double> benjamini_hochberg(std::span<const double> p);

/// P(max over nested windows of |Z| >= z), the price of choosing a split point by looking.
///
/// For a standardised random walk W(n)/sqrt(n) watched from n0 to n1:
///   P = phi(z) ((z - 1/z) ln(n1/n0) + 4/z), at most 1;
/// never more than Bonferroni over the `splits` windows looked at, which is returned when
/// smaller. Source: R. Miller and D. Siegmund, Biometrics 38 (1982) 1011, equation (2).
double maximally_selected_p(double z, double n0, double n1, double splits);

}  // namespace yieldloop::stats
