/// \file
/// Rows of test_values on their way out: plain arrays that the fast path fills.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/store/table.h"

namespace yieldloop::ingest::stdf {

/// A batch of rows of test_values. Not thread-safe.
class ValueBatch {
 public:
  static constexpr std::size_t kRows = 1U << 17U;
  static constexpr std::int32_t kNoElement = -1;

  std::size_t rows() const { return rows_; }
  bool is_full() const { return rows_ >= kRows; }

  /// REQUIRES: not full. `run` is a position in what `take` gets.
  void add(std::uint32_t run, std::int32_t part, std::int32_t test, float value, bool valid,
           std::uint8_t flags, std::uint64_t ordinal) {
    if (run != last_run_) begin_run(run);
    if (rows_ == capacity_) grow();
    const std::size_t i = rows_++;
    part_[i] = part;
    test_[i] = test;
    value_[i] = valid ? value : 0.0F;
    valid_[i] = valid;
    flags_[i] = flags;
    row_[i] = static_cast<std::int64_t>(ordinal) + 1;
    invalid_ += valid ? 0U : 1U;
  }
  /// Says which element of an MPR the row added last is.
  void set_element(std::int32_t element);

  /// The rows as a batch of test_values; the batch is empty then.
  store::Table take(const std::vector<std::string>& run_ids);

 private:
  void grow();
  void begin_run(std::uint32_t run);

  std::size_t rows_ = 0;
  std::size_t capacity_ = 0;  ///< Of the arrays; grows to kRows as a file needs it.
  std::size_t invalid_ = 0;
  std::uint32_t last_run_ = UINT32_MAX;
  std::vector<std::pair<std::uint32_t, std::size_t>> runs_;  ///< Run and its first row.
  std::vector<std::int32_t> part_, test_, flags_;
  std::vector<float> value_;
  std::vector<std::uint8_t> valid_;
  std::vector<std::int64_t> row_;
  std::vector<std::int32_t> element_;  ///< Of the first rows; shorter than the batch, or empty.
};

}  // namespace yieldloop::ingest::stdf
