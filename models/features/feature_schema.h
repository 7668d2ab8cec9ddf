/// \file
/// Which columns a yield predictor sees, as data.
///
/// A schema is written once, from the training data, and stored with the model: prediction on
/// other data fills the very same columns with the very same category codes. Every column says
/// where its value comes from (`source` and `keys`), what people call it (`name`) and which part
/// of the fab it speaks of (`group`: a step, an inspection, a place on the wafer), so that
/// explanations can be summed to something an engineer can act on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/result.h"

namespace yieldloop::models {

/// What is predicted: whether a die fails its final test, or a wafer's final yield.
enum class Target : std::uint8_t { kDieFail, kWaferYield };

std::string_view target_name(Target target);  ///< "die_fail", "wafer_yield".
std::optional<Target> find_target(std::string_view name);

/// Where a column's value comes from. Keys in brackets.
enum class Source : std::uint8_t {
  kDieColumn,  ///< Die index x.
  kDieRow,     ///< Die index y.
  kRadius,     ///< Die centre's distance from the wafer centre / wafer radius.
  kAngleSine,  ///< Of the die centre seen from the wafer centre, x axis = 0.
  kAngleCosine,
  kZone,          ///< Ring of equal area, 0 centre .. 4 edge.
  kEdgeDistance,  ///< Die centre to the wafer's edge, mm (die pitches when no pitch is known).
  kFieldColumn,   ///< Column within the exposure field.
  kFieldRow,
  kDieDefects,        ///< [step] defects on the die.
  kDieClassDefects,   ///< [step, class] of one class.
  kDieLargestDefect,  ///< [step] largest defect on the die, um; 0 when there is none.
  kNeighbourDefects,  ///< [step] defects on the eight die around it.
  kSlot,              ///< Carrier slot of the wafer.
  kTool,              ///< [step] category.
  kChamber,           ///< [step] category "TOOL/CHAMBER".
  kRecipe,            ///< [step] category.
  kReticle,           ///< [step] category.
  kPosition,          ///< [step] category: chuck, head or boat slot.
  kQueue,             ///< [step] wait before the step, minutes.
  kFdc,               ///< [step, sensor, statistic] mean over the wafer's runs.
  kMetrologyMean,     ///< [step, parameter] mean over the sites.
  kMetrologySpread,   ///< [step, parameter] standard deviation over the sites.
  kDefectDensity,     ///< [step] defects of the wafer for each inspected die.
  kClassDensity,      ///< [step, class] of one class.
};

std::string_view source_name(Source source);  ///< As stored: "die_defects".
std::optional<Source> find_source(std::string_view name);
bool is_category(Source source);
/// True when the value belongs to the die, not to its wafer.
bool is_die_level(Source source);
/// How many keys a column of this source has.
std::size_t key_count(Source source);

struct FeatureColumn {
  Source source{};
  std::vector<std::string> keys;
  std::string name;                     ///< "defects at M1_CMP_INSP".
  std::string group;                    ///< "step M1_ETCH", "position on wafer", ...
  std::vector<std::string> categories;  ///< Sorted; the code is the position. Categories only.
  friend bool operator==(const FeatureColumn&, const FeatureColumn&) = default;
};

/// A column with its human-readable name and group.
FeatureColumn make_column(Source source, std::vector<std::string> keys);

struct FeatureSchema {
  Target target{};
  std::vector<FeatureColumn> columns;
  friend bool operator==(const FeatureSchema&, const FeatureSchema&) = default;
};

struct FeatureOptions {
  Target target = Target::kDieFail;
  std::size_t max_fdc = 120;             ///< FDC columns kept, best covered and most varying first.
  std::size_t max_metrology = 40;        ///< Metrology parameters kept, likewise.
  std::size_t max_classes_per_step = 6;  ///< Defect classes with a column of their own.
  std::size_t max_categories = 100;      ///< Steps with more tools than this give no column.
  double min_coverage = 0.3;             ///< Share of wafers that must have the value. In [0, 1].
};

struct DescribedFeatures {
  FeatureSchema schema;
  std::vector<std::string> notes;  ///< What was left out and why, one sentence each.
};

/// Chooses the columns by what the data hold, never by the target: a column is kept when it
/// varies and is known for `min_coverage` of the wafers. A step whose runs begin after the
/// wafer's first test on more than half of the wafers is left out: it cannot cause the result
/// and may be caused by it. Results of tests are never features.
/// Errors: kInvalidOptions (FEAT-0001); kNoData (FEAT-0002) when no die has a final result.
Result<DescribedFeatures> describe_features(const FabData& data, const FeatureOptions& options);

}  // namespace yieldloop::models
