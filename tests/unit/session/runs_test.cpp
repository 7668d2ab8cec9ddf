// Findings kept in the store and read back.

#include "engine/findings/candidate.h"
#include "engine/findings/findings_json.h"
#include "engine/session/analysis.h"
#include "hand_made_store.h"

using namespace yieldloop;
using namespace yieldloop::test;

namespace {

session::Analysis analysis_of(HandMadeStore& s, const std::string& product, int findings) {
  session::Analysis a;
  a.snapshot = s.store().latest_snapshot().value();
  a.findings.product = product;
  a.findings.wafers = 25;
  a.findings.lots = 1;
  for (int i = 1; i <= findings; ++i) {
    Finding f;
    f.rank = i;
    f.kind = "chamber";
    f.subject = {{"tool", "ETX0" + std::to_string(i)}, {"chamber", "B"}};
    f.id = findings::finding_id(f.kind, f.subject);
    f.statement = "Wafers that ran on it lose die.";
    f.die_per_wafer = -3.5;
    f.die_per_wafer_ci = {-5.0, -2.0};
    f.loss_die_total = 87.5;
    f.q_value = 0.001;
    a.findings.findings.push_back(f);
  }
  a.suggestions = feedback::suggest(a.findings, Product{});
  return a;
}

}  // namespace

TEST_CASE("session: a saved run is read back", "[session]") {
  HandMadeStore s;
  s.put("lots", {lot("A", "P")});
  const auto analysis = analysis_of(s, "P", 2);
  REQUIRE(session::save_run(s.store(), analysis));
  const auto saved = session::newest_run(s.snapshot(), "P");
  if (!saved) FAIL(saved.error().message);
  CHECK(findings::to_json(saved->findings) == findings::to_json(analysis.findings));
  const auto rows =
      s.snapshot().query("SELECT rank, finding, loss_die_total FROM findings ORDER BY rank");
  REQUIRE(rows->rows() == 3);  // The run itself, then its findings.
  CHECK((*rows)["finding"].as_text(1) == analysis.findings.findings[0].id);
  CHECK((*rows)["loss_die_total"].as_real(2) == 87.5);
}

TEST_CASE("session: saving the same analysis twice is one run", "[session]") {
  HandMadeStore s;
  s.put("lots", {lot("A", "P")});
  const auto analysis = analysis_of(s, "P", 1);
  REQUIRE(session::save_run(s.store(), analysis));
  const auto once = s.store().latest_snapshot().value();
  REQUIRE(session::save_run(s.store(), analysis));
  CHECK(s.store().latest_snapshot().value() == once);
  CHECK(s.snapshot().rows("findings") == 2);
}

TEST_CASE("session: the newest run of a product", "[session]") {
  HandMadeStore s;
  s.put("lots", {lot("A", "P"), lot("B", "Q")});
  REQUIRE(session::save_run(s.store(), analysis_of(s, "P", 1)));
  s.put("lots", {lot("C", "P")});
  REQUIRE(session::save_run(s.store(), analysis_of(s, "P", 3)));
  REQUIRE(session::save_run(s.store(), analysis_of(s, "Q", 0)));
  CHECK(session::newest_run(s.snapshot(), "P")->findings.findings.size() == 3);
  const auto q = session::newest_run(s.snapshot(), "Q");
  REQUIRE(q);  // A run without findings is a run too.
  CHECK(q->findings.findings.empty());
}

TEST_CASE("session: no run was saved", "[session][error]") {
  HandMadeStore s;
  const auto none = session::newest_run(s.snapshot(), "");
  REQUIRE_FALSE(none);
  CHECK(none.error().id == "SESS-0005");
  CHECK(none.error().code == Errc::kNoData);
  REQUIRE(session::save_run(s.store(), analysis_of(s, "P", 0)));
  CHECK(session::newest_run(s.snapshot(), "O'Brien").error().id == "SESS-0005");
  CHECK(session::newest_run(s.snapshot(), ""));
}
