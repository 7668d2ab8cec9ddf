#include "models/features/feature_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "models/features/fab_index.h"

namespace yieldloop::models {
namespace {

struct SourceFacts {
  Source source;
  std::string_view name;
  std::size_t keys;
  bool category;
  bool die_level;
};

constexpr std::array kSources = {
    SourceFacts{Source::kDieColumn, "die_column", 0, false, true},
    SourceFacts{Source::kDieRow, "die_row", 0, false, true},
    SourceFacts{Source::kRadius, "radius", 0, false, true},
    SourceFacts{Source::kAngleSine, "angle_sine", 0, false, true},
    SourceFacts{Source::kAngleCosine, "angle_cosine", 0, false, true},
    SourceFacts{Source::kZone, "zone", 0, false, true},
    SourceFacts{Source::kEdgeDistance, "edge_distance", 0, false, true},
    SourceFacts{Source::kFieldColumn, "field_column", 0, false, true},
    SourceFacts{Source::kFieldRow, "field_row", 0, false, true},
    SourceFacts{Source::kDieDefects, "die_defects", 1, false, true},
    SourceFacts{Source::kDieClassDefects, "die_class_defects", 2, false, true},
    SourceFacts{Source::kDieLargestDefect, "die_largest_defect", 1, false, true},
    SourceFacts{Source::kNeighbourDefects, "neighbour_defects", 1, false, true},
    SourceFacts{Source::kSlot, "slot", 0, false, false},
    SourceFacts{Source::kTool, "tool", 1, true, false},
    SourceFacts{Source::kChamber, "chamber", 1, true, false},
    SourceFacts{Source::kRecipe, "recipe", 1, true, false},
    SourceFacts{Source::kReticle, "reticle", 1, true, false},
    SourceFacts{Source::kPosition, "position", 1, true, false},
    SourceFacts{Source::kQueue, "queue", 1, false, false},
    SourceFacts{Source::kFdc, "fdc", 3, false, false},
    SourceFacts{Source::kMetrologyMean, "metrology_mean", 2, false, false},
    SourceFacts{Source::kMetrologySpread, "metrology_spread", 2, false, false},
    SourceFacts{Source::kDefectDensity, "defect_density", 1, false, false},
    SourceFacts{Source::kClassDensity, "class_density", 2, false, false},
};

constexpr bool sources_are_in_order() {
  for (std::size_t i = 0; i < kSources.size(); ++i) {
    if (static_cast<std::size_t>(kSources[i].source) != i) return false;
  }
  return true;
}
static_assert(sources_are_in_order());

const SourceFacts& facts(Source source) { return kSources[static_cast<std::size_t>(source)]; }

constexpr std::string_view kOnWafer = "position on wafer";
constexpr std::string_view kInField = "position in exposure field";

std::string column_name(Source source, const std::vector<std::string>& keys) {
  const auto at = [&](std::size_t i) { return i < keys.size() ? keys[i] : std::string(); };
  switch (source) {
    case Source::kDieColumn: return "die column";
    case Source::kDieRow: return "die row";
    case Source::kRadius: return "distance from wafer centre (share of radius)";
    case Source::kAngleSine: return "angle on wafer (sine)";
    case Source::kAngleCosine: return "angle on wafer (cosine)";
    case Source::kZone: return "wafer zone (0 centre to 4 edge)";
    case Source::kEdgeDistance: return "distance to wafer edge (mm)";
    case Source::kFieldColumn: return "column in exposure field";
    case Source::kFieldRow: return "row in exposure field";
    case Source::kDieDefects: return fmt::format("defects at {}", at(0));
    case Source::kDieClassDefects: return fmt::format("{} defects at {}", at(1), at(0));
    case Source::kDieLargestDefect: return fmt::format("largest defect at {} (um)", at(0));
    case Source::kNeighbourDefects: return fmt::format("defects on neighbouring die at {}", at(0));
    case Source::kSlot: return "carrier slot";
    case Source::kTool: return fmt::format("tool at {}", at(0));
    case Source::kChamber: return fmt::format("chamber at {}", at(0));
    case Source::kRecipe: return fmt::format("recipe at {}", at(0));
    case Source::kReticle: return fmt::format("reticle at {}", at(0));
    case Source::kPosition: return fmt::format("position at {}", at(0));
    case Source::kQueue: return fmt::format("queue before {} (min)", at(0));
    case Source::kFdc: return fmt::format("{} of {} at {}", at(2), at(1), at(0));
    case Source::kMetrologyMean: return fmt::format("{} at {} (mean)", at(1), at(0));
    case Source::kMetrologySpread: return fmt::format("{} at {} (spread)", at(1), at(0));
    case Source::kDefectDensity: return fmt::format("defects per die at {}", at(0));
    case Source::kClassDensity: return fmt::format("{} defects per die at {}", at(1), at(0));
  }
  return {};
}

std::string column_group(Source source, const std::vector<std::string>& keys) {
  switch (source) {
    case Source::kFieldColumn:
    case Source::kFieldRow: return std::string(kInField);
    case Source::kSlot: return "carrier slot";
    case Source::kDieDefects:
    case Source::kDieClassDefects:
    case Source::kDieLargestDefect:
    case Source::kNeighbourDefects:
    case Source::kDefectDensity:
    case Source::kClassDensity: return fmt::format("inspection {}", keys.empty() ? "" : keys[0]);
    default:
      if (key_count(source) == 0) return std::string(kOnWafer);
      return fmt::format("step {}", keys.empty() ? "" : keys[0]);
  }
}

/// How well known and how lively a number column is over the wafers.
struct Liveliness {
  double coverage = 0.0;
  double variation = 0.0;  ///< Standard deviation over |mean|, or over 1 when the mean is 0.
};

Liveliness liveliness(std::span<const float> values) {
  double n = 0.0, mean = 0.0, m2 = 0.0;
  for (const float v : values) {
    if (std::isnan(v)) continue;
    n += 1.0;
    const double delta = static_cast<double>(v) - mean;
    mean += delta / n;
    m2 += delta * (static_cast<double>(v) - mean);
  }
  if (values.empty() || n < 2.0) return {};
  const double sd = std::sqrt(m2 / (n - 1.0));
  return {n / static_cast<double>(values.size()),
          sd / (std::abs(mean) > 0.0 ? std::abs(mean) : 1.0)};
}

/// Adds columns of process history, wafer by wafer.
class SchemaBuilder {
 public:
  SchemaBuilder(const FabIndex& index, const FeatureOptions& options)
      : index_(index), options_(options) {}

