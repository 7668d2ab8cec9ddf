#include "engine/stats/distributions.h"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/fisher_f.hpp>
#include <boost/math/distributions/gamma.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/poisson.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <limits>

namespace yieldloop::stats {
namespace {

namespace bm = boost::math;
namespace pol = boost::math::policies;

// No exception leaves the library: bad arguments come back as NaN and are turned into p = 1.
using Policy =
    pol::policy<pol::domain_error<pol::ignore_error>, pol::pole_error<pol::ignore_error>,
                pol::overflow_error<pol::ignore_error>, pol::evaluation_error<pol::ignore_error>,
                pol::rounding_error<pol::ignore_error>, pol::promote_double<false>>;
using Normal = bm::normal_distribution<double, Policy>;
using StudentT = bm::students_t_distribution<double, Policy>;
using ChiSquared = bm::chi_squared_distribution<double, Policy>;
using FisherF = bm::fisher_f_distribution<double, Policy>;
using Binomial = bm::binomial_distribution<double, Policy>;
using Poisson = bm::poisson_distribution<double, Policy>;
using Beta = bm::beta_distribution<double, Policy>;
using Gamma = bm::gamma_distribution<double, Policy>;

double as_probability(double p) { return std::isnan(p) ? 1.0 : std::clamp(p, 0.0, 1.0); }

double log_choose(double n, double k) {
  return bm::lgamma(n + 1, Policy{}) - bm::lgamma(k + 1, Policy{}) -
         bm::lgamma(n - k + 1, Policy{});
}

}  // namespace

double normal_cdf(double z) {
  if (std::isinf(z)) return z > 0 ? 1.0 : 0.0;
  return as_probability(bm::cdf(Normal{}, z));
}

double normal_density(double z) { return std::isinf(z) ? 0.0 : bm::pdf(Normal{}, z); }

double normal_quantile(double p) { return bm::quantile(Normal{}, p); }

double normal_two_sided_p(double z) {
  if (std::isnan(z)) return 1.0;
  return as_probability(2 * normal_upper_p(std::abs(z)));
}

double normal_upper_p(double z) {
  if (std::isinf(z)) return z > 0 ? 0.0 : 1.0;
  return as_probability(bm::cdf(bm::complement(Normal{}, z)));
}

double student_t_upper_p(double t, double degrees) {
  if (!(degrees > 0) || std::isnan(t)) return 1.0;
  if (std::isinf(t)) return t > 0 ? 0.0 : 1.0;
  return as_probability(bm::cdf(bm::complement(StudentT{degrees}, t)));
}

double student_t_two_sided_p(double t, double degrees) {
  if (!(degrees > 0) || std::isnan(t)) return 1.0;
  return as_probability(2 * student_t_upper_p(std::abs(t), degrees));
}

double student_t_quantile(double p, double degrees) {
  if (!(degrees > 0)) return std::numeric_limits<double>::infinity();
  return bm::quantile(StudentT{degrees}, p);
}

double student_t_to_z(double t, double degrees) {
  const double p = student_t_upper_p(std::abs(t), degrees);
  if (p >= 0.5) return 0.0;
  const double z =
      p > 1e-300 ? bm::quantile(bm::complement(Normal{}, p)) : 37.0;  // The tail of a double.
  return t < 0 ? -z : z;
}

double chi_squared_upper_p(double x, double degrees) {
  if (!(degrees > 0) || std::isnan(x) || x <= 0) return 1.0;
  if (std::isinf(x)) return 0.0;
  return as_probability(bm::cdf(bm::complement(ChiSquared{degrees}, x)));
}

double f_upper_p(double f, double degrees1, double degrees2) {
  if (!(degrees1 > 0) || !(degrees2 > 0) || std::isnan(f) || f <= 0) return 1.0;
  if (std::isinf(f)) return 0.0;
  return as_probability(bm::cdf(bm::complement(FisherF{degrees1, degrees2}, f)));
}

double binomial_lower_p(std::int64_t k, std::int64_t n, double p) {
  if (k < 0) return 0.0;
  if (k >= n) return 1.0;
  return as_probability(bm::cdf(Binomial{static_cast<double>(n), p}, static_cast<double>(k)));
}

double binomial_upper_p(std::int64_t k, std::int64_t n, double p) {
  if (k <= 0) return 1.0;
  if (k > n) return 0.0;
  return as_probability(
      bm::cdf(bm::complement(Binomial{static_cast<double>(n), p}, static_cast<double>(k - 1))));
}

double poisson_lower_p(std::int64_t k, double mean) {
  if (k < 0) return 0.0;
  if (mean <= 0) return 1.0;
  return as_probability(bm::cdf(Poisson{mean}, static_cast<double>(k)));
}

double poisson_upper_p(std::int64_t k, double mean) {
  if (k <= 0) return 1.0;
  if (mean <= 0) return 0.0;
  return as_probability(bm::cdf(bm::complement(Poisson{mean}, static_cast<double>(k - 1))));
}

double hypergeometric_point_p(std::int64_t k, std::int64_t draws, std::int64_t marked,
                              std::int64_t total) {
  if (k < std::max<std::int64_t>(0, draws + marked - total) || k > std::min(draws, marked)) {
    return 0.0;
  }
  const auto real = [](std::int64_t v) { return static_cast<double>(v); };
  return std::exp(log_choose(real(marked), real(k)) +
                  log_choose(real(total - marked), real(draws - k)) -
                  log_choose(real(total), real(draws)));
}

double hypergeometric_upper_p(std::int64_t k, std::int64_t draws, std::int64_t marked,
                              std::int64_t total) {
  const std::int64_t low = std::max<std::int64_t>(0, draws + marked - total);
  const std::int64_t high = std::min(draws, marked);
  if (k <= low) return 1.0;
  if (k > high) return 0.0;
  // The ratio of neighbours makes the sum cheap and free of cancellation:
  // P(j+1)/P(j) = (draws-j)(marked-j) / ((j+1)(total-marked-draws+j+1)).
  double point = hypergeometric_point_p(k, draws, marked, total);
  double sum = 0.0;
  for (std::int64_t j = k; j <= high; ++j) {
    sum += point;
    point *= static_cast<double>(draws - j) * static_cast<double>(marked - j) /
             (static_cast<double>(j + 1) * static_cast<double>(total - marked - draws + j + 1));
  }
  return as_probability(sum);
}

double beta_quantile(double p, double a, double b) { return bm::quantile(Beta{a, b}, p); }

double gamma_quantile(double p, double shape) { return bm::quantile(Gamma{shape, 1.0}, p); }

}  // namespace yieldloop::stats
