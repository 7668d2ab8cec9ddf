#include "engine/session/load_block_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <unordered_map>

#include "engine/core/text.h"
#include "engine/store/sql.h"

namespace yieldloop::session {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

/// Final results by what the tester calls a part: (test run, sequence).
class FinalParts {
 public:
  explicit FinalParts(const FabData& data) : data_(data) {
    for (std::size_t r = 0; r < data.die_results.size(); ++r) {
      const DieResult& d = data.die_results[r];
      if (d.final_result) parts_.emplace(key(d.test_run, d.part_sequence), r);
    }
  }
  const DieResult* find(std::string_view run, std::int64_t sequence) const {
    const auto it = parts_.find(key(data_.names.find(run), static_cast<std::int32_t>(sequence)));
    return it == parts_.end() ? nullptr : &data_.die_results[it->second];
  }

 private:
  static std::uint64_t key(NameId run, std::int32_t sequence) {
    return std::uint64_t{run.raw()} << 32 | static_cast<std::uint32_t>(sequence);
  }
  const FabData& data_;
  std::unordered_map<std::uint64_t, std::size_t> parts_;
};

/// Collects one outcome for each die and test; a die fails a test when any of its results does.
class Collector {
 public:
  Collector(const Product& product, const CellNames& cells) : product_(product), cells_(cells) {}

  /// Position of a test that leads to a block; nothing for others.
  std::optional<std::uint32_t> test(std::string_view name) {
    const auto known = index_.find(name);
    if (known != index_.end()) return known->second;
    std::optional<std::uint32_t> at;
    std::string cell = block_of_test(name, product_, cells_);
    if (!cell.empty()) {
      at = static_cast<std::uint32_t>(tests_.size());
      tests_.push_back({std::string(name), std::move(cell)});
    }
    index_.emplace(name, at);
    return at;
  }

  void add(const DieResult& part, std::uint32_t test, bool failed) {
    char& outcome = outcomes_[{part.wafer, test, part.die}];
    outcome = static_cast<char>(std::max<int>(outcome, failed ? 2 : 1));
  }

  bool empty() const { return outcomes_.empty(); }

  BlockTests finish() const {
    std::vector<std::uint32_t> order(tests_.size()), place(tests_.size());
    for (std::uint32_t t = 0; t < order.size(); ++t) order[t] = t;
    std::ranges::sort(order, {}, [&](std::uint32_t t) { return tests_[t].test; });
    BlockTests result;
    for (std::uint32_t k = 0; k < order.size(); ++k) {
      place[order[k]] = k;
      result.tests.push_back(tests_[order[k]]);
    }
    std::map<std::pair<WaferId, std::uint32_t>, BlockTestCount> counts;
    std::set<std::pair<WaferId, DieIndex>> failing;
    for (const auto& [key, outcome] : outcomes_) {
      const auto& [wafer, test, die] = key;
      BlockTestCount& c = counts[{wafer, place[test]}];
      c.wafer = wafer;
      c.test = place[test];
      ++c.executed;
      if (outcome != 2) continue;
      ++c.failed;
      failing.insert({wafer, die});
    }
    for (const auto& [key, count] : counts) result.counts.push_back(count);
    result.failing_die = static_cast<std::int64_t>(failing.size());
    return result;
  }

 private:
  const Product& product_;
  const CellNames& cells_;
  std::vector<BlockTest> tests_;
  std::map<std::string, std::optional<std::uint32_t>, std::less<>> index_;
  std::map<std::tuple<WaferId, std::uint32_t, DieIndex>, char> outcomes_;
};

/// Names of tests (or soft bins) that lead to a block, as a quoted SQL list.
Result<std::string> names_to_ask(store::Snapshot& snapshot, const std::string& sql,
                                 Collector& collector) {
  YL_ASSIGN(const store::Table names, snapshot.query(sql));
  std::vector<std::string> wanted;
  for (std::size_t r = 0; r < names.rows(); ++r) {
    const std::string name(names.column(0).as_text(r));
    if (collector.test(name)) wanted.push_back(store::sql_text(name));
  }
  return join(wanted, ",");
}

Status by_test(store::Snapshot& snapshot, const FinalParts& parts, Collector& collector) {
  YL_ASSIGN(const std::string wanted,
            names_to_ask(snapshot,
                         "SELECT DISTINCT test_name FROM test_limits WHERE test_name IS NOT NULL "
                         "ORDER BY 1",
                         collector));
  if (wanted.empty()) return Ok{};
  // TEST_FLG: bit 4 not executed, bit 6 no pass or fail indicated, bit 7 failed (STDF V4).
  YL_ASSIGN(
      const store::Table rows,
      snapshot.query(
          "SELECT v.test_run, v.part_sequence, l.test_name, max(CASE WHEN v.flags IS NOT NULL AND "
          "(v.flags & 64) = 0 THEN (CASE WHEN (v.flags & 128) <> 0 THEN 1 ELSE 0 END) WHEN v.value "
          "< l.lo_limit OR v.value > l.hi_limit THEN 1 ELSE 0 END) AS failed FROM test_values v "
          "JOIN test_limits l ON v.test_run = l.test_run AND v.test_id = l.test_id WHERE "
          "l.test_name IN (" +
          wanted +
          ") AND (v.flags IS NULL OR (v.flags & 16) = 0) AND (v.flags IS NOT NULL OR v.value IS "
          "NOT NULL) GROUP BY ALL"));
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    const DieResult* part =
        parts.find(rows["test_run"].as_text(r), rows["part_sequence"].as_int(r));
    const auto test = collector.test(rows["test_name"].as_text(r));
    if (part != nullptr && test) collector.add(*part, *test, rows["failed"].as_int(r) != 0);
  }
  return Ok{};
}

