/// \file
/// The tables of a scope, one after the other, into FabData. Used by load_fab only.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/session/load.h"

namespace yieldloop::session {

class TableLoader {
 public:
  /// `lots_sql` is the scope's lots as a quoted SQL list.
  TableLoader(store::Snapshot& snapshot, std::string lots_sql, const Scope& scope, LoadedFab& fab);

  /// First: the others join what it found.
  Status load_wafers();
  Status load_step_runs();
  Status load_die_results();
  Status load_inspections();
  Status load_defects();
  Status load_sensors_and_metrology();
  Status load_maintenance();
  /// Packages with a result and a die of the scope, and all their die.
  Status load_packages();
  /// Adds a caveat for each table with rows of wafers that lot history does not know.
  void name_unjoined();

 private:
  using WaferKey = std::pair<std::string, std::string>;  ///< Lot and canonical id.

  Result<std::map<WaferKey, WaferKey>> wafers_before_splits();
  std::optional<WaferId> wafer_of(std::string_view lot, std::string_view wafer) const;
  Result<store::Table> rows(const std::string& columns, const std::string& table,
                            const std::string& order);
  NameId name(const store::Column& column, std::size_t row) {
    return fab_.data.names.intern(column.as_text(row));
  }
  Status choose_pass_rule(const store::Table& die);
  bool passed(const store::Table& die, std::size_t row) const;
  Status load_inspected_dies();

  store::Snapshot& snapshot_;
  std::string lots_sql_;
  const Scope& scope_;
  LoadedFab& fab_;
  std::map<WaferKey, WaferId> wafers_;
  std::unordered_map<std::string, std::uint32_t> inspections_;  ///< id -> position.
  std::vector<std::uint8_t> turns_;  ///< Quarter turns of each inspection to notch-down.
  std::map<std::pair<std::string, int>, char> bin_flags_;  ///< (test run, hard bin) -> P or F.
};

}  // namespace yieldloop::session
