/// \file
/// Fails of tests that observe one part of the die: electrical evidence without a visible defect.
///
/// A test speaks of a block when product.toml says so ([[test_block]]) or when its name holds the
/// name of a layout cell as a whole word. `engine/session` fills this from the test results of the
/// store; tests build it by hand.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/quantity.h"

namespace yieldloop {

struct BlockTest {
  std::string test;
  std::string cell;
  friend bool operator==(const BlockTest&, const BlockTest&) = default;
};

/// Die of one wafer on which a test ran, final results only. A die that had failed before does not
/// reach the test and counts in neither.
struct BlockTestCount {
  WaferId wafer;
  std::uint32_t test = 0;  ///< Position in BlockTests::tests.
  std::int64_t executed = 0;
  std::int64_t failed = 0;
  friend bool operator==(const BlockTestCount&, const BlockTestCount&) = default;
};

struct BlockTests {
  std::vector<BlockTest> tests;        ///< Sorted by test.
  std::vector<BlockTestCount> counts;  ///< Sorted by wafer, then test.
  std::int64_t failing_die = 0;        ///< Die that fail at least one of the tests.
  std::string why_empty;               ///< One sentence when there are none.
  friend bool operator==(const BlockTests&, const BlockTests&) = default;
};

}  // namespace yieldloop
