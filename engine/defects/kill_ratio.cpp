#include "engine/defects/kill_ratio.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>

#include "engine/stats/distributions.h"
#include "engine/stats/multiplicity.h"

namespace yieldloop::defects {
namespace {

constexpr double kMostLog = 40.0;    // 1 - exp(-40): a sure kill.
constexpr double kLeastBase = 1e-9;  // Keeps log(1 - P(good)) finite on a die without defects.
constexpr double kProfileDrop = 3.841458820694124;  // 95 % point of chi-squared, one degree.

struct Box {
  Eigen::VectorXd low;
  Eigen::VectorXd high;
};

double eta_of(const KillTable& table, const KillCell& cell, const Eigen::VectorXd& theta) {
  double eta = theta[cell.stratum];
  for (std::size_t j = 0; j < cell.counts.size(); ++j) {
    eta += cell.counts[j] * theta[table.strata + static_cast<Eigen::Index>(j)];
  }
  return eta;
}

double log_likelihood(const KillTable& table, const Eigen::VectorXd& theta) {
  double sum = 0.0;
  for (const KillCell& cell : table.cells) {
    const double eta = eta_of(table, cell, theta);
    sum -= static_cast<double>(cell.good) * eta;
    if (cell.bad > 0) sum += static_cast<double>(cell.bad) * std::log(-std::expm1(-eta));
  }
  return sum;
}

void derivatives(const KillTable& table, const Eigen::VectorXd& theta, Eigen::VectorXd& gradient,
                 Eigen::MatrixXd& curvature) {
  gradient.setZero();
  curvature.setZero();
  Eigen::VectorXd row(theta.size());
  for (const KillCell& cell : table.cells) {
    row.setZero();
    row[cell.stratum] = 1.0;
    for (std::size_t j = 0; j < cell.counts.size(); ++j) {
      row[table.strata + static_cast<Eigen::Index>(j)] = cell.counts[j];
    }
    const double eta = row.dot(theta);
    const double odds = 1.0 / std::expm1(eta);
    const auto bad = static_cast<double>(cell.bad);
    gradient += (bad * odds - static_cast<double>(cell.good)) * row;
    curvature += (bad * odds * (1.0 + odds)) * row * row.transpose();
  }
}

/// Which parameters may move: those inside the box, or at its edge and pulled inwards.
std::vector<Eigen::Index> free_parameters(const Box& box, const Eigen::VectorXd& theta,
                                          const Eigen::VectorXd& gradient) {
  std::vector<Eigen::Index> free;
  for (Eigen::Index i = 0; i < theta.size(); ++i) {
    const bool stuck_low = theta[i] <= box.low[i] && gradient[i] <= 0.0;
    const bool stuck_high = theta[i] >= box.high[i] && gradient[i] >= 0.0;
    if (!stuck_low && !stuck_high && box.low[i] < box.high[i]) free.push_back(i);
  }
  return free;
}

Eigen::VectorXd newton_step(const std::vector<Eigen::Index>& free, const Eigen::VectorXd& gradient,
                            const Eigen::MatrixXd& curvature) {
  const auto n = static_cast<Eigen::Index>(free.size());
  Eigen::VectorXd g(n);
  Eigen::MatrixXd h(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    g[i] = gradient[free[static_cast<std::size_t>(i)]];
    for (Eigen::Index j = 0; j < n; ++j) {
      h(i, j) = curvature(free[static_cast<std::size_t>(i)], free[static_cast<std::size_t>(j)]);
    }
  }
  h.diagonal().array() += 1e-12 + 1e-10 * h.diagonal().maxCoeff();
  const Eigen::VectorXd d = h.ldlt().solve(g);
  Eigen::VectorXd step = Eigen::VectorXd::Zero(gradient.size());
  for (Eigen::Index i = 0; i < n; ++i) step[free[static_cast<std::size_t>(i)]] = d[i];
  return step;
}

/// Maximises within the box from `theta`; returns the log-likelihood there.
double maximise(const KillTable& table, const Box& box, Eigen::VectorXd& theta) {
  theta = theta.cwiseMax(box.low).cwiseMin(box.high);
  double best = log_likelihood(table, theta);
  Eigen::VectorXd gradient(theta.size());
  Eigen::MatrixXd curvature(theta.size(), theta.size());
  for (int round = 0; round < 200; ++round) {
    derivatives(table, theta, gradient, curvature);
    const auto free = free_parameters(box, theta, gradient);
    if (free.empty()) break;
    const Eigen::VectorXd step = newton_step(free, gradient, curvature);
    double scale = 1.0;
    bool moved = false;
    for (int halving = 0; halving < 40 && !moved; ++halving, scale *= 0.5) {
      const Eigen::VectorXd next = (theta + scale * step).cwiseMax(box.low).cwiseMin(box.high);
      const double value = log_likelihood(table, next);
      if (value <= best) continue;
      moved = value - best > 1e-12 * (1.0 + std::abs(best));
      theta = next;
      best = value;
      break;
    }
    if (!moved) break;
  }
  return best;
}

Box whole_box(const KillTable& table) {
  const auto n = table.strata + static_cast<Eigen::Index>(table.types.size());
  Box box{Eigen::VectorXd::Zero(n), Eigen::VectorXd::Constant(n, kMostLog)};
  box.low.head(table.strata).setConstant(kLeastBase);
  return box;
}

/// The profile likelihood with type j's kill ratio held at `kill`.
double profile(const KillTable& table, std::size_t j, double kill, Eigen::VectorXd theta) {
  Box box = whole_box(table);
  const auto at = table.strata + static_cast<Eigen::Index>(j);
  const double k = kill < 1.0 ? std::min(kMostLog, -std::log1p(-kill)) : kMostLog;
  box.low[at] = box.high[at] = k;
  return maximise(table, box, theta);
}

Interval profile_interval(const KillTable& table, std::size_t j, double kill,
                          const Eigen::VectorXd& theta, double best) {
  const auto outside = [&](double k) {
    return 2.0 * (best - profile(table, j, k, theta)) > kProfileDrop;
  };
  const auto crossing = [&](double in, double out) {
    if (!outside(out)) return out;
    for (int i = 0; i < 45; ++i) {
      const double middle = 0.5 * (in + out);
      (outside(middle) ? out : in) = middle;
    }
    return 0.5 * (in + out);
  };
  return {crossing(kill, 0.0), crossing(kill, 1.0)};
}

void add_simple_ratio(const KillTable& table, std::size_t j, KillRatio& ratio) {
  std::int64_t with_good = 0, with = 0, clean_good = 0, clean = 0;
  for (const KillCell& cell : table.cells) {
    const std::int64_t die = cell.good + cell.bad;
    if (cell.counts[j] > 0) {
      with += die;
      with_good += cell.good;
      ratio.defects += cell.counts[j] * die;
    } else if (std::ranges::all_of(cell.counts, [](int n) { return n == 0; })) {
      clean += die;
      clean_good += cell.good;
    }
  }
  ratio.die = with;
  if (with == 0 || clean_good == 0) return;
  const double yield_with = static_cast<double>(with_good) / static_cast<double>(with);
  const double yield_clean = static_cast<double>(clean_good) / static_cast<double>(clean);
  ratio.simple = 1.0 - yield_with / yield_clean;
}

void add_losses(const KillTable& table, const Eigen::VectorXd& theta, KillResult& result) {
  for (const KillCell& cell : table.cells) {
    std::vector<double> survive{std::exp(-theta[cell.stratum])};
    for (std::size_t j = 0; j < cell.counts.size(); ++j) {
      survive.push_back(
          std::exp(-cell.counts[j] * theta[table.strata + static_cast<Eigen::Index>(j)]));
    }
    const auto shares = shapley_losses(survive);
    const auto die = static_cast<double>(cell.good + cell.bad);
    double sum = 0.0;
    for (const double share : shares) sum += share;
    const auto bad = static_cast<double>(cell.bad);
    const double scale = sum > 0.0 ? bad / sum : 0.0;
    result.base_die_lost += die * shares[0];
    result.base_die_shared += sum > 0.0 ? scale * shares[0] : bad;
    for (std::size_t j = 0; j < cell.counts.size(); ++j) {
      result.ratios[j].die_lost += die * shares[j + 1];
      result.ratios[j].die_shared += scale * shares[j + 1];
    }
  }
}

}  // namespace

std::vector<double> shapley_losses(const std::vector<double>& survive) {
  // The multilinear extension of the game has derivative (1-s_i) prod_{k != i} (1 - t (1-s_k))
  // along the diagonal; its integral over t in [0, 1] is the Shapley value.
  std::vector<double> values(survive.size(), 0.0);
  for (std::size_t i = 0; i < survive.size(); ++i) {
    if (survive[i] >= 1.0) continue;
    std::vector<double> polynomial{1.0};
    for (std::size_t k = 0; k < survive.size(); ++k) {
      const double loss = 1.0 - survive[k];
      if (k == i || loss <= 0.0) continue;
      polynomial.push_back(0.0);
      for (std::size_t d = polynomial.size() - 1; d > 0; --d) {
        polynomial[d] -= loss * polynomial[d - 1];
      }
    }
    double integral = 0.0;
    for (std::size_t d = 0; d < polynomial.size(); ++d) {
      integral += polynomial[d] / static_cast<double>(d + 1);
    }
    values[i] = (1.0 - survive[i]) * integral;
  }
  return values;
}

Result<KillResult> kill_ratios(const KillTable& table) {
  std::int64_t good = 0, bad = 0;
  for (const KillCell& cell : table.cells) {
    good += cell.good;
    bad += cell.bad;
  }
  if (good == 0 || bad == 0) {
    return Error{Errc::kNoData, "KILL-0002",
                 "Kill ratios need good and bad die; widen the scope until both are there."};
  }
  const Box box = whole_box(table);
  Eigen::VectorXd theta = Eigen::VectorXd::Constant(box.low.size(), 0.05);
  const double best = maximise(table, box, theta);
  KillResult result;
  result.log_likelihood = best;
  for (int s = 0; s < table.strata; ++s) result.base_yield.push_back(std::exp(-theta[s]));
  std::vector<double> p_values;
  for (std::size_t j = 0; j < table.types.size(); ++j) {
    KillRatio ratio;
    ratio.type = table.types[j];
    add_simple_ratio(table, j, ratio);
    ratio.kill = -std::expm1(-theta[table.strata + static_cast<Eigen::Index>(j)]);
    ratio.kill_ci = profile_interval(table, j, ratio.kill, theta, best);
    const double drop = std::max(0.0, 2.0 * (best - profile(table, j, 0.0, theta)));
    ratio.p_value = drop > 0.0 ? 0.5 * stats::chi_squared_upper_p(drop, 1.0) : 1.0;
    p_values.push_back(ratio.p_value);
    result.ratios.push_back(ratio);
  }
  const auto q_values = stats::benjamini_hochberg(p_values);
  for (std::size_t j = 0; j < q_values.size(); ++j) result.ratios[j].q_value = q_values[j];
  add_losses(table, theta, result);
  return result;
}

Result<KillOverlay> kill_overlay(const FabData& data, const KillTableOptions& options) {
  KillOverlay overlay;
  YL_ASSIGN(overlay.table, kill_table(data, options));
  YL_ASSIGN(overlay.result, kill_ratios(overlay.table));
  for (const KillCell& cell : overlay.table.cells) {
    overlay.die += cell.good + cell.bad;
    overlay.die_lost += cell.bad;
  }
  std::map<std::string, LayerLoss> layers;
  for (std::size_t j = 0; j < overlay.table.types.size(); ++j) {
    LayerLoss& layer = layers[overlay.table.facets[j].step];
    layer.step = overlay.table.facets[j].step;
    layer.die_lost += overlay.result.ratios[j].die_lost;
    layer.die_shared += overlay.result.ratios[j].die_shared;
  }
  overlay.layers.push_back(
      {.die_lost = overlay.result.base_die_lost, .die_shared = overlay.result.base_die_shared});
  for (auto& [step, layer] : layers) overlay.layers.push_back(std::move(layer));
  return overlay;
}

}  // namespace yieldloop::defects
