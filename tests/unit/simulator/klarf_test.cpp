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
  int die_x, die_y, kind, test;
};

struct Klarf {
  std::map<std::string, std::vector<std::string>> statements;  // the last of each name
  std::vector<std::set<std::pair<int, int>>> plans;            // by test
  std::vector<double> areas;
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
    if (name == "SampleTestPlan") {
      auto& plan = klarf.plans.emplace_back();
      for (std::size_t i = 1; i + 1 < values.size(); i += 2) {
        plan.emplace(std::stoi(values[i]), std::stoi(values[i + 1]));
      }
      if (plan.size() != std::stoul(values[0])) FAIL("die of a plan");
    }
    if (name == "AreaPerTest") klarf.areas.push_back(std::stod(values.at(0)));
  }
  const auto& v = klarf.statements["DefectList"];
  REQUIRE(v.size() % 17 == 0);
  for (std::size_t i = 0; i < v.size(); i += 17) {
    if (std::stoul(v[i]) != i / 17 + 1) FAIL("DEFECTID " << v[i] << " in row " << i / 17 + 1);
    klarf.rows.push_back({std::stod(v[i + 1]), std::stod(v[i + 2]), std::stod(v[i + 8]),
                          std::stoi(v[i + 3]), std::stoi(v[i + 4]), std::stoi(v[i + 9]),
                          std::stoi(v[i + 10])});
  }
  return klarf;
}

/// The share of defects of a class in a scenario's reports that lie within `reach` of a place.
template <class Points>
double share_near(const test::FabFolder& folder, const std::string& step, int kind,
                  const Points& places, double reach) {
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
  const auto seed = GENERATE(as<std::uint64_t>{}, 1, 2, 3);
  const auto& folder = test::fab("null", seed);
  const simulator::World world = simulator::make_world({.scenario = "null", .seed = seed});
  const double width = world.product.die_width_um;
  const double height = world.product.die_height_um;
  std::size_t defects = 0;
  std::size_t outside = 0;
  for (const auto& name : folder.names("klarf")) {
    CAPTURE(name);
    Klarf k = read(folder.files.at(name));
    auto& s = k.statements;
    CHECK((s["FileVersion"] == std::vector<std::string>{"1", "2"}));
    CHECK(folder.files.at(name).ends_with("EndOfFile;\n"));
    CHECK_THAT(std::stod(s["DiePitch"][0]), WithinRel(width, 1e-9));
    CHECK(s["ClassLookup"][0] == "7");
    CHECK(s["DefectRecordSpec"][0] == "17");
    CHECK(s["DefectRecordSpec"].size() == 18);
    REQUIRE(k.plans.size() == folder.truth["inspection"]["tests"].size());
    REQUIRE(k.areas.size() == k.plans.size());
    REQUIRE(s["SummaryList"].size() == 5 * k.plans.size());
    for (std::size_t t = 0; t < k.plans.size(); ++t) {
      CHECK_THAT(k.areas[t],
                 WithinRel(static_cast<double>(k.plans[t].size()) * width * height, 1e-9));
      std::size_t found = 0;
      std::set<std::pair<int, int>> defective;
      for (const Row& row : k.rows) {
        if (row.test != static_cast<int>(t) + 1) continue;
        ++found;
        defective.emplace(row.die_x, row.die_y);
        const bool inside = row.x >= 0 && row.x <= width && row.y >= 0 && row.y <= height;
        if (!inside || !k.plans[t].contains({row.die_x, row.die_y})) ++outside;
      }
      CHECK(std::stoul(s["SummaryList"][5 * t + 1]) == found);
      CHECK(std::stoul(s["SummaryList"][5 * t + 4]) == defective.size());
    }
    defects += k.rows.size();
  }
  CHECK(outside == 0);
  CHECK(defects == folder.summary.defects);
}

namespace {

using Places = std::vector<std::pair<double, double>>;

Places centres(const nlohmann::json& locations) {
  Places places;
  for (const auto& l : locations) {
    places.emplace_back(l["x"].get<double>() + l["w"].get<double>() / 2,
                        l["y"].get<double>() + l["h"].get<double>() / 2);
  }
  return places;
}

std::string inspection_of(const nlohmann::json& cause) {
  return cause["subject"]["layer"].get<std::string>() + "_CMP_INSP";
}

}  // namespace

TEST_CASE("klarf: bridges of a pattern lie at the listed places", "[simulator][klarf]") {
  const auto scenario =
      GENERATE(as<std::string>{}, "hotspot", "decoy", "two_patterns", "hotspot_interaction");
  CAPTURE(scenario);
  const auto& folder = test::fab(scenario);
  for (const auto& cause : folder.truth["causes"]) {
    const Places places = centres(cause["locations"]);
    CHECK(places.size() == cause["locations_total"]);
    const double near = share_near(folder, inspection_of(cause), 2, places, 1.5);
    const double usual = share_near(test::fab("null"), inspection_of(cause), 2, places, 1.5);
    CHECK(near > 0.15);
    CHECK(near > 5 * usual);
    if (!cause.contains("decoys")) continue;
    const double at_decoys =
        share_near(folder, inspection_of(cause), 2, centres(cause["decoys"]), 1.5);
    CHECK(at_decoys < near / 5);
  }
}

