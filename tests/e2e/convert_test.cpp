// `yieldloop convert` as a person runs it: what is written reads back as the same things, and what
// cannot be written is refused in one sentence.

#ifdef YIELDLOOP_HAS_PROGRAM  // A build without Qt has no program to run.

#include "program.h"

using namespace yieldloop;
using namespace yieldloop::test;

namespace {

std::string sample(const std::string& name) {
  return (fs::path(YIELDLOOP_SOURCE_DIR) / "sample_data" / name).string();
}

/// What `check` counts in a file.
nlohmann::json counts_of(const std::string& path) {
  const auto checked = check_answer({"check", path}, 0, "yieldloop.check/1");
  REQUIRE(checked.at("files").size() == 1);
  return checked.at("files")[0].at("counts");
}

void convert(const std::string& from, const std::string& to, const std::string& kind) {
  const auto done = check_answer({"convert", from, to}, 0, "yieldloop.convert/1");
  CHECK(done.at("kind") == kind);
  CHECK(done.at("rejects_total") == 0);
  REQUIRE(fs::is_regular_file(to));
}

}  // namespace

TEST_CASE("convert: a layout to OASIS and back is the same layout", "[e2e][convert]") {
  const TemporaryFolder scratch;
  const std::string original = sample("layout/gf180mcu_fd_sc_mcu7t5v0__inv_1.gds");
  const std::string oasis = (scratch / "a.oas").string();
  const std::string packed = (scratch / "b.oas.gz").string();
  const std::string back = (scratch / "c.gds").string();
  convert(original, oasis, "gdsii");
  convert(original, packed, "gdsii");
  convert(packed, back, "oasis");
  const auto first = counts_of(original);
  for (const std::string& copy : {oasis, packed, back}) {
    const auto read = counts_of(copy);
    for (const char* count :
         {"dbu_um", "cells", "texts", "top_cells", "bbox_um", "shapes_expanded"}) {
      CAPTURE(copy, count);
      CHECK(read.at(count) == first.at(count));
    }
  }
}

TEST_CASE("convert: a lot to ATDF and back counts the same", "[e2e][convert]") {
  const TemporaryFolder scratch;
  const std::string original = sample("stdf/lot2.stdf.gz");
  const std::string text = (scratch / "lot.atdf").string();
  const std::string back = (scratch / "lot.stdf").string();
  convert(original, text, "stdf");
  convert(text, back, "atdf");
  CHECK(counts_of(back) == counts_of(original));
}

TEST_CASE("convert: an output is whole or not there, and never replaces its input",
          "[e2e][convert][bad]") {
  const TemporaryFolder scratch;
  const std::string original = sample("layout/gf180mcu_fd_sc_mcu7t5v0__inv_1.gds");
  const std::string copy = (scratch / "a.gds").string();
  fs::copy_file(original, copy);
  check_refused({"convert", copy, copy}, 2, "CLIC-0030");
  check_refused({"convert", copy, (scratch / "a.stdf").string()}, 2, "CLIC-0028");
  const std::string unknown = (scratch / "a.txt").string();
  std::ofstream(unknown) << "nothing that is known here\n";
  const Finished f = run_program({"--json", "convert", unknown, (scratch / "b.gds").string()});
  CHECK(f.status != 0);
  CHECK(f.out.empty());
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(scratch.path())) ++files;
  CHECK(files == 2);
  CHECK(fs::file_size(copy) == fs::file_size(original));
}

#endif  // YIELDLOOP_HAS_PROGRAM
