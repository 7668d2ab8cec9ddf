#include "engine/yield/signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "engine/stats/distributions.h"
#include "engine/stats/multiplicity.h"
#include "engine/yield/map_windows.h"

namespace yieldloop::yield {
namespace {

constexpr std::array<std::string_view, kSignatureTests + 1> kNames{"edge_ring", "centre",  "donut",
                                                                   "local",     "scratch", "none"};

double entropy(double k, double n) {
  return k > 0 && k < n ? k * std::log(k / n) + (n - k) * std::log((n - k) / n) : 0.0;
}

/// Two rates against one, signed to "more inside".
double likelihood_ratio(double k, double n, double all_k, double all_n) {
  if (!(n > 0) || !(n < all_n) || k / n <= (all_k - k) / (all_n - n)) return 0.0;
  return entropy(k, n) + entropy(all_k - k, all_n - n) - entropy(all_k, all_n);
}

/// What choosing the best of many windows gains by luck alone is taken off.
double paid_likelihood(double ratio, std::size_t windows) {
  return std::max(0.0, ratio - std::log(static_cast<double>(std::max<std::size_t>(1, windows))));
}

/// A disc about the wafer's middle is the centre signature where that is significant too.
void prefer_centre(const MapWindows& map, std::array<SignatureTest, kSignatureTests>& tests) {
  const SignatureTest& centre = tests[static_cast<std::size_t>(Signature::kCentre)];
  SignatureTest& local = tests[static_cast<std::size_t>(Signature::kLocal)];
  if (!(centre.excess_fails > 0) || !map.is_central(local.at)) return;
  local.likelihood = std::min(local.likelihood, centre.likelihood * (1 - 1e-9));
}

/// One wafer on its map shape.
struct Placed {
  std::size_t shape = 0;
  std::vector<std::uint32_t> failed;  ///< Positions in the shape's die.
};

class Finder {
 public:
  Finder(const FabData& data, const SignatureOptions& options) : data_(data), options_(options) {}

  Result<SignatureResult> run() {
    const std::vector<DieOutcome> outcomes = die_outcomes(data_);
    if (outcomes.empty()) {
      return Error{Errc::kNoData, "SIGN-0002",
                   "No tested die was found; load test results of this product first."};
    }
    place(outcomes);
    for (std::size_t i = 0; i < placed_.size(); ++i) test_wafer(i);
    label(result_.wafers);
    stack();
    label(result_.stacks);
    result_.family_text =
        fmt::format("{} wafers x {} signatures, and {} stacks x {}, each by Benjamini-Hochberg",
                    result_.wafers.size(), kSignatureTests, result_.stacks.size(), kSignatureTests);
    return std::move(result_);
  }

 private:
  void place(const std::vector<DieOutcome>& outcomes) {
    std::map<std::vector<DieIndex>, std::size_t> shapes;
    for (std::size_t begin = 0; begin < outcomes.size();) {
      std::vector<DieIndex> die;
      Placed placed;
      std::size_t end = begin;
      for (; end < outcomes.size() && outcomes[end].wafer == outcomes[begin].wafer; ++end) {
        if (!outcomes[end].pass) placed.failed.push_back(static_cast<std::uint32_t>(die.size()));
        die.push_back(outcomes[end].die);
      }
      const auto [it, is_new] = shapes.try_emplace(die, shapes_.size());
      if (is_new) shapes_.push_back(std::make_unique<MapWindows>(data_.product, die));
      placed.shape = it->second;
      WaferSignature wafer{.wafer = outcomes[begin].wafer};
      wafer.tested = static_cast<std::int64_t>(die.size());
      wafer.failed = static_cast<std::int64_t>(placed.failed.size());
      result_.wafers.push_back(wafer);
      placed_.push_back(std::move(placed));
      begin = end;
    }
  }

