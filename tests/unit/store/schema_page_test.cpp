#include "engine/store/schema_page.h"

#include <set>

#include "catch_portable.h"
#include "engine/core/file_system.h"
#include "engine/store/schema.h"

using namespace yieldloop;

TEST_CASE("schema: docs/tables.md is what the program prints", "[store][schema]") {
  const auto page =
      read_text_file(real_file_system(), fs::path(YIELDLOOP_SOURCE_DIR) / "docs" / "tables.md");
  REQUIRE(page);
  CHECK(*page == store::schema_markdown());
}

TEST_CASE("schema: table and column names are there once", "[store][schema]") {
  std::set<std::string_view> tables;
  for (const store::TableSchema& table : store::all_tables()) {
    CHECK(tables.insert(table.name).second);
    std::set<std::string_view> columns{store::kSourceColumn, store::kSourceRowColumn};
    for (const store::ColumnSchema& column : table.columns) {
      CAPTURE(table.name, column.name);
      CHECK(columns.insert(column.name).second);
    }
  }
  CHECK(store::find_table("lot_history") != nullptr);
  CHECK(store::find_table("nothing") == nullptr);
}
