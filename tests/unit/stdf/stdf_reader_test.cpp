#include "ingest/readers/stdf/stdf_reader.h"

#include "catch_portable.h"
#include "reader_fixture.h"
#include "stdf_bytes.h"

using namespace yieldloop;
using ingest::Confidence;
using test::StdfBytes;
using test::whole_file;

namespace {

const ingest::ReaderDeclaration kStdf = ingest::stdf::stdf_reader();

test::Reading read(const std::string& bytes) { return test::read_text(kStdf, "a.stdf", bytes); }

double grouped(const test::Reading& r, const std::string& group, const std::string& key) {
  const auto& groups = r.summary->grouped_counts;
  return groups.contains(group) && groups.at(group).contains(key) ? groups.at(group).at(key) : 0.0;
}

}  // namespace

TEST_CASE("stdf: a whole file in either byte order", "[stdf]") {
  const auto order = GENERATE(std::endian::big, std::endian::little);
  const auto r = read(whole_file(order).bytes());
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.summary->warnings.empty());
  CHECK_FALSE(r.sink.ragged);
  CHECK(r.summary->version == "V4");
  CHECK(r.summary->rows == r.sink.rows());
  CHECK(r.count("wafers") == 1);
  CHECK(r.count("parts_pass") == 2);
  CHECK(r.count("parts_fail") == 1);
  CHECK(r.count("sites") == 2);
  CHECK(r.count("tests") == 1);
  CHECK(r.count("ptr") == 3);
  CHECK(r.count("ptr_sum") == 5.25);
  CHECK(r.count("x_min") == -3);
  CHECK(r.count("x_max") == -1);
  CHECK(r.count("y_min") == 4);
  CHECK(grouped(r, "records", "PTR") == 3);
  CHECK(grouped(r, "hard_bins", "7") == 1);

  CHECK(r.sink.cell("test_runs", 0, "lot_id") == "LOT1");
  CHECK(r.sink.cell("test_runs", 0, "wafer_id") == "W03");
  CHECK(r.sink.cell("test_runs", 0, "insertion") == "CP1");
  CHECK(r.sink.cell("test_runs", 0, "probe_card") == "PC-9");
  CHECK(r.sink.cell("test_runs", 0, "parts") == "3");
  CHECK(r.sink.cell("test_runs", 0, "complete") == "true");
  CHECK(r.sink.cell("test_runs", 0, "started_at") == "1970-01-24T03:33:20Z");
  REQUIRE(r.sink.rows("die_results") == 3);
  CHECK(r.sink.cell("die_results", 1, "die_x") == "-2");
  CHECK(r.sink.cell("die_results", 1, "pass") == "false");
  CHECK(r.sink.cell("die_results", 1, "site") == "1");
  CHECK(r.sink.cell("die_results", 1, "part_sequence") == "1");
  CHECK(r.sink.cell("die_results", 2, "part_sequence") == "2");
  CHECK(r.sink.cell("die_results", 2, "test_run") == r.sink.cell("test_runs", 0, "test_run"));
  CHECK(r.sink.cell("test_values", 1, "value") == "2.5");
  CHECK(r.sink.cell("test_values", 1, "part_sequence") == "1");
  REQUIRE(r.sink.rows("test_limits") == 1);
  CHECK(r.sink.cell("test_limits", 0, "test_name") == "VDD");
  CHECK(r.sink.cell("test_limits", 0, "units") == "V");
  CHECK(r.sink.cell("test_limits", 0, "lo_limit") == "1");
  CHECK(r.sink.cell("test_limits", 0, "hi_limit") == "2");
  CHECK(r.sink.cell("test_limits", 0, "lo_spec").empty());
  CHECK(r.sink.cell("test_limits", 0, "result_scale") == "3");
  CHECK(r.sink.cell("test_limits", 0, "executions") == "3");
  REQUIRE(r.sink.rows("test_bins") == 4);
  CHECK(r.sink.cell("test_bins", 0, "name") == "GOOD");
  CHECK(r.sink.cell("test_bins", 3, "kind") == "soft");
  CHECK(r.sink.cell("test_bins", 3, "pass") == "F");
}

