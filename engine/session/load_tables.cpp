#include "engine/session/load_tables.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/core/text.h"
#include "engine/yield/retests.h"

namespace yieldloop::session {
namespace {

int as_small(const store::Column& column, std::size_t row, int otherwise) {
  return column.is_null(row) ? otherwise : static_cast<int>(column.as_int(row));
}

double as_number(const store::Column& column, std::size_t row, double otherwise) {
  return column.is_null(row) ? otherwise : column.as_real(row);
}

std::int16_t as_index(const store::Column& column, std::size_t row) {
  return static_cast<std::int16_t>(
      std::clamp<std::int64_t>(column.as_int(row), INT16_MIN, INT16_MAX));
}

/// Counter-clockwise quarter turns that bring the orientation mark down.
std::uint8_t turns_to_notch_down(std::string_view mark) {
  const std::string where = to_lower(trim(mark));
  if (where == "left" || where == "270") return 1;
  if (where == "up" || where == "180") return 2;
  if (where == "right" || where == "90") return 3;
  return 0;
}

/// Turns a die index about die (0,0) and a place in the die about the die's own frame.
void turn(std::uint8_t quarters, double pitch_x, double pitch_y, DieIndex& die, double& x,
          double& y) {
  for (std::uint8_t q = 0; q < quarters; ++q) {
    die = {static_cast<std::int16_t>(-die.y), die.x};
    const double turned_x = pitch_y - y;
    y = x;
    x = turned_x;
    std::swap(pitch_x, pitch_y);
  }
}

/// The table with the lots of wafers that are named without one, where the wafers table knows them.
std::string with_lots(const std::string& table) {
  return "(SELECT t.* REPLACE (coalesce(nullif(t.lot_id, ''), g.lot_id, '') AS lot_id) FROM " +
         table +
         " t LEFT JOIN (SELECT wafer_id, min(lot_id) AS lot_id FROM wafers WHERE lot_id <> '' "
         "GROUP BY "
         "wafer_id HAVING count(DISTINCT lot_id) = 1) g ON t.lot_id = '' AND t.wafer_id = "
         "g.wafer_id)";
}

}  // namespace

TableLoader::TableLoader(store::Snapshot& snapshot, std::string lots_sql, const Scope& scope,
                         LoadedFab& fab)
    : snapshot_(snapshot), lots_sql_(std::move(lots_sql)), scope_(scope), fab_(fab) {}

Result<store::Table> TableLoader::rows(const std::string& columns, const std::string& table,
                                       const std::string& order) {
  return snapshot_.query("SELECT " + columns + " FROM " + with_lots(table) + " WHERE lot_id IN (" +
                         lots_sql_ + ")" + (order.empty() ? "" : " ORDER BY " + order));
}

std::optional<WaferId> TableLoader::wafer_of(std::string_view lot, std::string_view wafer) const {
  const auto it = wafers_.find({std::string(lot), canonical_wafer(lot, wafer)});
  if (it == wafers_.end()) return std::nullopt;
  return it->second;
}

Status TableLoader::load_wafers() {
  const std::string in = " WHERE lot_id IN (" + lots_sql_ + ")";
  const std::string one = "SELECT lot_id, wafer_id, ";
  YL_ASSIGN(
      const store::Table found,
      snapshot_.query(
          "SELECT lot_id, wafer_id, max(slot) AS slot, min(strength) AS strength, max(moment) AS "
          "moment FROM (" +
          one + "slot, 0 AS strength, NULL::TIMESTAMPTZ AS moment FROM wafers" + in +
          " UNION ALL " + one + "max(slot), 1, max(ended_at) FROM " + with_lots("lot_history") +
          in + " GROUP BY ALL UNION ALL " + one + "NULL, 2, max(tested_at) FROM " +
          with_lots("die_results") + in + " GROUP BY ALL UNION ALL " + one +
          "slot, 3, inspected_at FROM " + with_lots("inspections") + in +
          ") WHERE wafer_id <> '' GROUP BY lot_id, wafer_id ORDER BY lot_id, strength, wafer_id"));
  struct Candidate {
    std::string id;
    std::int64_t strength = -1;  ///< Of the last spelling seen.
    bool listed = false;         ///< By wafers.csv itself.
    int slot = 0;
    UtcMicros last;
  };
  std::size_t two_spellings = 0;
  std::map<std::pair<std::string, std::string>, Candidate> wafers;
  for (std::size_t r = 0; r < found.rows(); ++r) {
    const std::string lot(found["lot_id"].as_text(r)), id(found["wafer_id"].as_text(r));
    Candidate& c = wafers[{lot, canonical_wafer(lot, id)}];
    // Rows come strongest source first: its spelling is the label.
    if (c.id.empty()) c.id = id;
    if (c.strength == found["strength"].as_int(r)) ++two_spellings;
    c.strength = found["strength"].as_int(r);
    c.listed = c.listed || c.strength == 0;
    if (c.slot == 0) c.slot = as_small(found["slot"], r, 0);
    c.last = std::max(c.last, found["moment"].as_time(r));
  }
  YL_ASSIGN(const auto before_splits, wafers_before_splits());
  for (const auto& [mother, child] : before_splits) {
    const auto it = wafers.find(mother);
    if (it == wafers.end() || it->second.listed || !wafers.contains(child)) continue;
    Candidate& c = wafers[child];
    c.last = std::max(c.last, it->second.last);
    wafers.erase(it);
  }
  auto& data = fab_.data;
  for (const auto& [key, c] : wafers) {
    if (scope_.from.known() && c.last.known() && c.last < scope_.from) continue;
    if (scope_.to.known() && c.last.known() && c.last >= scope_.to) continue;
    wafers_.emplace(key, WaferId{static_cast<std::uint32_t>(data.wafers.size())});
    data.wafers.push_back({data.names.intern(key.first), data.names.intern(c.id), c.slot});
  }
  for (const auto& [mother, child] : before_splits) {
    if (const auto it = wafers_.find(child); it != wafers_.end())
      wafers_.try_emplace(mother, it->second);
  }
  if (two_spellings > 0) {
    fab_.caveats.push_back(
        fmt::format("{} wafers come under two spellings of their id (such as \"3\" and \"W03\") "
                    "from one kind of source; each "
                    "is taken as one wafer.",
                    two_spellings));
  }
  if (!data.wafers.empty()) return Ok{};
  return Error{Errc::kNoData, "SESS-0003",
               "There is no wafer in this scope: widen --lots, --from or --to."};
}

/// A lot that was split: what a wafer met before stands under its mother lot, and the mother's
/// mother, by the same wafer id.
Result<std::map<TableLoader::WaferKey, TableLoader::WaferKey>> TableLoader::wafers_before_splits() {
  constexpr int kMostSplits = 16;  // a chain that goes on is a circle
  YL_ASSIGN(const store::Table t,
            snapshot_.query("SELECT DISTINCT lot_id, wafer_id, parent_lot_id FROM wafers WHERE "
                            "parent_lot_id <> '' AND parent_lot_id <> lot_id ORDER BY ALL"));
  std::map<std::string, std::string, std::less<>> mother_of;
  for (std::size_t r = 0; r < t.rows(); ++r)
    mother_of.try_emplace(std::string(t["lot_id"].as_text(r)), t["parent_lot_id"].as_text(r));
  std::map<WaferKey, WaferKey> before;
  for (std::size_t r = 0; r < t.rows(); ++r) {
    const std::string lot(t["lot_id"].as_text(r));
    const std::string_view id = t["wafer_id"].as_text(r);
    std::string mother(t["parent_lot_id"].as_text(r));
    for (int k = 0; k < kMostSplits && !mother.empty() && mother != lot; ++k) {
      before.try_emplace({mother, canonical_wafer(mother, id)},
                         WaferKey{lot, canonical_wafer(lot, id)});
      const auto it = mother_of.find(mother);
      mother = it == mother_of.end() ? std::string() : it->second;
    }
  }
  return before;
}

Status TableLoader::load_step_runs() {
  YL_ASSIGN(
      const store::Table t,
      rows("lot_id, wafer_id, step_seq, step, layer, tool, chamber, recipe, reticle, position, "
           "slot, queue_minutes, started_at, ended_at",
           "lot_history", ""));
  auto& data = fab_.data;
  for (std::size_t r = 0; r < t.rows(); ++r) {
    const auto wafer = wafer_of(t["lot_id"].as_text(r), t["wafer_id"].as_text(r));
    if (!wafer) continue;
    data.step_runs.push_back({.wafer = *wafer,
                              .step_seq = as_small(t["step_seq"], r, 0),
                              .step = name(t["step"], r),
                              .layer = name(t["layer"], r),
                              .tool = name(t["tool"], r),
                              .chamber = name(t["chamber"], r),
                              .recipe = name(t["recipe"], r),
                              .reticle = name(t["reticle"], r),
                              .position = name(t["position"], r),
                              .slot = as_small(t["slot"], r, 0),
                              .queue_minutes = as_number(t["queue_minutes"], r, -1.0),
                              .started = t["started_at"].as_time(r),
                              .ended = t["ended_at"].as_time(r)});
  }
  std::ranges::sort(data.step_runs, [&](const StepRun& a, const StepRun& b) {
    return std::tie(a.wafer, a.step_seq, a.started, data.names[a.step], data.names[a.tool]) <
           std::tie(b.wafer, b.step_seq, b.started, data.names[b.step], data.names[b.tool]);
  });
  return Ok{};
}

Status TableLoader::choose_pass_rule(const store::Table& die) {
  if (!fab_.data.product.pass_hard_bins.empty() || die.rows() == 0) return Ok{};
  YL_ASSIGN(
      const store::Table bins,
      snapshot_.query("SELECT test_run, bin, pass FROM test_bins WHERE kind = 'hard' AND pass "
                      "IN ('P', 'F') ORDER BY ALL"));
  for (std::size_t r = 0; r < bins.rows(); ++r) {
    bin_flags_[{std::string(bins["test_run"].as_text(r)), as_small(bins["bin"], r, 0)}] =
        bins["pass"].as_text(r).front();
  }
  for (std::size_t r = 0; r < die.rows(); ++r) {
    if (!die["pass"].is_null(r)) return Ok{};
  }
  if (!bin_flags_.empty()) return Ok{};
  return Error{Errc::kNoData, "SESS-0004",
               "Neither product.toml (pass_hard_bins) nor the test data say which bins pass: add "
               "pass_hard_bins to product.toml and ingest it."};
}

bool TableLoader::passed(const store::Table& die, std::size_t row) const {
  const int bin = as_small(die["hard_bin"], row, 0);
  const auto& pass_bins = fab_.data.product.pass_hard_bins;
  if (!pass_bins.empty()) return std::ranges::find(pass_bins, bin) != pass_bins.end();
  if (!die["pass"].is_null(row)) return die["pass"].as_int(row) != 0;
  const auto flag = bin_flags_.find({std::string(die["test_run"].as_text(row)), bin});
  return flag != bin_flags_.end() && flag->second == 'P';
}

Status TableLoader::load_die_results() {
  YL_ASSIGN(
      const store::Table t,
      rows("lot_id, wafer_id, insertion, die_x, die_y, hard_bin, soft_bin, pass, site, tester, "
           "probe_card, tested_at, test_run, part_sequence, source_row",
           "die_results", "lot_id, wafer_id, tested_at, test_run, part_sequence, source_row"));
  YL_TRY(choose_pass_rule(t));
  auto& data = fab_.data;
  for (std::size_t r = 0; r < t.rows(); ++r) {
    const auto wafer = wafer_of(t["lot_id"].as_text(r), t["wafer_id"].as_text(r));
    if (!wafer) continue;
    data.die_results.push_back(
        {.wafer = *wafer,
         .die = {as_index(t["die_x"], r), as_index(t["die_y"], r)},
         .hard_bin = as_small(t["hard_bin"], r, 0),
         .soft_bin = as_small(t["soft_bin"], r, 0),
         .pass = passed(t, r),
         .site = as_small(t["site"], r, -1),
         .insertion = name(t["insertion"], r),
         .tester = name(t["tester"], r),
         .probe_card = name(t["probe_card"], r),
         .test_run = name(t["test_run"], r),
         .part_sequence = as_small(t["part_sequence"], r, static_cast<int>(r)),
         .tested_at = t["tested_at"].as_time(r)});
  }
  std::ranges::stable_sort(data.die_results, [&](const DieResult& a, const DieResult& b) {
    return std::tie(a.wafer, data.names[a.insertion], a.die, a.tested_at, data.names[a.test_run],
                    a.part_sequence) < std::tie(b.wafer, data.names[b.insertion], b.die,
                                                b.tested_at, data.names[b.test_run],
                                                b.part_sequence);
  });
  yield::resolve_retests(data.die_results);
  return Ok{};
}

Status TableLoader::load_inspections() {
  YL_ASSIGN(const store::Table t,
            rows("inspection, lot_id, wafer_id, step, tool, recipe, inspected_at, orientation, "
                 "die_pitch_x_um, die_pitch_y_um, sample_center_x_um, sample_center_y_um, "
                 "area_per_test_cm2",
                 "inspections", "lot_id, wafer_id, step, inspected_at, inspection"));
  auto& data = fab_.data;
  for (std::size_t r = 0; r < t.rows(); ++r) {
    const auto wafer = wafer_of(t["lot_id"].as_text(r), t["wafer_id"].as_text(r));
    if (!wafer) continue;
    const std::string id(t["inspection"].as_text(r));
    if (!inspections_.emplace(id, static_cast<std::uint32_t>(data.inspections.size())).second)
      continue;
    turns_.push_back(turns_to_notch_down(t["orientation"].as_text(r)));
    data.inspections.push_back({.id = id,
                                .wafer = *wafer,
                                .step = name(t["step"], r),
                                .tool = name(t["tool"], r),
                                .recipe = name(t["recipe"], r),
                                .inspected_at = t["inspected_at"].as_time(r),
                                .die_pitch_x_um = as_number(t["die_pitch_x_um"], r, 0.0),
                                .die_pitch_y_um = as_number(t["die_pitch_y_um"], r, 0.0),
                                .sample_center_x_um = as_number(t["sample_center_x_um"], r, 0.0),
                                .sample_center_y_um = as_number(t["sample_center_y_um"], r, 0.0),
                                .area_cm2 = as_number(t["area_per_test_cm2"], r, 0.0)});
  }
  return load_inspected_dies();
}

Status TableLoader::load_inspected_dies() {
  YL_ASSIGN(
      const store::Table t,
      snapshot_.query("SELECT DISTINCT inspection, die_x, die_y FROM inspected_dies ORDER BY ALL"));
  for (std::size_t r = 0; r < t.rows(); ++r) {
    const auto it = inspections_.find(std::string(t["inspection"].as_text(r)));
    if (it == inspections_.end()) continue;
    DieIndex die{as_index(t["die_x"], r), as_index(t["die_y"], r)};
    double x = 0, y = 0;
    turn(turns_[it->second], 0, 0, die, x, y);
    fab_.data.inspections[it->second].inspected.push_back(die);
  }
  for (Inspection& i : fab_.data.inspections) std::ranges::sort(i.inspected);
  return Ok{};
}

Status TableLoader::load_defects() {
  YL_ASSIGN(
      const store::Table names,
      snapshot_.query("SELECT DISTINCT inspection, class_number, class_name FROM defect_classes "
                      "ORDER BY ALL"));
  std::map<std::pair<std::uint32_t, int>, NameId> classes;
  for (std::size_t r = 0; r < names.rows(); ++r) {
    const auto it = inspections_.find(std::string(names["inspection"].as_text(r)));
    if (it == inspections_.end()) continue;
    classes.emplace(std::pair(it->second, as_small(names["class_number"], r, 0)),
                    name(names["class_name"], r));
  }
  YL_ASSIGN(const store::Table t,
            rows("inspection, defect_id, die_x, die_y, x_um, y_um, size_x_um, size_y_um, area_um2, "
                 "size_um, class_number, cluster",
                 "defects", ""));
  auto& data = fab_.data;
  for (std::size_t r = 0; r < t.rows(); ++r) {
    const auto it = inspections_.find(std::string(t["inspection"].as_text(r)));
    if (it == inspections_.end()) continue;
    const Inspection& inspection = data.inspections[it->second];
    Defect d{.inspection = it->second,
             .wafer = inspection.wafer,
             .die = {as_index(t["die_x"], r), as_index(t["die_y"], r)},
             .x_um = t["x_um"].as_real(r),
             .y_um = t["y_um"].as_real(r),
             .area_um2 = as_number(t["area_um2"], r, 0.0),
             .class_number = as_small(t["class_number"], r, 0),
             .cluster = as_small(t["cluster"], r, 0),
             .defect_id = t["defect_id"].as_int(r)};
    const double widest =
        std::max(as_number(t["size_x_um"], r, 0.0), as_number(t["size_y_um"], r, 0.0));
    d.size_um = as_number(t["size_um"], r, 0.0);
    if (d.size_um <= 0.0) d.size_um = d.area_um2 > 0.0 ? std::sqrt(d.area_um2) : widest;
    turn(turns_[it->second], inspection.die_pitch_x_um, inspection.die_pitch_y_um, d.die, d.x_um,
         d.y_um);
    const auto named = classes.find({it->second, d.class_number});
    if (named != classes.end()) d.class_name = named->second;
    data.defects.push_back(d);
  }
  std::ranges::sort(data.defects, [](const Defect& a, const Defect& b) {
    return std::tie(a.inspection, a.defect_id, a.die, a.x_um, a.y_um) <
           std::tie(b.inspection, b.defect_id, b.die, b.x_um, b.y_um);
  });
  return Ok{};
}

Status TableLoader::load_sensors_and_metrology() {
  auto& data = fab_.data;
  YL_ASSIGN(const store::Table f,
            rows("lot_id, wafer_id, step, tool, chamber, sensor, statistic, value, started_at",
                 "fdc_summary", "ALL"));
  for (std::size_t r = 0; r < f.rows(); ++r) {
    const auto wafer = wafer_of(f["lot_id"].as_text(r), f["wafer_id"].as_text(r));
    if (!wafer) continue;
    data.fdc.push_back({*wafer, name(f["step"], r), name(f["tool"], r), name(f["chamber"], r),
                        name(f["sensor"], r), name(f["statistic"], r), f["value"].as_real(r),
                        f["started_at"].as_time(r)});
  }
  YL_ASSIGN(
      const store::Table m,
      rows("lot_id, wafer_id, step, parameter, value, site, measured_at", "metrology", "ALL"));
  for (std::size_t r = 0; r < m.rows(); ++r) {
    const auto wafer = wafer_of(m["lot_id"].as_text(r), m["wafer_id"].as_text(r));
    if (!wafer) continue;
    data.metrology.push_back({*wafer, name(m["step"], r), name(m["parameter"], r),
                              m["value"].as_real(r), as_small(m["site"], r, -1),
                              m["measured_at"].as_time(r)});
  }
  return Ok{};
}

Status TableLoader::load_maintenance() {
  YL_ASSIGN(const store::Table t,
            snapshot_.query(R"(SELECT tool, chamber, event, "at" FROM maintenance ORDER BY ALL)"));
  for (std::size_t r = 0; r < t.rows(); ++r) {
    fab_.data.maintenance.push_back(
        {name(t["tool"], r), name(t["chamber"], r), name(t["event"], r), t["at"].as_time(r)});
  }
  return Ok{};
}

void TableLoader::name_unjoined() {
  const FabData& data = fab_.data;
  std::set<WaferId> routed, tested, inspected;
  for (const StepRun& run : data.step_runs) routed.insert(run.wafer);
  for (const DieResult& die : data.die_results) tested.insert(die.wafer);
  for (const Inspection& i : data.inspections) inspected.insert(i.wafer);
  const auto missing = [&](const std::set<WaferId>& from, const std::set<WaferId>& in) {
    return std::ranges::count_if(from, [&](WaferId w) { return !in.contains(w); });
  };
  if (const auto n = missing(tested, routed); n > 0) {
    fab_.caveats.push_back(fmt::format(
        "{} of {} tested wafers have no lot history yet: they count in yield, not in commonality.",
        n, tested.size()));
  }
  if (const auto n = missing(routed, tested); n > 0) {
    fab_.caveats.push_back(
        fmt::format("{} of {} processed wafers have no test result yet.", n, routed.size()));
  }
  if (const auto n = missing(inspected, tested); n > 0 && !tested.empty()) {
    fab_.caveats.push_back(fmt::format(
        "{} of {} inspected wafers have no test result yet: their defects have no kill ratio.", n,
        inspected.size()));
  }
}

}  // namespace yieldloop::session
