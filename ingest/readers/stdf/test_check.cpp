#include "ingest/readers/stdf/test_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace yieldloop::ingest::stdf {
namespace {

constexpr std::size_t kMostNamed = 3;
/// Fewer tests or results than this show no habit.
constexpr std::size_t kLeastTests = 5;
constexpr std::uint64_t kLeastResults = 10;
constexpr std::uint64_t kResultsOfHabit = 1000;

RecordPlace place_of(const Test& test) { return {test.begun_at, test.begun_ordinal}; }

bool is_near(double a, double b, double scale) { return std::abs(a - b) <= 1e-5 * scale; }

/// What the TSR says of the values agrees with those that were read.
bool values_agree(const TestTotals& said, const TestTally& read) {
  const double least = static_cast<double>(read.least);
  const double most = static_cast<double>(read.most);
  const double largest = std::max(std::abs(least), std::abs(most));
  if (said.has_range && !(is_near(static_cast<double>(said.least), least, largest) &&
                          is_near(static_cast<double>(said.most), most, largest))) {
    return false;
  }
  const double count = static_cast<double>(read.results);
  return !said.has_sum || is_near(said.sum, read.sum, largest * std::max(count, 1.0));
}

/// Executions by the TSR: how many tests were compared and which differ.
void check_executions(const TestCatalogue& tests, std::vector<Disagreement>& out) {
  std::size_t compared = 0;
  std::vector<std::size_t> differing;
  bool by_one = true;
  for (std::size_t i = 0; i < tests.tests().size(); ++i) {
    const Test& test = tests.tests()[i];
    const std::uint64_t read = tests.tally(i).results;
    if (!test.has_totals || read == 0) continue;
    ++compared;
    if (test.totals.executions == read) continue;
    by_one = by_one &&
             std::max(test.totals.executions, read) - std::min(test.totals.executions, read) == 1;
    differing.push_back(i);
  }
  if (differing.empty()) return;
  // One record whose number was damaged is missed by one test and perhaps found by another.
  const bool is_damage = differing.size() <= 2 && by_one && compared >= kLeastTests;
  const Test& example = tests.tests()[differing.front()];
  out.push_back(
      {place_of(example), "STDF-0012",
       fmt::format("The TSR records count other executions of {} of {} tests than results were "
                   "read, such as {} for {} of test {}.",
                   differing.size(), compared, example.totals.executions,
                   tests.tally(differing.front()).results, example.number),
       is_damage});
}

/// Extremes and sums of the values by the TSR.
void check_values(const TestCatalogue& tests, std::vector<Disagreement>& out) {
  std::size_t compared = 0;
  std::vector<std::size_t> differing;
  for (std::size_t i = 0; i < tests.tests().size(); ++i) {
    const Test& test = tests.tests()[i];
    const TestTally& read = tests.tally(i);
    // A TSR of other executions, such as those that were not logged, is of other values too.
    const bool is_of_these = test.has_totals && test.totals.executions == read.results;
    const bool has_values = read.least <= read.most;
    if (test.kind != 'P' || !is_of_these || !has_values ||
        !(test.totals.has_range || test.totals.has_sum)) {
      continue;
    }
    ++compared;
    if (!values_agree(test.totals, read)) differing.push_back(i);
  }
  if (compared < kLeastTests || differing.size() > std::max<std::size_t>(1, compared / 20)) return;
  for (std::size_t k = 0; k < std::min(differing.size(), kMostNamed); ++k) {
    const Test& test = tests.tests()[differing[k]];
    const TestTally& read = tests.tally(differing[k]);
    out.push_back(
        {place_of(test), "STDF-0019",
         fmt::format("The results read of test {} lie in {} .. {} with the sum {}, but its "
                     "TSR says {} .. {} and {}; a result or flag of it is damaged.",
                     test.number, read.least, read.most, read.sum, test.totals.least,
                     test.totals.most, test.totals.sum),
         true});
  }
}

/// Whether the only result of a test stands where another test stands in the other parts.
bool takes_anothers_place(const TestCatalogue& tests, std::size_t lonely) {
  const std::int32_t before = tests.tests()[lonely].before;
  const std::int32_t after = tests.follower(lonely);
  if (before == kNoTest || after == kNoTest) return false;
  const auto results = [&tests](std::int32_t test) {
    return tests.tally(static_cast<std::size_t>(test)).results;
  };
  if (std::min(results(before), results(after)) + 1 < kLeastResults) return false;
  if (before == after) return true;  // Among the sites of one touchdown.
  const std::int32_t between = tests.follower(static_cast<std::size_t>(before));
  // The first or the last site of a touchdown; in the last but one nothing follows again.
  if (between == after || between == static_cast<std::int32_t>(lonely)) {
    return results(before) + 1 == results(after) || results(after) + 1 == results(before);
  }
  return between != kNoTest && results(between) + 1 >= kLeastResults &&
         tests.follower(static_cast<std::size_t>(between)) == after;
}

void check_lonely(const TestCatalogue& tests, std::vector<Disagreement>& out) {
  std::vector<std::size_t> lonely;
  std::size_t without_tsr = 0;
  std::size_t with_tsr = 0;
  for (std::size_t i = 0; i < tests.tests().size(); ++i) {
    ++(tests.tests()[i].has_totals ? with_tsr : without_tsr);
    if (tests.tally(i).results == 1) lonely.push_back(i);
  }
  // One damaged record makes one test, or two when its text was the first of its number.
  if (lonely.empty() || lonely.size() > kMostNamed) return;
  for (const std::size_t i : lonely) {
    const Test& test = tests.tests()[i];
    const bool is_unknown =
        !test.has_totals && with_tsr >= kLeastTests && without_tsr <= kMostNamed;
    if (!is_unknown && !takes_anothers_place(tests, i)) continue;
    out.push_back(
        {place_of(test), "STDF-0020",
         fmt::format("Test {} has one result in the lot, where {}; its TEST_NUM or TEST_TXT "
                     "is damaged.",
                     test.number,
                     is_unknown ? "every other test has a TSR and it has none"
                                : "another test stands in the other parts"),
         true});
  }
}

void check_flags(const DoubtfulResults& doubtful, std::vector<Disagreement>& out) {
  const auto few = [&doubtful](std::uint64_t count) {
    return count <= DoubtfulResults::kMostNamed && count * kResultsOfHabit <= doubtful.results;
  };
  const auto add = [&out](const DoubtfulResults::Place& p, std::string_view what) {
    out.push_back({{p.byte_offset, p.ordinal},
                   "STDF-0021",
                   fmt::format("The result {} of test {} {}; the record may be damaged.", p.value,
                               p.number, what),
                   true});
  };
  if (few(doubtful.infinite)) {
    for (const auto& p : doubtful.first_infinite) {
      add(p, "is no number, although TEST_FLG calls it valid");
    }
  }
  if (few(doubtful.invalid)) {
    for (const auto& p : doubtful.first_invalid) {
      add(p, "is marked as invalid, which hardly any other of this lot is");
    }
  }
}

}  // namespace

void check_tests(const TestCatalogue& tests, const DoubtfulResults& doubtful,
                 std::vector<Disagreement>& out) {
  check_executions(tests, out);
  check_values(tests, out);
  check_lonely(tests, out);
  check_flags(doubtful, out);
}

}  // namespace yieldloop::ingest::stdf
