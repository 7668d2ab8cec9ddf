#include "engine/tracing/registration_fit.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/tracing/blur_pairs.h"
#include "engine/tracing/zones.h"

namespace yieldloop::tracing {
namespace {

constexpr double kLeastSigma = 0.05;
constexpr int kHeaderRounds = 200;

/// Solves a symmetric positive system in place; rows without information stay 0.
template <std::size_t N>
std::array<double, N> solved(std::array<std::array<double, N>, N> a, std::array<double, N> b,
                             std::size_t n) {
  std::array<double, N> x{};
  for (std::size_t i = 0; i < n; ++i) {
    if (!(a[i][i] > 0.0)) return x;
    for (std::size_t j = i + 1; j < n; ++j) {
      const double f = a[j][i] / a[i][i];
      for (std::size_t k = i; k < n; ++k) a[j][k] -= f * a[i][k];
      b[j] -= f * b[i];
    }
  }
  for (std::size_t i = n; i-- > 0;) {
    double v = b[i];
    for (std::size_t k = i + 1; k < n; ++k) v -= a[i][k] * x[k];
    x[i] = v / a[i][i];
  }
  return x;
}

}  // namespace

AlignmentFit::AlignmentFit(std::span<const RectUm> places, std::span<const PointUm> defects,
                           PointUm centre, const RectUm& window, PointUm start, double reach) {
  at_.centre = centre;
  at_.shift = start;
  places_ = static_cast<double>(places.size());
  const PointGrid grid(defects, reach);
  std::vector<RectUm> middles;
  for (std::uint32_t a = 0; a < places.size(); ++a) {
    const RectUm& r = places[a];
    const PointUm c{0.5 * (r.x_min + r.x_max), 0.5 * (r.y_min + r.y_max)};
    const double w = r.x_max - r.x_min, h = r.y_max - r.y_min;
    variance_.push_back({w * w / 12.0, h * h / 12.0});
    const PointUm m{c.x - start.x, c.y - start.y};
    middles.push_back({m.x, m.y, m.x, m.y});
    grid.for_in(
        {m.x - reach, m.y - reach, m.x + reach, m.y + reach}, [&](std::uint32_t d, PointUm p) {
          pairs_.push_back({d, a, static_cast<float>(c.x - p.x), static_cast<float>(c.y - p.y)});
        });
  }
  std::ranges::stable_sort(pairs_, {}, &Pair::defect);
  std::uint32_t before = static_cast<std::uint32_t>(-1);
  for (std::uint32_t i = 0; i < pairs_.size(); ++i) {
    if (pairs_[i].defect == before) {
      pairs_[i].defect = static_cast<std::uint32_t>(arm_.size() - 1);
      continue;
    }
    before = pairs_[i].defect;
    first_.push_back(i);
    arm_.push_back({defects[before].x - centre.x, defects[before].y - centre.y});
    pairs_[i].defect = static_cast<std::uint32_t>(arm_.size() - 1);
  }
  first_.push_back(static_cast<std::uint32_t>(pairs_.size()));
  weight_.assign(arm_.size(), 1.0);
  // Where the places' surroundings cover the window several times over, it is the window.
  const double covered = places_ * 4.0 * reach * reach;
  area_ = covered > 4.0 * window.area() || places.size() > 200'000
              ? std::min(covered, window.area())
              : zone_area_um2(middles, reach,
                              {window.x_min - 10.0, window.y_min - 10.0, window.x_max + 10.0,
                               window.y_max + 10.0});
}

PointUm AlignmentFit::residual(const Pair& p, const Alignment& at) const {
  const PointUm u = arm_[p.defect];
  return {static_cast<double>(p.x) - at.shift.x + at.rotation * u.y - at.scale * u.x,
          static_cast<double>(p.y) - at.shift.y - at.rotation * u.x - at.scale * u.y};
}

double AlignmentFit::density(const Pair& p, const Alignment& at, double sigma) const {
  const PointUm e = residual(p, at), v = variance_[p.place];
  const double vx = sigma * sigma + v.x, vy = sigma * sigma + v.y;
  const double z = e.x * e.x / vx + e.y * e.y / vy;
  return z > 60.0 ? 0.0 : 0.15915494309189535 / std::sqrt(vx * vy) * std::exp(-0.5 * z);
}

double AlignmentFit::log_likelihood(const Alignment& at) const {
  double sum = -beta_ * area_ - rate_ * places_;
  for (std::size_t d = 0; d + 1 < first_.size(); ++d) {
    double f = beta_;
    for (std::uint32_t i = first_[d]; i < first_[d + 1]; ++i) {
      f += rate_ * density(pairs_[i], at, sigma_);
    }
    sum += weight_[d] * std::log(std::max(f, 1e-300));
  }
  return sum;
}

void AlignmentFit::solve(Free free, const std::vector<double>& chance) {
  std::array<std::array<double, 4>, 4> a{};
  std::array<double, 4> b{};
  const std::size_t n = free == Free::kAll ? 4 : 2;
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    if (chance[i] <= 0.0) continue;
    const Pair& p = pairs_[i];
    const PointUm u = arm_[p.defect], v = variance_[p.place];
    const double wx = chance[i] / (sigma_ * sigma_ + v.x), wy = chance[i] / (sigma_ * sigma_ + v.y);
    const std::array<double, 4> gx{1.0, 0.0, -u.y, u.x}, gy{0.0, 1.0, u.x, u.y};
    for (std::size_t r = 0; r < n; ++r) {
      for (std::size_t c = 0; c < n; ++c) a[r][c] += wx * gx[r] * gx[c] + wy * gy[r] * gy[c];
      b[r] += wx * gx[r] * static_cast<double>(p.x) + wy * gy[r] * static_cast<double>(p.y);
    }
  }
  const auto x = solved(a, b, n);
  at_.shift = {x[0], x[1]};
  if (free == Free::kAll) at_.rotation = x[2], at_.scale = x[3];
}

