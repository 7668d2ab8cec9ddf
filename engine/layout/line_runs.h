/// \file
/// What a line through a layout crosses; for this folder's sources.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace yieldloop::layout {

using Interval = std::pair<double, double>;

/// Sorts and joins intervals that touch.
inline void join(std::vector<Interval>& intervals) {
  std::sort(intervals.begin(), intervals.end());
  std::vector<Interval> out;
  for (const Interval& i : intervals) {
    if (!out.empty() && i.first <= out.back().second) {
      out.back().second = std::max(out.back().second, i.second);
    } else {
      out.push_back(i);
    }
  }
  intervals = std::move(out);
}

/// The gap or the run that holds `value`, and its neighbours' distances.
struct Around {
  bool covered = false;
  double low = -HUGE_VAL;    ///< Start of the run, or end of the run before the gap.
  double high = HUGE_VAL;    ///< End of the run, or start of the run after the gap.
  double before = HUGE_VAL;  ///< Gap before the run; when covered.
  double after = HUGE_VAL;
};

inline Around look_around(const std::vector<Interval>& runs, double value) {
  Around result;
  const auto next = std::find_if(runs.begin(), runs.end(),
                                 [value](const Interval& run) { return run.second >= value; });
  if (next == runs.end()) {
    if (!runs.empty()) result.low = runs.back().second;
    return result;
  }
  result.covered = next->first <= value;
  if (!result.covered) {
    result.high = next->first;
    if (next != runs.begin()) result.low = std::prev(next)->second;
    return result;
  }
  result.low = next->first;
  result.high = next->second;
  if (next != runs.begin()) result.before = next->first - std::prev(next)->second;
  if (std::next(next) != runs.end()) result.after = std::next(next)->first - next->second;
  return result;
}

}  // namespace yieldloop::layout
