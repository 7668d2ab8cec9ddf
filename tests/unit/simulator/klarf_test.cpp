#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "catch_portable.h"
#include "engine/simulator/layout_model.h"
#include "engine/simulator/product_model.h"
#include "engine/simulator/world.h"
#include "fab_folder.h"

using namespace yieldloop;

namespace {

struct Row {
  double x, y, size;
  int die_x, die_y, kind;
};

struct Klarf {
  std::map<std::string, std::vector<std::string>> statements;  // the last of each name
  std::vector<Row> rows;
};

Klarf read(const std::string& text) {
  Klarf klarf;
  std::size_t at = 0;
  for (std::size_t end; (end = text.find(';', at)) != std::string::npos; at = end + 1) {
    std::istringstream words(text.substr(at, end - at));
    std::string name, word;
    words >> name;
    auto& values = klarf.statements[name];
    values.clear();
    while (words >> word) values.push_back(word);
  }
  const auto& v = klarf.statements["DefectList"];
  REQUIRE(v.size() % 17 == 0);
  for (std::size_t i = 0; i < v.size(); i += 17) {
    if (std::stoul(v[i]) != i / 17 + 1) FAIL("DEFECTID " << v[i] << " in row " << i / 17 + 1);
    klarf.rows.push_back({std::stod(v[i + 1]), std::stod(v[i + 2]), std::stod(v[i + 8]),
                          std::stoi(v[i + 3]), std::stoi(v[i + 4]), std::stoi(v[i + 9])});
  }
  return klarf;
}

/// The share of defects of a class in a scenario's reports that lie within `reach` of a place.
template <class Places>
double share_near(const test::FabFolder& folder, const std::string& step, int kind,
                  const Places& places, double reach) {
  std::set<std::pair<long, long>> cells;  // a raster of `reach`, three by three a place
  for (const auto& [x, y] : places) {
    for (int i = -1; i <= 1; ++i) {
      for (int j = -1; j <= 1; ++j) {
        cells.emplace(std::lround(x / reach) + i, std::lround(y / reach) + j);
      }
    }
  }
  double near = 0, all = 0;
  for (const auto& name : folder.names("klarf")) {
    if (name.find(step) == std::string::npos) continue;
    for (const Row& row : read(folder.files.at(name)).rows) {
      if (row.kind != kind) continue;
      ++all;
      near += cells.contains(
          {std::lround((row.x - 40.0) / reach), std::lround((row.y - 40.0) / reach)});
    }
  }
  return near / all;
}

}  // namespace

TEST_CASE("klarf: counts, places and the frame agree", "[simulator][klarf]") {
  const auto& folder = test::fab("null");
  CHECK(folder.names("klarf").size() == 12U * 12U * 2U);
  const auto grid = simulator::die_grid();
  std::set<std::pair<int, int>> inspected;
  for (const auto& die : grid) inspected.emplace(die.x, die.y);
  std::size_t defects = 0;
  std::size_t outside = 0;
  for (const auto& name : folder.names("klarf")) {
    CAPTURE(name);
    Klarf k = read(folder.files.at(name));
    auto& s = k.statements;
    CHECK((s["FileVersion"] == std::vector<std::string>{"1", "2"}));
    CHECK(folder.files.at(name).ends_with("EndOfFile;\n"));
    REQUIRE(std::stoul(s["SampleTestPlan"][0]) == grid.size());
    CHECK(s["SampleTestPlan"].size() == 1 + 2 * grid.size());
    CHECK(s["ClassLookup"][0] == "7");
    CHECK(s["DefectRecordSpec"][0] == "17");
    CHECK(s["DefectRecordSpec"].size() == 18);
    CHECK_THAT(std::stod(s["AreaPerTest"][0]),
               WithinRel(static_cast<double>(grid.size()) * 13'000.0 * 11'000.0, 1e-9));
    CHECK(std::stoul(s["SummaryList"][1]) == k.rows.size());
    std::set<std::pair<int, int>> defective;
    for (const Row& row : k.rows) {
      const bool inside = row.x >= 0 && row.x <= 13'000.0 && row.y >= 0 && row.y <= 11'000.0;
      if (!inside || !inspected.contains({row.die_x, row.die_y})) ++outside;
      defective.emplace(row.die_x, row.die_y);
    }
    CHECK(std::stoul(s["SummaryList"][4]) == defective.size());
    defects += k.rows.size();
  }
  CHECK(outside == 0);
  CHECK(defects == folder.summary.defects);
}

TEST_CASE("klarf: bridges of a hotspot lie at the listed places", "[simulator][klarf]") {
  const auto& folder = test::fab("hotspot");
  std::vector<std::pair<double, double>> places;
  for (const auto& l : folder.truth["locations"]) {
    places.emplace_back(l["x"].get<double>() + l["w"].get<double>() / 2,
                        l["y"].get<double>() + l["h"].get<double>() / 2);
  }
  CHECK(places.size() == folder.truth["causes"][0]["locations_total"]);
  CHECK(share_near(folder, "M1_CMP_INSP", 2, places, 1.5) > 0.5);
  CHECK(share_near(test::fab("null"), "M1_CMP_INSP", 2, places, 1.5) < 0.05);
}

TEST_CASE("klarf: voids lie at single vias rather than at doubled ones", "[simulator][klarf]") {
  const auto layout =
      simulator::draw_layout(simulator::stream({.seed = 1}, simulator::Stream::kLayout));
  std::vector<std::pair<double, double>> single, doubled;
  for (const auto p : simulator::single_via_places(layout)) {
    single.emplace_back(p.x / 1000.0, p.y / 1000.0);
  }
  for (const auto p : simulator::double_via_places(layout)) {
    doubled.emplace_back(p.x / 1000.0, p.y / 1000.0);
  }
  const auto& folder = test::fab("single_via");
  const double at_single = share_near(folder, "M2_CMP_INSP", 5, single, 0.5);
  CHECK(at_single > 0.6);
  CHECK(share_near(folder, "M2_CMP_INSP", 5, doubled, 0.5) < at_single / 3);
}

TEST_CASE("klarf: a reticle defect repeats at one place of the die", "[simulator][klarf]") {
  const auto& folder = test::fab("reticle");
  const auto& cause = folder.truth["cause"];
  const double x = cause["parameters"]["x_in_die_um"];
  const double y = cause["parameters"]["y_in_die_um"];
  const int fx = cause["subject"]["field_x"];
  const int fy = cause["subject"]["field_y"];
  std::size_t near = 0, elsewhere = 0;
  for (const auto& name : folder.names("klarf")) {
    for (const Row& row : read(folder.files.at(name)).rows) {
      if (std::hypot(row.x - x, row.y - y) > 1.5) continue;
      const bool same = ((row.die_x - fx) % 2 == 0) && ((row.die_y - fy) % 3 == 0);
      (same ? near : elsewhere) += 1;
    }
  }
  CHECK(near > 500);
  CHECK(elsewhere < 5);
}
