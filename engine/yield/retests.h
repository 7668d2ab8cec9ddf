/// \file
/// Which test of a die counts.
///
/// A die tested again at the same insertion has several rows. The first in time is its first
/// pass, the last in time supersedes the others and is its final result; every row stays.
/// Time is (tested_at, part sequence, order in the input): testers that give no time are
/// ordered by the order of their parts and files. Die of unknown place (STDF coordinate
/// -32768) cannot be matched: each row is a die of its own, first and final.
///
/// Source: STDF V4, PRR PART_FLG bits 0 and 1 (a new part supersedes the one of the same
/// place or id).
#pragma once

#include <span>

#include "engine/core/fab_data.h"

namespace yieldloop::yield {

struct RetestCounts {
  std::size_t rows = 0;
  std::size_t die = 0;         ///< Distinct wafer, insertion and die.
  std::size_t superseded = 0;  ///< rows - die.
  std::size_t recovered = 0;   ///< Failed at the first pass, good in the end.
  std::size_t lost = 0;        ///< Good at the first pass, failed in the end.
  friend bool operator==(const RetestCounts&, const RetestCounts&) = default;
};

/// Sets first_pass and final_result of every row; changes nothing else and keeps the order.
/// Cost: O(n) when sorted by wafer, insertion, die, time; O(n log n) otherwise.
RetestCounts resolve_retests(std::span<DieResult> rows);

}  // namespace yieldloop::yield
