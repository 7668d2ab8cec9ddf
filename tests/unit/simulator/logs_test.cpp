#include <algorithm>
#include <map>
#include <set>

#include "catch_portable.h"
#include "engine/core/time.h"
#include "engine/simulator/scenario_list.h"
#include "engine/simulator/wafer_model.h"
#include "engine/simulator/world.h"
#include "fab_folder.h"

using namespace yieldloop;
using test::Csv;
using test::fab;
using test::read_csv;

TEST_CASE("logs: every required column is there and every row is full", "[simulator][logs]") {
  const std::map<std::string, std::vector<std::string>> required{
      {"lots.csv", {"lot_id", "product"}},
      {"wafers.csv", {"lot_id", "wafer_id", "slot"}},
      {"lot_history.csv",
       {"lot_id", "wafer_id", "step_seq", "step", "tool", "started_at", "ended_at", "chamber",
        "recipe", "reticle", "queue_minutes", "slot"}},
      {"fdc_summary.csv.gz",
       {"lot_id", "wafer_id", "step", "tool", "sensor", "statistic", "value", "chamber"}},
      {"metrology.csv.gz", {"lot_id", "wafer_id", "step", "parameter", "value"}},
      {"equipment_states.csv", {"tool", "state", "started_at", "ended_at"}},
      {"maintenance.csv", {"tool", "event", "at"}}};
  for (const auto& [name, columns] : required) {
    CAPTURE(name);
    const Csv csv = read_csv(fab("chamber"), name);
    for (const auto& column : columns) {
      CAPTURE(column);
      CHECK(csv.has(column));
    }
    CHECK_FALSE(csv.rows.empty());
    const auto full = [&](const auto& row) { return row.size() == csv.columns.size(); };
    CHECK(std::ranges::all_of(csv.rows, full));
  }
}

TEST_CASE("logs: a wafer's steps follow each other and a tool runs one lot at a time",
          "[simulator][logs]") {
  const Csv history = read_csv(fab("null"), "lot_history.csv");
  std::map<std::string, std::string> last_end;
  std::map<std::string, std::map<std::string, std::pair<std::string, std::string>>> tool_runs;
  std::size_t broken = 0;
  for (std::size_t i = 0; i < history.rows.size(); ++i) {
    const auto wafer = history.at(i, "lot_id") + history.at(i, "wafer_id");
    const auto& start = history.at(i, "started_at");
    const auto& end = history.at(i, "ended_at");
    const bool waits = std::stod(history.at(i, "queue_minutes")) >= 0.0;
    if (!waits || start >= end || last_end[wafer] > start) ++broken;
    last_end[wafer] = end;
    auto& run = tool_runs[history.at(i, "tool")][history.at(i, "lot_id") + history.at(i, "step")];
    run.first = run.first.empty() ? start : std::min(run.first, start);
    run.second = std::max(run.second, end);
  }
  CHECK(broken == 0);
  CHECK(history.rows.size() == 300 * 46);
  for (const auto& [tool, runs] : tool_runs) {
    std::map<std::string, std::string> by_start;
    for (const auto& [key, run] : runs) by_start[run.first] = run.second;
    std::string end;
    for (const auto& [from, to] : by_start) {
      CHECK(end <= from);
      end = to;
    }
  }
}

TEST_CASE("logs: the states of a tool leave no gap and do not overlap", "[simulator][logs]") {
  const Csv states = read_csv(fab("null"), "equipment_states.csv");
  const std::set<std::string> known{"productive",           "standby",
                                    "engineering",          "scheduled_downtime",
                                    "unscheduled_downtime", "nonscheduled"};
  std::map<std::string, std::string> end;
  for (std::size_t i = 0; i < states.rows.size(); ++i) {
    CHECK(known.contains(states.at(i, "state")));
    const auto& tool = states.at(i, "tool");
    if (end.contains(tool)) CHECK(end[tool] == states.at(i, "started_at"));
    end[tool] = states.at(i, "ended_at");
  }
}