  bool can_test(const Placed& placed) const {
    const std::size_t n = shapes_[placed.shape]->size(), f = placed.failed.size();
    return n >= options_.min_die && f >= 3 && f < n;
  }

  void test_wafer(std::size_t i) {
    const Placed& placed = placed_[i];
    if (!can_test(placed)) return;
    MapWindows& map = *shapes_[placed.shape];
    const auto n = static_cast<double>(map.size());
    const auto f = static_cast<double>(placed.failed.size());
    for (std::size_t t = 0; t < kSignatureTests; ++t) {
      const auto test = static_cast<Signature>(t);
      const BestWindow best = map.best(test, placed.failed);
      const WindowFamily& family = map.family(test);
      if (best.p_value >= 1 || family.size.empty()) continue;
      const double size = family.size[best.window], inside = best.fails;
      SignatureTest& out = result_.wafers[i].tests[t];
      out.p_value = map.family_p(test, best, placed.failed.size(), options_);
      out.excess_fails = size < n ? inside - size * (f - inside) / (n - size) : 0.0;
      out.likelihood = paid_likelihood(likelihood_ratio(inside, size, f, n), family.size.size());
      out.at = family.middle[best.window];
    }
    prefer_centre(map, result_.wafers[i].tests);
  }

  /// q over all tests of the list, then the likeliest significant one as the label.
  template <class Rows>
  void label(Rows& rows) const {
    std::vector<double> p;
    for (const auto& row : rows) {
      for (const SignatureTest& test : row.tests) p.push_back(test.p_value);
    }
    const std::vector<double> q = stats::benjamini_hochberg(p);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double best = 0;
      for (std::size_t t = 0; t < kSignatureTests; ++t) {
        SignatureTest& test = rows[i].tests[t];
        test.q_value = q[i * kSignatureTests + t];
        if (test.q_value > options_.alpha || test.likelihood <= best) continue;
        best = test.likelihood;
        rows[i].label = static_cast<Signature>(t);
      }
    }
  }

  void stack() {
    std::vector<std::size_t> all;
    std::map<NameId, std::vector<std::size_t>> lots;
    std::vector<NameId> order;
    for (std::size_t i = 0; i < placed_.size(); ++i) {
      if (!can_test(placed_[i])) continue;
      all.push_back(i);
      const NameId lot = data_.wafers[result_.wafers[i].wafer.raw()].lot;
      if (lots[lot].empty()) order.push_back(lot);
      lots[lot].push_back(i);
    }
    add_stack({}, all);
    for (const NameId lot : order) add_stack(lot, lots[lot]);
  }

  /// Wafers of the most common map shape are stacked; others cannot be laid on them.
  void add_stack(NameId lot, const std::vector<std::size_t>& members) {
    std::map<std::size_t, std::vector<std::size_t>> by_shape;
    for (const std::size_t i : members) by_shape[placed_[i].shape].push_back(i);
    const std::vector<std::size_t>* most = nullptr;
    for (const auto& [shape, list] : by_shape) {
      if (most == nullptr || list.size() > most->size()) most = &list;
    }
    if (most == nullptr || most->size() < 2) return;
    StackedSignature stacked{.lot = lot, .wafers = static_cast<std::int64_t>(most->size())};
    const MapWindows& map = *shapes_[placed_[most->front()].shape];
    std::vector<double> fails(map.size(), 0.0);
    double rate = 0, spread = 0, total = 0;
    const auto n = static_cast<double>(map.size());
    for (const std::size_t i : *most) {
      const auto f = static_cast<double>(placed_[i].failed.size());
      for (const std::uint32_t d : placed_[i].failed) fails[d] += 1;
      rate += f / n;
      spread += f * (n - f) / (n * n * (n - 1));
      total += f;
    }
    for (std::size_t t = 0; t < kSignatureTests; ++t) {
      stacked.tests[t] =
          stacked_test(map, static_cast<Signature>(t), *most, fails, rate, spread, total);
    }
    prefer_centre(map, stacked.tests);
    result_.stacks.push_back(stacked);
  }

