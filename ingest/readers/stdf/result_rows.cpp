#include "ingest/readers/stdf/result_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace yieldloop::ingest::stdf {
namespace {

constexpr std::size_t kBatchRows = 1U << 18U;
// TEST_FLG
constexpr unsigned kResultInvalid = 0x02;
constexpr unsigned kNotExecuted = 0x10;
// PART_FLG
constexpr unsigned kSupersedes = 0x03;  // Of the same PART_ID, of the same X and Y.
constexpr unsigned kPartFailed = 0x08;
constexpr unsigned kNoVerdict = 0x10;

constexpr std::uint16_t site_key(std::uint8_t head, std::uint8_t site) {
  return static_cast<std::uint16_t>(head << 8U | site);
}

void add_number(store::Column& column, std::int64_t value, bool known) {
  if (known) {
    column.add_int(value);
  } else {
    column.add_null();
  }
}

}  // namespace

ResultRows::ResultRows(std::string id_prefix, std::size_t first_run, const LotFacts& lot,
                       TestCatalogue& tests, PartCounts& counts, store::RowSink& sink)
    : id_prefix_(std::move(id_prefix)),
      first_run_(first_run),
      lot_(lot),
      tests_(tests),
      counts_(counts),
      sink_(sink),
      values_(store::Table::of("test_values")),
      dies_(store::Table::of("die_results")),
      v_run_(values_.index("test_run")),
      v_part_(values_.index("part_sequence")),
      v_test_(values_.index("test_id")),
      v_element_(values_.index("element")),
      v_value_(values_.index("value")),
      v_flags_(values_.index("flags")),
      v_row_(values_.index(store::kSourceRowColumn)) {
  run_of_head_.fill(kNoRun);
}

std::uint32_t ResultRows::open_run(std::string wafer_id, UtcMicros started_at,
                                   std::uint64_t ordinal) {
  Run& run = runs_.emplace_back();
  run.id = fmt::format("{}-{}", id_prefix_, first_run_ + runs_.size() - 1);
  run.wafer_id = std::move(wafer_id);
  run.started_at = started_at;
  run.ordinal = ordinal;
  return static_cast<std::uint32_t>(runs_.size() - 1);
}

std::uint32_t ResultRows::run_of(std::uint8_t head, std::uint64_t ordinal) {
  if (run_of_head_[head] != kNoRun) return static_cast<std::uint32_t>(run_of_head_[head]);
  if (lot_run_ == kNoRun) {
    lot_run_ = static_cast<std::int32_t>(open_run({}, lot_.started_at, ordinal));
  }
  return static_cast<std::uint32_t>(lot_run_);
}

bool ResultRows::read_wir(Fields& fields, std::uint64_t ordinal) {
  if (!fields.has(6)) return false;
  const std::uint8_t head = fields.u1();
  fields.u1();  // SITE_GRP
  const UtcMicros started_at = from_tester_time(fields.u4());
  const std::string wafer_id = clean(fields.cn());
  if (fields.cut()) return false;
  run_of_head_[head] = static_cast<std::int32_t>(open_run(wafer_id, started_at, ordinal));
  return true;
}

/// Some testers write another HEAD_NUM in the WRR than in the WIR: the wafer id decides then.
void ResultRows::end_run(std::uint8_t head, const std::string& wafer_id, UtcMicros finished_at,
                         std::uint64_t ordinal) {
  auto open = run_of_head_.begin() + head;
  if (*open == kNoRun) {
    const auto same_wafer = std::ranges::find_if(run_of_head_, [&](std::int32_t run) {
      return run != kNoRun && runs_[static_cast<std::size_t>(run)].wafer_id == wafer_id;
    });
    if (same_wafer != run_of_head_.end()) {
      open = same_wafer;
    } else {
      *open = static_cast<std::int32_t>(open_run(wafer_id, {}, ordinal));
    }
  }
  runs_[static_cast<std::size_t>(*open)].finished_at = finished_at;
  *open = kNoRun;
}

bool ResultRows::read_wrr(Fields& fields, std::uint64_t ordinal) {
  if (!fields.has(6)) return false;
  const std::uint8_t head = fields.u1();
  fields.u1();  // SITE_GRP
  const UtcMicros finished_at = from_tester_time(fields.u4());
  for (int i = 0; i < 5; ++i) fields.u4();  // PART_CNT .. FUNC_CNT
  const std::string wafer_id = clean(fields.cn());
  if (fields.cut()) return false;
  return end_run(head, wafer_id, finished_at, ordinal), true;
}

void ResultRows::begin_part(OpenPart& part, std::uint8_t head, std::uint64_t ordinal) {
  if (part.sequence >= 0) ++counts_.without_prr;
  part.run = run_of(head, ordinal);
  part.sequence = runs_[part.run].parts_begun++;
}

ResultRows::OpenPart& ResultRows::slot_of(std::uint8_t head, std::uint8_t site) {
  auto& sites = open_parts_[head];
  if (sites == nullptr) sites = std::make_unique<Sites>();
  return (*sites)[site];
}