TEST_CASE("klarf: a scenario with decoys lists as many as bad places", "[simulator][klarf]") {
  const auto& cause = test::fab("decoy").truth["causes"][0];
  CHECK(cause["decoys_total"] == cause["locations_total"]);
  CHECK(cause["parameters"]["decoy_space_um"] > cause["parameters"]["space_um"]);
}

TEST_CASE("klarf: an unregistered tool's places are off by what truth.json says",
          "[simulator][klarf]") {
  const auto& folder = test::fab("registration");
  const auto& cause = folder.truth["causes"][0];
  const Places places = centres(cause["locations"]);
  const simulator::World world = simulator::make_world({.scenario = "registration", .seed = 1});
  const double width = world.product.die_width_um;
  const double height = world.product.die_height_um;
  for (const auto& tool : folder.truth["inspection"]["tools"]) {
    const double shift = std::hypot(tool["dx_um"].get<double>(), tool["dy_um"].get<double>());
    CHECK(shift > 0.7);
    CHECK(shift < 5.7);
    // Undo the error: bridges come back to the places.
    double near = 0, all = 0;
    for (const auto& name : folder.names("klarf")) {
      if (name.find(inspection_of(cause)) == std::string::npos) continue;
      Klarf k = read(folder.files.at(name));
      if (k.statements["InspectionStationID"][2] != "\"" + tool["tool"].get<std::string>() + "\"") {
        continue;
      }
      for (const Row& row : k.rows) {
        if (row.kind != 2) continue;
        const double x_mm = ((row.die_x - 0.5) * width + row.x) * 1e-3;
        const double y_mm = ((row.die_y - 0.5) * height + row.y) * 1e-3;
        const double turn = tool["rotation_urad"].get<double>() * 1e-3;
        const double scale = tool["scale_ppm"].get<double>() * 1e-3;
        const double x = row.x - tool["dx_um"].get<double>() - scale * x_mm + turn * y_mm - 40.0;
        const double y = row.y - tool["dy_um"].get<double>() - scale * y_mm - turn * x_mm - 40.0;
        ++all;
        for (const auto& [px, py] : places) {
          if (std::abs(px - x) > 1.5 || std::abs(py - y) > 1.5) continue;
          ++near;
          break;
        }
      }
    }
    if (all > 0) CHECK(near / all > 0.15);
  }
}

TEST_CASE("klarf: residue gathers where the density is high", "[simulator][klarf]") {
  const auto& folder = test::fab("cmp_density");
  const auto& cause = folder.truth["causes"][0];
  std::set<std::pair<long, long>> tiles;
  for (const auto& l : cause["locations"]) {
    tiles.emplace(std::lround(l["x"].get<double>() / 20), std::lround(l["y"].get<double>() / 20));
  }
  const auto share = [&](const test::FabFolder& fab) {
    double in = 0, all = 0;
    for (const auto& name : fab.names("klarf")) {
      if (name.find(inspection_of(cause)) == std::string::npos) continue;
      for (const Row& row : read(fab.files.at(name)).rows) {
        if (row.kind != 4) continue;
        ++all;
        in += tiles.contains({static_cast<long>(std::floor((row.x - 40.0) / 20)),
                              static_cast<long>(std::floor((row.y - 40.0) / 20))});
      }
    }
    return in / all;
  };
  CHECK(share(folder) > 1.5 * share(test::fab("null")));
}

TEST_CASE("klarf: vias that open unseen leave few voids and many block fails",
          "[simulator][klarf]") {
  const auto voids = [](const test::FabFolder& folder) {
    std::size_t count = 0;
    for (const auto& name : folder.names("klarf")) {
      for (const Row& row : read(folder.files.at(name)).rows) count += row.kind == 5 ? 1U : 0U;
    }
    return static_cast<double>(count);
  };
  CHECK(voids(test::fab("single_via_open")) < 2 * voids(test::fab("null")));
  CHECK(voids(test::fab("single_via")) > 2 * voids(test::fab("null")));
  CHECK(test::fab("single_via_open").truth["cause"]["kind"] == "via");
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
  const double at_single = share_near(folder, "M2_CMP_INSP", 5, single, 1.0);
  CHECK(at_single > 0.4);
  CHECK(share_near(folder, "M2_CMP_INSP", 5, doubled, 1.0) < at_single / 2);
}

TEST_CASE("klarf: a reticle defect repeats at one place of the die", "[simulator][klarf]") {
  const auto& folder = test::fab("reticle");
  const auto& cause = folder.truth["cause"];
  const double x = cause["parameters"]["x_in_die_um"];
  const double y = cause["parameters"]["y_in_die_um"];
  const int fx = cause["subject"]["field_x"];
  const int fy = cause["subject"]["field_y"];
  const simulator::World world = simulator::make_world({.scenario = "reticle", .seed = 1});
  const int columns = world.product.reticle_columns;
  const int rows = world.product.reticle_rows;
  std::size_t near = 0, elsewhere = 0;
  for (const auto& name : folder.names("klarf")) {
    for (const Row& row : read(folder.files.at(name)).rows) {
      if (std::hypot(row.x - x, row.y - y) > 1.5) continue;
      const bool same = ((row.die_x - fx) % columns == 0) && ((row.die_y - fy) % rows == 0);
      (same ? near : elsewhere) += 1;
    }
  }
  CHECK(near > 100);
  CHECK(elsewhere < 8);
}