Status by_soft_bin(store::Snapshot& snapshot, const FabData& data, Collector& collector) {
  YL_ASSIGN(const std::string wanted,
            names_to_ask(snapshot,
                         "SELECT DISTINCT name FROM test_bins WHERE kind = 'soft' AND name IS NOT "
                         "NULL ORDER BY 1",
                         collector));
  if (wanted.empty()) return Ok{};
  YL_ASSIGN(const store::Table rows,
            snapshot.query("SELECT DISTINCT test_run, bin, name FROM test_bins WHERE kind = 'soft' "
                           "AND name IN (" +
                           wanted + ") ORDER BY ALL"));
  std::map<std::pair<NameId, int>, std::uint32_t> test_of;
  std::map<NameId, std::set<std::uint32_t>> run_tests;
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    const NameId run = data.names.find(rows["test_run"].as_text(r));
    const auto test = collector.test(rows["name"].as_text(r));
    if (run == NameId{} || !test) continue;
    test_of.emplace(std::pair(run, static_cast<int>(rows["bin"].as_int(r))), *test);
    run_tests[run].insert(*test);
  }
  for (const DieResult& d : data.die_results) {
    if (!d.final_result) continue;
    const auto tests = run_tests.find(d.test_run);
    if (tests == run_tests.end()) continue;
    const auto failed = test_of.find({d.test_run, d.soft_bin});
    for (const std::uint32_t t : tests->second) {
      collector.add(d, t, !d.pass && failed != test_of.end() && failed->second == t);
    }
  }
  return Ok{};
}

}  // namespace

CellNames cell_names(const std::vector<std::string>& cells) {
  CellNames names;
  for (const std::string& cell : cells) {
    const auto [it, added] = names.try_emplace(to_lower(cell), cell);
    if (!added) it->second.clear();
  }
  return names;
}

std::string block_of_test(std::string_view test, const Product& product, const CellNames& cells) {
  for (const TestBlock& block : product.test_blocks) {
    if (equals_ignoring_case(block.test, trim(test))) return block.cell;
  }
  constexpr std::size_t kShortest = 3;
  const std::string name = to_lower(test);
  std::vector<std::size_t> borders;
  for (std::size_t i = 0; i <= name.size(); ++i) {
    const bool inside = i > 0 && i < name.size() && is_word(name[i - 1]) && is_word(name[i]);
    if (!inside) borders.push_back(i);
  }
  std::string best;
  std::size_t longest = 0;
  for (std::size_t i = 0; i < borders.size(); ++i) {
    for (std::size_t j = i + 1; j < borders.size(); ++j) {
      const std::size_t length = borders[j] - borders[i];
      if (length < std::max(kShortest, longest)) continue;
      const auto cell = cells.find(name.substr(borders[i], length));
      if (cell == cells.end()) continue;
      // Two words of one length lead to two blocks: neither is taken.
      best = length == longest && cell->second != best ? std::string() : cell->second;
      longest = length;
    }
  }
  return best;
}

Result<BlockTests> load_block_tests(store::Snapshot& snapshot, const LoadedFab& fab,
                                    const CellNames& cells) {
  const FabData& data = fab.data;
  Collector tests(data.product, cells);
  YL_TRY(by_test(snapshot, FinalParts(data), tests));
  if (!tests.empty()) return tests.finish();
  Collector bins(data.product, cells);
  YL_TRY(by_soft_bin(snapshot, data, bins));
  BlockTests result = bins.finish();
  if (result.counts.empty()) {
    result.why_empty =
        "No test and no soft bin leads to a block of the layout: name the blocks that tests "
        "observe "
        "in product.toml ([[test_block]]).";
  }
  return result;
}

}  // namespace yieldloop::session
