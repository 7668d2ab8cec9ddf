#include "ingest/readers/stdf/value_batch.h"

#include <span>

namespace yieldloop::ingest::stdf {

void ValueBatch::grow() {
  constexpr std::size_t kFirst = 1024;
  // The last step goes straight to the whole: from there on batches are full.
  capacity_ = capacity_ == 0 ? kFirst : capacity_ < kRows / 8 ? 4 * capacity_ : kRows;
  part_.resize(capacity_);
  test_.resize(capacity_);
  flags_.resize(capacity_);
  value_.resize(capacity_);
  valid_.resize(capacity_);
  row_.resize(capacity_);
}

void ValueBatch::begin_run(std::uint32_t run) {
  last_run_ = run;
  runs_.emplace_back(run, rows_);
}

void ValueBatch::set_element(std::int32_t element) {
  element_.resize(rows_ - 1, kNoElement);
  element_.push_back(element);
}

store::Table ValueBatch::take(const std::vector<std::string>& run_ids) {
  auto t = store::Table::of("test_values");
  store::Column& run = t["test_run"];
  for (std::size_t k = 0; k < runs_.size(); ++k) {
    const std::size_t end = k + 1 < runs_.size() ? runs_[k + 1].second : rows_;
    run.add_texts(run_ids[runs_[k].first], end - runs_[k].second);
  }
  for (auto* numbers : {&part_, &test_, &flags_}) numbers->resize(rows_);
  value_.resize(rows_);
  row_.resize(rows_);
  valid_.resize(rows_);
  t["part_sequence"].adopt_values(std::move(part_));
  t["test_id"].adopt_values(std::move(test_));
  if (!element_.empty()) {
    std::vector<std::uint8_t> valid(element_.size());
    for (std::size_t i = 0; i < element_.size(); ++i) {
      valid[i] = element_[i] == kNoElement ? 0 : 1;
      if (valid[i] == 0) element_[i] = 0;
    }
    t["element"].append_values(std::span<const std::int32_t>(element_), valid);
  }
  if (invalid_ == 0) {
    t["value"].adopt_values(std::move(value_));
  } else {
    t["value"].adopt_values(std::move(value_), std::move(valid_));
  }
  t["flags"].adopt_values(std::move(flags_));
  t[store::kSourceRowColumn].adopt_values(std::move(row_));
  t.finish_row();
  rows_ = invalid_ = 0;
  last_run_ = UINT32_MAX;
  runs_.clear();
  element_.clear();
  // The arrays went with the rows; after a full batch another full one is likely.
  const bool was_full = t.rows() == kRows;
  valid_.clear();
  capacity_ = was_full ? kRows / 8 : 0;
  if (was_full) grow();
  return t;
}

}  // namespace yieldloop::ingest::stdf