ResultRows::OpenPart& ResultRows::part_of(std::uint8_t head, std::uint8_t site,
                                          std::uint64_t ordinal) {
  OpenPart& part = slot_of(head, site);
  if (part.sequence < 0) begin_part(part, head, ordinal);
  return part;
}

bool ResultRows::read_pir(Fields& fields, std::uint64_t ordinal) {
  if (!fields.has(2)) return false;
  const std::uint8_t head = fields.u1();
  const std::uint8_t site = fields.u1();
  begin_part(slot_of(head, site), head, ordinal);
  return true;
}

void ResultRows::count_part(std::uint8_t flags, std::uint16_t key, std::uint16_t hard_bin,
                            std::uint16_t soft_bin, std::int16_t x, std::int16_t y) {
  ++((flags & kNoVerdict) != 0    ? counts_.unknown
     : (flags & kPartFailed) != 0 ? counts_.fail
                                  : counts_.pass);
  if ((flags & kSupersedes) != 0) ++counts_.retested;
  ++counts_.hard_bins[hard_bin];
  if (soft_bin != UINT16_MAX) ++counts_.soft_bins[soft_bin];
  counts_.sites.insert(key);
  if (x == kNoCoordinate || y == kNoCoordinate) return;
  if (!counts_.has_xy) {
    counts_.x_min = counts_.x_max = x;
    counts_.y_min = counts_.y_max = y;
    counts_.has_xy = true;
  }
  counts_.x_min = std::min<int>(counts_.x_min, x);
  counts_.x_max = std::max<int>(counts_.x_max, x);
  counts_.y_min = std::min<int>(counts_.y_min, y);
  counts_.y_max = std::max<int>(counts_.y_max, y);
}

bool ResultRows::read_prr(Fields& fields, std::uint64_t ordinal) {
  if (!fields.has(7)) return false;
  const std::uint8_t head = fields.u1();
  const std::uint8_t site = fields.u1();
  const std::uint8_t flags = fields.u1();
  fields.u2();  // NUM_TEST
  const std::uint16_t hard_bin = fields.u2();
  const std::uint16_t soft_bin = fields.u2(UINT16_MAX);
  const std::int16_t x = fields.i2(kNoCoordinate);
  const std::int16_t y = fields.i2(kNoCoordinate);
  const std::uint32_t milliseconds = fields.u4();
  const std::string part_id = clean(fields.cn());
  if (fields.cut()) return false;
  OpenPart& part = part_of(head, site, ordinal);
  Run& run = runs_[part.run];
  count_part(flags, site_key(head, site), hard_bin, soft_bin, x, y);
  ++run.parts;
  store::Table& t = dies_;
  t["lot_id"].add_text(lot_.lot_id);
  t["wafer_id"].add_text(run.wafer_id);
  t["insertion"].add_text(lot_.insertion());
  t["die_x"].add_int(x);
  t["die_y"].add_int(y);
  t["hard_bin"].add_int(hard_bin);
  add_number(t["soft_bin"], soft_bin, soft_bin != UINT16_MAX);
  if ((flags & kNoVerdict) == 0) {
    t["pass"].add_bool((flags & kPartFailed) == 0);
  } else {
    t["pass"].add_null();
  }
  t["site"].add_int(site);
  t["tester"].add_text(lot_.tester);
  t["probe_card"].add_text(lot_.probe_card(head, site));
  t["tested_at"].add_time(run.started_at.known() ? run.started_at : lot_.started_at);
  t["test_run"].add_text(run.id);
  t["part_sequence"].add_int(part.sequence);
  t["part_id"].add_text(part_id);
  t["part_flag"].add_int(flags);
  add_number(t["test_time_ms"], milliseconds, milliseconds != 0 && milliseconds <= INT32_MAX);
  t[store::kSourceRowColumn].add_int(static_cast<std::int64_t>(ordinal) + 1);
  part.sequence = -1;
  if (dies_.rows() >= kBatchRows) flush_dies();
  return true;
}

void ResultRows::add_value(const OpenPart& part, std::int32_t test, float value, bool valid,
                           std::uint8_t flags, std::uint64_t ordinal) {
  Run& run = runs_[part.run];
  const auto id = static_cast<std::size_t>(test);
  if (id >= run.tests.size()) run.tests.resize(id + 64);
  run.tests[id] = true;
  values_.column(v_run_).add_text(run.id);
  values_.column(v_part_).add_int(part.sequence);
  values_.column(v_test_).add_int(test);
  if (valid) {
    values_.column(v_value_).add_real(static_cast<double>(value));
  } else {
    values_.column(v_value_).add_null();
  }
  values_.column(v_flags_).add_int(flags);
  values_.column(v_row_).add_int(static_cast<std::int64_t>(ordinal) + 1);
}

