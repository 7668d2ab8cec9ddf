// The causes in the process: what the logs hold agrees with truth.json.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "catch_portable.h"
#include "fab_folder.h"

using namespace yieldloop;
using test::Csv;
using test::fab;
using test::read_csv;

namespace {

using Wafers = std::set<std::string>;

std::string text(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Wafers, by mother lot and id, with a row of the history that has all the subject's fields.
Wafers met(const test::FabFolder& folder, const nlohmann::json& subject) {
  const Csv wafers = read_csv(folder, "wafers.csv");
  std::map<std::string, std::string> mother;
  for (std::size_t i = 0; i < wafers.rows.size(); ++i) {
    mother[wafers.at(i, "lot_id")] = wafers.at(i, "parent_lot_id");
  }
  const Csv history = read_csv(folder, "lot_history.csv");
  Wafers found;
  for (std::size_t i = 0; i < history.rows.size(); ++i) {
    const auto same = [&](const char* field) {
      return !subject.contains(field) || history.at(i, field) == text(subject[field]);
    };
    const bool late =
        !subject.contains("from") || history.at(i, "started_at") >= text(subject["from"]);
    const bool all = same("step") && same("tool") && same("chamber") && same("recipe") &&
                     same("position") && same("slot") && late;
    if (!all) continue;
    const std::string& lot = history.at(i, "lot_id");
    const std::string& from = mother.contains(lot) ? mother[lot] : lot;
    found.insert((from.empty() ? lot : from) + "/" + history.at(i, "wafer_id"));
  }
  return found;
}

}  // namespace

TEST_CASE("process: who lost die is among those that met the subject", "[simulator][process]") {
  const auto scenario = GENERATE(as<std::string>{}, "tool_scratch", "fdc_drift", "confounded_tools",
                                 "slot_position", "recipe_change", "intermittent_tool");
  const auto seed = GENERATE(as<std::uint64_t>{}, 1, 2);
  CAPTURE(scenario, seed);
  const auto& folder = fab(scenario, seed);
  const auto& cause = folder.truth["causes"][0];
  const Wafers wafers = met(folder, cause["subject"]);
  CHECK(wafers.size() >= cause["exposed_wafers"]);
  CHECK(cause["die_lost"] > 0);
  CHECK(cause["exposed_wafers"] >= 10);
  for (const auto& row : cause["lost_by_wafer"]) {
    if (!wafers.contains(row["wafer"].get<std::string>())) FAIL(row["wafer"]);
  }
  if (scenario != "intermittent_tool") CHECK(wafers.size() == cause["exposed_wafers"]);
}

TEST_CASE("process: the undecided subjects were met by the same wafers", "[simulator][process]") {
  const auto seed = GENERATE(as<std::uint64_t>{}, 1, 2, 3);
  const auto& folder = fab("confounded_tools", seed);
  const auto& undecided = folder.truth["causes"][0]["undecided"];
  REQUIRE(undecided.size() == 2);
  CHECK(undecided[0] == folder.truth["cause"]["subject"]);
  CHECK(undecided[0]["step"] != undecided[1]["step"]);
  const Wafers one = met(folder, undecided[0]);
  CHECK_FALSE(one.empty());
  CHECK((one == met(folder, undecided[1])));
}

TEST_CASE("process: split lots go on under two names, and every wafer once",
          "[simulator][process]") {
  const auto& folder = fab("lot_split");
  const Csv wafers = read_csv(folder, "wafers.csv");
  std::size_t children = 0;
  Wafers known, scribes;
  for (std::size_t i = 0; i < wafers.rows.size(); ++i) {
    known.insert(wafers.at(i, "lot_id") + "/" + wafers.at(i, "wafer_id"));
    CHECK(scribes.insert(wafers.at(i, "scribe_id")).second);
    if (!wafers.at(i, "parent_lot_id").empty()) ++children;
  }
  CHECK(known.size() == 300);
  CHECK(children >= 16);
  CHECK(children <= 160);
  const Csv history = read_csv(folder, "lot_history.csv");
  Wafers in_history;
  std::size_t reworked = 0;
  std::map<std::string, std::set<std::string>> sequence;
  for (std::size_t i = 0; i < history.rows.size(); ++i) {
    in_history.insert(history.at(i, "lot_id") + "/" + history.at(i, "wafer_id"));
    if (history.at(i, "rework") == "1") ++reworked;
    const auto wafer = history.at(i, "lot_id") + "/" + history.at(i, "wafer_id");
    CHECK(sequence[wafer].insert(history.at(i, "step_seq")).second);
  }
  CHECK(reworked > 0);
  CHECK(std::ranges::includes(in_history, known));
  CHECK(in_history.size() == known.size() + children);  // a child's past is its mother's
  for (const auto& row : folder.truth["causes"][0]["lost_by_wafer"]) {
    CHECK(known.contains(row["wafer"].get<std::string>()));
  }
  const std::size_t lots = read_csv(folder, "lots.csv").rows.size();
  CHECK(folder.names("stdf").size() == lots);
  CHECK(lots > 12);
}

TEST_CASE("process: a drifting sensor drifts in summaries and traces", "[simulator][process]") {
  const auto& folder = fab("fdc_drift");
  const auto& cause = folder.truth["causes"][0];
  const auto& subject = cause["subject"];
  const double planted = cause["parameters"]["sensor_sigmas_at_end"];
  for (const std::string name : {"fdc_summary.csv.gz", "fdc_trace.csv.gz"}) {
    CAPTURE(name);
    const bool trace = name.find("trace") != std::string::npos;
    const Csv csv = read_csv(folder, name);
    std::map<std::string, std::pair<double, double>> by_time;  // sum, n
    for (std::size_t i = 0; i < csv.rows.size(); ++i) {
      const auto same = [&](const char* field) { return csv.at(i, field) == text(subject[field]); };
      if (!same("step") || !same("tool") || !same("chamber") || !same("sensor")) continue;
      if (trace ? csv.at(i, "recipe_step") != "MAIN" : csv.at(i, "statistic") != "mean") continue;
      auto& [sum, n] = by_time[csv.at(i, trace ? "time" : "started_at")];
      sum += std::stod(csv.at(i, "value"));
      n += 1;
    }
    REQUIRE(by_time.size() >= 20);
    const std::size_t part = by_time.size() / 10 + 1;
    double before = 0, n_before = 0, after = 0;
    for (const auto& [time, s] : by_time) {
      if (time >= text(subject["from"])) continue;
      before += s.first / s.second;
      ++n_before;
    }
    auto last = by_time.rbegin();
    for (std::size_t i = 0; i < part; ++i, ++last)
      after += last->second.first / last->second.second;
    REQUIRE(n_before > 0);
    const double shift = after / static_cast<double>(part) / (before / n_before) - 1.0;
    CHECK(shift * planted > 0);
    CHECK(std::abs(shift) > 0.5 * 0.005 * std::abs(planted));
  }
}

TEST_CASE("process: a worn card misreads more with every lot", "[simulator][process]") {
  const auto& folder = fab("probe_card_wear");
  const auto& null = fab("null");
  CHECK(folder.truth["cause"]["kind"] == "test_artefact");
  CHECK(folder.truth["causes"][0]["lost_by_wafer"].size() > 20);
  for (const auto& name : null.names("klarf")) {
    if (folder.files.at(name) != null.files.at(name)) FAIL(name);
  }
}

TEST_CASE("process: two causes cost what both cost", "[simulator][process]") {
  const auto& folder = fab("two_causes");
  REQUIRE(folder.truth["causes"].size() == 2);
  CHECK(folder.truth["causes"][0]["kind"] != folder.truth["causes"][1]["kind"]);
  CHECK(folder.summary.die_good + folder.summary.die_lost == fab("null").summary.die_good);
}

TEST_CASE("process: a shared step runs half of each lot on either tool", "[simulator][process]") {
  const auto& folder = fab("tool_scratch");
  const auto step = text(folder.truth["cause"]["subject"]["step"]);
  const Csv history = read_csv(folder, "lot_history.csv");
  std::map<std::string, std::map<std::string, int>> tools;
  for (std::size_t i = 0; i < history.rows.size(); ++i) {
    if (history.at(i, "step") == step) ++tools[history.at(i, "lot_id")][history.at(i, "tool")];
  }
  CHECK(tools.size() == 12);
  for (const auto& [lot, used] : tools) {
    REQUIRE(used.size() == 2);
    for (const auto& [tool, wafers] : used) CHECK(wafers >= 12);
  }
}

TEST_CASE("assembly: four good die to a package, and the culprit's packages fail more",
          "[simulator][assembly]") {
  const auto seed = GENERATE(as<std::uint64_t>{}, 1, 2, 3, 4);
  const auto& folder = fab("chiplet_assembly", seed);
  const Csv rows = read_csv(folder, "assembly.csv");
  const Csv results = read_csv(folder, "package_results.csv");
  const auto& cause = folder.truth["causes"][0];
  CAPTURE(cause["subject"].dump());
  CHECK(results.rows.size() == cause["parameters"]["packages"]);
  REQUIRE(rows.rows.size() == 4 * results.rows.size());
  std::map<std::string, std::string> failing;
  for (std::size_t i = 0; i < results.rows.size(); ++i) {
    failing[results.at(i, "package_id")] = results.at(i, "failing_position");
  }
  Wafers used;
  const std::string& source = text(*cause["subject"].begin());
  double hit = 0, hit_failed = 0, other = 0, other_failed = 0;
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    const auto die = rows.at(i, "lot_id") + rows.at(i, "wafer_id") + " " + rows.at(i, "die_x") +
                     " " + rows.at(i, "die_y");
    if (!used.insert(die).second) FAIL(die);
    const bool fails = failing.at(rows.at(i, "package_id")) == rows.at(i, "position");
    const bool supplier = cause["kind"] == "supplier_lot";
    const bool met = supplier ? rows.at(i, "substrate_id").starts_with(source)
                              : rows.at(i, "tool") == text(cause["subject"]["tool"]);
    (met ? hit : other) += 1;
    (met ? hit_failed : other_failed) += fails ? 1 : 0;
  }
  CHECK(hit_failed / hit > 1.5 * other_failed / other);
}

TEST_CASE("assembly: wrong identities are those of one lot, blanks a few percent",
          "[simulator][assembly]") {
  const auto& folder = fab("ecid_errors");
  const auto& parameters = folder.truth["causes"][0]["parameters"];
  const Csv rows = read_csv(folder, "assembly.csv");
  double blank = 0;
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    const bool none = rows.at(i, "lot_id").empty();
    CHECK(none == rows.at(i, "die_x").empty());
    blank += none ? 1 : 0;
  }
  CHECK_THAT(blank / static_cast<double>(rows.rows.size()),
             WithinAbs(parameters["blank_share"].get<double>(), 0.005));
  CHECK((parameters["die_x_off"] != 0 || parameters["die_y_off"] != 0));
}
