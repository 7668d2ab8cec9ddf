#include "ingest/readers/klarf/klarf_writer.h"
#include "catch_portable.h"
#include "engine/core/file_system.h"
#include "ingest/readers/klarf/klarf_reader.h"
#include "reader_fixture.h"

using namespace yieldloop;
using namespace yieldloop::ingest::klarf;

namespace {

struct Kept {
  InspectionTables tables;
  std::map<std::string, double> counts;
  std::size_t rejects = 0;
};

Kept keep(const std::string& text) {
  TableKeeper keeper;
  test::MemoryInput input("a.001", text);
  ingest::Rejects rejects;
  const auto summary = klarf_reader().read(input, {}, keeper, rejects);
  REQUIRE(summary);
  return {keeper.tables(), summary->counts, rejects.total()};
}

std::string sample(const std::string& name) {
  return read_text_file(real_file_system(),
                        fs::path(YIELDLOOP_SOURCE_DIR) / "sample_data" / "klarf" / name)
      .value();
}

/// Every cell of a table's column that both files know how to say.
void same(const Kept& a, const Kept& b, const std::string& table,
          const std::vector<std::string>& columns) {
  REQUIRE(a.tables.contains(table) == b.tables.contains(table));
  if (!a.tables.contains(table)) return;
  const store::Table& x = a.tables.at(table);
  const store::Table& y = b.tables.at(table);
  REQUIRE(x.rows() == y.rows());
  for (const std::string& column : columns) {
    for (std::size_t i = 0; i < x.rows(); ++i) {
      CAPTURE(table, column, i);
      if (x[column].type() == store::ColumnType::kFloat64 && !x[column].is_null(i)) {
        REQUIRE_FALSE(y[column].is_null(i));
        const double want = x[column].as_real(i);
        CHECK(std::abs(y[column].as_real(i) - want) <= 1e-12 * std::abs(want));
      } else {
        CHECK(y[column].to_text(i) == x[column].to_text(i));
      }
    }
  }
}

}  // namespace

TEST_CASE("klarf: rows written in either dialect are the same rows again", "[klarf][write]") {
  const auto name = GENERATE(as<std::string>{}, "CPS3TwithoutReview.001", "simple12.klarf",
                             "klarf12Example.klarf", "simple18.klarf", "wierdKlarfWithNAs.klarf",
                             "klarfWithImagelist.klarf");
  const auto dialect = GENERATE(Dialect::kFlat12, Dialect::kNested18);
  const Kept first = keep(sample(name));
  const auto written = write_klarf(first.tables, dialect);
  REQUIRE(written);
  CAPTURE(name, written->text);
  const Kept again = keep(written->text);
  CHECK(again.rejects == 0);
  for (const auto& [count, value] : first.counts) {
    CAPTURE(count);
    // Classes and plans of a lot are written for each of its wafers.
    if (count == "classes") continue;
    CHECK_THAT(again.counts.at(count), WithinRel(value, 1e-12) || WithinAbs(value, 0.0));
  }
  same(first, again, "inspections",
       {"lot_id", "wafer_id", "product", "step", "recipe", "tool", "inspected_at", "slot",
        "sample_size_mm", "orientation_mark", "orientation", "die_pitch_x_um", "die_pitch_y_um",
        "die_origin_x_um", "sample_center_x_um", "mirrored", "area_per_test_cm2", "tests",
        "defects"});
  same(first, again, "inspected_dies", {"test", "die_x", "die_y"});
  same(first, again, "defect_classes", {"class_number", "class_name"});
  same(first, again, "defects",
       {"lot_id", "wafer_id", "step", "defect_id", "test", "die_x", "die_y", "x_um", "y_um",
        "size_x_um", "area_um2", "size_um", "class_number", "cluster", "rough_bin", "fine_bin",
        "review_sample", "gds_x"});
}

TEST_CASE("klarf: images go from one dialect to the other", "[klarf][write]") {
  const Kept first = keep(sample("klarfWithImagelist.klarf"));
  const auto flat = write_klarf(first.tables, Dialect::kFlat12);
  REQUIRE(flat);
  const Kept again = keep(flat->text);
  CHECK(again.counts.at("images") == 6);
  CHECK_FALSE(flat->warnings.empty());
  const auto nested = write_klarf(first.tables, Dialect::kNested18);
  const Kept whole = keep(nested->text);
  same(first, whole, "defects", {"images"});
}

TEST_CASE("klarf: nothing to write is refused", "[klarf][write][error]") {
  CHECK(write_klarf({}, Dialect::kFlat12).error().id == "KLAR-0031");
}
