#include "engine/session/quality.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/core/text.h"
#include "engine/session/load.h"
#include "engine/store/keys.h"
#include "engine/store/sql.h"

namespace yieldloop::session {
namespace {

using store::sql_name;

struct Completeness {
  std::uint64_t cells = 0;
  std::uint64_t filled = 0;
};

struct Gathered {
  std::map<std::int64_t, SourceQuality> by_source;
  std::map<std::int64_t, Completeness> cells;
};

/// Adds `count` of every (source, count) row of a statement to a member.
Status add_counts(const store::Snapshot& snapshot, const std::string& sql,
                  std::uint64_t SourceQuality::*member, Gathered& all) {
  YL_ASSIGN(const store::Table found, snapshot.query(sql));
  for (std::size_t r = 0; r < found.rows(); ++r) {
    const auto it = all.by_source.find(found.column(0).as_int(r));
    if (it != all.by_source.end()) {
      it->second.*member += static_cast<std::uint64_t>(found.column(1).as_real(r));
    }
  }
  return Ok{};
}

std::string filled_sql(std::string_view column) {
  return fmt::format("count(nullif({}::VARCHAR, ''))", sql_name(column));
}

Status add_completeness(const store::Snapshot& snapshot, std::string_view table,
                        const std::vector<std::string_view>& columns, std::string_view where,
                        Gathered& all) {
  if (snapshot.rows(table) == 0 || columns.empty()) return Ok{};
  std::vector<std::string> filled;
  for (const std::string_view column : columns) filled.push_back(filled_sql(column));
  YL_ASSIGN(
      const store::Table found,
      snapshot.query(fmt::format("SELECT source, count(*) * {}, {} FROM {}{} GROUP BY source",
                                 columns.size(), join(filled, " + "), sql_name(table), where)));
  for (std::size_t r = 0; r < found.rows(); ++r) {
    Completeness& c = all.cells[found.column(0).as_int(r)];
    c.cells += static_cast<std::uint64_t>(found.column(1).as_real(r));
    c.filled += static_cast<std::uint64_t>(found.column(2).as_real(r));
  }
  return Ok{};
}

Status add_duplicates(const store::Snapshot& snapshot, std::string_view table,
                      const std::vector<std::string_view>& key, std::string_view where,
                      Gathered& all) {
  if (snapshot.rows(table) == 0) return Ok{};
  std::vector<std::string> columns;
  for (const std::string_view column : key) columns.push_back(sql_name(column));
  return add_counts(snapshot,
                    fmt::format("SELECT source, sum(n - 1)::DOUBLE FROM (SELECT source, count(*) "
                                "AS n FROM {}{} GROUP BY source, {} HAVING count(*) > 1) GROUP BY "
                                "source",
                                sql_name(table), where, join(columns, ", ")),
                    &SourceQuality::duplicates, all);
}

/// Columns that a row of this table needs to be joined: of its key those that are never optional
/// in practice.
std::vector<std::string_view> identifying(std::string_view table,
                                          const std::vector<std::string_view>& key) {
  static const std::set<std::string_view> kOptional{
      "position", "chamber", "recipe_step", "site",      "die_x",     "die_y",
      "part",     "sublot",  "recipe",      "insertion", "touchdown", "program"};
  std::vector<std::string_view> columns;
  for (const std::string_view column : key) {
    if (kOptional.contains(column)) continue;
    if (table == "fdc_trace" && column == "wafer_id") continue;
    columns.push_back(column);
  }
  return columns;
}

Status add_keys(const store::Snapshot& snapshot, Gathered& all) {
  for (const store::RowKind& kind : store::row_kinds()) {
    const std::string where = kind.unless_set.empty() ? ""
                                                      : fmt::format(" WHERE coalesce({}, '') = ''",
                                                                    sql_name(kind.unless_set));
    YL_TRY(add_completeness(snapshot, kind.table, identifying(kind.table, kind.key), where, all));
    YL_TRY(add_duplicates(snapshot, kind.table, kind.key, where, all));
  }
  for (const store::DocumentKind& kind : store::document_kinds()) {
    YL_TRY(add_completeness(snapshot, kind.table, identifying(kind.table, kind.key), "", all));
  }
  YL_TRY(add_duplicates(snapshot, "defects", {"inspection", "defect_id"}, "", all));
  return add_duplicates(snapshot, "die_results", {"test_run", "part_sequence"},
                        " WHERE coalesce(test_run, '') <> '' AND part_sequence IS NOT NULL", all);
}

struct Rule {
  std::string_view table;
  std::string_view condition;
};

Status add_ranges(const store::Snapshot& snapshot, Gathered& all) {
  constexpr Rule kRules[] = {
      {"lot_history", "queue_minutes < 0 OR slot < 0 OR slot > 25"},
      {"wafers", "slot < 0 OR slot > 25 OR diameter_mm <= 0 OR diameter_mm > 450"},
      {"inspections", "slot < 0 OR slot > 25 OR area_per_test_cm2 < 0"},
      {"defects", "size_x_um < 0 OR size_y_um < 0 OR area_um2 < 0 OR size_um < 0"},
      {"die_results", "hard_bin < 0 OR soft_bin < 0 OR test_time_ms < 0"},
      {"metrology",
       "NOT isfinite(value) OR (usl > lsl AND (value < lsl - 10 * (usl - lsl) OR value > usl + 10 "
       "* (usl - lsl)))"}};
  for (const Rule& rule : kRules) {
    if (snapshot.rows(rule.table) == 0) continue;
    YL_TRY(add_counts(snapshot,
                      fmt::format("SELECT source, count(*) FROM {} WHERE {} GROUP BY source",
                                  rule.table, rule.condition),
                      &SourceQuality::out_of_range, all));
  }
  return Ok{};
}

Status add_time_order(const store::Snapshot& snapshot, Gathered& all) {
  if (snapshot.rows("lot_history") > 0) {
    YL_TRY(add_counts(snapshot,
                      "SELECT source, count(*) FROM (SELECT source, started_at < max(ended_at) "
                      "OVER (PARTITION BY lot_id, wafer_id ORDER BY step_seq RANGE BETWEEN "
                      "UNBOUNDED PRECEDING AND 1 PRECEDING) AS early FROM lot_history "
                      "WHERE NOT coalesce(rework, false)) WHERE early GROUP BY source",
                      &SourceQuality::time_order, all));
  }
  if (snapshot.rows("fdc_trace") == 0) return Ok{};
  return add_counts(snapshot,
                    "SELECT source, count(*) FROM (SELECT source, \"time\" < lag(\"time\") OVER "
                    "(PARTITION BY source, tool, chamber, sensor ORDER BY source_row) AS early "
                    "FROM fdc_trace) WHERE early GROUP BY source",
                    &SourceQuality::time_order, all);
}

Status add_coordinates(const store::Snapshot& snapshot, Gathered& all) {
  if (snapshot.rows("inspections") == 0) return Ok{};
  if (snapshot.rows("defects") > 0) {
    YL_TRY(add_counts(snapshot,
                      "SELECT d.source, count(*) FROM defects d JOIN inspections i ON i.inspection "
                      "= d.inspection WHERE i.die_pitch_x_um > 0 AND i.die_pitch_y_um > 0 AND "
                      "(d.x_um < 0 OR d.y_um < 0 OR d.x_um > i.die_pitch_x_um OR d.y_um > "
                      "i.die_pitch_y_um) GROUP BY d.source",
                      &SourceQuality::defects_outside_die, all));
  }
  if (snapshot.rows("inspected_dies") == 0) return Ok{};
  // The point of the die that is nearest to the wafer's centre; the centre is given from the
  // lower-left corner of die (0,0).
  return add_counts(
      snapshot,
      "SELECT source, count(*) FROM (SELECT d.source, i.sample_size_mm * 500 AS radius, "
      "d.die_x * i.die_pitch_x_um - i.sample_center_x_um AS x, d.die_y * i.die_pitch_y_um - "
      "i.sample_center_y_um AS y, i.die_pitch_x_um AS w, i.die_pitch_y_um AS h FROM inspected_dies "
      "d JOIN inspections i ON i.inspection = d.inspection WHERE i.sample_size_mm > 0 AND "
      "i.die_pitch_x_um > 0 AND i.die_pitch_y_um > 0 AND i.sample_center_x_um IS NOT NULL AND "
      "i.sample_center_y_um IS NOT NULL) WHERE pow(greatest(x, 0, -(x + w)), 2) + pow(greatest(y, "
      "0, -(y + h)), 2) > radius * radius GROUP BY source",
      &SourceQuality::die_outside_wafer, all);
}

}  // namespace

Result<Unresolved> unresolved_wafers(const store::Snapshot& snapshot) {
  std::vector<std::string> seen;
  for (const char* table : {"test_runs", "inspections", "die_results"}) {
    if (snapshot.rows(table) == 0) continue;
    const bool only_logs = std::string_view(table) == "die_results";
    seen.push_back(fmt::format("SELECT lot_id, wafer_id FROM {} WHERE wafer_id <> ''{}", table,
                               only_logs ? " AND coalesce(test_run, '') = ''" : ""));
  }
  Unresolved result;
  if (seen.empty()) return result;
  std::set<std::pair<std::string, std::string>> known;
  if (snapshot.rows("lot_history") > 0) {
    YL_ASSIGN(const store::Table routed,
              snapshot.query("SELECT DISTINCT lot_id, wafer_id FROM lot_history"));
    for (std::size_t r = 0; r < routed.rows(); ++r) {
      const std::string_view lot = routed.column(0).as_text(r);
      known.emplace(lot, canonical_wafer(lot, routed.column(1).as_text(r)));
    }
  }
  YL_ASSIGN(const store::Table wafers,
            snapshot.query("SELECT DISTINCT lot_id, wafer_id FROM (" + join(seen, " UNION ALL ") +
                           ") ORDER BY ALL"));
  std::set<std::pair<std::string, std::string>> waiting;
  for (std::size_t r = 0; r < wafers.rows(); ++r) {
    const std::string lot(wafers.column(0).as_text(r));
    const std::string wafer = canonical_wafer(lot, wafers.column(1).as_text(r));
    if (known.contains({lot, wafer}) || !waiting.emplace(lot, wafer).second) continue;
    constexpr std::size_t kShown = 20;
    if (result.first.size() < kShown) {
      result.first.push_back(lot + "/" + std::string(wafers.column(1).as_text(r)));
    }
  }
  result.wafers = waiting.size();
  return result;
}

Result<Quality> assess_quality(const store::Snapshot& snapshot) {
  Gathered all;
  YL_ASSIGN(const auto sources, snapshot.sources());
  for (const store::SourceRecord& source : sources) {
    SourceQuality& q = all.by_source[source.digest.short_id()];
    q.name = source.name;
    q.reader = source.reader;
    q.rows = source.rows;
    q.rejects = source.rejects_total;
  }
  YL_TRY(add_keys(snapshot, all));
  YL_TRY(add_ranges(snapshot, all));
  YL_TRY(add_time_order(snapshot, all));
  YL_TRY(add_coordinates(snapshot, all));
  Quality quality;
  for (const auto& [id, cells] : all.cells) {
    const auto it = all.by_source.find(id);
    if (it == all.by_source.end() || cells.cells == 0) continue;
    it->second.completeness = static_cast<double>(cells.filled) / static_cast<double>(cells.cells);
  }
  for (auto& [id, source] : all.by_source) quality.sources.push_back(std::move(source));
  std::ranges::sort(quality.sources, {}, &SourceQuality::name);
  YL_ASSIGN(quality.unresolved, unresolved_wafers(snapshot));
  return quality;
}

std::string quality_sentence(const Unresolved& unresolved) {
  if (unresolved.wafers == 0) return {};
  return fmt::format("{} wafers with results wait for their lot history: {}{}.", unresolved.wafers,
                     one_line(join(unresolved.first, ", ")),
                     unresolved.wafers > unresolved.first.size() ? ", ..." : "");
}

std::vector<std::string> quality_sentences(const Quality& quality) {
  struct Kind {
    std::uint64_t SourceQuality::*member;
    std::string_view what;
  };
  constexpr Kind kKinds[] = {
      {&SourceQuality::rejects, "records that could not be read"},
      {&SourceQuality::duplicates, "rows that repeat an earlier row of their file"},
      {&SourceQuality::out_of_range, "rows with a value that cannot be"},
      {&SourceQuality::time_order, "rows out of their order in time"},
      {&SourceQuality::defects_outside_die, "defects outside their die"},
      {&SourceQuality::die_outside_wafer, "inspected die outside the wafer"}};
  std::vector<std::string> sentences;
  for (const Kind& kind : kKinds) {
    std::uint64_t rows = 0, files = 0;
    const SourceQuality* worst = nullptr;
    for (const SourceQuality& source : quality.sources) {
      rows += source.*kind.member;
      files += source.*kind.member > 0 ? 1U : 0U;
      if (worst == nullptr || source.*kind.member > worst->*kind.member) worst = &source;
    }
    if (rows == 0) continue;
    sentences.push_back(fmt::format("{} {} in {} files, most of them in {}.", rows, kind.what,
                                    files, one_line(worst->name)));
  }
  const auto gaps = std::ranges::count_if(
      quality.sources, [](const SourceQuality& s) { return s.completeness < 1.0; });
  if (gaps > 0) {
    sentences.push_back(fmt::format(
        "{} files leave lots, wafers, steps or times empty that identify their rows.", gaps));
  }
  if (std::string waiting = quality_sentence(quality.unresolved); !waiting.empty()) {
    sentences.push_back(std::move(waiting));
  }
  return sentences;
}

}  // namespace yieldloop::session
