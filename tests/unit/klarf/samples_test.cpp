// Real files, each with the counts that a person counted in it.
#include <filesystem>

#include "catch_portable.h"
#include "ingest/readers/input.h"
#include "ingest/readers/klarf/klarf_reader.h"
#include "reader_fixture.h"

using namespace yieldloop;

namespace {

struct Expected {
  std::string file;
  std::string version;
  double wafers, defects, tests, plan_die, classes, images, area_cm2;
  std::string reject;
  std::size_t rejects = 0, warnings = 0;
};

}  // namespace

TEST_CASE("klarf: real files of several tools load", "[klarf][samples]") {
  const auto e = GENERATE(values<Expected>({
      {"CPS3TwithoutReview.001", "1.1", 1, 16, 1, 4988, 276, 0, 232.96152996, ""},
      {"simple12.klarf", "1.2", 1, 1, 1, 1, 2, 0, 111, ""},
      {"klarf12Example.klarf", "1.2", 1, 2, 1, 2, 1, 0, 550, "", 0, 1},
      {"bad12.klarf", "1.2", 1, 1, 1, 1, 2, 0, 111, "KLAR-0006", 1},
      {"bad12DefectList.klarf", "1.2", 1, 0, 1, 1, 2, 0, 111, "KLAR-0003", 1},
      {"simple18.klarf", "1.8", 2, 4, 4, 9, 4, 0, 471, "KLAR-0014", 3, 1},
      {"wierdKlarfWithNAs.klarf", "1.8", 2, 4, 4, 9, 4, 0, 471, "KLAR-0014", 3, 1},
      {"klarfWithImagelist.klarf", "1.8", 1, 6, 1, 1, 1, 6, 119.123, ""},
  }));
  CAPTURE(e.file);
  const auto path = fs::path(YIELDLOOP_SOURCE_DIR) / "sample_data" / "klarf" / e.file;
  auto input = ingest::open_input(real_file_system(), path);
  REQUIRE(input);
  const auto reader = ingest::klarf::klarf_reader();
  CHECK(reader.sniff((*input)->name(), (*input)->head()) == ingest::Confidence::kCertain);
  test::Reading r;
  r.summary = reader.read(**input, {}, r.sink, r.rejects);
  REQUIRE(r.ok());
  CHECK(r.summary->version == e.version);
  CHECK(r.summary->warnings.size() == e.warnings);
  CHECK(r.count("lots") == 1);
  CHECK(r.count("wafers") == e.wafers);
  CHECK(r.count("defects") == e.defects);
  CHECK(r.count("tests") == e.tests);
  CHECK(r.count("plan_die") == e.plan_die);
  CHECK(r.count("classes") == e.classes);
  CHECK(r.count("images") == e.images);
  CHECK_THAT(r.count("area_per_test_cm2"), WithinRel(e.area_cm2, 1e-12));
  CHECK(r.rejects.total() == e.rejects);
  CHECK(r.reject_id(0) == e.reject);
}
