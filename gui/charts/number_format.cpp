#include "gui/charts/number_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace yieldloop::charts {

std::vector<Tick> nice_ticks(double low, double high, int target, bool percent) {
  if (!std::isfinite(low) || !std::isfinite(high)) return {};
  const double factor = percent ? 100.0 : 1.0;
  if (!(high > low)) {
    return {{low, percent ? format_percent(low) : format_number(low)}};
  }
  const double raw = (high - low) * factor / std::max(1, target);
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double ratio = raw / power;
  const double step = power * (ratio < 1.5 ? 1 : ratio < 3 ? 2 : ratio < 7 ? 5 : 10);
  const int decimals = std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 12);
  const bool large = std::max(std::abs(low), std::abs(high)) * factor >= 1e6;
  std::vector<Tick> ticks;
  const double first = std::ceil(low * factor / step - 1e-9);
  for (double k = first; k * step <= high * factor + step * 1e-9 && ticks.size() < 100; ++k) {
    const double value = std::abs(k) < 0.5 ? 0.0 : k * step;
    std::string label;
    if (large || step < 1e-6) {
      label = format_number(value, 4);
    } else {
      const std::string digits = fmt::format("{:.{}f}", std::abs(value), decimals);
      const auto point = digits.find('.');
      label = (value < 0 ? kMinusSign : "") + group_digits(digits.substr(0, point)) +
              (point == std::string::npos ? "" : digits.substr(point));
    }
    ticks.push_back({value / factor, percent ? label + " %" : label});
  }
  return ticks;
}

}  // namespace yieldloop::charts
