/// \file
/// What became of each die: one row for each die of each wafer, retests and insertions resolved.
///
/// A die is good when its result passes at every insertion it was tested at; a die that fails
/// takes the bins of the first insertion it fails at, a good one those of its last insertion.
/// Yield, commonality, reticle and layout analyses all start from these rows, so that they
/// mean the same by "failed".
#pragma once

#include <vector>

#include "engine/core/fab_data.h"

namespace yieldloop {

enum class TestPass : std::uint8_t {
  kFinal,  ///< The result that counts (`final_result`).
  kFirst,  ///< The first touch (`first_pass`).
};

struct DieOutcome {
  WaferId wafer;
  DieIndex die;
  int hard_bin = 0;
  int soft_bin = 0;
  int site = -1;
  bool pass = false;
  friend bool operator==(const DieOutcome&, const DieOutcome&) = default;
};

/// Sorted by wafer, then die. Rows of die at unknown places (x or y of -32768) are left out:
/// they cannot be told apart. `insertion` limits the rows to one insertion; empty: all.
/// REQUIRES: `first_pass` and `final_result` are set (yield::resolve_retests).
std::vector<DieOutcome> die_outcomes(const FabData& data, TestPass which = TestPass::kFinal,
                                     NameId insertion = {});

/// The tester's word for "no coordinate" (STDF X_COORD, Y_COORD).
constexpr bool has_place(DieIndex die) { return die.x != INT16_MIN && die.y != INT16_MIN; }

}  // namespace yieldloop