  SignatureTest stacked_test(const MapWindows& map, Signature test,
                             const std::vector<std::size_t>& members,
                             const std::vector<double>& fails, double rate, double spread,
                             double total) const {
    const WindowFamily& family = map.family(test);
    std::vector<double> inside(family.size.size(), 0.0);
    for (std::size_t d = 0; d < fails.size(); ++d) {
      for (const std::uint32_t w : family.of_die[d]) inside[w] += fails[d];
    }
    const auto n = static_cast<double>(map.size());
    SignatureTest out;
    double best_z = 0;
    std::size_t best = 0;
    for (std::size_t w = 0; w < inside.size(); ++w) {
      const double size = family.size[w], variance = size * (n - size) * spread;
      if (!(variance > 0)) continue;
      const double z = (inside[w] - size * rate) / std::sqrt(variance);
      if (z > best_z) {
        best_z = z;
        best = w;
      }
    }
    if (!(best_z > 0)) return out;
    const double wafers_z = z_over_wafers(map, family, best, members);
    const double p = stats::normal_upper_p(std::min(best_z, wafers_z));
    out.p_value = std::min(1.0, p * static_cast<double>(inside.size()));
    const double size = family.size[best], wafers = static_cast<double>(members.size());
    out.excess_fails = (inside[best] - size * (total - inside[best]) / (n - size)) / wafers;
    out.likelihood = paid_likelihood(
        likelihood_ratio(inside[best], size * wafers, total, n * wafers), inside.size());
    out.at = family.middle[best];
    return out;
  }

  double z_over_wafers(const MapWindows& map, const WindowFamily& family, std::size_t window,
                       const std::vector<std::size_t>& members) const {
    double sum = 0, squares = 0;
    for (const std::size_t i : members) {
      double inside = 0;
      for (const std::uint32_t d : placed_[i].failed) {
        const auto& of = family.of_die[d];
        inside += std::ranges::find(of, static_cast<std::uint32_t>(window)) != of.end() ? 1 : 0;
      }
      const double d = inside - family.size[window] *
                                    static_cast<double>(placed_[i].failed.size()) /
                                    static_cast<double>(map.size());
      sum += d;
      squares += d * d;
    }
    const auto n = static_cast<double>(members.size());
    if (n < 3) return 0.0;
    const double mean = sum / n;
    const double variance = std::max((squares - n * mean * mean) / (n - 1), 1e-9);
    return stats::student_t_to_z(mean / std::sqrt(variance / n), n - 1);
  }

  const FabData& data_;
  SignatureOptions options_;
  std::vector<std::unique_ptr<MapWindows>> shapes_;
  std::vector<Placed> placed_;
  SignatureResult result_;
};

}  // namespace

std::string_view signature_name(Signature signature) {
  return kNames[static_cast<std::size_t>(signature)];
}

Signature signature_of(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Signature>(i);
  }
  return Signature::kNone;
}

Result<SignatureResult> find_signatures(const FabData& data, const SignatureOptions& options) {
  if (!(options.alpha > 0) || options.alpha > 0.5 || options.min_die < 10) {
    return Error{Errc::kInvalidOptions, "SIGN-0001",
                 "Signatures need alpha in (0, 0.5] and at least 10 die on a wafer."};
  }
  return Finder(data, options).run();
}

std::vector<double> signature_presence(const SignatureResult& result, Signature signature,
                                       std::size_t wafer_count) {
  std::vector<double> presence(wafer_count, std::numeric_limits<double>::quiet_NaN());
  for (const WaferSignature& wafer : result.wafers) {
    if (wafer.wafer.raw() < wafer_count) {
      presence[wafer.wafer.raw()] = wafer.label == signature ? 1.0 : 0.0;
    }
  }
  return presence;
}

}  // namespace yieldloop::yield
