/// \file
/// Does a set of wafers differ from the rest, when wafers of a lot are alike?
///
/// Model: y = mean + lot effect + b x + wafer error, x = 1 on the set. The within-lot contrast
/// (wafers against their lot mates) and the between-lot contrast (lot means against the lots'
/// exposed shares) are independent estimates of b; they are joined with inverse-variance
/// weights, the variance corrected for estimated weights (Meier) and the degrees of freedom
/// after Satterthwaite. The same two contrasts are made on normal scores of the within-lot
/// residuals (aligned ranks) and of the lot means and joined as weighted z. The evidence is
/// the weaker of the two: |z| = min(|z_value|, |z_score|), 0 when they disagree in sign, so
/// that neither one outlying lot nor a few outlying wafers make a finding.
///
/// The between-lot contrast is used only with at least 4 lots of which 2 hold exposed and 2
/// hold unexposed wafers: one lot cannot be told from its tool.
///
/// Source: F. Yates, Ann. Eugenics 10 (1940) 317 (inter-block information); P. Meier,
/// Biometrics 9 (1953) 59; F. Satterthwaite, Biometrics Bull. 2 (1946) 110; J. Hodges and
/// E. Lehmann, Ann. Math. Stat. 33 (1962) 482 (aligned ranks); S. Stouffer (1949); t to z in
/// scans: D. L. Wallace, Ann. Math. Stat. 30 (1959) 1124.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/process/response.h"

namespace yieldloop::process {

/// The comparable wafers of one response, centred within lots.
/// Shape: per-wafer vectors are [wafers], weight 0 where a wafer is not comparable.
class ContrastFrame {
 public:
  ContrastFrame(const Response& response, std::span<const double> value,
                std::span<const char> universe, std::span<const std::uint32_t> lot_of,
                std::size_t lots);

  bool contains(std::uint32_t wafer) const { return weight_[wafer] > 0; }
  std::size_t wafers() const { return wafers_; }
  std::size_t lots_used() const { return lots_used_; }

 private:
  friend class ContrastSums;
  void weigh(const Response& response, std::span<const double> value,
             std::span<const char> universe);
  void centre(std::span<const double> value);
  void score();
  void model_lots();

  std::span<const std::uint32_t> lot_of_;
  std::vector<double> weight_, residual_, score_;
  std::vector<double> lot_weight_, lot_mean_, lot_score_, lot_information_;
  std::size_t wafers_ = 0, lots_used_ = 0;
  double syy_ = 0, sss_ = 0;                 ///< Within lots: values, scores.
  double su_ = 0, mean_y_ = 0, mean_s_ = 0;  ///< Between lots, information-weighted.
  double byy_ = 0, bss_ = 0;
};

struct Contrast {
  double effect = 0.0;    ///< b, in units of the response's value.
  double variance = 0.0;  ///< Of b; 0 when nothing could be compared.
  double degrees = 0.0;
  double z = 0.0;             ///< The evidence, signed like b.
  double z_value = 0.0;       ///< Of the values alone, which trusts them to be normal.
  double within_share = 0.0;  ///< Of the information, from within lots.
  bool usable() const { return variance > 0; }
};

/// A growing and shrinking set of exposed wafers. Cost: add and remove O(1), contrast O(1),
/// clear O(lots).
class ContrastSums {
 public:
  explicit ContrastSums(const ContrastFrame& frame);
  void clear();
  void add(std::uint32_t wafer) { change(wafer, 1.0); }
  void remove(std::uint32_t wafer) { change(wafer, -1.0); }

  std::size_t exposed() const { return exposed_; }
  std::size_t lots_exposed() const { return lots_with_; }
  std::size_t lots_with_unexposed() const { return frame_->lots_used_ - lots_full_; }

  /// `exact` uses the exact tail of t; scans use Wallace's transform (within 0.5 %).
  Contrast contrast(bool exact) const;

 private:
  void change(std::uint32_t wafer, double sign);

  const ContrastFrame* frame_;
  std::vector<double> in_lot_;          ///< Exposed weight of each lot.
  std::vector<std::uint32_t> members_;  ///< Exposed wafers of each lot.
  std::vector<std::uint32_t> sizes_;    ///< Wafers of each lot.
  std::size_t exposed_ = 0, lots_with_ = 0, lots_full_ = 0;
  double sx_ = 0, sxx_ = 0, sxy_ = 0, sxs_ = 0;  ///< Within.
  double bx_ = 0, bxx_ = 0, bxy_ = 0, bxs_ = 0;  ///< Between.
};

}  // namespace yieldloop::process
