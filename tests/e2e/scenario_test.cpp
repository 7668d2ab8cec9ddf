// From the files of a virtual fab to the cause that was planted in it, one seed of each scenario.

#include <nlohmann/json.hpp>

#include "catch_portable.h"
#include "engine/session/analysis.h"
#include "engine/simulator/simulator.h"
#include "ingest/pipeline/builtin_readers.h"
#include "ingest/pipeline/ingest.h"
#include "temporary_folder.h"

using namespace yieldloop;

namespace {

struct Solved {
  nlohmann::json truth;
  session::Analysis analysis;
};

Solved solve(const std::string& scenario, const fs::path& folder) {
  NoProgress progress;
  FileSystem& files = real_file_system();
  const auto made =
      simulator::simulate({.scenario = scenario, .seed = 1}, files, folder / "fab", progress);
  REQUIRE(made);
  auto store = store::Store::open_or_create(files, folder / "store");
  REQUIRE(store);
  const auto report =
      ingest::ingest(*store, ingest::builtin_readers(), {folder / "fab"}, {}, progress);
  REQUIRE(report);
  CHECK_FALSE(report->any_refused());
  auto snapshot = store->snapshot();
  REQUIRE(snapshot);
  auto analysis = session::analyse(*snapshot, {}, {}, progress);
  REQUIRE(analysis);
  REQUIRE(session::save_run(*store, *analysis));
  const auto text = read_text_file(files, folder / "fab" / "truth.json");
  REQUIRE(text);
  return {nlohmann::json::parse(*text), std::move(*analysis)};
}

bool names_the_cause(const Finding& finding, const nlohmann::json& cause) {
  if (finding.kind != cause.at("kind")) return false;
  for (const auto& [key, wanted] : cause.at("subject").items()) {
    if (key == "from" || key == "to" || key == "feature" || wanted.is_number_float()) continue;
    const std::string text = wanted.is_string() ? wanted.get<std::string>() : wanted.dump();
    const auto it = finding.subject.find(key);
    if (it == finding.subject.end() || it->second != text) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("scenario: the planted cause is the first finding and its action is suggested", "[e2e]") {
  const std::string scenario =
      GENERATE("chamber", "hotspot", "reticle", "probe_site", "queue_time", "single_via");
  CAPTURE(scenario);
  const test::TemporaryFolder scratch;
  const Solved solved = solve(scenario, scratch.path());
  const auto& findings = solved.analysis.findings.findings;
  REQUIRE_FALSE(findings.empty());
  CAPTURE(findings.front().statement, solved.truth.at("cause").dump());
  CHECK(names_the_cause(findings.front(), solved.truth.at("cause")));

  const auto& suggestions = solved.analysis.suggestions.suggestions;
  REQUIRE_FALSE(suggestions.empty());
  std::vector<std::string> actions;
  for (const Suggestion& s : suggestions) actions.push_back(s.action);
  const auto expected = solved.truth.at("expected_actions").get<std::vector<std::string>>();
  CAPTURE(actions, expected);
  CHECK(std::ranges::any_of(expected, [&](const std::string& action) {
    return std::ranges::find(actions, action) != actions.end();
  }));
}

TEST_CASE("scenario: a fab without a planted cause is accused of nothing", "[e2e]") {
  const test::TemporaryFolder scratch;
  const Solved solved = solve("null", scratch.path());
  for (const Finding& f : solved.analysis.findings.findings) UNSCOPED_INFO(f.statement);
  CHECK(solved.analysis.findings.findings.empty());
  CHECK(solved.analysis.suggestions.suggestions.empty());
}
