// Files of a design go with the product, and name the places of layout findings.

#include "engine/session/named_design.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "catch_portable.h"
#include "engine/core/progress.h"
#include "engine/session/analysis.h"
#include "ingest/pipeline/builtin_readers.h"
#include "ingest/pipeline/ingest.h"
#include "temporary_folder.h"

using namespace yieldloop;

namespace {

constexpr const char* kProduct = R"(
[product]
name = "P"
die_width_um = 100.0
die_height_um = 100.0
[layout]
def = "block.def"
lef = ["every_statement.lef"]
[[layer]]
name = "METAL1"
lef = "M1"
gds = [1, 0]
)";

constexpr const char* kDef = R"(VERSION 5.8 ;
DESIGN block ;
UNITS DISTANCE MICRONS 2000 ;
DIEAREA ( 0 0 ) ( 40000 40000 ) ;
COMPONENTS 2 ;
- u1 gate + PLACED ( 0 0 ) N ;
- u2 gate + PLACED ( 8000 0 ) N ;
END COMPONENTS
NETS 1 ;
- clk ( u1 A[0] ) + ROUTED M1 ( 500 1200 ) ( 10000 * ) ;
END NETS
END DESIGN
)";

void write(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

LayoutLocation place(double x, double y) { return {"METAL1", x, y, 0.05, 0.05}; }

}  // namespace

TEST_CASE("session: places are named by cell and net of the DEF file", "[session][lefdef]") {
  const test::TemporaryFolder folder;
  const fs::path sent = folder / "sent";
  fs::create_directory(sent);
  write(sent / "product.toml", kProduct);
  write(sent / "block.def", kDef);
  write(sent / "lots.csv", "lot_id,product\nL1,P\n");
  write(sent / "wafers.csv", "lot_id,wafer_id\nL1,W1\n");
  write(
      sent / "die_results.csv",
      "lot_id,wafer_id,insertion,die_x,die_y,hard_bin,pass\nL1,W1,CP,0,0,1,1\nL1,W1,CP,1,0,2,0\n");
  fs::copy_file(YIELDLOOP_SOURCE_DIR "/sample_data/lefdef/every_statement.lef",
                sent / "every_statement.lef");
  auto store = store::Store::create(real_file_system(), folder / "store");
  REQUIRE(store);
  NoProgress progress;
  const auto report = ingest::ingest(*store, ingest::builtin_readers(), {sent}, {}, progress);
  REQUIRE(report);
  CHECK(report->count(ingest::Outcome::kStored) == 6);
  auto snapshot = store->snapshot();
  REQUIRE(snapshot);
  const auto analysis = session::open_scope(*snapshot, {}, progress);
  REQUIRE(analysis);
  REQUIRE(analysis->design != nullptr);

  Finding finding;
  finding.subject = {{"layer", "METAL1"}};
  // On the wire beside u1's pin, on the wire inside u2, and on nothing.
  finding.locations = {place(0.3, 0.6), place(4.5, 0.6), place(15.0, 15.0)};
  session::name_places(*analysis->design, analysis->fab.data.product, finding);
  REQUIRE(finding.evidence.size() == 1);
  const auto& detail = finding.evidence[0].detail;
  CHECK(detail.at("places") == 3);
  CHECK(detail.at("named") == 2);
  CHECK(detail.at("net clk") == 2);
  CHECK(detail.at("cell gate") == 2);
  CHECK_FALSE(finding.subject.contains("cell"));  // Two of three are not nine of ten.

  finding.locations.pop_back();
  finding.evidence.clear();
  session::name_places(*analysis->design, analysis->fab.data.product, finding);
  CHECK(finding.subject.at("cell") == "gate");
}
