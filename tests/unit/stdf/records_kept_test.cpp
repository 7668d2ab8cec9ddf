// What becomes of the records that are neither parts nor results, and of contradictions.
#include "catch_portable.h"
#include "ingest/readers/stdf/stdf_reader.h"
#include "reader_fixture.h"
#include "stdf_bytes.h"

using namespace yieldloop;
using test::StdfBytes;

namespace {

test::Reading read(const std::string& bytes) {
  return test::read_text(ingest::stdf::stdf_reader(), "a.stdf", bytes);
}

bool has_reject(const test::Reading& r, std::string_view id) {
  for (const auto& reject : r.rejects.kept()) {
    if (reject.id == id) return true;
  }
  return false;
}

/// A wafer of `parts` passing parts in a row, and then what `change` adds.
StdfBytes wafer_of(int parts) {
  StdfBytes s;
  s.mir("L").wir("W1");
  for (int i = 0; i < parts; ++i) s.pir().ptr_full(1, 2, "A", 0, 9).prr(0, 1, i, 0);
  return s;
}

}  // namespace

TEST_CASE("stdf: scan fails, patterns, cells and pins are rows", "[stdf]") {
  const auto order = GENERATE(std::endian::big, std::endian::little);
  const auto r = read(test::scan_file(order).bytes());
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK_FALSE(r.sink.ragged);
  CHECK(r.summary->version == "V4-2007");
  REQUIRE(r.sink.rows("scan_fails") == 2);
  CHECK(r.sink.cell("scan_fails", 0, "cycle") == "55");
  CHECK(r.sink.cell("scan_fails", 1, "cycle") == "110");
  CHECK(r.sink.cell("scan_fails", 0, "pattern_set") == "3");
  CHECK(r.sink.cell("scan_fails", 1, "pattern") == "1");
  CHECK(r.sink.cell("scan_fails", 1, "pin") == "7");
  CHECK(r.sink.cell("scan_fails", 0, "chain") == "5");
  CHECK(r.sink.cell("scan_fails", 1, "bit") == "12");
  CHECK(r.sink.cell("scan_fails", 0, "expected") == "72");
  CHECK(r.sink.cell("scan_fails", 0, "part_sequence") == "0");
  CHECK(r.sink.cell("test_limits", 0, "kind") == "S");
  CHECK(r.sink.cell("test_values", 0, "flags") == "128");
  REQUIRE(r.sink.rows("scan_patterns") == 2);
  CHECK(r.sink.cell("scan_patterns", 1, "file") == "b");
  CHECK(r.sink.cell("scan_patterns", 1, "last_cycle") == "199");
  REQUIRE(r.sink.rows("scan_cells") == 4);
  CHECK(r.sink.cell("scan_cells", 2, "cell") == "u3/q");
  CHECK(r.sink.cell("scan_cells", 2, "bit") == "2");
  CHECK(r.sink.cell("scan_cells", 3, "chain") == "6");
  REQUIRE(r.sink.rows("test_pins") == 2);
  CHECK(r.sink.cell("test_pins", 0, "logical_name") == "SO");
  CHECK(r.sink.cell("test_pins", 1, "pattern_name") == "so[0]");
}

TEST_CASE("stdf: texts and generic data belong to the part that is tested", "[stdf]") {
  StdfBytes s;
  s.mir("L").add(50, 30, s.body().cn("before"));
  s.pir(0).add(50, 30, s.body().cn("within"));
  s.pir(1).add(50, 10, s.body().u2(1).u1(2).u2(513)).prr(0, 1, 0, 0, 0).prr(0, 1, 1, 0, 1);
  s.add(180, 5, s.body().u1(0xab)).mrr();
  const auto r = read(s.bytes());
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  std::map<std::string, std::size_t> at;
  for (std::size_t i = 0; i < r.sink.rows("test_records"); ++i) {
    const std::string record = r.sink.cell("test_records", i, "record");
    at[record + r.sink.cell("test_records", i, "text")] = i;
  }
  REQUIRE(at.contains("DTRbefore"));
  CHECK(r.sink.cell("test_records", at["DTRbefore"], "test_run").empty());
  REQUIRE(at.contains("DTRwithin"));
  CHECK(r.sink.cell("test_records", at["DTRwithin"], "part_sequence") == "0");
  REQUIRE(at.contains("GDR"));
  CHECK(r.sink.cell("test_records", at["GDR"], "part_sequence").empty());
  CHECK(r.sink.cell("test_records", at["GDR"], "document") == R"({"FLD_CNT":1,"GEN_DATA":[513]})");
  REQUIRE(at.contains("180,5"));
  CHECK(r.sink.cell("test_records", at["180,5"], "document") == "AB");
}

