#include "engine/process/label_excess.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/stats/distributions.h"
#include "engine/stats/group_tests.h"

namespace yieldloop::process {
namespace {
constexpr std::size_t kMaxRings = 16;
}

std::vector<std::uint8_t> equal_area_rings(const Product& product,
                                           std::span<const DieOutcome> outcomes, int rings) {
  std::vector<std::uint8_t> ring(outcomes.size(), 0);
  if (outcomes.empty()) return ring;
  int x0 = INT16_MAX, x1 = INT16_MIN, y0 = INT16_MAX, y1 = INT16_MIN;
  for (const DieOutcome& o : outcomes) {
    x0 = std::min<int>(x0, o.die.x);
    x1 = std::max<int>(x1, o.die.x);
    y0 = std::min<int>(y0, o.die.y);
    y1 = std::max<int>(y1, o.die.y);
  }
  const double width = product.die_width_um > 0 ? product.die_width_um : 1.0;
  const double height = product.die_height_um > 0 ? product.die_height_um : 1.0;
  const double cx = (x0 + x1) / 2.0, cy = (y0 + y1) / 2.0;
  const auto square = [&](DieIndex die) {
    const double dx = (die.x - cx) * width, dy = (die.y - cy) * height;
    return dx * dx + dy * dy;
  };
  double largest = 0;
  for (const DieOutcome& o : outcomes) largest = std::max(largest, square(o.die));
  if (!(largest > 0)) return ring;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const double share = square(outcomes[i].die) / largest;  // Area inside the die's radius.
    ring[i] = static_cast<std::uint8_t>(std::min(rings - 1, static_cast<int>(share * rings)));
  }
  return ring;
}

LabelExcess::LabelExcess(std::span<const DieOutcome> outcomes, std::span<const std::uint8_t> rings,
                         std::span<const int> labels, int label_count, std::size_t wafers)
    : wafers_(wafers),
      cells_(static_cast<std::size_t>(label_count) * wafers),
      residuals_(outcomes.size(), 0.0F) {
  const auto count = static_cast<std::size_t>(label_count);
  std::vector<double> die(kMaxRings * count), fails(kMaxRings * count);
  for (std::size_t begin = 0; begin < outcomes.size();) {
    const std::uint32_t wafer = outcomes[begin].wafer.raw();
    std::array<double, kMaxRings> n{}, m{};
    std::ranges::fill(die, 0.0);
    std::ranges::fill(fails, 0.0);
    std::size_t end = begin;
    for (; end < outcomes.size() && outcomes[end].wafer.raw() == wafer; ++end) {
      const std::size_t ring = rings[end];
      const double fail = outcomes[end].pass ? 0.0 : 1.0;
      n[ring] += 1;
      m[ring] += fail;
      if (labels[end] < 0) continue;
      die[ring * count + static_cast<std::size_t>(labels[end])] += 1;
      fails[ring * count + static_cast<std::size_t>(labels[end])] += fail;
    }
    for (std::size_t i = begin; i < end; ++i) {
      const double rate = m[rings[i]] / n[rings[i]];
      residuals_[i] = static_cast<float>((outcomes[i].pass ? 0.0 : 1.0) - rate);
    }
    for (std::size_t ring = 0; ring < kMaxRings; ++ring) {
      if (n[ring] < 2) continue;
      for (std::size_t label = 0; label < count; ++label) {
        const double n1 = die[ring * count + label];
        if (!(n1 > 0) || !(n1 < n[ring])) continue;
        LabelCell& cell = cells_[label * wafers_ + wafer];
        cell.die += n1;
        cell.fails += fails[ring * count + label];
        cell.excess += fails[ring * count + label] - n1 * m[ring] / n[ring];
        cell.variance += n1 * (n[ring] - n1) * m[ring] * (n[ring] - m[ring]) /
                         (n[ring] * n[ring] * (n[ring] - 1));
      }
    }
    begin = end;
  }
}

LabelEvidence LabelExcess::evidence(int label, std::span<const char> in) const {
  LabelEvidence e;
  double variance = 0, squares = 0, n = 0;
  for (std::uint32_t w = 0; w < wafers_; ++w) {
    const LabelCell& c = cell(w, label);
    if (!in[w] || !(c.die > 0)) continue;
    e.die += c.die;
    e.fails += c.fails;
    e.excess += c.excess;
    variance += c.variance;
    squares += c.excess * c.excess;
    n += 1;
  }
  e.wafers = static_cast<std::int64_t>(n);
  if (!(variance > 0)) return e;
  const double z_table = e.excess / std::sqrt(variance);
  e.z = z_table;
  if (n >= 3) {
    const double mean = e.excess / n;
    const double spread = std::max((squares - n * mean * mean) / (n - 1), 1e-9);
    const double se = std::sqrt(spread / n);
    const double z_wafers = stats::student_t_to_z(mean / se, n - 1);
    const double half = stats::student_t_quantile(0.975, n - 1) * se * n;
    e.excess_ci = {e.excess - half, e.excess + half};
    if (z_wafers * z_table <= 0) {
      e.z = 0;
    } else if (std::abs(z_wafers) < std::abs(z_table)) {
      e.z = z_wafers;
    }
  } else {
    const double half = 1.959963984540054 * std::sqrt(variance);
    e.excess_ci = {e.excess - half, e.excess + half};
  }
  e.p_greater = stats::normal_upper_p(e.z);
  return e;
}

double LabelExcess::contrast_z(int label, std::span<const char> in) const {
  std::vector<double> inside, outside;
  for (std::uint32_t w = 0; w < wafers_; ++w) {
    const LabelCell& c = cell(w, label);
    if (c.die > 0) (in[w] ? inside : outside).push_back(c.excess / c.die);
  }
  const auto t = stats::welch_t(inside, outside);
  return t && t->degrees > 0 ? stats::student_t_to_z(t->statistic, t->degrees) : 0.0;
}

}  // namespace yieldloop::process
