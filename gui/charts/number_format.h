/// \file
/// One way to write each kind of number, used by every chart and by the report.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace yieldloop::charts {

/// "12,345": thousands are grouped by commas.
std::string format_count(std::int64_t value);
/// Up to `digits` significant digits, no trailing zeros, "1.2e-7" outside [1e-4, 1e6);
/// "n/a" for NaN. The minus sign is U+2212.
std::string format_number(double value, int digits = 3);
/// 0.9132 -> "91.3 %"; decimals grow near 100 % and 0 % so that 0.99995 never reads "100.0 %".
std::string format_percent(double fraction, int decimals = 1);
/// "[-27, -21.9]" with real minus signs.
std::string format_interval(double low, double high, int digits = 3);
/// "q = 0.012", "q < 1e-12"; the name comes first because p and q are often confused.
std::string format_probability(const std::string& name, double value);

struct Tick {
  double value = 0.0;
  std::string label;
  friend bool operator==(const Tick&, const Tick&) = default;
};

/// Round values (1, 2 or 5 times a power of ten) within [low, high], about `target` of them,
/// all labelled with the same number of decimals. A degenerate range gives one tick.
/// Source: P. Heckbert, "Nice numbers for graph labels", Graphics Gems (1990) 61-63.
std::vector<Tick> nice_ticks(double low, double high, int target, bool percent = false);

}  // namespace yieldloop::charts