TEST_CASE("stdf: an empty text means the first test of its number", "[stdf]") {
  StdfBytes s;
  s.mir("L").pir();
  s.ptr_full(5, 1, "A", 0, 9).ptr_full(5, 2, "B", 1, 8).prr(0, 1, 0, 0);
  s.pir().ptr(5, 3).ptr_full(5, 4, "B", 1, 8).ptr(6, 1).prr(0, 1, 0, 1).mrr();
  const auto r = read(s.bytes());
  REQUIRE(r.ok());
  CHECK(r.count("tests") == 2);
  CHECK(r.count("test_identities") == 3);
  CHECK(r.sink.cell("test_values", 0, "test_id") == "0");
  CHECK(r.sink.cell("test_values", 1, "test_id") == "1");
  CHECK(r.sink.cell("test_values", 2, "test_id") == "0");
  CHECK(r.sink.cell("test_values", 3, "test_id") == "1");
  CHECK(r.sink.cell("test_limits", 1, "lo_limit") == "1");
}

TEST_CASE("stdf: limits are those of the first record, and a change is told", "[stdf]") {
  StdfBytes s;
  s.mir("L").pir().ptr_full(5, 1, "A", 0, 9).prr(0, 1, 0, 0);
  s.pir().ptr_full(5, 1, "A", 0, 7).prr(0, 1, 0, 1).mrr();
  const auto r = read(s.bytes());
  REQUIRE(r.ok());
  CHECK(r.sink.cell("test_limits", 0, "hi_limit") == "9");
  CHECK(r.summary->warnings.size() == 1);
}

TEST_CASE("stdf: OPT_FLAG takes limits away", "[stdf]") {
  StdfBytes s;
  s.mir("L").pir();
  for (const auto& [number, flags] :
       {std::pair(1U, 0x4eU), std::pair(2U, 0x8eU), std::pair(3U, 0x3fU)}) {
    auto b = s.body().u4(number).u1(1).u1(0).u1(0).u1(0).r4(1).cn("T").cn("");
    s.add(15, 10, b.u1(flags).u1(0).u1(0).u1(0).r4(-1).r4(1).cn("A"));
  }
  const auto r = read(s.prr(0, 1, 0, 0).mrr().bytes());
  REQUIRE(r.ok());
  CHECK(r.sink.cell("test_limits", 0, "lo_limit").empty());
  CHECK(r.sink.cell("test_limits", 0, "hi_limit") == "1");
  CHECK(r.sink.cell("test_limits", 1, "lo_limit") == "-1");
  CHECK(r.sink.cell("test_limits", 1, "hi_limit").empty());
  CHECK(r.sink.cell("test_limits", 2, "lo_limit").empty());
  CHECK(r.sink.cell("test_limits", 2, "hi_limit").empty());
  CHECK(r.sink.cell("test_limits", 2, "result_scale").empty());
}

TEST_CASE("stdf: results that are invalid or were not executed are null", "[stdf]") {
  StdfBytes s;
  s.mir("L").pir().ptr(1, 3, 0, 0x02).ptr(1, 3, 0, 0x10).ptr(1, 3, 0, 0x80).prr(0, 1, 0, 0).mrr();
  const auto r = read(s.bytes());
  REQUIRE(r.ok());
  CHECK(r.count("ptr") == 3);
  CHECK(r.count("ptr_valid") == 1);
  CHECK(r.count("ptr_sum") == 3);
  CHECK(r.sink.cell("test_values", 0, "value").empty());
  CHECK(r.sink.cell("test_values", 1, "value").empty());
  CHECK(r.sink.cell("test_values", 2, "value") == "3");
  CHECK(r.sink.cell("test_values", 2, "flags") == "128");
}