  void add_die_position() {
    for (const Source source :
         {Source::kDieColumn, Source::kDieRow, Source::kRadius, Source::kAngleSine,
          Source::kAngleCosine, Source::kZone, Source::kEdgeDistance}) {
      add(make_column(source, {}));
    }
    if (index_.data().product.reticle_columns > 1) add(make_column(Source::kFieldColumn, {}));
    if (index_.data().product.reticle_rows > 1) add(make_column(Source::kFieldRow, {}));
  }

  void add_inspections() {
    const bool die_level = options_.target == Target::kDieFail;
    for (const std::string& step : index_.inspection_steps()) {
      if (index_.is_after_test(step)) {
        leave_out(step);
        continue;
      }
      const auto classes = index_.classes_at(step, options_.max_classes_per_step);
      if (die_level) {
        add(make_column(Source::kDieDefects, {step}));
        add(make_column(Source::kDieLargestDefect, {step}));
        add(make_column(Source::kNeighbourDefects, {step}));
      } else {
        add_if_lively(make_column(Source::kDefectDensity, {step}));
      }
      if (classes.size() < 2) continue;
      for (const std::string& name : classes) {
        if (die_level)
          add(make_column(Source::kDieClassDefects, {step, name}));
        else
          add_if_lively(make_column(Source::kClassDensity, {step, name}));
      }
    }
  }

  void add_history() {
    add_if_lively(make_column(Source::kSlot, {}));
    for (const std::string& step : index_.process_steps()) {
      if (index_.is_after_test(step)) {
        leave_out(step);
        continue;
      }
      const auto tools = index_.categories(Source::kTool, step);
      const auto chambers = index_.categories(Source::kChamber, step);
      add_category(chambers.size() > tools.size() ? Source::kChamber : Source::kTool, step);
      add_category(Source::kRecipe, step);
      add_category(Source::kReticle, step);
      add_category(Source::kPosition, step);
      add_if_lively(make_column(Source::kQueue, {step}));
    }
  }

  void add_fdc() {
    std::vector<FeatureColumn> candidates;
    for (const auto& key : index_.fdc_keys()) {
      if (!index_.is_after_test(key[0])) candidates.push_back(make_column(Source::kFdc, key));
    }
    add_liveliest(std::move(candidates), options_.max_fdc, "FDC");
  }

