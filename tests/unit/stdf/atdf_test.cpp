#include "catch_portable.h"
#include "ingest/readers/stdf/atdf_convert.h"
#include "ingest/readers/stdf/atdf_reader.h"
#include "ingest/readers/stdf/stdf_reader.h"
#include "reader_fixture.h"
#include "stdf_bytes.h"

using namespace yieldloop;
using test::StdfBytes;

namespace {

const ingest::ReaderDeclaration kAtdf = ingest::stdf::atdf_reader();
const ingest::ReaderDeclaration kStdf = ingest::stdf::stdf_reader();

test::Reading read(const std::string& text) { return test::read_text(kAtdf, "a.atdf", text); }

std::string to_atdf(const std::string& stdf, std::vector<std::string>* warnings = nullptr) {
  test::MemoryInput input("a.stdf", stdf);
  std::string out;
  std::vector<std::string> unused;
  ingest::Rejects rejects;
  const auto sink = [&out](ingest::Bytes bytes) -> Status {
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return Ok{};
  };
  REQUIRE(ingest::stdf::stdf_to_atdf(input, sink, rejects, warnings ? *warnings : unused));
  return out;
}

std::string to_stdf(const std::string& atdf) {
  test::MemoryInput input("a.atdf", atdf);
  std::string out;
  ingest::Rejects rejects;
  const auto sink = [&out](ingest::Bytes bytes) -> Status {
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return Ok{};
  };
  REQUIRE(ingest::stdf::atdf_to_stdf(input, sink, rejects));
  CHECK(rejects.empty());
  return out;
}

void check_same(const test::Reading& a, const test::Reading& b) {
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  CHECK(a.summary->counts == b.summary->counts);
  CHECK(a.summary->grouped_counts == b.summary->grouped_counts);
  CHECK(a.summary->version == b.summary->version);
  CHECK(a.rejects.total() == b.rejects.total());
  for (const auto& [table, batches] : a.sink.tables) {
    CAPTURE(table);
    CHECK(b.sink.rows(table) == a.sink.rows(table));
  }
}

}  // namespace

TEST_CASE("atdf: the twins say the same", "[atdf]") {
  const auto order = GENERATE(std::endian::big, std::endian::little);
  for (const std::string& stdf :
       {test::whole_file(order).bytes(), test::scan_file(order).bytes()}) {
    const std::string atdf = to_atdf(stdf);
    check_same(test::read_text(kStdf, "a.stdf", stdf), read(atdf));
    check_same(read(atdf), test::read_text(kStdf, "a.stdf", to_stdf(atdf)));
    CHECK(to_atdf(to_stdf(atdf)) == atdf);
  }
}

