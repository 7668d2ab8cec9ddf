#include "engine/simulator/simulator.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "catch_portable.h"
#include "engine/simulator/scenario_list.h"
#include "engine/simulator/world.h"
#include "fab_folder.h"

using namespace yieldloop;
using test::fab;
using test::MemoryFiles;

namespace {

const std::vector<std::string> kPlanted{"chamber",      "hotspot",         "reticle",
                                        "probe_site",   "queue_time",      "single_via",
                                        "decoy",        "single_via_open", "cmp_density",
                                        "registration", "two_patterns",    "hotspot_interaction"};

struct StopAfter final : Progress {
  explicit StopAfter(int lots) : left(lots) {}
  void report(std::string_view, std::uint64_t, std::uint64_t) override { --left; }
  bool cancelled() const override { return left <= 0; }
  int left;
};

Error failure(const simulator::Options& options, MemoryFiles& disk, Progress& progress) {
  const auto result = simulator::simulate(options, disk, "fab", progress);
  REQUIRE_FALSE(result);
  return result.error();
}

}  // namespace

TEST_CASE("simulate: every scenario has a name of its own and a sentence", "[simulator]") {
  std::set<std::string> names;
  for (const auto& info : simulator::scenarios()) {
    CHECK(names.insert(info.name).second);
    CHECK(info.description.ends_with("."));
  }
  for (const auto& name : kPlanted) CHECK(names.contains(name));
  CHECK(names.contains("null"));
}

TEST_CASE("simulate: an unknown scenario is refused with the names of the known", "[simulator]") {
  MemoryFiles disk;
  NoProgress progress;
  const Error error = failure({.scenario = "warp_core"}, disk, progress);
  CHECK(error.id == "SIMU-0001");
  CHECK_THAT(error.message, Contains("warp_core") && Contains("queue_time"));
  CHECK(disk.content.empty());
}

TEST_CASE("simulate: a folder that holds something is left as it is", "[simulator]") {
  MemoryFiles disk;
  disk.content["fab/notes.txt"] = "mine";
  NoProgress progress;
  CHECK(failure({.scenario = "null"}, disk, progress).id == "SIMU-0002");
  CHECK(disk.content.size() == 1);
}

TEST_CASE("simulate: a full disk and a cancellation end it without truth.json", "[simulator]") {
  MemoryFiles disk;
  NoProgress progress;
  disk.full_after = 3'000'000;
  CHECK(failure({.scenario = "null"}, disk, progress).code == Errc::kNoSpace);
  MemoryFiles second;
  StopAfter stop(3);
  const Error error = failure({.scenario = "null"}, second, stop);
  CHECK(error.code == Errc::kCancelled);
  CHECK(error.id == "SIMU-0003");
  CHECK_FALSE(second.content.contains("fab/truth.json"));
}

TEST_CASE("simulate: the same seed gives the same bytes", "[simulator]") {
  const auto scenario =
      GENERATE(as<std::string>{}, "chamber", "registration", "hotspot_interaction");
  MemoryFiles disk;
  NoProgress progress;
  REQUIRE(simulator::simulate({.scenario = scenario, .seed = 1}, disk, "fab", progress));
  const auto& known = fab(scenario);
  REQUIRE(disk.content.size() == known.files.size());
  for (const auto& [name, text] : known.files) {
    CAPTURE(name);
    CHECK((disk.content.at("fab/" + name) == text));
  }
}

TEST_CASE("simulate: another seed gives another fab", "[simulator]") {
  CHECK((fab("null", 1).files.at("demo28.gds") != fab("null", 2).files.at("demo28.gds")));
  CHECK((fab("null", 1).files.at("lot_history.csv") != fab("null", 2).files.at("lot_history.csv")));
  CHECK(fab("null", 1).summary.die_good != fab("null", 2).summary.die_good);
}

TEST_CASE("simulate: taking the cause away gives back the die it cost", "[simulator]") {
  const auto scenario = GENERATE_REF(from_range(kPlanted));
  CAPTURE(scenario);
  const auto& with = fab(scenario);
  const auto& without = fab("null");
  CHECK(with.summary.die_good < without.summary.die_good);
  CHECK(with.summary.die_good + with.summary.die_lost == without.summary.die_good);
  CHECK(with.truth["die_lost"] == with.summary.die_lost);
  REQUIRE(with.truth["causes"].size() == (scenario == "two_patterns" ? 2 : 1));
  std::size_t sum = 0;
  for (const auto& cause : with.truth["causes"]) {
    for (const auto& row : cause["lost_by_wafer"]) sum += row["die"].get<std::size_t>();
  }
  CHECK(sum == with.summary.die_lost);
  CHECK(with.truth["baseline"]["die_good"] == with.summary.die_good);
}

TEST_CASE("simulate: the loss per exposed wafer is near the planted fraction", "[simulator]") {
  const auto scenario = GENERATE(as<std::string>{}, "chamber", "hotspot", "single_via",
                                 "single_via_open", "cmp_density", "hotspot_interaction");
  const auto& truth = fab(scenario).truth;
  const double planted = truth["cause"]["parameters"]["loss_fraction"];
  const double die = truth["baseline"]["die_per_wafer"];
  const double alive = truth["baseline"]["yield_without_causes"];
  const double lost = -truth["causes"][0]["die_per_exposed_wafer"].get<double>() / die;
  // Whoever met an interaction only in part has a part of its rate.
  CHECK_THAT(lost, WithinAbs(planted * alive, 0.3 * planted + 0.005));
}

