#include "catch_portable.h"
#include "ingest/readers/logs/log_reader.h"
#include "reader_fixture.h"

using namespace yieldloop;
using ingest::Confidence;
using test::read_text;
using test::sniff_text;

namespace {

const std::string kProduct = R"(# the demo product
[product]
name = "DEMO28"
die_width_um = 2400.0
die_height_um = 2000.0
pass_hard_bins = [1]

[layout]
file = "demo28.gds"

[[layer]]
name = "M1"
kind = "metal"
gds = [31, 0]
min_width_um = 0.05

[[layer]]
name = "VIA1"
kind = "via"
gds = [32, 1]
connects = ["M1"]
)";

}  // namespace

TEST_CASE("product: the file and its layers become rows", "[logs][product]") {
  const auto r = read_text(ingest::product_reader(), "product.toml", kProduct);
  REQUIRE(r.ok());
  CHECK_FALSE(r.sink.ragged);
  CHECK(r.sink.cell("products", 0, "product") == "DEMO28");
  CHECK(r.sink.cell("products", 0, "layout_file") == "demo28.gds");
  CHECK(r.sink.cell("products", 0, "toml") == kProduct);
  REQUIRE(r.sink.rows("layers") == 2);
  CHECK(r.sink.cell("layers", 0, "min_width_um") == "0.05");
  CHECK(r.sink.cell("layers", 1, "kind") == "via");
  CHECK(r.sink.cell("layers", 1, "gds_datatype") == "1");
  CHECK(r.sink.cell("layers", 1, "min_width_um").empty());
}

TEST_CASE("product: recognised by content", "[logs][product]") {
  const auto reader = ingest::product_reader();
  CHECK(sniff_text(reader, "x.cfg", kProduct) == Confidence::kCertain);
  CHECK(sniff_text(reader, "product.toml", "[site]\nname = \"FAB-A\"\n") == Confidence::kNo);
  CHECK(sniff_text(reader, "product.toml", "lot_id,product\n") == Confidence::kNo);
}

TEST_CASE("product: a broken file is refused with a sentence", "[logs][product][error]") {
  const auto r = read_text(ingest::product_reader(), "product.toml", "[product]\nname = \n");
  REQUIRE_FALSE(r.ok());
  CHECK_FALSE(r.summary.error().message.empty());
  CHECK(r.sink.rows() == 0);
}