/// Fills the column up to the row added last; batches of PTR alone never touch it.
void ResultRows::add_element(std::int32_t element) {
  store::Column& column = values_.column(v_element_);
  while (column.size() + 1 < values_.rows()) column.add_null();
  column.add_int(element);
}

bool ResultRows::read_ptr(Fields& fields, std::uint64_t ordinal) {
  if (!fields.has(8)) return false;
  const std::uint32_t number = fields.u4();
  const std::uint8_t head = fields.u1();
  const std::uint8_t site = fields.u1();
  const std::uint8_t flags = fields.u1();
  fields.u1();  // PARM_FLG
  const bool has_result = fields.has(4);
  const float result = fields.r4();
  const std::string_view text = fields.cn();
  fields.cn();  // ALARM_ID
  if (fields.cut()) return false;
  const std::int32_t test = tests_.find('P', number, text);
  if (!fields.ended()) tests_.describe(test, read_limits(fields, std::nullopt));
  const bool valid =
      has_result && (flags & (kResultInvalid | kNotExecuted)) == 0 && std::isfinite(result);
  ++counts_.ptr;
  if (valid) {
    ++counts_.ptr_valid;
    counts_.ptr_sum += static_cast<double>(result);
  }
  add_value(part_of(head, site, ordinal), test, result, valid, flags, ordinal);
  if (values_.rows() >= kBatchRows) flush_values();
  return true;
}

bool ResultRows::read_mpr(Fields& fields, std::uint64_t ordinal) {
  if (!fields.has(8)) return false;
  const std::uint32_t number = fields.u4();
  const std::uint8_t head = fields.u1();
  const std::uint8_t site = fields.u1();
  const std::uint8_t flags = fields.u1();
  fields.u1();  // PARM_FLG
  const std::size_t pins = fields.u2();
  const std::size_t count = fields.u2();
  fields.skip((pins + 1) / 2);  // RTN_STAT, a nibble each.
  Fields results = fields;
  fields.skip(4 * count);
  if (count > 0 && !results.has(4 * count)) return false;
  const std::string_view text = fields.cn();
  fields.cn();  // ALARM_ID
  if (fields.cut()) return false;
  const std::int32_t test = tests_.find('M', number, text);
  if (!fields.ended()) tests_.describe(test, read_limits(fields, pins));
  counts_.mpr_values += count;
  const OpenPart& part = part_of(head, site, ordinal);
  const bool usable = (flags & (kResultInvalid | kNotExecuted)) == 0;
  for (std::size_t i = 0; i < count; ++i) {
    const float result = results.r4();
    add_value(part, test, result, usable && std::isfinite(result), flags, ordinal);
    add_element(static_cast<std::int32_t>(i));
  }
  // An MPR without results still says that the test was run, and how it went.
  if (count == 0) add_value(part, test, 0.0F, false, flags, ordinal);
  if (values_.rows() >= kBatchRows) flush_values();
  return true;
}

bool ResultRows::read_ftr(Fields& fields, std::uint64_t ordinal) {
  if (!fields.has(7)) return false;
  const std::uint32_t number = fields.u4();
  const std::uint8_t head = fields.u1();
  const std::uint8_t site = fields.u1();
  const std::uint8_t flags = fields.u1();
  fields.skip(1 + 4 * 4 + 2 * 4 + 2);  // OPT_FLAG, CYCL_CNT .. YFAIL_AD, VECT_OFF
  const std::size_t returned = fields.u2();
  const std::size_t programmed = fields.u2();
  fields.skip(2 * returned + (returned + 1) / 2);      // RTN_INDX, RTN_STAT
  fields.skip(2 * programmed + (programmed + 1) / 2);  // PGM_INDX, PGM_STAT
  const std::size_t fail_bits = fields.u2();
  fields.skip((fail_bits + 7) / 8);  // FAIL_PIN
  fields.cn();                       // VECT_NAM
  fields.cn();                       // TIME_SET
  fields.cn();                       // OP_CODE
  const std::string_view text = fields.cn();
  if (fields.cut()) return false;
  const std::int32_t test = tests_.find('F', number, text);
  add_value(part_of(head, site, ordinal), test, 0.0F, false, flags, ordinal);
  if (values_.rows() >= kBatchRows) flush_values();
  return true;
}

void ResultRows::flush_values() {
  values_.finish_row();
  if (!sink_.put(std::move(values_))) cancelled_ = true;
  values_ = store::Table::of("test_values");
}

void ResultRows::flush_dies() {
  dies_.finish_row();
  if (!sink_.put(std::move(dies_))) cancelled_ = true;
  dies_ = store::Table::of("die_results");
}

void ResultRows::finish() {
  for (auto& sites : open_parts_) {
    if (sites == nullptr) continue;
    counts_.without_prr += static_cast<std::uint64_t>(
        std::ranges::count_if(*sites, [](const OpenPart& part) { return part.sequence >= 0; }));
    sites.reset();
  }
  if (values_.rows() > 0) flush_values();
  if (dies_.rows() > 0) flush_dies();
}

}  // namespace yieldloop::ingest::stdf
