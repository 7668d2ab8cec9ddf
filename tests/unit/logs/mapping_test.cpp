#include "ingest/readers/logs/mapping.h"

#include "catch_portable.h"

using namespace yieldloop;
using ingest::parse_mapping;

namespace {

std::string error_of(std::string_view toml) {
  const auto mapping = parse_mapping(real_file_system(), toml);
  return mapping ? "" : mapping.error().id;
}

}  // namespace

TEST_CASE("mapping: every member is read", "[logs][mapping]") {
  const auto mapping = parse_mapping(real_file_system(), R"(
[site]
name = "FAB-A"

[[file]]
match = "WIP_MOVES_*.txt"
table = "lot_history"
delimiter = "|"
columns = { lot_id = "LOTID", started_at = "TRKIN" }
time_format = "%Y/%m/%d %H:%M:%S"

[[file]]
match = "EQ_*"
table = "equipment_states"
value_map = { state = { UP_RUN = "productive", UP_IDLE = "standby" } }
)");
  REQUIRE(mapping);
  CHECK(mapping->site == "FAB-A");
  REQUIRE(mapping->files.size() == 2);
  const auto* wip = mapping->find("WIP_MOVES_12.txt");
  REQUIRE(wip != nullptr);
  CHECK(wip->table == "lot_history");
  CHECK(wip->delimiter == '|');
  CHECK(wip->columns.at("started_at") == "TRKIN");
  CHECK(wip->time_format == "%Y/%m/%d %H:%M:%S");
  CHECK(mapping->find("EQ_1.csv")->value_map.at("state").at("UP_RUN") == "productive");
  CHECK(mapping->find("other.csv") == nullptr);
}

TEST_CASE("mapping: what it refuses, and where", "[logs][mapping][error]") {
  CHECK(error_of("[site\n") == "MAPP-0001");
  CHECK(error_of("[site]\ntime_zone = \"Mars/Olympus\"") == "MAPP-0002");
  CHECK(error_of("[[file]]\nmatch=\"*\"\ntable=\"defects\"") == "MAPP-0003");
  CHECK(error_of("[[file]]\nmatch=\"*\"\ntable=\"lots\"\ncolumns={lot=\"L\"}") == "MAPP-0004");
  CHECK(error_of("[[file]]\nmatch=\"*\"\ntable=\"lots\"\nvalue_map={x={a=\"b\"}}") == "MAPP-0004");
  CHECK(error_of("[[file]]\nmatch=\"*\"\ndelimiter=\"||\"") == "MAPP-0005");
  CHECK(error_of("[[file]]\ntable=\"lots\"") == "MAPP-0006");
  CHECK(error_of("[[file]]\nmatch=3") == "MAPP-0006");
  CHECK(error_of("[[file]]\nmatch=\"*\"\ncolumns={lot_id=3}") == "MAPP-0006");
  CHECK(ingest::load_mapping(real_file_system(), "/no/such/mapping.toml").error().code ==
        Errc::kNotFound);
}
