#include "catch_portable.h"
#include "models/features/feature_table.h"
#include "virtual_fab.h"

using namespace yieldloop;
using namespace yieldloop::models;

namespace {

std::size_t column_of(const FeatureSchema& schema, std::string_view name) {
  const auto at = std::ranges::find(schema.columns, name, &FeatureColumn::name);
  INFO("column " << name);
  REQUIRE(at != schema.columns.end());
  return static_cast<std::size_t>(at - schema.columns.begin());
}

bool has_column(const FeatureSchema& schema, std::string_view name) {
  return std::ranges::find(schema.columns, name, &FeatureColumn::name) != schema.columns.end();
}

FeatureTable die_table(const FabData& data, RowOptions rows = {}) {
  return build_features(data, describe_features(data, {}).value().schema, rows).value();
}

/// The row of a die of the first wafer.
std::size_t row_of(const FeatureTable& table, DieIndex die) {
  const auto at = std::ranges::find(table.rows, RowKey{WaferId{0}, die});
  REQUIRE(at != table.rows.end());
  return static_cast<std::size_t>(at - table.rows.begin());
}

}  // namespace

TEST_CASE("features: columns have names an engineer reads", "[models][features]") {
  const auto schema = describe_features(test::virtual_fab(), {}).value().schema;

  CHECK(has_column(schema, "defects at M1_CMP_INSP"));
  CHECK(has_column(schema, "particle defects at M1_CMP_INSP"));
  CHECK(has_column(schema, "chamber at M1_ETCH"));
  CHECK(has_column(schema, "tool at M1_LITHO"));
  CHECK(has_column(schema, "queue before M1_ETCH (min)"));
  CHECK(has_column(schema, "mean of pressure at M1_ETCH"));
  CHECK(has_column(schema, "thickness at M1_CMP (mean)"));
  CHECK(has_column(schema, "column in exposure field"));
  const auto& chamber = schema.columns[column_of(schema, "chamber at M1_ETCH")];
  CHECK(chamber.categories == std::vector<std::string>{"ETCH01/A", "ETCH01/B"});
  CHECK(chamber.group == "step M1_ETCH");
}

TEST_CASE("features: a step with one tool has no column", "[models][features]") {
  auto data = test::virtual_fab();
  for (auto& run : data.step_runs) run.tool = data.names.intern("ONE"), run.chamber = {};

  const auto schema = describe_features(data, {}).value().schema;

  CHECK_FALSE(has_column(schema, "tool at M1_LITHO"));
  CHECK_FALSE(has_column(schema, "chamber at M1_ETCH"));
}

