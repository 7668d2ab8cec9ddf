#include "engine/tracing/blur_fit.h"

#include <algorithm>
#include <cmath>

namespace yieldloop::tracing {
namespace {

/// Events of a class below which its rate counts as 0.
constexpr double kNoEvents = 1e-7;

/// A Newton step for the root of a decreasing convex function of a positive value.
double stepped(double value, double slope, double curvature) {
  if (!(curvature > 0.0)) return value;
  return std::clamp(value + slope / curvature, 0.1 * value, 10.0 * value);
}

}  // namespace

BlurFit::BlurFit(BlurBackground& background, std::size_t defects)
    : background_(&background), defects_(defects) {}

void BlurFit::add(BlurComponent component) {
  if (!(component.rate > 0.0)) {
    component.rate =
        0.5 * static_cast<double>(component.near.defect.size()) / std::max(1.0, component.places);
  }
  components_.push_back(std::move(component));
  touch();
}

void BlurFit::remove(std::size_t component) {
  components_.erase(components_.begin() + static_cast<std::ptrdiff_t>(component));
  touch();
}

void BlurFit::touch() {
  touched_.clear();
  for (const BlurComponent& c : components_) {
    touched_.insert(touched_.end(), c.near.defect.begin(), c.near.defect.end());
  }
  std::ranges::sort(touched_);
  touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
  slots_.clear();
  for (const BlurComponent& c : components_) {
    std::vector<std::uint32_t> slots;
    std::size_t at = 0;
    for (const std::uint32_t d : c.near.defect) {
      while (touched_[at] != d) ++at;
      slots.push_back(static_cast<std::uint32_t>(at));
    }
    slots_.push_back(std::move(slots));
  }
}

BlurFit::State BlurFit::state() const {
  State s;
  s.rates.assign(components_.size(), 0.0);
  s.explained.assign(touched_.size(), 0.0);
  for (std::size_t c = 0; c < components_.size(); ++c) set_rate(s, c, components_[c].rate);
  return s;
}

void BlurFit::set_rate(State& s, std::size_t component, double rate) const {
  const auto& density = components_[component].near.density;
  const double change = rate - s.rates[component];
  for (std::size_t i = 0; i < density.size(); ++i) {
    double& explained = s.explained[slots_[component][i]];
    explained = std::max(0.0, explained + change * density[i]);
  }
  s.rates[component] = rate;
}

double BlurFit::value(const State& s) const {
  double sum = static_cast<double>(defects_ - touched_.size()) * std::log(s.level);
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    // Relative to the background, so that the value is that of the ratio.
    sum += std::log(s.level + s.explained[i] / rate_at_[i]);
  }
  sum -= s.level * background_->expected();
  for (std::size_t c = 0; c < components_.size(); ++c) sum -= s.rates[c] * components_[c].places;
  return sum;
}

double BlurFit::climb(State& s, std::size_t fixed) const {
  const double far = static_cast<double>(defects_ - touched_.size());
  const double expected = background_->expected();
  for (int round = 0; round < 300; ++round) {
    double change = 0.0;
    for (std::size_t c = 0; c < components_.size(); ++c) {
      if (c == fixed || s.rates[c] * components_[c].places < kNoEvents) continue;
      const auto& density = components_[c].near.density;
      double slope = -components_[c].places, curvature = 0.0;
      for (std::size_t i = 0; i < density.size(); ++i) {
        const std::uint32_t at = slots_[c][i];
        const double k = density[i] / (s.level * rate_at_[at] + s.explained[at]);
        slope += k, curvature += k * k;
      }
      const double next = stepped(s.rates[c], slope, curvature);
      change = std::max(change, std::abs(next - s.rates[c]) / s.rates[c]);
      set_rate(s, c, next);
    }
    double slope = far / s.level - expected, curvature = far / (s.level * s.level);
    for (std::size_t i = 0; i < touched_.size(); ++i) {
      const double b = rate_at_[i] / (s.level * rate_at_[i] + s.explained[i]);
      slope += b, curvature += b * b;
    }
    const double next = stepped(s.level, slope, curvature);
    change = std::max(change, std::abs(next - s.level) / s.level);
    s.level = next;
    if (change < 1e-9) break;
  }
  return value(s);
}

void BlurFit::fit() {
  std::vector<double> weights(defects_, 1.0);
  double before = -HUGE_VAL;
  for (int round = 0; round < 60; ++round) {
    rate_at_.clear();
    for (const std::uint32_t d : touched_) rate_at_.push_back(background_->rate_at(d));
    State s = state();
    log_likelihood_ = climb(s, kNone);
    for (std::size_t c = 0; c < components_.size(); ++c) components_[c].rate = s.rates[c];
    double sum = 0.0;
    for (const double r : s.rates) sum += r;
    if (std::abs(sum - before) <= 1e-8 * std::max(sum, 1e-300)) break;
    if (round == 59) break;  // The background stays the one the rates were fitted to.
    before = sum;
    for (std::size_t i = 0; i < touched_.size(); ++i) {
      const double b = s.level * rate_at_[i];
      weights[touched_[i]] = b / (b + s.explained[i]);
    }
    background_->fit(weights);
  }
}

std::vector<double> BlurFit::explained() const {
  std::vector<double> all(defects_, 0.0);
  const State s = state();
  for (std::size_t i = 0; i < touched_.size(); ++i) all[touched_[i]] = s.explained[i];
  return all;
}

double BlurFit::profile(std::size_t component, double rate) const {
  State s = state();
  set_rate(s, component, rate);
  return climb(s, component);
}

double BlurFit::statistic_of(std::size_t component) const {
  return std::max(0.0, 2.0 * (log_likelihood_ - profile(component, 0.0)));
}

std::vector<double> BlurFit::chances(std::size_t component) const {
  const State s = state();
  std::vector<double> chance;
  const auto& density = components_[component].near.density;
  for (std::size_t i = 0; i < density.size(); ++i) {
    const std::uint32_t at = slots_[component][i];
    chance.push_back(components_[component].rate * density[i] / (rate_at_[at] + s.explained[at]));
  }
  return chance;
}

Interval BlurFit::interval(std::size_t component, double drop) const {
  const double best = components_[component].rate;
  const double least = kNoEvents / std::max(1.0, components_[component].places);
  if (best <= least) return {0.0, 0.0};
  const auto inside = [&](double rate) {
    return 2.0 * (log_likelihood_ - profile(component, rate)) <= drop;
  };
  // Bisection on the logarithm, from the estimate outwards.
  const auto edge = [&](double factor) {
    double in = best, out = best * factor;
    for (int i = 0; i < 40 && inside(out); ++i) {
      if (out < least) return 0.0;
      in = out, out *= factor;
    }
    for (int i = 0; i < 30 && std::abs(in - out) > 1e-6 * best; ++i) {
      const double middle = std::sqrt(in * out);
      (inside(middle) ? in : out) = middle;
    }
    return std::sqrt(in * out);
  };
  return {edge(0.7), edge(1.4)};
}

}  // namespace yieldloop::tracing
