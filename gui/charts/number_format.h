/// \file
/// Axis ticks, and the number texts of engine/core under the charts' own name.
#pragma once

#include <string>
#include <vector>

#include "engine/core/number_text.h"

namespace yieldloop::charts {

using yieldloop::format_count;
using yieldloop::format_interval;
using yieldloop::format_number;
using yieldloop::format_percent;
using yieldloop::format_probability;

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
