#include "ingest/readers/klarf/summary_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/text.h"

namespace yieldloop::ingest::klarf {
namespace {

const InspectionTest* find_test(const WaferInspection& wafer, int number) {
  const auto it = std::ranges::find(wafer.tests, number, &InspectionTest::number);
  return it == wafer.tests.end() ? nullptr : &*it;
}

/// The wafer's defects of a test, or nothing when rows do not say their test.
std::optional<std::uint64_t> listed(const WaferInspection& wafer, int test) {
  const auto it = wafer.defects_by_test.find(test);
  if (it != wafer.defects_by_test.end()) return it->second;
  if (!wafer.defects_by_test.contains(0)) return 0;
  if (wafer.summaries.size() == 1) return wafer.defects;
  return std::nullopt;
}

void check_defects(const WaferInspection& wafer, const TestSummary& said,
                   std::uint64_t earlier_defects, Complaints& complaints) {
  const auto found = listed(wafer, said.test);
  if (!said.defects || *said.defects < 0 || !found) return;
  const auto expected = static_cast<std::uint64_t>(*said.defects);
  if (expected >= *found && expected <= *found + wafer.dropped) return;
  if (earlier_defects > 0 && expected == earlier_defects + wafer.defects) return;
  complaints.reject(said.from, said.to, "KLAR-0014",
                    fmt::format("The summary counts {} defects of test {}, but the list has {}; "
                                "rows are missing or the summary is wrong.",
                                expected, said.test, *found));
}

}  // namespace

TestSummary summary_row(const std::vector<std::string_view>& columns,
                        const std::vector<std::string_view>& values, int ordinal) {
  TestSummary row;
  row.test = ordinal;
  for (std::size_t i = 0; i < std::min(columns.size(), values.size()); ++i) {
    const auto is = [&](std::string_view name) { return equals_ignoring_case(columns[i], name); };
    if (is("TESTNO")) set_index(row.test, values[i]);
    if (is("NDEFECT")) row.defects = whole_number(values[i]);
    if (is("NDIE")) row.die = whole_number(values[i]);
    if (is("NDEFDIE")) row.defective_die = whole_number(values[i]);
    if (is("DEFDENSITY")) row.density = number(values[i]);
  }
  return row;
}

std::vector<std::string> check_summaries(const WaferInspection& wafer,
                                         std::uint64_t earlier_defects, Complaints& complaints) {
  std::vector<std::string> warnings;
  for (const TestSummary& said : wafer.summaries) {
    check_defects(wafer, said, earlier_defects, complaints);
    const InspectionTest* test = find_test(wafer, said.test);
    if (test == nullptr) continue;
    if (said.die && !test->plan.empty() &&
        *said.die != static_cast<std::int64_t>(test->plan.size())) {
      warnings.push_back(fmt::format("The summary counts {} die of test {}, its plan has {}.",
                                     *said.die, said.test, test->plan.size()));
    }
  }
  return warnings;
}

}  // namespace yieldloop::ingest::klarf