TEST_CASE("stdf: a failing FTR says where it failed", "[stdf]") {
  StdfBytes s;
  auto f = s.body().u4(4).u1(1).u1(0).u1(0x80).u1(0x10).u4(77).u4(5).u4(1).u4(3).u4(0).u4(0).i2(-2);
  s.mir("L").pir().add(15, 20,
                       f.u2(0).u2(0).u2(12).u1(0x81).u1(0x08).cn("vec").cn("").cn("").cn("F"));
  const auto r = read(s.prr(8, 2, 0, 0).mrr().bytes());
  REQUIRE(r.sink.rows("test_functional") == 1);
  CHECK(r.sink.cell("test_functional", 0, "cycle") == "77");
  CHECK(r.sink.cell("test_functional", 0, "pins") == "0,7,11");
  CHECK(r.sink.cell("test_functional", 0, "vector") == "vec");
  CHECK(r.sink.cell("test_functional", 0, "vector_offset") == "-2");
  CHECK(r.sink.cell("test_functional", 0, "x_fail").empty());
}

TEST_CASE("stdf: limits that the first record leaves open come from the first that has them",
          "[stdf]") {
  StdfBytes s;
  s.mir("L").pir();
  const auto ptr = [&](unsigned flags, float lo, float hi, std::string_view unit) {
    auto b = s.body().u4(1).u1(1).u1(0).u1(0).u1(0).r4(1).cn("T").cn("");
    s.add(15, 10, b.u1(flags).u1(3).u1(3).u1(3).r4(lo).r4(hi).cn(unit));
  };
  ptr(0x1e | 0x80, 7, 9, "V");  // No valid low limit, no high limit at all.
  ptr(0x0e, -1, 8, "A");
  const auto r = read(s.prr(0, 1, 0, 0).mrr().bytes());
  CHECK(r.sink.cell("test_limits", 0, "lo_limit") == "-1");
  CHECK(r.sink.cell("test_limits", 0, "hi_limit").empty());
  CHECK(r.sink.cell("test_limits", 0, "units") == "V");
}

TEST_CASE("stdf: VAX numbers are refused by name", "[stdf][error]") {
  std::string bytes = test::whole_file().bytes();
  bytes[4] = 0;
  const auto r = read(bytes);
  REQUIRE(r.error_id() == "STDF-0003");
  CHECK(r.summary.error().message.find("VAX") != std::string::npos);
}

TEST_CASE("stdf: a file cut between two records is partial and says where", "[stdf][damage]") {
  const auto whole = wafer_of(20);
  const auto r = read(whole.bytes());
  REQUIRE(r.ok());
  REQUIRE(r.rejects.total() == 1);
  CHECK(r.reject_id(0) == "STDF-0009");
  CHECK(r.rejects.kept()[0].byte_offset == whole.bytes().size());
}

TEST_CASE("stdf: summaries that agree in one way of counting are silent", "[stdf]") {
  auto s = wafer_of(20);
  s.pir().prr(2, 1, 3, 0);  // A retest of the part at (3, 0).
  const auto parts = GENERATE(20U, 21U, 0U, 0xffff'ffffU);
  s.wrr("W1", 1, parts, parts);
  s.add(1, 40, s.body().u1(255).u1(0).u2(1).u4(20).c1('P').cn(""));
  s.add(1, 50, s.body().u1(1).u1(0).u2(1).u4(21).c1('P').cn(""));
  s.add(1, 30, s.body().u1(255).u1(0).u4(21).u4(1).u4(0).u4(20));
  const auto r = read(s.mrr().bytes());
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.count("parts_retested") == 1);
}

