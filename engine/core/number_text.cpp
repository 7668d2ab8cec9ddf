#include "engine/core/number_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace yieldloop {
namespace {

constexpr const char* kNotAvailable = "n/a";

// Puts the real minus sign where fmt wrote a hyphen.
std::string with_minus(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '-') {
      out += kMinusSign;
    } else {
      out += c;
    }
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

std::string group_digits(const std::string& digits) {
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string format_count(std::int64_t value) {
  const std::string digits = fmt::format("{}", value);
  return value < 0 ? kMinusSign + group_digits(digits.substr(1)) : group_digits(digits);
}

std::string format_number(double value, int digits) {
  if (std::isnan(value)) return kNotAvailable;
  const std::string sign = value < 0 ? kMinusSign : "";
  const double magnitude = std::abs(value);
  if (std::isinf(value)) return sign + "\u221e";
  if (magnitude == 0) return "0";
  const int wanted = std::clamp(digits, 1, 15);
  if (magnitude < 1e-4 || magnitude >= 1e6) return sign + with_minus(scientific(magnitude, wanted));
  if (magnitude >= std::pow(10.0, wanted))
    return sign + group_digits(fmt::format("{:.0f}", magnitude));
  const int exponent = static_cast<int>(std::floor(std::log10(magnitude)));
  std::string text = fmt::format("{:.{}f}", magnitude, std::max(0, wanted - 1 - exponent));
  drop_trailing_zeros(text);
  const auto point = text.find('.');
  if (point == std::string::npos) return sign + group_digits(text);
  return sign + group_digits(text.substr(0, point)) + text.substr(point);
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

}  // namespace yieldloop