TEST_CASE("stdf: MPR elements and FTR beside PTR", "[stdf]") {
  StdfBytes s;
  s.mir("L").pir().ptr(1, 9);
  s.add(15, 15,
        s.body()
            .u4(2)
            .u1(1)
            .u1(0)
            .u1(0)
            .u1(0)
            .u2(3)
            .u2(2)
            .u1(0)
            .u1(0)
            .r4(0.5F)
            .r4(0.25F)
            .cn("pins")
            .cn(""));
  s.add(15, 15, s.body().u4(3).u1(1).u1(0).u1(0x80).u1(0).u2(0).u2(0).cn("none").cn(""));
  auto f = s.body().u4(4).u1(1).u1(0).u1(0x80).u1(0xff).u4(0).u4(0).u4(0).u4(0).u4(0).u4(0).u2(0);
  s.add(15, 20, f.u2(1).u2(0).u2(7).u1(0).u2(9).u1(0).u1(0).cn("vec").cn("").cn("").cn("SCAN"));
  const auto r = read(s.ptr(1, 8).prr(0, 1, 0, 0).mrr().bytes());
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK_FALSE(r.sink.ragged);
  CHECK(r.count("mpr_values") == 2);
  REQUIRE(r.sink.rows("test_values") == 6);
  CHECK(r.sink.cell("test_values", 0, "element").empty());
  CHECK(r.sink.cell("test_values", 1, "element") == "0");
  CHECK(r.sink.cell("test_values", 2, "element") == "1");
  CHECK(r.sink.cell("test_values", 2, "value") == "0.25");
  CHECK(r.sink.cell("test_values", 3, "value").empty());
  CHECK(r.sink.cell("test_values", 4, "flags") == "128");
  CHECK(r.sink.cell("test_values", 5, "element").empty());
  CHECK(r.sink.cell("test_limits", 3, "test_name") == "SCAN");
  CHECK(r.sink.cell("test_limits", 3, "kind") == "F");
}

TEST_CASE("stdf: parts are told apart by head and site, wafers by head", "[stdf]") {
  StdfBytes s;
  s.mir("L", "").wir("A", 1).wir("B", 2).pir(0, 1).pir(0, 2).prr(0, 1, 1, 1, 0, 2);
  s.prr(0, 1, 2, 2, 0, 1).wrr("B", 2).wrr("A", 1).mrr();
  const auto r = read(s.bytes());
  REQUIRE(r.ok());
  CHECK(r.count("wafers") == 2);
  CHECK(r.sink.cell("die_results", 0, "wafer_id") == "B");
  CHECK(r.sink.cell("die_results", 1, "wafer_id") == "A");
  CHECK(r.sink.cell("die_results", 0, "insertion") == "job");
  CHECK(r.sink.cell("test_bins", 0, "count") == "(no such table)");
}

TEST_CASE("stdf: parts without a beginning or an end", "[stdf][damage]") {
  StdfBytes s;
  s.mir("L").prr(0, 1, 1, 1).pir().ptr(1, 2).pir().prr(0x10, 3, 1, 2).pir();
  const auto r = read(s.bytes());
  REQUIRE(r.ok());
  CHECK(r.count("wafers") == 0);
  CHECK(r.count("parts_pass") == 1);
  CHECK(r.count("parts_unknown") == 1);
  CHECK(r.count("parts_without_prr") == 2);
  CHECK(r.sink.rows("die_results") == 2);
  CHECK(r.sink.cell("die_results", 1, "pass").empty());
  CHECK(r.sink.cell("die_results", 1, "part_sequence") == "2");
  CHECK(r.sink.cell("test_runs", 0, "complete") == "false");
  CHECK(r.summary->warnings.size() == 1);
  REQUIRE(r.rejects.total() == 1);
  CHECK(r.reject_id(0) == "STDF-0009");
  CHECK(r.rejects.kept()[0].byte_offset == s.bytes().size());
  CHECK(r.rejects.kept()[0].message.find("head 1 site 0 (begun at offset") != std::string::npos);
}

TEST_CASE("stdf: retests are counted and kept with their flag", "[stdf]") {
  StdfBytes s;
  s.mir("L")
      .wir("W")
      .pir()
      .prr(8, 7, 1, 1)
      .pir()
      .prr(2, 1, 1, 1)
      .pir()
      .prr(1, 1, 1, 2)
      .wrr("W")
      .mrr();
  const auto r = read(s.bytes());
  REQUIRE(r.ok());
  CHECK(r.count("parts_retested") == 2);
  CHECK(r.sink.rows("die_results") == 3);
  CHECK(r.sink.cell("die_results", 1, "part_flag") == "2");
}

