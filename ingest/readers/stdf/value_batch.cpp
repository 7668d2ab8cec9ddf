#include "ingest/readers/stdf/value_batch.h"

#include <span>

namespace yieldloop::ingest::stdf {

ValueBatch::ValueBatch()
    : part_(kRows), test_(kRows), flags_(kRows), value_(kRows), valid_(kRows), row_(kRows) {}

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
  t["part_sequence"].append_values(std::span<const std::int32_t>(part_).first(rows_));
  t["test_id"].append_values(std::span<const std::int32_t>(test_).first(rows_));
  if (!element_.empty()) {
    std::vector<std::uint8_t> valid(element_.size());
    for (std::size_t i = 0; i < element_.size(); ++i) {
      valid[i] = element_[i] == kNoElement ? 0 : 1;
      if (valid[i] == 0) element_[i] = 0;
    }
    t["element"].append_values(std::span<const std::int32_t>(element_), valid);
  }
  t["value"].append_values(std::span<const float>(value_).first(rows_),
                           invalid_ == 0 ? std::span<const std::uint8_t>()
                                         : std::span<const std::uint8_t>(valid_).first(rows_));
  t["flags"].append_values(std::span<const std::int32_t>(flags_).first(rows_));
  t[store::kSourceRowColumn].append_values(std::span<const std::int64_t>(row_).first(rows_));
  t.finish_row();
  rows_ = invalid_ = 0;
  last_run_ = UINT32_MAX;
  runs_.clear();
  element_.clear();
  return t;
}

}  // namespace yieldloop::ingest::stdf