TEST_CASE("simulate: null plants nothing and says so", "[simulator]") {
  const auto& folder = fab("null");
  CHECK(folder.truth["cause"].is_null());
  CHECK(folder.truth["causes"].empty());
  CHECK(folder.truth["expected_actions"].empty());
  CHECK(folder.summary.die_lost == 0);
  const double yield = folder.truth["baseline"]["yield"];
  CHECK(yield > 0.80);
  CHECK(yield < 0.97);
}

TEST_CASE("simulate: a test artefact leaves the wafers and their defects alone", "[simulator]") {
  const auto& artefact = fab("probe_site");
  const auto& null = fab("null");
  for (const auto& name : null.names("klarf")) {
    CHECK((artefact.files.at(name) == null.files.at(name)));
  }
  CHECK((artefact.files.at("fdc_summary.csv.gz") == null.files.at("fdc_summary.csv.gz")));
}

TEST_CASE("simulate: the truth of a chamber agrees with the lot history", "[simulator]") {
  const auto& folder = fab("chamber");
  const auto& subject = folder.truth["cause"]["subject"];
  const auto history = test::read_csv(folder, "lot_history.csv");
  std::set<std::string> exposed;
  for (std::size_t i = 0; i < history.rows.size(); ++i) {
    // ISO 8601 texts in one zone order like the instants.
    if (history.at(i, "step") == subject["step"] && history.at(i, "tool") == subject["tool"] &&
        history.at(i, "chamber") == subject["chamber"] &&
        history.at(i, "started_at") >= subject["from"].get<std::string>()) {
      exposed.insert(history.at(i, "lot_id") + "/" + history.at(i, "wafer_id"));
    }
  }
  CHECK(exposed.size() == folder.truth["causes"][0]["exposed_wafers"]);
  CHECK(exposed.size() >= 20);
  for (const auto& row : folder.truth["causes"][0]["lost_by_wafer"]) {
    CHECK(exposed.contains(row["wafer"].get<std::string>()));
  }
}

TEST_CASE("simulate: the truth of a queue agrees with the lot history", "[simulator]") {
  const auto& folder = fab("queue_time");
  const auto& cause = folder.truth["cause"];
  const auto history = test::read_csv(folder, "lot_history.csv");
  std::size_t exposed = 0;
  for (std::size_t i = 0; i < history.rows.size(); ++i) {
    if (history.at(i, "step") != cause["subject"]["step"]) continue;
    CHECK(history.at(i - 1, "step") == cause["parameters"]["from_step"]);
    if (std::stod(history.at(i, "queue_minutes")) > cause["parameters"]["limit_minutes"]) ++exposed;
  }
  CHECK(exposed == folder.truth["causes"][0]["exposed_wafers"]);
}

TEST_CASE("simulate: seeds differ in more than their draws", "[simulator]") {
  std::set<double> widths, sigmas;
  std::set<std::string> samples;
  std::set<std::size_t> tools;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const simulator::World world = simulator::make_world({.scenario = "null", .seed = seed});
    widths.insert(world.product.die_width_um);
    sigmas.insert(world.inspection.position_sigma_um);
    samples.insert(std::to_string(static_cast<int>(world.inspection.kind)));
    tools.insert(world.fab.tools.size());
  }
  CHECK(widths.size() >= 5);
  CHECK(sigmas.size() == 20);
  CHECK(samples.size() == 4);
  CHECK(tools.size() >= 4);
}

TEST_CASE("simulate: an interaction names both sides and hits those it names", "[simulator]") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto& truth = fab("hotspot_interaction", seed).truth;
    const auto& cause = truth["causes"][0];
    CAPTURE(seed, truth["cause"].dump());
    CHECK(cause["kind"] == "design_process_interaction");
    CHECK(cause["subject"].contains("cell"));
    CHECK(cause["subject"].contains("step"));
    CHECK((cause["subject"].contains("tool") || cause["subject"].contains("sensor")));
    const std::size_t exposed = cause["exposed_wafers"];
    CHECK(exposed >= 20);
    CHECK(exposed < 200);
    // The others lose little.
    CHECK(cause["die_lost"] > 0);
  }
}

TEST_CASE("simulate: a focus window agrees with the sensor's log", "[simulator]") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    simulator::World world =
        simulator::make_world({.scenario = "hotspot_interaction", .seed = seed});
    const auto effects = simulator::effects_of("hotspot_interaction");
    Random random = simulator::stream(world.options, simulator::Stream::kPlan).fork(0);
    REQUIRE(effects->front()->plan(world, random));
    const auto& subject = effects->front()->cause().subject;
    const bool focus =
        std::ranges::any_of(subject, [](const auto& f) { return f.first == "sensor"; });
    if (!focus) continue;
    const auto& folder = fab("hotspot_interaction", seed);
    const auto& parameters = folder.truth["cause"]["parameters"];
    const auto fdc = test::read_csv(folder, "fdc_summary.csv.gz");
    std::size_t exposed = 0;
    for (std::size_t i = 0; i < fdc.rows.size(); ++i) {
      if (fdc.at(i, "sensor") != "FOCUS_OFFSET") continue;
      if (fdc.at(i, "step") != folder.truth["cause"]["subject"]["step"]) continue;
      const double value = std::stod(fdc.at(i, "value"));
      const bool above = parameters.contains("focus_above_nm");
      exposed +=
          above ? value > parameters["focus_above_nm"] : value < parameters["focus_below_nm"];
    }
    const std::size_t told = folder.truth["causes"][0]["exposed_wafers"];
    CHECK(exposed + 2 >= told);  // the log rounds to five digits
    CHECK(told + 2 >= exposed);
    return;
  }
  FAIL("no seed drew a focus window");
}
