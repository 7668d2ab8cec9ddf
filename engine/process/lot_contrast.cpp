#include "engine/process/lot_contrast.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/stats/distributions.h"
#include "engine/stats/group_tests.h"

namespace yieldloop::process {
namespace {

double wallace_z(double t, double degrees) {
  const double z =
      std::sqrt(degrees * std::log1p(t * t / degrees)) * (8 * degrees + 1) / (8 * degrees + 3);
  return t < 0 ? -z : z;
}

double t_to_z(double t, double degrees, bool exact) {
  if (!exact) return wallace_z(t, degrees);
  const double z = stats::student_t_to_z(t, degrees);
  // Beyond what a double's tail can say, the transform still ranks.
  return std::abs(z) < 36.5 ? z : wallace_z(t, degrees);
}

/// A regression through centred sums.
struct Slope {
  double b = 0, variance = 0, degrees = 0;
  bool usable() const { return variance > 0; }
  double t() const { return b / std::sqrt(variance); }
};

Slope slope(double sxx, double sxy, double syy, double degrees) {
  if (!(sxx > 1e-9) || !(syy > 0) || !(degrees >= 1)) return {};
  const double b = sxy / sxx;
  // A perfect fit is as much luck as law: leave a trace of scatter.
  const double residual = std::max(syy - b * sxy, 1e-6 * syy) / degrees;
  return {b, residual / sxx, degrees};
}

Contrast join(const Slope& within, const Slope& between) {
  if (!within.usable() && !between.usable()) return {};
  if (!within.usable() || !between.usable()) {
    const Slope& one = within.usable() ? within : between;
    Contrast single{.effect = one.b, .variance = one.variance, .degrees = one.degrees};
    single.within_share = within.usable() ? 1.0 : 0.0;
    return single;
  }
  const double iw = 1 / within.variance, ib = 1 / between.variance, information = iw + ib;
  const double cw = iw / information, cb = ib / information;
  Contrast joined{.effect = cw * within.b + cb * between.b, .within_share = cw};
  joined.variance = (1 + 4 * cw * cb * (1 / within.degrees + 1 / between.degrees)) / information;
  joined.degrees = 1 / (cw * cw / within.degrees + cb * cb / between.degrees);
  return joined;
}

}  // namespace

ContrastFrame::ContrastFrame(const Response& response, std::span<const double> value,
                             std::span<const char> universe, std::span<const std::uint32_t> lot_of,
                             std::size_t lots)
    : lot_of_(lot_of),
      weight_(value.size(), 0.0),
      residual_(value.size(), 0.0),
      score_(value.size(), 0.0),
      lot_weight_(lots, 0.0),
      lot_mean_(lots, 0.0),
      lot_score_(lots, 0.0),
      lot_information_(lots, 0.0) {
  weigh(response, value, universe);
  centre(value);
  score();
  model_lots();
}

/// Weight of a share: 1 / (scatter beyond the coin + coin's variance), mean 1; real values: 1.
void ContrastFrame::weigh(const Response& response, std::span<const double> value,
                          std::span<const char> universe) {
  const bool share = !response.items.empty();
  double sum = 0, squares = 0, inverse = 0;
  for (std::size_t w = 0; w < value.size(); ++w) {
    if (!universe[w] || std::isnan(value[w])) continue;
    weight_[w] = 1;
    ++wafers_;
    sum += value[w];
    squares += value[w] * value[w];
    inverse += share ? 1 / response.items[w] : 0.0;
  }
  if (!share || wafers_ < 2) return;
  const auto n = static_cast<double>(wafers_);
  const double mean = sum / n;
  const double p = std::clamp(mean, 0.001, 0.999);  // Residual responses may leave [0, 1].
  const double variance = std::max(0.0, (squares - n * mean * mean) / (n - 1));
  const double extra = std::max(0.0, variance - p * (1 - p) * inverse / n);
  double total = 0;
  for (std::size_t w = 0; w < value.size(); ++w) {
    if (weight_[w] > 0) total += weight_[w] = 1 / (extra + p * (1 - p) / response.items[w]);
  }
  for (double& weight : weight_) weight *= n / total;
}

void ContrastFrame::centre(std::span<const double> value) {
  for (std::size_t w = 0; w < value.size(); ++w) {
    if (!contains(static_cast<std::uint32_t>(w))) continue;
    lot_weight_[lot_of_[w]] += weight_[w];
    lot_mean_[lot_of_[w]] += weight_[w] * value[w];
  }
  for (std::size_t l = 0; l < lot_weight_.size(); ++l) {
    if (lot_weight_[l] > 0) {
      lot_mean_[l] /= lot_weight_[l];
      ++lots_used_;
    }
  }
  for (std::size_t w = 0; w < value.size(); ++w) {
    if (!contains(static_cast<std::uint32_t>(w))) continue;
    residual_[w] = value[w] - lot_mean_[lot_of_[w]];
    // Rounding must not pass for scatter.
    if (std::abs(residual_[w]) < 1e-12 * (1 + std::abs(value[w]))) residual_[w] = 0.0;
    syy_ += weight_[w] * residual_[w] * residual_[w];
  }
}

void ContrastFrame::score() {
  std::vector<std::uint32_t> wafers;
  std::vector<double> values, means;
  for (std::uint32_t w = 0; w < weight_.size(); ++w) {
    if (!contains(w)) continue;
    wafers.push_back(w);
    values.push_back(residual_[w]);
  }
  const std::vector<double> scores = stats::normal_scores(values);
  std::vector<double> centre(lot_weight_.size(), 0.0);
  for (std::size_t i = 0; i < wafers.size(); ++i) {
    score_[wafers[i]] = scores[i];
    centre[lot_of_[wafers[i]]] += weight_[wafers[i]] * scores[i];
  }
  for (const std::uint32_t w : wafers) {
    score_[w] -= centre[lot_of_[w]] / lot_weight_[lot_of_[w]];
    sss_ += weight_[w] * score_[w] * score_[w];
  }
  for (std::size_t l = 0; l < lot_mean_.size(); ++l) {
    if (lot_weight_[l] > 0) means.push_back(lot_mean_[l]);
  }
  const std::vector<double> lot_scores = stats::normal_scores(means);
  for (std::size_t l = 0, i = 0; l < lot_mean_.size(); ++l) {
    if (lot_weight_[l] > 0) lot_score_[l] = lot_scores[i++];
  }
}

/// Lot information 1 / (lot variance + wafer variance / lot weight), scatter by moments.
void ContrastFrame::model_lots() {
  if (lots_used_ < 2) return;
  const auto n = static_cast<double>(lots_used_);
  const double degrees = static_cast<double>(wafers_) - n;
  const double wafer_variance = degrees > 0 ? syy_ / degrees : 0.0;
  double sum = 0, squares = 0, inverse = 0;
  for (std::size_t l = 0; l < lot_mean_.size(); ++l) {
    if (!(lot_weight_[l] > 0)) continue;
    sum += lot_mean_[l];
    squares += lot_mean_[l] * lot_mean_[l];
    inverse += 1 / lot_weight_[l];
  }
  const double variance = std::max(0.0, (squares - sum * sum / n) / (n - 1));
  const double lot_variance = std::max(0.0, variance - wafer_variance * inverse / n);
  if (!(variance > 1e-18)) return;
  for (std::size_t l = 0; l < lot_mean_.size(); ++l) {
    if (!(lot_weight_[l] > 0)) continue;
    const double u = 1 / std::max(lot_variance + wafer_variance / lot_weight_[l], 1e-15);
    lot_information_[l] = u;
    su_ += u;
    mean_y_ += u * lot_mean_[l];
    mean_s_ += u * lot_score_[l];
  }
  mean_y_ /= su_;
  mean_s_ /= su_;
  for (std::size_t l = 0; l < lot_mean_.size(); ++l) {
    byy_ += lot_information_[l] * (lot_mean_[l] - mean_y_) * (lot_mean_[l] - mean_y_);
    bss_ += lot_information_[l] * (lot_score_[l] - mean_s_) * (lot_score_[l] - mean_s_);
  }
}

ContrastSums::ContrastSums(const ContrastFrame& frame)
    : frame_(&frame),
      in_lot_(frame.lot_weight_.size(), 0.0),
      members_(frame.lot_weight_.size(), 0),
      sizes_(frame.lot_weight_.size(), 0) {
  for (std::uint32_t w = 0; w < frame.weight_.size(); ++w) {
    if (frame.contains(w)) ++sizes_[frame.lot_of_[w]];
  }
}

void ContrastSums::clear() {
  std::ranges::fill(in_lot_, 0.0);
  std::ranges::fill(members_, 0U);
  exposed_ = lots_with_ = lots_full_ = 0;
  sx_ = sxx_ = sxy_ = sxs_ = bx_ = bxx_ = bxy_ = bxs_ = 0;
}

void ContrastSums::change(std::uint32_t wafer, double sign) {
  const ContrastFrame& f = *frame_;
  const double w = f.weight_[wafer];
  if (!(w > 0)) return;
  const std::uint32_t l = f.lot_of_[wafer];
  const double u = f.lot_information_[l], before = in_lot_[l] / f.lot_weight_[l];
  lots_full_ -= members_[l] == sizes_[l] ? 1U : 0U;
  lots_with_ -= members_[l] > 0 ? 1U : 0U;
  sxx_ += sign * w;  // Minus the lots' squares, kept in sx_.
  sx_ -= in_lot_[l] * before;
  in_lot_[l] += sign * w;
  members_[l] = sign > 0 ? members_[l] + 1 : members_[l] - 1;
  exposed_ = sign > 0 ? exposed_ + 1 : exposed_ - 1;
  const double after = in_lot_[l] / f.lot_weight_[l];
  sx_ += in_lot_[l] * after;
  lots_full_ += members_[l] == sizes_[l] ? 1U : 0U;
  lots_with_ += members_[l] > 0 ? 1U : 0U;
  sxy_ += sign * w * f.residual_[wafer];
  sxs_ += sign * w * f.score_[wafer];
  bx_ += u * (after - before);
  bxx_ += u * (after * after - before * before);
  bxy_ += u * (after - before) * (f.lot_mean_[l] - f.mean_y_);
  bxs_ += u * (after - before) * (f.lot_score_[l] - f.mean_s_);
}

Contrast ContrastSums::contrast(bool exact) const {
  const ContrastFrame& f = *frame_;
  const auto lots = static_cast<double>(f.lots_used_);
  const double degrees = static_cast<double>(f.wafers_) - lots - 1;
  const double within_xx = sxx_ - sx_;
  const Slope within = slope(within_xx, sxy_, f.syy_, degrees);
  const Slope within_s = slope(within_xx, sxs_, f.sss_, degrees);
  Slope between, between_s;
  if (f.lots_used_ >= 4 && lots_with_ >= 2 && lots_with_unexposed() >= 2 && f.su_ > 0) {
    const double between_xx = bxx_ - bx_ * bx_ / f.su_;
    if (between_xx > 1e-9 * f.su_) {
      between = slope(between_xx, bxy_, f.byy_, lots - 2);
      between_s = slope(between_xx, bxs_, f.bss_, lots - 2);
    }
  }
  Contrast joined = join(within, between);
  if (!joined.usable()) return joined;
  const double z_value = t_to_z(joined.effect / std::sqrt(joined.variance), joined.degrees, exact);
  joined.z_value = z_value;
  double z_score = 0, squares = 0;
  const auto add_score = [&](const Slope& score, double share) {
    if (!score.usable() || !(share > 0)) return;
    z_score += std::sqrt(share) * t_to_z(score.t(), score.degrees, exact);
    squares += share;
  };
  add_score(within_s, joined.within_share);
  add_score(between_s, 1 - joined.within_share);
  if (squares > 0) z_score /= std::sqrt(squares);
  if (z_value * z_score > 0) {
    joined.z = std::abs(z_value) < std::abs(z_score) ? z_value : z_score;
  }
  return joined;
}

}  // namespace yieldloop::process
