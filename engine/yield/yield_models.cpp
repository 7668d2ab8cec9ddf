#include "engine/yield/yield_models.h"

#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <limits>

#include "engine/stats/intervals.h"

namespace yieldloop::yield {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr std::array<YieldModelInfo, 7> kModels{{
    {YieldModel::kPoisson, "Poisson", "exp(-m)"},
    {YieldModel::kMurphy, "Murphy", "((1 - exp(-m)) / m)^2"},
    {YieldModel::kRectangular, "rectangular", "(1 - exp(-2m)) / (2m)"},
    {YieldModel::kExponential, "exponential (Seeds)", "1 / (1 + m)"},
    {YieldModel::kMoore, "Moore", "exp(-sqrt(m))"},
    {YieldModel::kNegativeBinomial, "negative binomial", "(1 + m/a)^-a"},
    {YieldModel::kBoseEinstein, "Bose-Einstein", "(1 + m/n)^-n"},
}};

/// (1 - e^-x) / x, exact near 0.
double mean_survival(double x) { return x < 1e-300 ? 1.0 : -std::expm1(-x) / x; }

double power_law(double m, double a) { return std::exp(-a * std::log1p(m / a)); }

double random_yield(double m, const YieldModelOptions& options) {
  switch (options.model) {
    case YieldModel::kPoisson: return std::exp(-m);
    case YieldModel::kMurphy: return mean_survival(m) * mean_survival(m);
    case YieldModel::kRectangular: return mean_survival(2 * m);
    case YieldModel::kExponential: return 1 / (1 + m);
    case YieldModel::kMoore: return std::exp(-std::sqrt(m));
    case YieldModel::kNegativeBinomial: return power_law(m, options.alpha);
    case YieldModel::kBoseEinstein: return power_law(m, options.layers);
  }
  return 0.0;
}

bool valid(const YieldModelOptions& options) {
  return options.alpha > 0 && options.layers > 0 && options.systematic > 0 &&
         options.systematic <= 1;
}

Error bad_options() {
  return {Errc::kInvalidOptions, "YIEL-0001",
          "A yield model needs mean defects of at least 0, alpha and layers above 0 and a "
          "systematic share in (0, 1]."};
}

/// Solves mean_survival(x) = y for x > 0 in ln x, where the function is smooth and monotone.
double inverse_mean_survival(double y) {
  if (y >= 1) return 0.0;
  const auto f = [y](double log_x) { return std::log(mean_survival(std::exp(log_x)) / y); };
  // 1 - x/2 <= survival <= 1/x bracket the root.
  const double low = std::log(std::max(1e-300, (1 - y))) - 1.0;
  const double high = std::log(1 / y) + std::log(2.0) + 1.0;
  std::uintmax_t steps = 200;
  const auto root = boost::math::tools::toms748_solve(
      f, low, high, boost::math::tools::eps_tolerance<double>(52), steps);
  double x = std::exp((root.first + root.second) / 2);
  // One Newton step removes what the logarithm's rounding left.
  const double s = mean_survival(x);
  const double slope = (std::exp(-x) - s) / x;
  if (slope < 0) x -= (s - y) / slope;
  return x;
}

double inverse(double y, const YieldModelOptions& options) {
  const double log_y = std::log(y);
  switch (options.model) {
    case YieldModel::kPoisson: return -log_y;
    case YieldModel::kMurphy: return inverse_mean_survival(std::sqrt(y));
    case YieldModel::kRectangular: return inverse_mean_survival(y) / 2;
    case YieldModel::kExponential: return std::expm1(-log_y);
    case YieldModel::kMoore: return log_y * log_y;
    case YieldModel::kNegativeBinomial: return options.alpha * std::expm1(-log_y / options.alpha);
    case YieldModel::kBoseEinstein: return options.layers * std::expm1(-log_y / options.layers);
  }
  return 0.0;
}

}  // namespace

std::span<const YieldModelInfo> yield_models() { return kModels; }

Result<double> model_yield(double m, const YieldModelOptions& options) {
  if (!(m >= 0) || std::isinf(m) || !valid(options)) return bad_options();
  return options.systematic * random_yield(m, options);
}

Result<double> model_mean_defects(double yield, const YieldModelOptions& options) {
  if (!valid(options)) return bad_options();
  if (!(yield > 0) || yield > options.systematic) {
    return Error{Errc::kInvalidOptions, "YIEL-0002",
                 "A yield model is inverted only for a yield above 0 and at most the systematic "
                 "share."};
  }
  return inverse(yield / options.systematic, options);
}

Result<DefectDensity> defect_density(std::int64_t good, std::int64_t tested, double area_cm2,
                                     const YieldModelOptions& options) {
  if (!valid(options)) return bad_options();
  if (!(area_cm2 > 0) || good < 0 || tested < good) {
    return Error{Errc::kInvalidOptions, "YIEL-0003",
                 "D0 needs a die area above 0 and no more good die than tested ones."};
  }
  if (good == 0) {
    return Error{Errc::kNoData, "YIEL-0004",
                 "D0 needs at least one good die; with none it has only a lower bound."};
  }
  const auto density = [&](double y) {
    if (y <= 0) return kInfinity;
    return inverse(std::min(1.0, y / options.systematic), options) / area_cm2;
  };
  DefectDensity result;
  result.yield = static_cast<double>(good) / static_cast<double>(tested);
  result.yield_ci = stats::clopper_pearson_interval(good, tested);
  result.d0 = density(result.yield);
  result.d0_ci = {density(result.yield_ci.high), density(result.yield_ci.low)};
  return result;
}

Result<double> layered_yield(std::span<const double> m, const YieldModelOptions& options) {
  YieldModelOptions layer = options;
  layer.systematic = 1.0;
  if (!valid(options)) return bad_options();
  double product = options.systematic;
  for (const double mean : m) {
    YL_ASSIGN(const double y, model_yield(mean, layer));
    product *= y;
  }
  return product;
}

}  // namespace yieldloop::yield
