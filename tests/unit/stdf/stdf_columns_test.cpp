#include "ingest/readers/stdf/stdf_columns.h"

#include <fmt/format.h>

#include "catch_portable.h"
#include "ingest/readers/stdf/stdf_reader.h"
#include "reader_fixture.h"
#include "stdf_bytes.h"

using namespace yieldloop;
using test::StdfBytes;

namespace {

ingest::Bytes view(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

TEST_CASE("stdf columns: every PTR is a row of the part it belongs to", "[stdf]") {
  const auto order = GENERATE(std::endian::big, std::endian::little);
  const std::string bytes = test::whole_file(order).bytes();
  ingest::Rejects rejects;
  const auto c = ingest::stdf::read_columns(view(bytes), rejects).value();
  CHECK(rejects.empty());
  REQUIRE(c.rows() == 3);
  CHECK(c.parts == 3);
  CHECK(c.part[0] == 0);
  CHECK(c.part[1] == 1);
  CHECK(c.part[2] == 2);
  CHECK(c.site[1] == 1);
  CHECK(c.result[1] == 2.5F);
  REQUIRE(c.tests.tests().size() == 1);
  CHECK(c.tests.tests()[0].text == "VDD");
  CHECK(c.tests.tests()[0].limits.units == "V");
}

TEST_CASE("stdf columns: the same results as the rows of the reader", "[stdf]") {
  StdfBytes s;
  s.mir("L");
  for (int part = 0; part < 40; ++part) {
    s.pir(0).pir(1);
    for (unsigned t = 0; t < 9; ++t) {
      s.ptr_full(100 + t % 5, static_cast<float>(part) + static_cast<float>(t), t < 5 ? "A" : "B",
                 0, 99, t % 2);
    }
    s.add(15, 15, s.body().u4(7).u1(1).u1(0).u1(0).u1(0).u2(0).u2(2).r4(1).r4(2).cn("m").cn(""));
    s.prr(0, 1, part, 0, 1).prr(0, 1, part, 1, 0);
  }
  s.mrr();
  ingest::Rejects rejects;
  const auto c = ingest::stdf::read_columns(view(s.bytes()), rejects).value();
  const auto r = test::read_text(ingest::stdf::stdf_reader(), "a.stdf", s.bytes());
  REQUIRE(c.rows() == static_cast<std::size_t>(r.count("ptr")));
  CHECK(c.multiple.result.size() == 80);
  std::size_t row = 0;
  bool same = true;
  for (std::size_t i = 0; i < r.sink.rows("test_values"); ++i) {
    if (!r.sink.cell("test_values", i, "element").empty()) continue;
    same = same && r.sink.cell("test_values", i, "part_sequence") == std::to_string(c.part[row]) &&
           r.sink.cell("test_values", i, "test_id") == std::to_string(c.test[row]) &&
           r.sink.cell("test_values", i, "value") == fmt::format("{}", c.result[row]);
    ++row;
  }
  CHECK(same);
  CHECK(row == c.rows());
}

TEST_CASE("stdf columns: more results than a file of its size usually has", "[stdf]") {
  StdfBytes s;
  s.pir();
  for (int i = 0; i < 1000; ++i) s.ptr(1, static_cast<float>(i));  // 16 bytes each.
  ingest::Rejects rejects;
  const auto c = ingest::stdf::read_columns(view(s.bytes()), rejects).value();
  REQUIRE(c.rows() == 1000);
  CHECK(c.result[999] == 999.0F);
}

TEST_CASE("stdf columns: damage is told, not read", "[stdf][damage]") {
  StdfBytes s;
  s.pir().add(15, 10, s.body().u4(1).u1(1).u1(0).u1(0).u1(0).r4(1).u1(9).u1('x')).ptr(1, 2).mrr();
  ingest::Rejects rejects;
  const auto c = ingest::stdf::read_columns(view(s.bytes()), rejects).value();
  CHECK(c.rows() == 1);
  REQUIRE(rejects.total() == 1);
  CHECK(rejects.kept()[0].id == "STDF-0006");
  CHECK_FALSE(ingest::stdf::read_columns(view("nothing"), rejects));
}