TEST_CASE("logs: the bad chamber's sensor shifts after a maintenance event", "[simulator][logs]") {
  const auto& folder = fab("chamber");
  const auto& subject = folder.truth["cause"]["subject"];
  const std::string from = subject["from"];
  const std::string sensor = folder.truth["cause"]["parameters"]["sensor"];
  const double planted = folder.truth["cause"]["parameters"]["sensor_shift_sigmas"];
  const Csv fdc = read_csv(folder, "fdc_summary.csv.gz");
  double sum[2] = {0, 0}, n[2] = {0, 0};
  for (std::size_t i = 0; i < fdc.rows.size(); ++i) {
    if (fdc.at(i, "step") != subject["step"] || fdc.at(i, "tool") != subject["tool"] ||
        fdc.at(i, "chamber") != subject["chamber"] || fdc.at(i, "sensor") != sensor ||
        fdc.at(i, "statistic") != "mean") {
      continue;
    }
    const int after = fdc.at(i, "started_at") >= from ? 1 : 0;
    sum[after] += std::stod(fdc.at(i, "value"));
    n[after] += 1;
  }
  REQUIRE((n[0] > 0 && n[1] > 0));
  const double shift = (sum[1] / n[1]) / (sum[0] / n[0]) - 1.0;
  CHECK(shift * planted > 0);
  CHECK_THAT(shift, WithinAbs(0.005 * planted, 0.006));

  const Csv events = read_csv(folder, "maintenance.csv");
  bool found = false;
  for (std::size_t i = 0; i < events.rows.size(); ++i) {
    const double hours =
        static_cast<double>(parse_iso8601(from)->count - parse_iso8601(events.at(i, "at"))->count) /
        3.6e9;
    found |= events.at(i, "tool") == subject["tool"] &&
             events.at(i, "chamber") == subject["chamber"] && hours >= 0 && hours < 2;
  }
  CHECK(found);
}

TEST_CASE("logs: no written name gives the cause away", "[simulator][logs]") {
  for (const std::string scenario : {"hotspot", "chamber", "probe_site"}) {
    for (const auto& [name, text] : fab(scenario).files) {
      if (name == "truth.json" || name.ends_with(".gz")) continue;
      CAPTURE(name);
      CHECK(text.find("HOTSPOT") == std::string::npos);
      CHECK(text.find("hotspot") == std::string::npos);
      CHECK(text.find("BAD") == std::string::npos);
    }
  }
}

TEST_CASE("scenarios: every seed finds something to hit and changes what it hits",
          "[simulator][scenarios]") {
  std::map<std::string, std::set<std::string>> subjects;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    for (const auto& info : simulator::scenarios()) {
      const auto effects = simulator::effects_of(info.name);
      REQUIRE(effects);
      CAPTURE(info.name, seed);
      const simulator::Options options{.scenario = info.name, .seed = seed};
      simulator::World world =
          simulator::make_world(options, simulator::rules_of(options, *effects));
      const Random base = simulator::stream(options, simulator::Stream::kPlan);
      for (std::size_t i = 0; i < effects->size(); ++i) {
        Random random = base.fork(i);
        const auto& effect = (*effects)[i];
        REQUIRE(effect->plan(world, random));
        std::string subject;
        for (const auto& [name, value] : effect->cause().subject) {
          if (const auto* text = std::get_if<std::string>(&value)) subject += *text + " ";
        }
        subjects[info.name].insert(subject);
        std::set<std::size_t> lots;
        for (std::size_t w = 0; w < world.fab.wafers.size(); ++w) {
          if (effect->exposed(world, w)) lots.insert(world.fab.wafers[w].lot);
        }
        CHECK(lots.size() >= 3);
      }
    }
  }
  for (const std::string scenario :
       {"chamber", "hotspot", "reticle", "queue_time", "hotspot_interaction", "tool_scratch",
        "fdc_drift", "confounded_tools", "slot_position", "recipe_change", "lot_split",
        "intermittent_tool"}) {
    CAPTURE(scenario);
    CHECK(subjects[scenario].size() >= 3);
  }
}

TEST_CASE("defect sizes: three quarters lie below twice the smallest", "[simulator]") {
  Random random(5);
  int below = 0;
  constexpr int kDraws = 40'000;
  for (int i = 0; i < kDraws; ++i) {
    const double size = simulator::draw_defect_size(random);
    if (size < simulator::kSmallestDefectUm) FAIL(size);
    if (size < 2 * simulator::kSmallestDefectUm) ++below;
  }
  CHECK_THAT(static_cast<double>(below) / kDraws, WithinAbs(0.75, 0.01));
}
