/// \file
/// One way to write each kind of number for a person: charts, reports, sentences of findings.
/// Machines get numbers from JSON, never from these texts.
#pragma once

#include <cstdint>
#include <string>

namespace yieldloop {

inline constexpr const char* kMinusSign = "\u2212";

/// "12345" -> "12,345". REQUIRES: digits only.
std::string group_digits(const std::string& digits);
/// "12,345": thousands are grouped by commas.
std::string format_count(std::int64_t value);
/// Up to `digits` significant digits, no trailing zeros, "1.2e−7" outside [1e-4, 1e6);
/// "n/a" for NaN. The minus sign is U+2212.
std::string format_number(double value, int digits = 3);
/// 0.9132 -> "91.3 %"; decimals grow near 100 % and 0 % so that 0.99995 never reads "100.0 %".
std::string format_percent(double fraction, int decimals = 1);
/// "[−27, −21.9]" with real minus signs.
std::string format_interval(double low, double high, int digits = 3);
/// "q = 0.012", "q < 1e−12"; the name comes first because p and q are often confused.
std::string format_probability(const std::string& name, double value);

}  // namespace yieldloop