TEST_CASE("features: values of one die, worked by hand", "[models][features]") {
  FabData data;
  data.product.name = "P";
  data.product.die_width_um = 10'000.0, data.product.die_height_um = 20'000.0;
  data.product.wafer_diameter_mm = 100.0;
  data.product.reticle_columns = 2, data.product.reticle_rows = 3;
  data.product.reticle_origin = {1, 0};
  data.wafers = {{data.names.intern("L1"), data.names.intern("W1"), 7},
                 {data.names.intern("L2"), data.names.intern("W1"), 8}};
  for (std::uint32_t w = 0; w < 2; ++w) {
    for (std::int16_t y = 0; y < 3; ++y) {
      for (std::int16_t x = 0; x < 3; ++x) {
        DieResult r{.wafer = WaferId{w}, .die = {x, y}};
        r.pass = !(x == 2 && y == 1);
        r.final_result = true;
        data.die_results.push_back(r);
      }
    }
  }
  Inspection inspection{.id = "i", .wafer = WaferId{0}, .step = data.names.intern("INSP")};
  inspection.inspected = {{1, 1}, {2, 1}};
  data.inspections = {inspection};
  Defect defect{.inspection = 0, .wafer = WaferId{0}, .die = {2, 1}};
  defect.size_um = 0.5;
  data.defects = {defect, defect};

  const auto table = die_table(data);
  const auto value = [&](DieIndex die, std::string_view name) {
    return table.row(row_of(table, die))[column_of(table.schema, name)];
  };

  // The middle of the nine die is the wafer centre; die (2,1) lies one pitch, 10 mm, to the right.
  CHECK_THAT(value({2, 1}, "distance from wafer centre (share of radius)"), WithinAbs(0.2, 1e-6));
  CHECK_THAT(value({2, 1}, "angle on wafer (cosine)"), WithinAbs(1.0, 1e-6));
  CHECK_THAT(value({1, 2}, "angle on wafer (sine)"), WithinAbs(1.0, 1e-6));
  CHECK_THAT(value({1, 2}, "distance to wafer edge (mm)"), WithinAbs(30.0, 1e-5));
  CHECK(value({1, 2}, "wafer zone (0 centre to 4 edge)") == 0.0F);  // 5 * (20/50)^2 = 0.8.
  CHECK(value({0, 2}, "column in exposure field") == 1.0F);
  CHECK(value({2, 1}, "row in exposure field") == 1.0F);
  CHECK(value({2, 1}, "defects at INSP") == 2.0F);
  CHECK(value({2, 1}, "largest defect at INSP (um)") == 0.5F);
  CHECK(value({1, 1}, "defects at INSP") == 0.0F);
  CHECK(value({1, 1}, "defects on neighbouring die at INSP") == 2.0F);
  CHECK(std::isnan(value({0, 0}, "defects at INSP")));  // Not inspected is not "no defects".
  CHECK(value({0, 0}, "carrier slot") == 7.0F);
  CHECK(table.target[row_of(table, {2, 1})] == 1.0F);
  CHECK(table.target[row_of(table, {1, 1})] == 0.0F);
}

TEST_CASE("features: one failing insertion fails the die", "[models][features]") {
  auto data = test::virtual_fab();
  auto second = data.die_results.front();
  data.die_results.front().pass = true;
  second.insertion = data.names.intern("CP2");
  second.pass = false;
  data.die_results.push_back(second);

  const auto table = die_table(data);

  CHECK(table.target[row_of(table, second.die)] == 1.0F);
}

TEST_CASE("features: test results never enter the features", "[models][features][leak]") {
  auto data = test::virtual_fab();
  const auto before = die_table(data);
  for (auto& r : data.die_results) {
    r.pass = !r.pass;
    r.hard_bin += 7;
  }
  const auto after = die_table(data);

  CHECK(std::ranges::equal(before.values, after.values, [](float a, float b) {
    return a == b || (std::isnan(a) && std::isnan(b));
  }));
  CHECK(before.schema == after.schema);
}

TEST_CASE("features: a step that runs after the test is left out", "[models][features][leak]") {
  auto data = test::virtual_fab();
  Random random(3);
  for (std::uint32_t w = 0; w < data.wafers.size(); ++w) {
    StepRun scrap{.wafer = WaferId{w},
                  .step = data.names.intern("DISPOSITION"),
                  .tool = data.names.intern(random.chance(0.5) ? "GOOD" : "SCRAP")};
    scrap.started = test::day(1000);
    data.step_runs.push_back(scrap);
  }

  const auto described = describe_features(data, {}).value();

  CHECK_FALSE(has_column(described.schema, "tool at DISPOSITION"));
  CHECK_THAT(described.notes.at(0), Contains("DISPOSITION"));
}

TEST_CASE("features: the hash sees every value and no order of names", "[models][features]") {
  const auto data = test::virtual_fab();
  auto table = die_table(data);
  const auto hash = hash_of(data, table);

  CHECK(hash.size() == 64);
  CHECK(hash_of(data, die_table(data)) == hash);
  table.values[table.columns() * 5] += 1.0F;
  CHECK(hash_of(data, table) != hash);

  // The same fab with other texts interned first: ids differ, content does not.
  FabData other;
  other.names.intern("something else");
  other.product = data.product;
  const auto again = [&](NameId id) { return other.names.intern(data.names[id]); };
  other.wafers = data.wafers, other.step_runs = data.step_runs, other.fdc = data.fdc;
  other.die_results = data.die_results, other.inspections = data.inspections;
  other.defects = data.defects, other.metrology = data.metrology;
  for (auto& w : other.wafers) w.lot = again(w.lot), w.id = again(w.id);
  for (auto& r : other.step_runs)
    r.step = again(r.step), r.tool = again(r.tool), r.chamber = again(r.chamber);
  for (auto& v : other.fdc)
    v.step = again(v.step), v.sensor = again(v.sensor), v.statistic = again(v.statistic);
  for (auto& v : other.metrology) v.step = again(v.step), v.parameter = again(v.parameter);
  for (auto& i : other.inspections) i.step = again(i.step);
  for (auto& d : other.defects) d.class_name = again(d.class_name);
  CHECK(hash_of(other, die_table(other)) == hash);
}

