/// \file
/// Look-ups over FabData that the feature columns need; private to models/features.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "engine/core/fab_data.h"
#include "models/features/feature_schema.h"

namespace yieldloop::models {

/// Final outcome of one die.
struct FinalDie {
  DieIndex die;
  bool fail = false;
  friend auto operator<=>(const FinalDie&, const FinalDie&) = default;
};

/// Where the die lie on the wafer, in units of `unit`.
struct WaferGrid {
  double centre_x = 0.0, centre_y = 0.0;  ///< In die indices, die (0,0)'s lower left is (0, 0).
  double pitch_x = 1.0, pitch_y = 1.0;    ///< mm, or 1 when no pitch is known.
  double radius = 1.0;                    ///< mm, or in pitches.
};

/// Defects of one die at one inspection step.
struct DieDefects {
  DieIndex die;
  std::uint32_t count = 0;
  double largest_um = 0.0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> by_class;  ///< Class text id, count.
};

/// One wafer's last inspection at one step.
struct WaferInspection {
  std::uint32_t position = UINT32_MAX;  ///< In FabData::inspections; UINT32_MAX: not inspected.
  std::vector<DieDefects> die;          ///< Sorted by die; only die with defects.
  std::uint32_t defects = 0;
  const DieDefects* find(DieIndex index) const;
};

class FabIndex {
 public:
  explicit FabIndex(const FabData& data);

  const FabData& data() const { return data_; }
  const WaferGrid& grid() const { return grid_; }
  std::size_t tested_wafers() const { return tested_wafers_; }
  /// Sorted by die; empty when the wafer has no final result.
  std::span<const FinalDie> final_die(WaferId wafer) const { return final_[wafer.raw()]; }
  /// Every die position with a final result anywhere, sorted.
  const std::vector<DieIndex>& tested_positions() const { return positions_; }
  UtcMicros lot_time(NameId lot) const;

  const std::vector<std::string>& process_steps() const { return process_steps_; }
  const std::vector<std::string>& inspection_steps() const { return inspection_steps_; }
  const std::vector<std::vector<std::string>>& fdc_keys() const { return fdc_keys_; }
  const std::vector<std::vector<std::string>>& metrology_keys() const { return metrology_keys_; }
  /// True when most runs (or inspections) of the step begin after the wafer's first test.
  bool is_after_test(std::string_view step) const;
  /// Sorted distinct texts of a category source at a step, without the empty one.
  std::vector<std::string> categories(Source source, std::string_view step) const;
  /// The most frequent class labels at an inspection step, sorted by count, then name.
  std::vector<std::string> classes_at(std::string_view step, std::size_t limit) const;

  /// nullptr when the wafer was not inspected at the step.
  const WaferInspection* inspection(WaferId wafer, NameId step) const;
  /// True when the inspection covered the die (or lists no die at all).
  bool covers(const WaferInspection& inspection, DieIndex die) const;
  /// Shape: [wafers]; the value of a wafer-level column, NaN where it is missing.
  /// REQUIRES: !is_die_level(column.source).
  std::vector<float> wafer_values(const FeatureColumn& column) const;
  /// Class label of a defect: its name, else "class N".
  std::string class_label(const Defect& defect) const;
  /// Id of a class label in `DieDefects::by_class`; UINT32_MAX when no defect has it.
  std::uint32_t class_id(std::string_view label) const;

 private:
  struct Moments {
    double n = 0.0, mean = 0.0, m2 = 0.0;
    void add(double value);
  };
  using WaferMoments = std::unordered_map<std::uint32_t, Moments>;  ///< By wafer.

  void index_results();
  void index_history();
  void index_inspections();
  void index_measurements();
  void find_grid();
  void note_time(std::string_view step, WaferId wafer, UtcMicros at);
  void raise_lot_times();
  std::vector<float> run_values(const FeatureColumn& column) const;
  std::vector<float> measured_values(const FeatureColumn& column) const;
  std::vector<float> density_values(const FeatureColumn& column) const;

  const FabData& data_;
  WaferGrid grid_;
  std::size_t tested_wafers_ = 0;
  std::vector<std::vector<FinalDie>> final_;
  std::vector<UtcMicros> first_test_;  ///< By wafer.
  std::vector<DieIndex> positions_;
  std::unordered_map<NameId, UtcMicros> lot_time_;
  std::vector<std::string> process_steps_, inspection_steps_;
  std::map<std::string, std::pair<int, int>, std::less<>> after_test_;  ///< Step: after, all.
  /// (step, wafer) -> position of the last run in FabData::step_runs.
  std::unordered_map<std::uint64_t, std::uint32_t> last_run_;
  std::unordered_map<std::uint64_t, WaferInspection> inspected_;  ///< (step, wafer).
  std::map<std::string, std::uint32_t, std::less<>> class_ids_;
  std::map<std::vector<std::string>, WaferMoments> fdc_, metrology_;
  std::vector<std::vector<std::string>> fdc_keys_, metrology_keys_;
};

}  // namespace yieldloop::models
