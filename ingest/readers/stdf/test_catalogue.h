/// \file
/// The tests of a file: which results belong together, and what was said of them once.
///
/// A test is its kind (P, M, F, S), TEST_NUM and TEST_TXT: many programs give one number to all
/// their tests, and many write the text only in a test's first record, so an empty text means the
/// first test of that number. Units and limits come with a test's first record and hold for all
/// later ones; what the first left out (OPT_FLAG) the first that gives it says.
///
/// Cost: a lookup is one comparison while tests come in the order of the part before.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ingest/readers/stdf/fields.h"

namespace yieldloop::ingest::stdf {

inline constexpr std::int32_t kNoTest = -1;

/// What the semi-static fields of PTR and MPR said.
struct TestLimits {
  std::optional<float> lo_limit, hi_limit, lo_spec, hi_spec;
  bool without_lo = false, without_hi = false;  ///< OPT_FLAG bits 6 and 7: there is none.
  std::optional<int> result_scale;
  std::string units;
  friend bool operator==(const TestLimits&, const TestLimits&) = default;
};

/// What a TSR says of a test's results.
struct TestTotals {
  std::uint64_t executions = 0, failures = 0;
  bool has_range = false, has_sum = false;  ///< Of every TSR that was added up.
  float least = 0.0F, most = 0.0F;
  double sum = 0.0;
};

/// What was read of a test's results.
struct TestTally {
  std::uint64_t results = 0;
  double sum = 0.0;  ///< Of the values of PTR that may be used, as the next two.
  float least = std::numeric_limits<float>::infinity();
  float most = -std::numeric_limits<float>::infinity();
};

struct Test {
  char kind = 'P';
  std::uint32_t number = 0;
  std::string text;  ///< TEST_TXT as written; "" when no record gave one.
  std::string name;  ///< TEST_NAM of the TSR, used where there is no text.
  bool described = false;
  bool changed = false;  ///< A later record gave other limits; the first are kept.
  TestLimits limits;
  std::string said;  ///< The bytes from OPT_FLAG on that were read last: the same say nothing new.
  TestTotals totals;
  std::int32_t before = kNoTest;                  ///< The test read before its first result.
  std::uint64_t begun_at = 0, begun_ordinal = 0;  ///< The record of its first result.
  bool has_totals = false;                        ///< A TSR was read.
  bool has_overall = false;  ///< A TSR for all sites was read: it is not added up with others.
};

/// Not thread-safe.
class TestCatalogue {
 public:
  /// The test of a result record, made when new; its id is its position in tests().
  std::int32_t find(char kind, std::uint32_t number, std::string_view text) {
    if (last_ != kNoTest) {
      const Key& last = keys_[static_cast<std::size_t>(last_)];
      if (is(last, kind, number, text)) return last_;
      const std::int32_t guess = last.follower;
      if (guess != kNoTest && is(keys_[static_cast<std::size_t>(guess)], kind, number, text)) {
        return last_ = guess;
      }
    }
    return find_slowly(kind, number, text);
  }
  /// True the first time a run asks; a run is a number from 0 on.
  bool is_first_in_run(std::int32_t test, std::uint32_t run) {
    std::uint32_t& seen = keys_[static_cast<std::size_t>(test)].run;
    if (seen == run) return false;
    seen = run;
    return true;
  }
  void count_result(std::int32_t test) { ++tallies_[static_cast<std::size_t>(test)].results; }
  void count_value(std::int32_t test, float value) {
    TestTally& tally = tallies_[static_cast<std::size_t>(test)];
    tally.sum += static_cast<double>(value);
    tally.least = value < tally.least ? value : tally.least;
    tally.most = value > tally.most ? value : tally.most;
  }

  /// Takes over what the fields from OPT_FLAG on say, or notes that they differ from the first.
  /// `returned_pins` (RTN_ICNT) is given for an MPR. False when the test's last record said the
  /// same.
  bool describe(std::int32_t test, Fields& fields, std::optional<std::size_t> returned_pins);
  /// A TSR's totals. `overall` means HEAD_NUM 255, which wins over the sums of sites.
  /// Executions of 4294967295 are "not given".
  void add_totals(char kind, std::uint32_t number, std::string_view name, bool overall,
                  const TestTotals& said);

  Test& operator[](std::int32_t test) { return tests_[static_cast<std::size_t>(test)]; }
  const std::deque<Test>& tests() const { return tests_; }
  const TestTally& tally(std::size_t test) const { return tallies_[test]; }
  /// The test that came after this one the last time; kNoTest when none did.
  std::int32_t follower(std::size_t test) const { return keys_[test].follower; }
  /// Distinct TEST_NUM among them.
  std::size_t numbers() const;
  std::size_t changed() const;

 private:
  /// What a lookup needs, small and side by side.
  struct Key {
    const char* text = nullptr;  ///< Of the Test, which stays where it is.
    std::uint32_t number = 0;
    std::uint16_t length = 0;
    char kind = 'P';
    bool is_first = false;            ///< Of its kind and number: an empty text means it.
    std::int32_t follower = kNoTest;  ///< The test that came next the last time.
    std::uint32_t run = UINT32_MAX;   ///< The last run that asked.
  };
  static bool is(const Key& key, char kind, std::uint32_t number, std::string_view text) {
    if (key.number != number || key.kind != kind) return false;
    if (text.size() != key.length) return text.empty() && key.is_first;
    return same_bytes(key.text, text.data(), text.size());
  }
  /// memcmp without the call: texts are short and mostly the same.
  static bool same_bytes(const char* a, const char* b, std::size_t size) {
    const auto differ = [a, b](std::size_t at) {
      std::uint64_t x = 0;
      std::uint64_t y = 0;
      std::memcpy(&x, a + at, 8);
      std::memcpy(&y, b + at, 8);
      return x != y;
    };
    if (size < 8) {
      for (std::size_t i = 0; i < size; ++i) {
        if (a[i] != b[i]) return false;
      }
      return true;
    }
    for (std::size_t at = 0; at + 8 < size; at += 8) {
      if (differ(at)) return false;
    }
    return !differ(size - 8);
  }

  std::int32_t find_slowly(char kind, std::uint32_t number, std::string_view text);
  std::int32_t lookup(char kind, std::uint32_t number, std::string_view text);
  void take_limits(Test& test, TestLimits limits) const;
  void set_key(std::int32_t test);

  std::deque<Test> tests_;
  std::vector<Key> keys_;           ///< Shape: [tests_].
  std::vector<TestTally> tallies_;  ///< Shape: [tests_].
  /// First test of a kind and number; the others follow in order of appearance.
  std::unordered_map<std::uint64_t, std::vector<std::int32_t>> by_number_;
  std::unordered_map<std::string, std::int32_t> by_text_;  ///< Kind, number and text in one key.
  std::string key_;
  std::int32_t last_ = kNoTest;
};

/// Reads OPT_FLAG to HI_SPEC of a PTR, or of an MPR when `returned_pins` is given (RTN_ICNT).
/// REQUIRES: the fields before OPT_FLAG were taken and something is left.
TestLimits read_limits(Fields& fields, std::optional<std::size_t> returned_pins);

}  // namespace yieldloop::ingest::stdf
