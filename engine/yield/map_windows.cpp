#include "engine/yield/map_windows.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "engine/core/random.h"
#include "engine/stats/distributions.h"

namespace yieldloop::yield {
namespace {

constexpr int kDirections = 24;
constexpr double kDiscRadii[] = {2.2, 3.3};  // Die pitches.
constexpr double kSegmentLengths[] = {6, 12, 1000};
constexpr std::size_t kSmallestWindow = 4;

}  // namespace

MapWindows::MapWindows(const Product& product, std::vector<DieIndex> die) : die_(std::move(die)) {
  for (WindowFamily& family : families_) family.of_die.resize(die_.size());
  double x0 = 1e9, x1 = -1e9, y0 = 1e9, y1 = -1e9;
  for (const DieIndex d : die_) {
    x0 = std::min<double>(x0, d.x);
    x1 = std::max<double>(x1, d.x);
    y0 = std::min<double>(y0, d.y);
    y1 = std::max<double>(y1, d.y);
  }
  const bool known = product.die_width_um > 0 && product.die_height_um > 0;
  const double mean = known ? std::sqrt(product.die_width_um * product.die_height_um) : 1.0;
  const double px = known ? product.die_width_um / mean : 1.0;
  const double py = known ? product.die_height_um / mean : 1.0;
  radius_.resize(die_.size());
  std::vector<double>& radius = radius_;
  double largest = 1e-9;
  for (std::size_t i = 0; i < die_.size(); ++i) {
    radius[i] = std::hypot((die_[i].x - (x0 + x1) / 2) * px, (die_[i].y - (y0 + y1) / 2) * py);
    largest = std::max(largest, radius[i]);
  }
  for (double& r : radius) r /= largest;
  add_zone(Signature::kEdgeRing, radius, 0.85, 1.1);
  add_zone(Signature::kCentre, radius, -1, 0.4);
  add_zone(Signature::kDonut, radius, 0.4, 0.8);
  add_discs(px, py);
  add_lines();
}

bool MapWindows::is_central(DieIndex die) const {
  const auto at = std::ranges::lower_bound(die_, die);
  return at != die_.end() && *at == die &&
         radius_[static_cast<std::size_t>(at - die_.begin())] <= 0.2;
}

void MapWindows::add_window(Signature test, const std::vector<std::uint32_t>& members) {
  WindowFamily& family = families_[static_cast<std::size_t>(test)];
  const auto window = static_cast<std::uint32_t>(family.size.size());
  double x = 0, y = 0;
  for (const std::uint32_t d : members) {
    family.of_die[d].push_back(window);
    x += die_[d].x;
    y += die_[d].y;
  }
  const auto n = static_cast<double>(std::max<std::size_t>(1, members.size()));
  family.size.push_back(static_cast<std::uint32_t>(members.size()));
  family.middle.push_back({static_cast<std::int16_t>(std::lround(x / n)),
                           static_cast<std::int16_t>(std::lround(y / n))});
}

void MapWindows::add_zone(Signature test, std::span<const double> radius, double low, double high) {
  std::vector<std::uint32_t> members;
  for (std::uint32_t i = 0; i < die_.size(); ++i) {
    if (radius[i] > low && radius[i] <= high) members.push_back(i);
  }
  add_window(test, members);
}

void MapWindows::add_discs(double pitch_x, double pitch_y) {
  std::vector<std::uint32_t> members;
  for (const double reach : kDiscRadii) {
    for (const DieIndex centre : die_) {
      members.clear();
      for (std::uint32_t i = 0; i < die_.size(); ++i) {
        const double dx = (die_[i].x - centre.x) * pitch_x, dy = (die_[i].y - centre.y) * pitch_y;
        if (dx * dx + dy * dy <= reach * reach) members.push_back(i);
      }
      if (members.size() >= kSmallestWindow) add_window(Signature::kLocal, members);
    }
  }
}

/// Bands one die wide, half a die apart, cut into segments that overlap by half.
void MapWindows::add_lines() {
  std::vector<std::pair<double, std::uint32_t>> band;
  std::vector<std::uint32_t> members;
  for (int a = 0; a < kDirections; ++a) {
    const double angle = std::numbers::pi * a / kDirections;
    const double c = std::cos(angle), s = std::sin(angle);
    double low = 1e9, high = -1e9;
    for (const DieIndex d : die_) {
      low = std::min(low, d.y * c - d.x * s);
      high = std::max(high, d.y * c - d.x * s);
    }
    for (double offset = std::floor(low); offset <= high; offset += 0.5) {
      band.clear();
      for (std::uint32_t i = 0; i < die_.size(); ++i) {
        if (std::abs(die_[i].y * c - die_[i].x * s - offset) > 0.5 + 1e-9) continue;
        band.emplace_back(die_[i].x * c + die_[i].y * s, i);
      }
      std::ranges::sort(band);
      for (const double length : kSegmentLengths) {
        if (band.size() < kSmallestWindow) break;
        for (double start = band.front().first; start < band.back().first; start += length / 2) {
          members.clear();
          for (const auto& [u, i] : band) {
            if (u >= start - 1e-9 && u < start + length) members.push_back(i);
          }
          if (members.size() >= kSmallestWindow) add_window(Signature::kScratch, members);
          if (start + length > band.back().first) break;
        }
      }
    }
  }
}

const std::vector<double>& MapWindows::tail_table(std::uint32_t window_size, std::size_t failed) {
  auto& table = tails_[{window_size, failed}];
  if (!table.empty()) return table;
  const auto n = static_cast<std::int64_t>(die_.size()), f = static_cast<std::int64_t>(failed);
  const auto most = std::min<std::int64_t>(window_size, f);
  for (std::int64_t k = 0; k <= most; ++k) {
    table.push_back(stats::hypergeometric_upper_p(k, window_size, f, n));
  }
  return table;
}

BestWindow MapWindows::best(Signature test, std::span<const std::uint32_t> failed) {
  const WindowFamily& family = families_[static_cast<std::size_t>(test)];
  counts_.assign(family.size.size(), 0);
  for (const std::uint32_t d : failed) {
    for (const std::uint32_t window : family.of_die[d]) ++counts_[window];
  }
  // Tables by window size, looked up once a size.
  std::vector<const std::vector<double>*> table;
  BestWindow best;
  for (std::size_t w = 0; w < counts_.size(); ++w) {
    if (counts_[w] < 2) continue;
    const std::uint32_t size = family.size[w];
    if (size >= table.size()) table.resize(size + 1, nullptr);
    if (table[size] == nullptr) table[size] = &tail_table(size, failed.size());
    const double p = (*table[size])[counts_[w]];
    if (p < best.p_value) best = {w, counts_[w], p};
  }
  return best;
}

const std::vector<double>& MapWindows::null_tails(Signature test, std::size_t failed,
                                                  const SignatureOptions& options) {
  auto& tails = nulls_[{static_cast<int>(test), failed}];
  if (!tails.empty()) return tails;
  const Random root = Random(options.seed).fork(static_cast<std::uint64_t>(test) << 32 | failed);
  std::vector<std::uint32_t> order(die_.size());
  for (std::size_t i = 0; i < options.permutations; ++i) {
    Random random = root.fork(i);
    std::iota(order.begin(), order.end(), 0U);
    for (std::size_t k = 0; k < failed; ++k) {
      std::swap(order[k], order[k + random.below(order.size() - k)]);
    }
    tails.push_back(best(test, std::span(order).first(failed)).p_value);
  }
  std::ranges::sort(tails);
  return tails;
}

double MapWindows::family_p(Signature test, const BestWindow& best, std::size_t failed,
                            const SignatureOptions& options) {
  const auto windows = static_cast<double>(families_[static_cast<std::size_t>(test)].size.size());
  if (windows <= 1) return best.p_value;
  const double bonferroni = std::min(1.0, windows * best.p_value);
  // The chance that some window reaches 1 % by luck is near 1: not worth placing fails for.
  if (best.p_value > 0.01 || options.permutations == 0) return bonferroni;
  const auto& tails = null_tails(test, failed, options);
  const auto below = std::ranges::upper_bound(tails, best.p_value * (1 + 1e-9)) - tails.begin();
  const double placed = static_cast<double>(below + 1) / static_cast<double>(tails.size() + 1);
  return std::min(placed, bonferroni);
}

}  // namespace yieldloop::yield
