/// \file
/// One product's fab data as plain columns of structs: what every analysis takes.
///
/// `engine/session` builds it from a store snapshot; tests build it by hand. Texts that repeat
/// (steps, tools, bins' names) are `NameId`s into one table. Rows of all tables are sorted by
/// their natural keys when the session builds them, so that the order of files does not matter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/core/product.h"
#include "engine/core/quantity.h"
#include "engine/core/time.h"

namespace yieldloop {

/// Interned texts. NameId{0} is the empty text: "the log did not say".
class NameTable {
 public:
  NameTable() { intern(""); }
  NameId intern(std::string_view text);
  /// The id of a text that is there, NameId{0} otherwise.
  NameId find(std::string_view text) const;
  const std::string& operator[](NameId id) const { return names_[id.raw()]; }
  std::size_t size() const { return names_.size(); }

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, NameId> ids_;
};

struct Wafer {
  NameId lot;
  NameId id;  ///< Within its lot.
  int slot = 0;
  friend bool operator==(const Wafer&, const Wafer&) = default;
};

/// One wafer's run through one step (a row of lot_history).
struct StepRun {
  WaferId wafer;
  int step_seq = 0;
  NameId step, layer, tool, chamber, recipe, reticle, position;
  int slot = 0;
  double queue_minutes = -1.0;  ///< Negative when not given.
  UtcMicros started, ended;
  friend bool operator==(const StepRun&, const StepRun&) = default;
};

/// One test of one die. A die that was tested again has several rows; `final_result` marks the
/// one that counts (latest superseding run), `first_pass` the first.
struct DieResult {
  WaferId wafer;
  DieIndex die;
  int hard_bin = 0;
  int soft_bin = 0;
  bool pass = false;
  bool first_pass = false;
  bool final_result = false;
  int site = -1;  ///< Tester site; -1 when unknown.
  NameId insertion, tester, probe_card, test_run;
  std::int32_t part_sequence = 0;  ///< Order within the run.
  UtcMicros tested_at;
  friend bool operator==(const DieResult&, const DieResult&) = default;
};

/// One inspection of one wafer. Frame facts are the file's own; `inspected` lists the die.
struct Inspection {
  std::string id;
  WaferId wafer;
  NameId step, tool, recipe;
  UtcMicros inspected_at;
  double die_pitch_x_um = 0.0, die_pitch_y_um = 0.0;
  double sample_center_x_um = 0.0, sample_center_y_um = 0.0;  ///< Wafer centre in die-grid frame.
  double area_cm2 = 0.0;                                      ///< Inspected area; 0 when unknown.
  std::vector<DieIndex> inspected;  ///< Sorted; empty when the file lists none.
};

struct Defect {
  std::uint32_t inspection = 0;  ///< Position in FabData::inspections.
  WaferId wafer;
  DieIndex die;
  double x_um = 0.0, y_um = 0.0;  ///< From the die's lower-left corner, notch down.
  double size_um = 0.0;           ///< DSIZE, or sqrt of area, or the larger of XSIZE, YSIZE.
  double area_um2 = 0.0;
  int class_number = 0;
  NameId class_name;
  int cluster = 0;
  std::int64_t defect_id = 0;
};

struct FdcValue {
  WaferId wafer;
  NameId step, tool, chamber, sensor, statistic;
  double value = 0.0;
  UtcMicros at;
};

struct MetrologyValue {
  WaferId wafer;
  NameId step, parameter;
  double value = 0.0;
  int site = -1;
  UtcMicros at;
};

struct MaintenanceEvent {
  NameId tool, chamber, event;
  UtcMicros at;
};

/// One final-tested package: fails when its latest result of any insertion fails.
struct Package {
  NameId id;
  bool pass = false;
  NameId failing_position;  ///< Of the failing result; empty when the test does not say.
  friend bool operator==(const Package&, const Package&) = default;
};

/// One die in a package.
struct PackagedDie {
  std::uint32_t package = 0;     ///< Position in FabData::packages.
  std::optional<WaferId> wafer;  ///< Nothing when the identity names no wafer of the scope.
  DieIndex die;
  NameId position, assembly_lot, supplier_lot, step, tool;
  friend bool operator==(const PackagedDie&, const PackagedDie&) = default;
};

struct FabData {
  Product product;
  NameTable names;
  std::vector<Wafer> wafers;            ///< Sorted by lot, then wafer id.
  std::vector<StepRun> step_runs;       ///< Sorted by wafer, then step_seq, then start.
  std::vector<DieResult> die_results;   ///< Sorted by wafer, insertion, die, then time.
  std::vector<Inspection> inspections;  ///< Sorted by wafer, step, time.
  std::vector<Defect> defects;          ///< Sorted by inspection, then defect_id.
  std::vector<FdcValue> fdc;
  std::vector<MetrologyValue> metrology;
  std::vector<MaintenanceEvent> maintenance;
  std::vector<Package> packages;          ///< Sorted by id's text.
  std::vector<PackagedDie> packaged_die;  ///< Sorted by package, then position's text.

  std::string wafer_label(WaferId wafer) const;  ///< "L012/W03".
};

}  // namespace yieldloop
