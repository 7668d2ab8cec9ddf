/// \file
/// Background and the found classes fitted together, with intervals of the rates.
///
///   f(x_d) = b(x_d) + sum_c r_c k_cd,   l = sum_d log f(x_d) - sum_t b_t A_t - sum_c r_c n_c
///
/// Expectation maximisation: a defect belongs to the background with chance b / f and to class c
/// with r_c k_cd / f; the background is fitted to the first (blur_background.h), r_c is the sum of
/// the second over n_c. Between these steps each r_c is raised by Newton steps, which EM alone
/// does slowly where classes overlap.
///
/// The interval of r_c is the profile likelihood's, the other rates and the level of the
/// background fitted anew at each value:
///
///   { r : 2 (l - l(r)) <= phi t^2 },
///
/// phi >= 1 the dispersion of the class's counts over wafers (quasi-likelihood) and t the Student
/// quantile at one less than as many degrees of freedom as there are wafers, or both over lots
/// when lots differ by more than their wafers do.
///
/// Units: um, um^2; rates in defects per place over the whole exposure.
/// Source: A. Dempster, N. Laird, D. Rubin, J. R. Stat. Soc. B 39 (1977) 1; D. Venzon,
/// S. Moolgavkar, Appl. Stat. 37 (1988) 87; P. McCullagh, J. Nelder, "Generalized Linear Models",
/// section 9.2.
#pragma once

#include <span>
#include <vector>

#include "engine/core/finding.h"
#include "engine/tracing/blur_background.h"
#include "engine/tracing/blur_pairs.h"

namespace yieldloop::tracing {

struct BlurComponent {
  DefectDensities near;
  double places = 0.0;  ///< n_c.
  double rate = 0.0;    ///< r_c.
};

class BlurFit {
 public:
  /// `background` is fitted in place; its defects are those of the components.
  BlurFit(BlurBackground& background, std::size_t defects);

  void add(BlurComponent component);
  void remove(std::size_t component);
  /// Fits everything.
  void fit();

  const std::vector<BlurComponent>& components() const { return components_; }
  /// Shape: [defects]; sum over components of r k.
  std::vector<double> explained() const;
  /// Up to a term that only the background's shape enters.
  double log_likelihood() const { return log_likelihood_; }
  /// 2 (l - l without the component, the other rates and the background's level fitted anew).
  double statistic_of(std::size_t component) const;
  /// Shape: as the component's near.defect; r k / f.
  std::vector<double> chances(std::size_t component) const;
  /// `drop` is phi t^2.
  Interval interval(std::size_t component, double drop) const;

 private:
  /// A point of the likelihood: rates and a factor on the background, with f where it is not b.
  struct State {
    std::vector<double> rates;
    double level = 1.0;
    std::vector<double> explained;  ///< Shape: [touched_].
  };
  State state() const;
  void set_rate(State& s, std::size_t component, double rate) const;
  double climb(State& s, std::size_t fixed) const;
  double profile(std::size_t component, double rate) const;
  double value(const State& s) const;
  void touch();

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  BlurBackground* background_;
  std::size_t defects_;
  std::vector<BlurComponent> components_;
  std::vector<std::uint32_t> touched_;             ///< Defects near a place, ascending.
  std::vector<double> rate_at_;                    ///< Shape: [touched_]; b.
  std::vector<std::vector<std::uint32_t>> slots_;  ///< Shape: [components][near]; into touched_.
  double log_likelihood_ = 0.0;
};

}  // namespace yieldloop::tracing