TEST_CASE("stdf: two lots in one file are two lots", "[stdf]") {
  StdfBytes s;
  s.mir("L1").wir("W1").pir().ptr(1, 1).prr(0, 1, 0, 0).wrr("W1").mrr();
  s.mir("L2").wir("W1").pir().ptr(2, 1).prr(0, 1, 0, 0).wrr("W1").mrr();
  const auto r = read(s.bytes());
  REQUIRE(r.ok());
  CHECK(r.sink.cell("test_runs", 0, "lot_id") == "L1");
  CHECK(r.sink.cell("test_runs", 1, "lot_id") == "L2");
  CHECK(r.sink.cell("test_runs", 0, "test_run") != r.sink.cell("test_runs", 1, "test_run"));
  CHECK(r.sink.cell("die_results", 1, "lot_id") == "L2");
}

TEST_CASE("stdf: a record shorter than its fields is one reject", "[stdf][damage]") {
  StdfBytes s;
  s.mir("L")
      .pir()
      .add(5, 20, s.body().u1(1).u1(0).u1(0))
      .add(15, 10, s.body().u4(1).u1(1).u1(0).u1(0).u1(0).u1(9));
  s.prr(0, 1, 0, 0).mrr();
  const auto r = read(s.bytes());
  REQUIRE(r.ok());
  CHECK(r.rejects.total() == 2);
  CHECK(r.reject_id(0) == "STDF-0006");
  CHECK(r.reject_id(1) == "STDF-0006");
  CHECK(r.sink.rows("die_results") == 1);
  CHECK(r.sink.rows("test_values") == 0);
}

TEST_CASE("stdf: many results come in several batches", "[stdf]") {
  StdfBytes s;
  s.mir("L").pir();
  constexpr int kResults = 300'000;
  for (int i = 0; i < kResults; ++i) s.ptr(static_cast<std::uint32_t>(i % 3), 1.0F);
  const auto r = read(s.prr(0, 1, 0, 0).mrr().bytes());
  REQUIRE(r.ok());
  CHECK(r.sink.tables.at("test_values").size() == 3);
  CHECK(r.sink.rows("test_values") == kResults);
  CHECK(r.count("ptr_sum") == kResults);
}

TEST_CASE("stdf: any damage gives rows and rejects, never a crash", "[stdf][damage]") {
  const auto order = GENERATE(std::endian::big, std::endian::little);
  const std::string whole = whole_file(order).bytes();
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto cut = read(whole.substr(0, n));
    CHECK(cut.ok() == (n >= 6));
    for (const unsigned mask : {0x01U, 0x80U, 0xffU}) {
      std::string flipped = whole;
      flipped[n] = static_cast<char>(static_cast<unsigned char>(flipped[n]) ^ mask);
      const auto r = read(flipped);
      CHECK_FALSE(r.sink.ragged);
      if (r.ok()) CHECK(r.summary->rows == r.sink.rows());
    }
  }
}

TEST_CASE("stdf: recognised by its first record", "[stdf]") {
  CHECK(test::sniff_text(kStdf, "x", whole_file(std::endian::big).bytes()) == Confidence::kCertain);
  CHECK(test::sniff_text(kStdf, "x", whole_file().bytes()) == Confidence::kCertain);
  CHECK(test::sniff_text(kStdf, "a.stdf", "FileVersion 1 2;") == Confidence::kNo);
  CHECK(test::sniff_text(kStdf, "a.stdf", "") == Confidence::kNo);
}

TEST_CASE("stdf: wafers without end are refused", "[stdf][damage]") {
  StdfBytes s;
  s.mir("L");
  for (int i = 0; i < 100'001; ++i) s.wir("");
  CHECK(read(s.bytes()).error_id() == "STDF-0008");
}

TEST_CASE("stdf: what it refuses", "[stdf][error]") {
  CHECK(read("").error_id() == "STDF-0001");
  std::string vax = whole_file().bytes();
  vax[4] = 0;
  CHECK(read(vax).error_id() == "STDF-0003");
  test::MemoryInput input("a.stdf", whole_file().bytes());
  test::KeepingSink sink;
  sink.puts_left = 1;
  ingest::Rejects rejects;
  CHECK(kStdf.read(input, {}, sink, rejects).error().code == Errc::kCancelled);
}
