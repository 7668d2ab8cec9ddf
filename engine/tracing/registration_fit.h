/// \file
/// A peak of shifts refined by maximum likelihood (registration.h, step 2).
///
/// Units: um.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/tracing/registration.h"

namespace yieldloop::tracing {

/// The likelihood of one class about one shift, defects already turned.
class AlignmentFit {
 public:
  /// `places` are the boxes of the class; `reach` how far about `start` defects are looked at.
  AlignmentFit(std::span<const RectUm> places, std::span<const PointUm> defects, PointUm centre,
               const RectUm& window, PointUm start, double reach);

  /// What is fitted besides beta, r and sigma.
  enum class Free : std::uint8_t { kNothing, kShift, kAll };

  /// Starts from the shift given and this width. Afterwards the getters hold.
  void fit(double width, Free free);

  /// What the frame fitted gains over the header's for this class: both likelihoods over the same
  /// defects and with the same weights, beta, r and sigma fitted anew at no shift.
  double over_header() const;

  double gain() const { return gain_; }
  double sigma() const { return sigma_; }
  double defects() const { return rate_ * places_; }
  const Alignment& alignment() const { return at_; }
  struct Errors {
    PointUm shift;
    double rotation = 0.0, scale = 0.0;
  };
  /// From the curvature of the likelihood.
  Errors errors() const;

 private:
  struct Pair {
    std::uint32_t defect = 0, place = 0;
    float x = 0.0F, y = 0.0F;  ///< Place minus defect.
  };
  void climb(Free free, int rounds);
  void cap_places();
  void solve(Free free, const std::vector<double>& chance);
  PointUm residual(const Pair& p, const Alignment& at) const;
  double density(const Pair& p, const Alignment& at, double sigma) const;
  double log_likelihood(const Alignment& at) const;

  std::vector<PointUm> arm_;          ///< u of each defect looked at.
  std::vector<Pair> pairs_;           ///< By defect.
  std::vector<std::uint32_t> first_;  ///< Shape: [defects looked at + 1].
  std::vector<PointUm> variance_;     ///< side^2 / 12 of each place.
  std::vector<double> weight_;        ///< Shape: [defects looked at].
  double places_ = 0.0, area_ = 0.0;
  Alignment at_;
  double sigma_ = 0.0, rate_ = 0.0, beta_ = 0.0, gain_ = 0.0;
};

}  // namespace yieldloop::tracing