TEST_CASE("features: the row limit draws whole wafers by seed", "[models][features]") {
  const auto data = test::virtual_fab();
  const auto all = die_table(data, {.max_rows = 0});
  const auto some = die_table(data, {.max_rows = 1000, .seed = 5});

  CHECK(some.rows.size() <= 1000);
  CHECK(some.rows.size() > 800);
  CHECK(some.rows_available == all.rows.size());
  CHECK(some.rows.size() % (all.rows.size() / data.wafers.size()) == 0);
  CHECK(std::ranges::is_sorted(some.rows));
  CHECK_THAT(some.notes.at(0), Contains("seed 5"));
  CHECK(die_table(data, {.max_rows = 1000, .seed = 5}).rows == some.rows);
  CHECK(die_table(data, {.max_rows = 1000, .seed = 6}).rows != some.rows);
}

TEST_CASE("features: lots are in the order of time, not of name", "[models][features]") {
  auto data = test::virtual_fab({.lots = 3});
  for (auto& r : data.die_results) {
    const auto& lot = data.names[data.wafers[r.wafer.raw()].lot];
    r.tested_at = test::day(lot == "L000" ? 500 : lot == "L001" ? 300 : 400);
  }

  const auto table = die_table(data);

  REQUIRE(table.lots.size() == 3);
  CHECK(table.lots[0].name == "L001");
  CHECK(table.lots[1].name == "L002");
  CHECK(table.lots[2].name == "L000");
}

TEST_CASE("features: a category unknown to the schema is missing", "[models][features]") {
  auto data = test::virtual_fab();
  const auto schema = describe_features(data, {}).value().schema;
  data.step_runs[1].chamber = data.names.intern("NEW");

  const auto table = build_features(data, schema, {}).value();

  CHECK(std::isnan(table.row(0)[column_of(schema, "chamber at M1_ETCH")]));
}

TEST_CASE("features: an untested wafer is given die to predict", "[models][features]") {
  auto data = test::virtual_fab({.lots = 2});
  std::erase_if(data.die_results, [](const DieResult& r) { return r.wafer == WaferId{0}; });
  const auto schema = describe_features(data, {}).value().schema;

  CHECK(build_features(data, schema, {}).value().rows.front().wafer == WaferId{1});
  const auto table =
      build_features(data, schema, {.only_with_target = false, .max_rows = 0}).value();
  CHECK(table.rows.front().wafer == WaferId{0});
  CHECK(std::isnan(table.target.front()));
  CHECK(table.rows.size() % data.wafers.size() == 0);
}

TEST_CASE("features: what they refuse", "[models][features][error]") {
  const auto data = test::virtual_fab();
  CHECK(describe_features(data, {.min_coverage = 2.0}).error().id == "FEAT-0001");
  CHECK(describe_features(FabData{}, {}).error().id == "FEAT-0002");
  CHECK(build_features(FabData{}, describe_features(data, {}).value().schema, {}).error().id ==
        "FEAT-0003");
}

TEST_CASE("features: names of sources and targets round-trip", "[models][features]") {
  for (int i = 0; i <= static_cast<int>(Source::kClassDensity); ++i) {
    const auto source = static_cast<Source>(i);
    CHECK(find_source(source_name(source)) == source);
  }
  CHECK_FALSE(find_source("no such source"));
  CHECK(find_target("wafer_yield") == Target::kWaferYield);
}