TEST_CASE("atdf: lines as they stand in a file", "[atdf]") {
  StdfBytes s;
  s.mir("LOT").wir("W1").pir();
  s.add(15, 10,
        s.body()
            .u4(23)
            .u1(1)
            .u1(2)
            .u1(0x81)
            .u1(0x48)
            .r4(997.25F)
            .cn("layer")
            .cn("")
            .u1(0x02)
            .u1(3)
            .u1(3)
            .u1(3)
            .r4(-1)
            .r4(1.5F)
            .cn("V")
            .cn("%f")
            .cn("")
            .cn("")
            .r4(0)
            .r4(0));
  s.add(15, 10, s.body().u4(23).u1(1).u1(2).u1(0x42).u1(0).r4(5));
  s.add(15, 15,
        s.body().u4(9).u1(1).u1(0).u1(0).u1(0).u2(2).u2(2).u1(0xa0).r4(0.5F).r4(-2).cn("m").cn(""));
  s.prr(0x0e, 7, -3, 4);
  s.add(1, 63,
        s.body()
            .u2(2)
            .u2(1)
            .u2(2)
            .u2(0)
            .u2(0x20)
            .u1(2)
            .u1(16)
            .cn("HL")
            .cn("1")
            .cn("XX")
            .cn("M")
            .cn("")
            .cn("")
            .cn("")
            .cn(""));
  s.add(50, 10, s.body().u2(4).u1(0).u1(3).u4(70'000).u1(4).u1(0xff).u1(10).cn("a b"));
  s.add(50, 30, s.body().cn("one\ntwo"));
  const std::string atdf = to_atdf(s.mrr().bytes());
  const auto has = [&atdf](const std::string& line) {
    CAPTURE(line, atdf);
    CHECK(atdf.find(line + "\n") != std::string::npos);
  };
  CHECK(atdf.starts_with("FAR:A|4|2|U\n"));
  has("MIR:LOT|PROD|job|node7|J750|00:00:01 01-JAN-1970|13:46:40 "
      "12-JAN-1970|op|P|1||CP1|N|r2||||||25C");
  has("WIR:1|03:33:20 24-JAN-1970||W1");
  has("PIR:1|0");
  has("PTR:23|1|2|997.25|F|AH|layer||L|V|-1|1.5|%f|||0|0|3|3|3");
  has("PTR:23|1|2");
  has("MPR:9|1|0|0,A|0.5,-2|P||m");
  has("PRR:1|0|p1|3|F|7|7|-3|4|C|Y|120");
  has("PLR:1,2|0,20|B,H|H,L/1|X,X/M");
  has("GDR:B70000|I-1|Ta b");
  has("DTR:one two");
}

TEST_CASE("atdf: a separator that stands in a text is not used", "[atdf]") {
  StdfBytes s;
  s.mir("A|B^C").add(50, 30, s.body().cn("x|y")).mrr();
  std::vector<std::string> warnings;
  const std::string atdf = to_atdf(s.bytes(), &warnings);
  CHECK(atdf.starts_with("FAR:A~4~2~U\nMIR:A|B^C~PROD~"));
  CHECK(warnings.empty());
  const auto r = read(atdf);
  CHECK(r.sink.rows("test_records") == 3);
}

TEST_CASE("atdf: continued lines, line ends, small letters and another separator", "[atdf]") {
  const auto r = read(
      "FAR:A^4^2^U\r\nMir:LOT7^PROD^job^\r\n node^J750^9:03:00 1-jan-2024^9:04:05 "
      "21-JAN-2024\r\n\r\n"
      "PIR:1^3\r\nPTR:5^1^3^1.5\r\n e0^P^^A\r\nPRR:1^3^id 1^1^P^1^1^5^-6\r\nMRR:10:00:00 "
      "21-JAN-2024\r\n");
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.count("ptr_sum") == 1.5);
  CHECK(r.count("parts_pass") == 1);
  CHECK(r.count("y_min") == -6);
  CHECK(r.sink.cell("test_runs", 0, "lot_id") == "LOT7");
  CHECK(r.sink.cell("test_runs", 0, "tester") == "node");
  CHECK(r.sink.cell("test_runs", 0, "started_at") == "2024-01-21T09:04:05Z");
  CHECK(r.sink.cell("die_results", 0, "part_id") == "id 1");
  CHECK(r.sink.cell("test_limits", 0, "test_name") == "A");
}

TEST_CASE("atdf: scaled values become base units", "[atdf]") {
  const auto r = read(
      "FAR:A|4|2|S\nMIR:L\nPIR:1|1\nPTR:5|1|1|1500|P||V|||V|1000|2000||||||3|3|3\n"
      "PTR:5|1|1|250|P\nPRR:1|1||2|P|1\nMRR:\n");
  REQUIRE(r.ok());
  CHECK(r.sink.cell("test_values", 0, "value") == "1.5");
  CHECK(r.sink.cell("test_values", 1, "value") == "0.25");
  CHECK(r.sink.cell("test_limits", 0, "hi_limit") == "2");
}

TEST_CASE("atdf: what cannot be read is a reject with its line", "[atdf][damage]") {
  const auto r = read(
      "FAR:A|4|2|U\nMIR:L\nXYZ:1\nno "
      "record\nPTR:x|1|1|2\nPCR:1|2|99999999999\nPRR:1|0||1|Q|1\nMRR:\n");
  REQUIRE(r.ok());
  REQUIRE(r.rejects.total() == 5);
  CHECK(r.reject_id(0) == "ATDF-0003");
  CHECK(r.rejects.kept()[0].line == 3);
  CHECK(r.rejects.kept()[0].byte_offset == 18);
  CHECK(r.reject_id(1) == "ATDF-0003");
  CHECK(r.reject_id(2) == "ATDF-0002");
  CHECK(r.rejects.kept()[2].message == "\"x\" cannot be TEST_NUM of a PTR; the record is dropped.");
  CHECK(r.reject_id(3) == "ATDF-0002");
  CHECK(r.reject_id(4) == "ATDF-0002");
}

TEST_CASE("atdf: an endless line is dropped, not kept", "[atdf][damage]") {
  const auto r = read("FAR:A|4|2|U\nMIR:L\nDTR:" + std::string(3'000'000, 'x') + "\nMRR:\n");
  REQUIRE(r.ok());
  REQUIRE(r.rejects.total() == 1);
  CHECK(r.reject_id(0) == "ATDF-0004");
  const auto text = read("FAR:A|4|2|U\nMIR:L\nDTR:" + std::string(300, 'x') + "\nMRR:\n");
  CHECK(text.reject_id(0) == "ATDF-0002");
}

TEST_CASE("atdf: what it refuses to open", "[atdf][error]") {
  CHECK(read("MIR:L\n").error_id() == "ATDF-0001");
  CHECK(read("FAR:A|3|2|U\n").error_id() == "ATDF-0001");
  CHECK(test::sniff_text(kAtdf, "x", "FAR:A|4|2|U\n") == ingest::Confidence::kCertain);
  CHECK(test::sniff_text(kAtdf, "x.atdf", "FAR;") == ingest::Confidence::kNo);
}

TEST_CASE("atdf: any damage gives rows and rejects, never a crash", "[atdf][damage]") {
  const std::string whole = to_atdf(test::scan_file().bytes());
  const auto clean = read(whole);
  for (std::size_t n = 0; n + 30 < whole.size(); n += 3) {  // The MRR says that all is there.
    const auto r = read(whole.substr(0, n));
    if (r.ok()) CHECK(r.rejects.total() > 0);
  }
  std::uint32_t state = 12345;
  const auto next = [&state] { return state = state * 1664525U + 1013904223U; };
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = whole;
    damaged[next() % damaged.size()] = static_cast<char>(next() >> 24U);
    const auto r = read(damaged);
    if (!r.ok() || r.rejects.total() > clean.rejects.total()) continue;
    // A line that was broken in two, or a letter of a record's name: told. Values may differ.
    const auto total = [](const test::Reading& reading) {
      double n = 0;
      for (const auto& [name, count] : reading.summary->grouped_counts.at("records")) n += count;
      return n;
    };
    CHECK(total(r) == total(clean));
  }
}