  void add_metrology() {
    std::vector<FeatureColumn> candidates;
    for (const auto& key : index_.metrology_keys()) {
      if (index_.is_after_test(key[0])) continue;
      candidates.push_back(make_column(Source::kMetrologyMean, key));
      candidates.push_back(make_column(Source::kMetrologySpread, key));
    }
    add_liveliest(std::move(candidates), 2 * options_.max_metrology, "metrology");
  }

  DescribedFeatures take() { return std::move(result_); }

 private:
  void add(FeatureColumn column) { result_.schema.columns.push_back(std::move(column)); }

  void leave_out(const std::string& step) {
    result_.notes.push_back(
        fmt::format("Step {} runs after the test on most wafers and was left out.", step));
  }

  bool is_lively(const Liveliness& l) const {
    return l.coverage >= options_.min_coverage && l.variation > 0.0;
  }

  void add_if_lively(FeatureColumn column) {
    if (is_lively(liveliness(index_.wafer_values(column)))) add(std::move(column));
  }

  void add_category(Source source, const std::string& step) {
    FeatureColumn column = make_column(source, {step});
    column.categories = index_.categories(source, step);
    if (column.categories.size() < 2) return;
    if (column.categories.size() > options_.max_categories) {
      result_.notes.push_back(fmt::format("\"{}\" has {} values, more than {}, and was left out.",
                                          column.name, column.categories.size(),
                                          options_.max_categories));
      return;
    }
    add(std::move(column));
  }

  void add_liveliest(std::vector<FeatureColumn> candidates, std::size_t limit,
                     std::string_view what) {
    std::vector<std::pair<Liveliness, std::size_t>> ranked;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const Liveliness l = liveliness(index_.wafer_values(candidates[i]));
      if (is_lively(l)) ranked.emplace_back(l, i);
    }
    std::ranges::stable_sort(ranked, [](const auto& a, const auto& b) {
      if (a.first.coverage != b.first.coverage) return a.first.coverage > b.first.coverage;
      return a.first.variation > b.first.variation;
    });
    if (ranked.size() > limit) {
      result_.notes.push_back(
          fmt::format("{} of {} {} columns were kept.", limit, ranked.size(), what));
      ranked.resize(limit);
    }
    std::ranges::sort(ranked, {}, [](const auto& r) { return r.second; });
    for (const auto& r : ranked) add(std::move(candidates[r.second]));
  }

  const FabIndex& index_;
  const FeatureOptions& options_;
  DescribedFeatures result_;
};

}  // namespace

std::string_view target_name(Target target) {
  return target == Target::kDieFail ? "die_fail" : "wafer_yield";
}

std::optional<Target> find_target(std::string_view name) {
  for (const Target target : {Target::kDieFail, Target::kWaferYield}) {
    if (target_name(target) == name) return target;
  }
  return std::nullopt;
}

std::string_view source_name(Source source) { return facts(source).name; }

std::optional<Source> find_source(std::string_view name) {
  const auto found = std::ranges::find(kSources, name, &SourceFacts::name);
  if (found == kSources.end()) return std::nullopt;
  return found->source;
}

bool is_category(Source source) { return facts(source).category; }
bool is_die_level(Source source) { return facts(source).die_level; }
std::size_t key_count(Source source) { return facts(source).keys; }

FeatureColumn make_column(Source source, std::vector<std::string> keys) {
  FeatureColumn column{.source = source,
                       .keys = {},
                       .name = column_name(source, keys),
                       .group = column_group(source, keys),
                       .categories = {}};
  column.keys = std::move(keys);
  return column;
}

Result<DescribedFeatures> describe_features(const FabData& data, const FeatureOptions& options) {
  if (!(options.min_coverage >= 0.0 && options.min_coverage <= 1.0) || options.max_categories < 2) {
    return Error{Errc::kInvalidOptions, "FEAT-0001",
                 "The least coverage of a feature must lie in 0 to 1 and at least two categories "
                 "must be allowed."};
  }
  const FabIndex index(data);
  if (index.tested_wafers() == 0) {
    return Error{Errc::kNoData, "FEAT-0002",
                 "No die has a final test result, so there is nothing to learn from; ingest test "
                 "data first."};
  }
  SchemaBuilder builder(index, options);
  if (options.target == Target::kDieFail) builder.add_die_position();
  builder.add_inspections();
  builder.add_history();
  builder.add_fdc();
  builder.add_metrology();
  DescribedFeatures described = builder.take();
  described.schema.target = options.target;
  return described;
}

}  // namespace yieldloop::models