TEST_CASE("stdf: a summary that no way of counting explains is told", "[stdf][damage]") {
  SECTION("a wafer with more parts than were read") {
    auto s = wafer_of(20);
    CHECK(has_reject(read(s.wrr("W1", 1, 22, 22).mrr().bytes()), "STDF-0011"));
  }
  SECTION("the same parts in other bins") {
    auto s = wafer_of(20);
    s.add(1, 40, s.body().u1(255).u1(0).u2(1).u4(19).c1('P').cn(""));
    s.add(1, 40, s.body().u1(255).u1(0).u2(5).u4(1).c1('F').cn(""));
    const auto r = read(s.mrr().bytes());
    CHECK(has_reject(r, "STDF-0011"));
    CHECK(r.rejects.kept()[0].message == "The HBR of bin 1 counts 19 parts, but 20 were read.");
  }
  SECTION("good parts that were read as bad") {
    auto s = wafer_of(19);
    s.pir().prr(8, 4, 30, 0);
    CHECK(has_reject(read(s.wrr("W1", 1, 20, 20).mrr().bytes()), "STDF-0011"));
  }
  SECTION("fewer parts than were read is a habit: a warning") {
    auto s = wafer_of(20);
    const auto r = read(s.wrr("W1", 1, 17, 17).mrr().bytes());
    CHECK(r.rejects.empty());
    REQUIRE(r.summary->warnings.size() == 1);
    CHECK(r.summary->warnings[0].starts_with("STDF-0011"));
  }
}

TEST_CASE("stdf: a single part without its end or beginning is damage, many are a habit",
          "[stdf][damage]") {
  auto one = wafer_of(30);
  one.pir(3).mrr();
  CHECK(has_reject(read(one.bytes()), "STDF-0014"));
  auto other = wafer_of(30);
  other.prr(0, 1, 90, 0).mrr();
  CHECK(has_reject(read(other.bytes()), "STDF-0013"));
  StdfBytes s;
  s.mir("L");
  for (int i = 0; i < 30; ++i) s.pir(0).pir(1).prr(0, 1, i, 0);
  const auto r = read(s.mrr().bytes());
  CHECK(r.rejects.empty());
  CHECK(r.count("parts_without_prr") == 30);
}

TEST_CASE("stdf: a length that takes its neighbours in is told", "[stdf][damage]") {
  auto s = wafer_of(3);
  const std::size_t at = s.bytes().size();
  s.add(50, 30, s.body().cn("note")).pir().ptr(1, 3).prr(0, 1, 8, 8).mrr();
  std::string bytes = s.bytes();
  bytes[at] = static_cast<char>(bytes[at] + 6);  // The DTR now ends behind the PIR.
  CHECK(has_reject(read(bytes), "STDF-0010"));
}

TEST_CASE("stdf: one record of an unknown type is told, many of a private one are not",
          "[stdf][damage]") {
  auto one = wafer_of(3);
  one.add(77, 3, one.body().u1(1)).mrr();
  const auto r = read(one.bytes());
  CHECK(has_reject(r, "STDF-0015"));
  CHECK(r.sink.cell("test_records", r.sink.rows("test_records") - 2, "record") == "77,3");
  auto two = wafer_of(3);
  two.add(77, 3, two.body().u1(1)).add(77, 3, two.body().u1(2)).mrr();
  CHECK(read(two.bytes()).rejects.empty());
  auto standard = wafer_of(3);
  standard.add(15, 99, two.body().u1(1)).add(15, 99, two.body().u1(2)).mrr();
  CHECK(has_reject(read(standard.bytes()), "STDF-0015"));
}

TEST_CASE("stdf: wafers and bins without end are refused, not stored", "[stdf][damage]") {
  StdfBytes s;
  s.mir("L");
  for (unsigned i = 0; i < 30'000; ++i) {
    s.add(1, 40, s.body().u1(255).u1(0).u2(i).u4(1).c1('P').cn(""));
    if (i < 1000) s.wir("W");
  }
  CHECK(read(s.mrr().bytes()).error_id() == "STDF-0008");
}
