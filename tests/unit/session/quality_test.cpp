#include "engine/session/quality.h"

#include <map>

#include "catch_portable.h"
#include "temporary_folder.h"

using namespace yieldloop;
using store::Store;
using store::Table;

namespace {

constexpr std::int64_t kHour = 3'600 * kMicrosPerSecond;

/// Files made row by row.
class Shop {
 public:
  Shop() : store_(Store::create(real_file_system(), folder_ / "s").value()) {}

  Table& table(const char* name) {
    return tables_.try_emplace(name, Table::of(name)).first->second;
  }

  void end_row(const char* name) {
    Table& t = table(name);
    t["source"].add_int(Sha256::of(file_).short_id());
    t["source_row"].add_int(++line_);
    t.finish_row();
  }

  void file(const std::string& name) {
    end_file();
    file_ = name;
  }

  session::Quality quality() {
    end_file();
    return session::assess_quality(store_.snapshot().value()).value();
  }

 private:
  void end_file() {
    if (tables_.empty()) return;
    auto tx = store_.begin().value();
    auto staged = store_.stage();
    for (auto& [name, rows] : tables_) REQUIRE(staged.add(std::move(rows)));
    REQUIRE(tx.add(std::move(staged)));
    tx.add_source({.digest = Sha256::of(file_), .name = file_, .reader = "test", .rows = 1});
    REQUIRE(tx.commit(file_));
    tables_.clear();
  }

  test::TemporaryFolder folder_;
  Store store_;
  std::map<std::string, Table> tables_;
  std::string file_ = "first";
  std::int64_t line_ = 0;
};

void add_step(Shop& shop, const std::string& lot, const std::string& wafer, int seq,
              std::int64_t hour, const std::string& tool = "T") {
  Table& t = shop.table("lot_history");
  t["lot_id"].add_text(lot);
  t["wafer_id"].add_text(wafer);
  t["step_seq"].add_int(seq);
  t["step"].add_text("S" + std::to_string(seq));
  t["tool"].add_text(tool);
  t["started_at"].add_time({hour * kHour});
  t["ended_at"].add_time({hour * kHour + kHour / 2});
  shop.end_row("lot_history");
}

void add_inspection(Shop& shop, const std::string& lot, const std::string& wafer) {
  Table& t = shop.table("inspections");
  t["inspection"].add_text(lot + wafer);
  t["lot_id"].add_text(lot);
  t["wafer_id"].add_text(wafer);
  t["step"].add_text("S10");
  t["inspected_at"].add_time({kHour});
  t["sample_size_mm"].add_real(300);
  t["die_pitch_x_um"].add_real(10'000);
  t["die_pitch_y_um"].add_real(10'000);
  t["sample_center_x_um"].add_real(5'000);
  t["sample_center_y_um"].add_real(5'000);
  shop.end_row("inspections");
}

void add_defect(Shop& shop, const std::string& inspection, int id, double x, double y,
                double size = 1.0) {
  Table& t = shop.table("defects");
  t["inspection"].add_text(inspection);
  t["lot_id"].add_text("L");
  t["wafer_id"].add_text("1");
  t["defect_id"].add_int(id);
  t["die_x"].add_int(0);
  t["die_y"].add_int(0);
  t["x_um"].add_real(x);
  t["y_um"].add_real(y);
  t["size_um"].add_real(size);
  shop.end_row("defects");
}

void add_inspected(Shop& shop, const std::string& inspection, int x, int y) {
  Table& t = shop.table("inspected_dies");
  t["inspection"].add_text(inspection);
  t["test"].add_int(1);
  t["die_x"].add_int(x);
  t["die_y"].add_int(y);
  shop.end_row("inspected_dies");
}

}  // namespace

TEST_CASE("quality: every planted fault is counted, in its own file", "[session][quality]") {
  Shop shop;
  shop.file("good.csv");
  add_step(shop, "L", "W01", 10, 1);
  add_step(shop, "L", "W01", 20, 2);
  shop.file("odd.csv");
  add_step(shop, "L", "2", 10, 5);
  add_step(shop, "L", "2", 10, 5, "T2");  // Says the same step again.
  add_step(shop, "L", "2", 20, 3);        // Before the step it follows.
  add_step(shop, "", "2b", 10, 3);        // Of no lot.
  shop.file("a.klarf");
  add_inspection(shop, "L", "1");
  add_defect(shop, "L1", 1, 10'000, 0);  // On the edge is inside.
  add_defect(shop, "L1", 2, 10'001, 5);
  add_defect(shop, "L1", 3, 5, -0.5);
  add_defect(shop, "L1", 3, 5, 5);        // An id twice.
  add_defect(shop, "L1", 4, 5, 5, -1.0);  // A size that cannot be.
  add_inspected(shop, "L1", 0, 0);
  add_inspected(shop, "L1", 14, 0);
  add_inspected(shop, "L1", 15, 0);   // 145 mm to 155 mm: partly on the wafer.
  add_inspected(shop, "L1", 16, 0);   // Begins 155 mm out.
  add_inspected(shop, "L1", -16, 0);  // Ends 155 mm out.
  add_inspected(shop, "L1", 11, 11);  // Its near corner is 148 mm out.
  add_inspected(shop, "L1", 12, 12);  // 163 mm.

  const auto q = shop.quality();

  REQUIRE(q.sources.size() == 3);
  CHECK(q.sources[0] == session::SourceQuality{.name = "a.klarf",
                                               .reader = "test",
                                               .rows = 1,
                                               .duplicates = 1,
                                               .out_of_range = 1,
                                               .defects_outside_die = 2,
                                               .die_outside_wafer = 3});
  CHECK(q.sources[1].clean());
  CHECK(q.sources[2].duplicates == 1);
  CHECK(q.sources[2].time_order == 1);
  CHECK(q.sources[2].completeness == Approx(1.0 - 1.0 / 20.0));
  CHECK(session::quality_sentences(q).size() == 6);
}

TEST_CASE("quality: results wait for their history and join when it comes", "[session][quality]") {
  Shop shop;
  shop.file("a.klarf");
  add_inspection(shop, "L", "1");
  shop.file("b.klarf");
  add_inspection(shop, "L", "W02");
  CHECK(shop.quality().unresolved == session::Unresolved{2, {"L/1", "L/W02"}});
  CHECK_THAT(session::quality_sentences(shop.quality()).back(),
             Contains("2 wafers") && Contains("L/1, L/W02"));
  shop.file("history.csv");
  add_step(shop, "L", "W01", 10, 1);
  CHECK(shop.quality().unresolved == session::Unresolved{1, {"L/W02"}});
  shop.file("late.csv");
  add_step(shop, "L", "L-02", 10, 1);
  CHECK(shop.quality().unresolved == session::Unresolved{});
}
