// Tests that speak of a block: their names, their results, what stands in for them.

#include "engine/session/load_block_tests.h"

#include "hand_made_store.h"

using namespace yieldloop;
using namespace yieldloop::test;
using session::block_of_test;
using session::cell_names;

namespace {

Row part(int x, int sequence, int soft_bin, const std::string& run = "t1") {
  Row row = die("L1", "W1", x, 0, 1, run);
  row.push_back({"part_sequence", sequence});
  row.push_back({"soft_bin", soft_bin});
  row.push_back({"pass", soft_bin == 1});
  return row;
}

Row limit(int id, const std::string& name) {
  return {{"test_run", "t1"}, {"test_id", id}, {"test_number", 100 + id}, {"test_name", name}};
}

Row value(int sequence, int id, int flags) {
  return {{"test_run", "t1"}, {"part_sequence", sequence}, {"test_id", id}, {"flags", flags}};
}

BlockTests load(HandMadeStore& store) {
  auto fab = store.load().value();
  fab.data.product.test_blocks = {{"LOGIC_1", "CPU"}};
  auto snapshot = store.snapshot();
  return session::load_block_tests(snapshot, fab, cell_names({"ARRD", "CPU", "RAM"})).value();
}

}  // namespace

TEST_CASE("block tests: a test's name leads to its block", "[session][blocks]") {
  Product product;
  product.test_blocks = {{"SCAN_X", "BLKA"}};
  const auto cells = cell_names({"ARRD", "CPU", "CPU_0", "AB", "RAM", "Ram2", "RAM2"});
  CHECK(block_of_test("scan_x", product, cells) == "BLKA");
  CHECK(block_of_test("MBIST_ARRD", product, cells) == "ARRD");
  CHECK(block_of_test("mbist:arrd:march", product, cells) == "ARRD");
  CHECK(block_of_test("MBIST_ARRD2", product, cells) == "");      // Not a whole word.
  CHECK(block_of_test("SCAN_CPU_0", product, cells) == "CPU_0");  // The longest.
  CHECK(block_of_test("CPU RAM", product, cells) == "");          // Two of one length.
  CHECK(block_of_test("T_AB", product, cells) == "");             // Too short.
  CHECK(block_of_test("T_RAM2", product, cells) == "");           // Two cells but for case.
  CHECK(block_of_test("", product, cells) == "");
}

TEST_CASE("block tests: results count for the final part only", "[session][blocks]") {
  HandMadeStore store;
  store.put_product("P", "pass_hard_bins = [1]\n");
  store.put("lots", {lot("L1", "P")});
  // Die 0 is tested twice: part 1 failed, part 3 counts. Die 1 stopped before the second test.
  store.put("die_results", {part(0, 1, 5), part(1, 2, 5), part(0, 3, 1)});
  store.put("test_limits", {limit(1, "LOGIC_1"), limit(2, "MBIST_ARRD"), limit(3, "IDDQ")});
  store.put("test_values", {value(1, 1, 128), value(2, 1, 128), value(3, 1, 0), value(3, 2, 0),
                            value(3, 3, 128), value(2, 2, 16)});
  const BlockTests tests = load(store);
  REQUIRE(tests.tests == std::vector<BlockTest>{{"LOGIC_1", "CPU"}, {"MBIST_ARRD", "ARRD"}});
  REQUIRE(tests.counts.size() == 2);
  CHECK(tests.counts[0].executed == 2);
  CHECK(tests.counts[0].failed == 1);
  CHECK(tests.counts[1].executed == 1);
  CHECK(tests.counts[1].failed == 0);
  CHECK(tests.failing_die == 1);
}

TEST_CASE("block tests: soft bins stand in where no test does", "[session][blocks]") {
  HandMadeStore store;
  store.put_product("P", "pass_hard_bins = [1]\n");
  store.put("lots", {lot("L1", "P")});
  Row bad = part(1, 2, 7);
  for (auto& [column, cell] : bad) {
    if (column == "hard_bin") cell = 5;
  }
  store.put("die_results", {part(0, 1, 1), bad});
  store.put("test_bins",
            {{{"test_run", "t1"}, {"kind", "soft"}, {"bin", 7}, {"name", "FAIL_ARRD"}}});
  const BlockTests tests = load(store);
  REQUIRE(tests.counts.size() == 1);
  CHECK(tests.counts[0].executed == 2);
  CHECK(tests.counts[0].failed == 1);
}

TEST_CASE("block tests: where no name leads to a block it is said", "[session][blocks]") {
  HandMadeStore store;
  store.put_product("P", "pass_hard_bins = [1]\n");
  store.put("lots", {lot("L1", "P")});
  store.put("die_results", {part(0, 1, 1)});
  const BlockTests tests = load(store);
  CHECK(tests.counts.empty());
  CHECK(!tests.why_empty.empty());
}