void AlignmentFit::climb(Free free, int rounds) {
  std::vector<double> chance(pairs_.size());
  for (int round = 0; round < rounds; ++round) {
    double events = 0.0, rest = 0.0, square = 0.0;
    for (std::size_t d = 0; d + 1 < first_.size(); ++d) {
      double f = beta_;
      for (std::uint32_t i = first_[d]; i < first_[d + 1]; ++i) {
        chance[i] = rate_ * density(pairs_[i], at_, sigma_);
        f += chance[i];
      }
      rest += weight_[d] * beta_ / f;
      for (std::uint32_t i = first_[d]; i < first_[d + 1]; ++i) {
        chance[i] *= weight_[d] / f;
        events += chance[i];
      }
    }
    if (!(events > 1e-6)) break;
    const Alignment before = at_;
    const double sigma_before = sigma_;
    if (free != Free::kNothing) solve(free, chance);
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      if (chance[i] <= 0.0) continue;
      const PointUm e = residual(pairs_[i], at_), v = variance_[pairs_[i].place];
      square += chance[i] * (e.x * e.x - v.x + e.y * e.y - v.y);
    }
    sigma_ = std::sqrt(std::max(kLeastSigma * kLeastSigma, square / (2.0 * events)));
    rate_ = events / places_;
    beta_ = std::max(rest, 1e-9) / area_;
    const double moved =
        std::max(std::abs(at_.shift.x - before.shift.x), std::abs(at_.shift.y - before.shift.y));
    if (moved < 1e-5 && std::abs(sigma_ - sigma_before) < 1e-4 * sigma_ && round > 3) break;
  }
}

void AlignmentFit::cap_places() {
  std::vector<double> share(variance_.size(), 0.0);
  std::vector<double> chance(pairs_.size());
  for (std::size_t d = 0; d + 1 < first_.size(); ++d) {
    double f = beta_;
    for (std::uint32_t i = first_[d]; i < first_[d + 1]; ++i) {
      chance[i] = rate_ * density(pairs_[i], at_, sigma_);
      f += chance[i];
    }
    for (std::uint32_t i = first_[d]; i < first_[d + 1]; ++i) {
      share[pairs_[i].place] += chance[i] / f;
    }
  }
  auto sorted = share;
  const auto upper = sorted.begin() + static_cast<std::ptrdiff_t>(3 * sorted.size() / 4);
  std::ranges::nth_element(sorted, upper);
  const double cap = std::max(3.0, 3.0 * *upper);
  for (const Pair& p : pairs_) {
    // A defect far from the place is not its repeater.
    if (share[p.place] <= cap || density(p, at_, sigma_) * rate_ < beta_) continue;
    weight_[p.defect] = std::min(weight_[p.defect], cap / share[p.place]);
  }
}

void AlignmentFit::fit(double width, Free free) {
  sigma_ = width;
  gain_ = 0.0;
  if (pairs_.empty()) return;
  std::ranges::fill(weight_, 1.0);
  const auto n = static_cast<double>(arm_.size());
  rate_ = 0.3 * n / places_;
  beta_ = 0.7 * n / area_;
  // Many pairs settle a peak in fewer rounds, and each costs more.
  const int rounds = pairs_.size() > 20'000 ? 40 : 120;
  climb(free, rounds);
  cap_places();
  climb(free, rounds);
  double total = 0.0;
  for (const double w : weight_) total += w;
  const double null = total * std::log(total / area_) - total;
  gain_ = std::max(0.0, log_likelihood(at_) - null);
}

double AlignmentFit::over_header() const {
  if (pairs_.empty()) return 0.0;
  AlignmentFit header = *this;
  header.at_.shift = {};
  header.at_.rotation = header.at_.scale = 0.0;
  // A width too small for the distance to the header would see no place from there.
  const PointUm s = at_.shift;
  header.sigma_ = std::max(sigma_, 0.7 * std::hypot(s.x, s.y));
  header.climb(Free::kNothing, kHeaderRounds);
  return log_likelihood(at_) - header.log_likelihood(header.at_);
}

AlignmentFit::Errors AlignmentFit::errors() const {
  const double top = log_likelihood(at_);
  const auto error = [&](auto member, double step) {
    Alignment low = at_, high = at_;
    member(low) -= step, member(high) += step;
    const double bend = (2.0 * top - log_likelihood(low) - log_likelihood(high)) / (step * step);
    return bend > 0.0 ? 1.0 / std::sqrt(bend) : 0.0;
  };
  double arm2 = 0.0;
  for (const PointUm u : arm_) arm2 += u.x * u.x + u.y * u.y;
  const double arm = std::sqrt(arm2 / std::max<double>(1.0, static_cast<double>(arm_.size())));
  const double step = 0.2 * sigma_, turn = step / std::max(arm, 1e-9);
  Errors e;
  e.shift.x = error([](Alignment& a) -> double& { return a.shift.x; }, step);
  e.shift.y = error([](Alignment& a) -> double& { return a.shift.y; }, step);
  e.rotation = error([](Alignment& a) -> double& { return a.rotation; }, turn);
  e.scale = error([](Alignment& a) -> double& { return a.scale; }, turn);
  return e;
}

}  // namespace yieldloop::tracing
