#include "engine/tracing/blur_width.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace yieldloop::tracing {
namespace {

/// The profile at one width.
struct Profile {
  double log_likelihood = 0.0;
  double rate = 0.0;
};

Profile best_rate(std::span<const double> relative, double places) {
  double rate = 0.5 * static_cast<double>(relative.size()) / places;
  if (relative.empty()) return {};
  // The slope in r falls and is convex: Newton never passes the root from the left.
  for (int round = 0; round < 100; ++round) {
    double slope = -places, curvature = 0.0;
    for (const double k : relative) {
      const double v = k / (1.0 + rate * k);
      slope += v, curvature += v * v;
    }
    const double next = std::clamp(rate + slope / curvature, 0.1 * rate, 10.0 * rate);
    const bool done = std::abs(next - rate) <= 1e-9 * rate || rate * places < 1e-7;
    rate = next;
    if (done) break;
  }
  double sum = -rate * places;
  for (const double k : relative) sum += std::log1p(rate * k);
  return {std::max(sum, 0.0), rate};
}

class WidthSearch {
 public:
  WidthSearch(std::span<const RectUm> places, std::span<const PointUm> defects,
              std::span<const double> background)
      : places_(places), defects_(defects), background_(background), gatherer_(defects.size()) {
    all_.resize(places.size());
    std::iota(all_.begin(), all_.end(), 0U);
  }

  Profile at(double log_sigma) {
    const std::vector<double> sigma(defects_.size(), std::exp(log_sigma));
    const NearPairs pairs(places_, defects_, sigma);
    DefectDensities near = gatherer_.gather(pairs, all_);
    for (std::size_t i = 0; i < near.defect.size(); ++i) {
      near.density[i] /= background_[near.defect[i]];
    }
    return best_rate(near.density, static_cast<double>(places_.size()));
  }

 private:
  std::span<const RectUm> places_;
  std::span<const PointUm> defects_;
  std::span<const double> background_;
  std::vector<std::uint32_t> all_;
  DensityGatherer gatherer_;
};

}  // namespace

WidthEstimate estimate_width(std::span<const RectUm> places, std::span<const PointUm> defects,
                             std::span<const double> background, double start) {
  if (places.empty() || defects.empty()) return {start, 0.0, 0.0};
  WidthSearch search(places, defects, background);
  constexpr double kGolden = 0.6180339887498949;
  double low = std::log(start / 5.0), high = std::log(start * 5.0);
  double a = high - kGolden * (high - low), b = low + kGolden * (high - low);
  double at_a = search.at(a).log_likelihood, at_b = search.at(b).log_likelihood;
  while (high - low > 2e-3) {
    if (at_a < at_b) {
      low = a, a = b, at_a = at_b;
      b = low + kGolden * (high - low);
      at_b = search.at(b).log_likelihood;
    } else {
      high = b, b = a, at_b = at_a;
      a = high - kGolden * (high - low);
      at_a = search.at(a).log_likelihood;
    }
  }
  const double middle = 0.5 * (low + high);
  const Profile best = search.at(middle);
  if (best.log_likelihood <= 0.0) return {start, 0.0, 0.0};
  constexpr double kStep = 0.05;
  const double bend = (2.0 * best.log_likelihood - search.at(middle - kStep).log_likelihood -
                       search.at(middle + kStep).log_likelihood) /
                      (kStep * kStep);
  WidthEstimate estimate{std::exp(middle), 0.0, best.rate * static_cast<double>(places.size())};
  if (bend > 0.0) estimate.standard_error = estimate.sigma / std::sqrt(bend);
  return estimate;
}

}  // namespace yieldloop::tracing
