#include "gui/charts/number_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace yieldloop::charts {
namespace {

constexpr const char* kMinus = "\u2212";
constexpr const char* kNotAvailable = "n/a";

// Puts the real minus sign where fmt wrote a hyphen.
std::string with_minus(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '-') {
      out += kMinus;
    } else {
      out += c;
    }
  }
  return out;
}

std::string grouped(const std::string& digits) {
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

void drop_trailing_zeros(std::string& text) {
  if (text.find('.') == std::string::npos) return;
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
}

std::string scientific(double magnitude, int digits) {
  std::string text = fmt::format("{:.{}e}", magnitude, digits - 1);
  const auto at = text.find('e');
  std::string mantissa = text.substr(0, at);
  drop_trailing_zeros(mantissa);
  return fmt::format("{}e{}", mantissa, std::stoi(text.substr(at + 1)));
}

}  // namespace

std::string format_count(std::int64_t value) {
  const std::string digits = fmt::format("{}", value);
  return value < 0 ? kMinus + grouped(digits.substr(1)) : grouped(digits);
}

std::string format_number(double value, int digits) {
  if (std::isnan(value)) return kNotAvailable;
  const std::string sign = value < 0 ? kMinus : "";
  const double magnitude = std::abs(value);
  if (std::isinf(value)) return sign + "\u221e";
  if (magnitude == 0) return "0";
  const int wanted = std::clamp(digits, 1, 15);
  if (magnitude < 1e-4 || magnitude >= 1e6) return sign + with_minus(scientific(magnitude, wanted));
  if (magnitude >= std::pow(10.0, wanted)) return sign + grouped(fmt::format("{:.0f}", magnitude));
  const int exponent = static_cast<int>(std::floor(std::log10(magnitude)));
  std::string text = fmt::format("{:.{}f}", magnitude, std::max(0, wanted - 1 - exponent));
  drop_trailing_zeros(text);
  const auto point = text.find('.');
  if (point == std::string::npos) return sign + grouped(text);
  return sign + grouped(text.substr(0, point)) + text.substr(point);
}

std::string format_percent(double fraction, int decimals) {
  if (!std::isfinite(fraction)) return kNotAvailable;
  const double percent = fraction * 100.0;
  const double room = std::min(std::abs(percent), std::abs(100.0 - std::abs(percent)));
  int places = std::max(0, decimals);
  // A value that is not 0 or 1 must not be rounded to look like it.
  while (room > 0 && places < 6 && room < 0.5 * std::pow(10.0, -places)) ++places;
  std::string text = with_minus(fmt::format("{:.{}f}", percent, places));
  return text + " %";
}

std::string format_interval(double low, double high, int digits) {
  return fmt::format("[{}, {}]", format_number(low, digits), format_number(high, digits));
}

std::string format_probability(const std::string& name, double value) {
  if (std::isnan(value)) return name + " n/a";
  if (value < 1e-12) return with_minus(name + " < 1e-12");
  return name + " = " + format_number(value, 2);
}

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
      label = (value < 0 ? kMinus : "") + grouped(digits.substr(0, point)) +
              (point == std::string::npos ? "" : digits.substr(point));
    }
    ticks.push_back({value / factor, percent ? label + " %" : label});
  }
  return ticks;
}

}  // namespace yieldloop::charts
