#include "ingest/pipeline/wire.h"

#include "catch_portable.h"
#include "engine/core/random.h"

using namespace yieldloop;
namespace wire = ingest::wire;
using store::Table;

namespace {

/// Rows of a table with every type, nulls here and there.
Table rows_of(std::string_view name, std::size_t rows, Random& random) {
  Table table = Table::of(name);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c + 2 < table.columns(); ++c) {
      if (random.below(5) == 0) continue;
      store::Column& column = table.column(c);
      const auto n = static_cast<std::int64_t>(random.below(1000));
      switch (column.type()) {
        case store::ColumnType::kBool: column.add_bool(n % 2 == 0); break;
        case store::ColumnType::kInt32:
        case store::ColumnType::kInt64: column.add_int(n); break;
        case store::ColumnType::kFloat32:
        case store::ColumnType::kFloat64: column.add_real(static_cast<double>(n) / 8); break;
        case store::ColumnType::kTime: column.add_time({n}); break;
        case store::ColumnType::kText: column.add_text("t" + std::to_string(n)); break;
      }
    }
    table[store::kSourceRowColumn].add_int(static_cast<std::int64_t>(r));
    table.finish_row();
  }
  return table;
}

std::string text_of(const Table& table, std::size_t from, std::size_t to) {
  std::string text = table.name();
  for (std::size_t r = from; r < to; ++r) {
    for (std::size_t c = 0; c < table.columns(); ++c) {
      if (table.column_name(c) == store::kSourceColumn) continue;
      text += (table.column(c).is_null(r) ? "-" : table.column(c).to_text(r)) + "|";
    }
    text += "\n";
  }
  return text;
}

std::vector<std::byte> encoded(const Table& table, std::size_t from, std::size_t to) {
  std::vector<std::byte> room(wire::encoded_bound(table, from, to));
  room.resize(wire::encode_rows(table, from, to, room));
  return room;
}

}  // namespace

TEST_CASE("wire: rows arrive as they were sent, whole or in pieces", "[pipeline][wire]") {
  Random random(7);
  for (const auto& schema : store::all_tables()) {
    const Table table = rows_of(schema.name, 40, random);
    for (const auto& [from, to] : {std::pair<std::size_t, std::size_t>{0, 40}, {3, 17}, {39, 40}}) {
      const auto arrived = wire::decode_rows(encoded(table, from, to));
      REQUIRE(arrived);
      CHECK(text_of(*arrived, 0, arrived->rows()) == text_of(table, from, to));
    }
  }
}

TEST_CASE("wire: rows that do not fit are not sent in part", "[pipeline][wire]") {
  Random random(8);
  const Table table = rows_of("defects", 100, random);
  const auto whole = encoded(table, 0, 100);
  for (std::size_t n = 0; n < whole.size(); n += 8) {
    std::vector<std::byte> room(n);
    CHECK(wire::encode_rows(table, 0, 100, room) == 0);
  }
}

TEST_CASE("wire: damaged rows are refused or are rows of a table", "[pipeline][wire][damage]") {
  Random random(9);
  const auto whole = encoded(rows_of("die_results", 30, random), 0, 30);
  for (std::size_t n = 0; n < whole.size(); n += 8) {
    CHECK_FALSE(wire::decode_rows(std::span(whole).first(n)));
  }
  std::size_t refused = 0;
  for (int i = 0; i < 5000; ++i) {
    auto damaged = whole;
    for (std::uint64_t k = random.below(4) + 1; k > 0; --k) {
      damaged[random.below(damaged.size())] = static_cast<std::byte>(random.below(256));
    }
    const auto arrived = wire::decode_rows(damaged);
    refused += arrived ? 0U : 1U;
    if (arrived) CHECK(text_of(*arrived, 0, arrived->rows()).size() > 30);
  }
  CHECK(refused > 50);
}

TEST_CASE("wire: reports and requests survive the way, damage is told", "[pipeline][wire]") {
  ingest::CheckReport report;
  report.path = "a.zip!b";
  report.kind = "tiny";
  report.status = ingest::FileStatus::kPartial;
  report.summary = {.version = "1.2",
                    .rows = 7,
                    .counts = {{"defects", 7.0}},
                    .grouped_counts = {{"bins", {{"1", 2.0}}}},
                    .texts = {{"table", "lots"}},
                    .warnings = {"One thing.", "Another."}};
  report.rejects = {{.byte_offset = 5, .line = 2, .record = 1, .id = "TINY-0001", .message = "no"}};
  report.rejects_total = 3;
  std::string bytes;
  wire::Writer out(bytes);
  wire::put(out, report);

  const auto arrived = wire::report_in(bytes);
  REQUIRE(arrived);
  std::string again;
  wire::Writer second(again);
  wire::put(second, *arrived);
  CHECK(again == bytes);
  CHECK(arrived->rejects == report.rejects);
  CHECK(arrived->summary.grouped_counts == report.summary.grouped_counts);
  for (std::size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(wire::report_in(bytes.substr(0, n)));
  CHECK_FALSE(wire::report_in(bytes + "x"));

  Random random(1);
  for (int i = 0; i < 5000; ++i) {
    std::string damaged = bytes;
    damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    (void)wire::report_in(damaged);
    (void)wire::document_in(damaged);
    (void)wire::request_in(damaged);
  }
}
