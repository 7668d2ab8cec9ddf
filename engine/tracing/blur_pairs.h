/// \file
/// Which defects may belong to which place, with the density K of the blur (blur_kernel.h).
///
/// Shape: by place; each place's pairs in a fixed order that threads do not change.
/// Cost: O(places + pairs); 8 bytes a pair.
/// Units: um; K in 1/um^2.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/tracing/blur_kernel.h"

namespace yieldloop::tracing {

struct NearPair {
  std::uint32_t defect = 0;
  float density = 0.0F;  ///< K of the place at the defect.
  friend bool operator==(const NearPair&, const NearPair&) = default;
};

class NearPairs {
 public:
  /// Shape: sigma is [defects]: the position error of the tool that saw it.
  /// REQUIRES: every sigma > 0.
  NearPairs(std::span<const RectUm> places, std::span<const PointUm> defects,
            std::span<const double> sigma);

  std::span<const NearPair> of(std::uint32_t place) const {
    return std::span(pairs_).subspan(first_[place], first_[place + 1] - first_[place]);
  }
  std::size_t size() const { return pairs_.size(); }
  double sigma_max() const { return sigma_max_; }

 private:
  std::vector<std::size_t> first_;
  std::vector<NearPair> pairs_;
  double sigma_max_ = 0.0;
};

/// The pairs of several places by defect, ascending, densities of one defect added up.
struct DefectDensities {
  std::vector<std::uint32_t> defect;
  std::vector<double> density;
};

/// Collects DefectDensities; keeps its scratch from call to call. Not thread-safe.
class DensityGatherer {
 public:
  explicit DensityGatherer(std::size_t defects) : sum_(defects, 0.0) {}
  /// REQUIRES: the pairs were made of as many defects as this was.
  DefectDensities gather(const NearPairs& pairs, std::span<const std::uint32_t> places);

 private:
  std::vector<double> sum_;
  std::vector<std::uint32_t> touched_;
};

/// A grid over points for "which lie in this box". Visits in a fixed order.
class PointGrid {
 public:
  PointGrid(std::span<const PointUm> points, double side_min);

  template <class Visit>
  void for_in(const RectUm& box, Visit visit) const {
    if (columns_ == 0) return;
    const auto x0 = column(box.x_min), x1 = column(box.x_max);
    const auto y0 = row(box.y_min), y1 = row(box.y_max);
    for (auto y = y0; y <= y1; ++y) {
      // The cells of a row follow each other, so one range holds them all.
      const std::size_t from = first_[y * columns_ + x0], to = first_[y * columns_ + x1 + 1];
      for (std::size_t i = from; i < to; ++i) {
        const PointUm p = sorted_[i];
        if (p.x >= box.x_min && p.x <= box.x_max && p.y >= box.y_min && p.y <= box.y_max) {
          visit(order_[i], p);
        }
      }
    }
  }

 private:
  std::size_t column(double x) const { return clamped((x - low_.x) / side_, columns_); }
  std::size_t row(double y) const { return clamped((y - low_.y) / side_, rows_); }
  static std::size_t clamped(double at, std::size_t n) {
    if (!(at > 0.0)) return 0;
    return at >= static_cast<double>(n) ? n - 1 : static_cast<std::size_t>(at);
  }

  PointUm low_;
  double side_ = 1.0;
  std::size_t columns_ = 0, rows_ = 0;
  std::vector<std::size_t> first_;
  std::vector<std::uint32_t> order_;
  std::vector<PointUm> sorted_;
};

}  // namespace yieldloop::tracing
