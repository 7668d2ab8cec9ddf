/// \file
/// Fab data as one matrix a predictor can learn from: a row for each die (or wafer), a column for
/// each entry of the schema, NaN where the fab did not say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/result.h"
#include "models/features/feature_schema.h"

namespace yieldloop::models {

/// Which die (or wafer; then `die` is (0,0)) a row describes.
struct RowKey {
  WaferId wafer;
  DieIndex die;
  friend auto operator<=>(const RowKey&, const RowKey&) = default;
};

/// A lot of the table, in the order of `FeatureTable::lots`: by time, then by name.
struct TableLot {
  std::string name;
  UtcMicros at;  ///< Its last test; else its last step's end; else its last inspection.
  friend bool operator==(const TableLot&, const TableLot&) = default;
};

/// Rows are sorted by wafer, then die; wafers by lot name, then wafer id (FabData's order).
struct FeatureTable {
  FeatureSchema schema;
  std::vector<RowKey> rows;        ///< Shape: [n].
  std::vector<float> values;       ///< Shape: [n, columns], row by row; NaN is missing.
  std::vector<float> target;       ///< Shape: [n]; fail 1 / pass 0, or yield; NaN when unknown.
  std::vector<std::uint32_t> lot;  ///< Shape: [n]; position in `lots`.
  std::vector<TableLot> lots;      ///< Only lots with rows.
  std::size_t rows_available = 0;  ///< Before sampling.
  std::size_t wafers_available = 0;
  std::size_t wafers_used = 0;
  std::vector<std::string> notes;  ///< What was left out or sampled, one sentence each.
  friend bool operator==(const FeatureTable&, const FeatureTable&) = default;

  std::size_t columns() const { return schema.columns.size(); }
  std::span<const float> row(std::size_t i) const {
    return std::span(values).subspan(i * columns(), columns());
  }
};

struct RowOptions {
  /// Rows whose target is known only (training), or every wafer's die (prediction). A wafer
  /// without test results is given the die its inspections list, else every die position that
  /// any wafer of the data was tested at.
  bool only_with_target = true;
  /// Wafers are drawn whole, by seed, until the next one would exceed it. 0 is no limit.
  std::size_t max_rows = 60'000;
  std::uint64_t seed = 1;
};

/// Fills the schema's columns. A category that the schema does not know is missing (NaN).
/// A die fails when the final result of any of its insertions fails; a wafer's yield is the share
/// of its finally tested die that pass.
/// Errors: kNoData (FEAT-0003) when no row remains.
Result<FeatureTable> build_features(const FabData& data, const FeatureSchema& schema,
                                    const RowOptions& options);

/// SHA-256 (hex) over schema, row names, values and target; independent of the machine's byte
/// order and of NaN payloads.
std::string hash_of(const FabData& data, const FeatureTable& table);

}  // namespace yieldloop::models
