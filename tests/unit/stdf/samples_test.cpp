// A real wafer of a production tester, packed as it was published.
#include "catch_portable.h"
#include "ingest/readers/input.h"
#include "ingest/readers/stdf/stdf_reader.h"
#include "reader_fixture.h"

using namespace yieldloop;

TEST_CASE("stdf: a real big-endian wafer", "[stdf][samples]") {
  const auto path = fs::path(YIELDLOOP_SOURCE_DIR) / "sample_data" / "stdf" / "lot2.stdf.gz";
  auto input = ingest::open_input(real_file_system(), path);
  REQUIRE(input);
  const auto reader = ingest::stdf::stdf_reader();
  CHECK(reader.sniff((*input)->name(), (*input)->head()) == ingest::Confidence::kCertain);
  test::Reading r;
  r.summary = reader.read(**input, {}, r.sink, r.rejects);
  REQUIRE(r.ok());
  CHECK(r.rejects.empty());
  CHECK(r.count("wafers") == 1);
  CHECK(r.count("parts_pass") == 1389);
  CHECK(r.count("parts_fail") == 180);
  CHECK(r.count("tests") == 74);
  CHECK(r.count("ptr") == 52'403);
  CHECK_THAT(r.count("ptr_sum"), WithinRel(459842044.6302783, 1e-12));
  CHECK(r.count("x_min") == 4);
  CHECK(r.count("x_max") == 45);
  CHECK(r.count("y_min") == -45);
  CHECK(r.count("y_max") == -3);
  CHECK(r.summary->grouped_counts.at("hard_bins").at("8") == 79);
  CHECK(r.sink.rows("die_results") == 1569);
  CHECK(r.sink.cell("test_runs", 0, "wafer_id") == "GAL-LOT-02");
}
