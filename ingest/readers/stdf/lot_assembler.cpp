#include "ingest/readers/stdf/lot_assembler.h"

#include <fmt/format.h>

#include <algorithm>

#include "ingest/readers/stdf/test_check.h"

namespace yieldloop::ingest::stdf {
namespace {

template <class T>
void add_real(store::Column& column, const std::optional<T>& value) {
  if (value) {
    column.add_real(static_cast<double>(*value));
  } else {
    column.add_null();
  }
}

void add_int(store::Column& column, const std::optional<int>& value) {
  if (value) {
    column.add_int(*value);
  } else {
    column.add_null();
  }
}

void add_text(store::Column& column, const std::string& value) {
  if (value.empty()) {
    column.add_null();
  } else {
    column.add_text(value);
  }
}

constexpr std::size_t kBatchRows = 1U << 16U;

}  // namespace

LotAssembler::LotAssembler(std::string id_prefix, std::size_t first_run, PartCounts& counts,
                           store::RowSink& sink)
    : sink_(sink),
      results_(std::move(id_prefix), first_run, lot_, tests_, counts, summaries_, sink),
      records_(sink) {}

RowPlace LotAssembler::place() {
  const OpenPart part = results_.only_open_part();
  if (part.sequence >= 0) return {.run = results_.run_id(part.run), .part = part.sequence};
  const std::int32_t run = results_.open_run();
  if (run < 0) return {};
  return {.run = results_.run_id(static_cast<std::size_t>(run)), .part = -1};
}

void LotAssembler::read_tsr(const Record& record) {
  const bool overall = values_.fields[0].number() == 255;
  const auto count = [this](std::size_t i) {
    return values_.fields[i].given ? static_cast<std::uint32_t>(values_.fields[i].number())
                                   : UINT32_MAX;
  };
  const auto real = [this](std::size_t i) { return values_.fields[i].real(FieldType::kR4); };
  const FieldValue& name = values_.fields[7];
  const auto absent = static_cast<unsigned>(values_.fields[10].number());
  TestTotals said{.executions = count(4), .failures = count(5) == UINT32_MAX ? 0 : count(5)};
  said.has_range = values_.fields[13].given && (absent & 3U) == 0;
  if (said.has_range) {
    said.least = static_cast<float>(real(12));
    said.most = static_cast<float>(real(13));
  }
  said.has_sum = values_.fields[14].given && (absent & 16U) == 0;
  if (said.has_sum) said.sum = real(14);
  tests_.add_totals(static_cast<char>(values_.fields[2].number()), count(3),
                    name.given ? name.text() : std::string_view(), overall, said);
  keep(record);
}

/// A scan test that fails in many cycles is several records; its verdict counts once.
void LotAssembler::read_scan_test(const Record& record) {
  const auto number = [this](std::size_t i) { return values_.fields[i].number(); };
  const FieldValue& text = values_.fields[7];
  const std::int32_t test = tests_.find('S', static_cast<std::uint32_t>(number(1)),
                                        text.given ? text.text() : std::string_view());
  const auto head = static_cast<std::uint8_t>(number(2));
  const auto site = static_cast<std::uint8_t>(number(3));
  const auto key = static_cast<std::int32_t>(head << 8U | site);
  const auto open = std::ranges::find(scans_that_go_on_, key);
  const OpenPart part =
      open == scans_that_go_on_.end()
          ? results_.add_verdict(head, site, test, static_cast<std::uint8_t>(number(5)), record)
          : results_.part_in_flight(head, site, record);
  const bool goes_on = (number(0) & 1U) != 0;
  if (open != scans_that_go_on_.end()) scans_that_go_on_.erase(open);
  if (goes_on) scans_that_go_on_.push_back(key);
  records_.keep_fails(record, values_, results_.run_id(part.run), part.sequence, test);
}

/// Counts of parts and bins, for the comparison with what was read.
Taking LotAssembler::read_summary(const Record& record, std::endian order) {
  Fields fields(record.body, order);
  const RecordPlace at{record.byte_offset, record.ordinal};
  const bool overall = fields.u1() == 255;
  fields.u1();  // SITE_NUM
  if (record.code == kPcr) {
    const std::uint32_t parts = fields.u4(UINT32_MAX);
    fields.u4();  // RTST_CNT
    fields.u4();  // ABRT_CNT
    const std::uint32_t good = fields.u4(UINT32_MAX);
    if (fields.cut()) return {.cut = true, .surplus = 0};
    summaries_.lot(overall, parts, good, at);
    return {};
  }
  const std::uint16_t number = fields.u2();
  const std::uint32_t count = fields.u4(UINT32_MAX);
  Fields whole(record.body, order);
  if (fields.cut() || !bins_.read(whole, record.code == kHbr)) return {.cut = true, .surplus = 0};
  summaries_.bin(record.code == kHbr, overall, number, count, at);
  return {};
}

Taking LotAssembler::take_fact(const Record& record, std::endian order) {
  Fields fields(record.body, order);
  switch (record.code) {
    case kMir: lot_.read_mir(fields); break;
    case kSdr: lot_.read_sdr(fields); break;
    case kWcr: lot_.read_wcr(fields); break;
    case kMrr:
      lot_.finished_at = from_tester_time(fields.u4());
      lot_.complete = true;
      break;
    case kPcr:
    case kHbr:
    case kSbr: return read_summary(record, order);
    default: break;
  }
  return {};
}

/// Rows of its own for what the store has a table for, test_records for the rest.
void LotAssembler::keep(const Record& record) {
  switch (record.code) {
    case kPmr: return records_.keep_pin(record, values_, place());
    case kNmr: return records_.keep_pin_names(record, values_, place());
    case kPsr: return records_.keep_patterns(record, values_, place());
    case kCnr: return records_.keep_cell(record, values_, place());
    case kCdr: records_.keep_chain(record, values_, place()); break;
    case kFar:
    case kEps: return;
    default: break;
  }
  records_.keep(record, values_, place());
}

Taking LotAssembler::take_other(const Record& record, std::endian order) {
  switch (record.code) {
    case kMpr: return results_.read_mpr(record, order);
    case kFtr: return results_.read_ftr(record, order);
    case kPir: return results_.read_pir(record, order);
    case kPrr: return results_.read_prr(record, order);
    default: break;
  }
  const std::size_t index = type_index(record.code);
  if (index == 0) {
    records_.keep_private(record, place());
    return {};
  }
  if (record.body.size() < type_at(index).least ||
      !decode(*find_layout(record.code), record.body, order, values_)) {
    return {.cut = true, .surplus = 0};
  }
  const Taking taking{.cut = false, .surplus = values_.surplus};
  if (record.code == kTsr) return read_tsr(record), taking;
  if (record.code == kStr) return read_scan_test(record), taking;
  if (record.code == kWir) {
    ++wafers_;
    if (results_.read_wir(record, order).cut) return {.cut = true, .surplus = 0};
  } else if (record.code == kWrr) {
    const std::size_t before = results_.runs().size();
    if (results_.read_wrr(record, order).cut) return {.cut = true, .surplus = 0};
    wafers_ += results_.runs().size() - before;  // A WRR without its WIR.
  } else if (take_fact(record, order).cut) {
    return {.cut = true, .surplus = 0};
  }
  keep(record);
  return taking;
}

std::vector<Disagreement> LotAssembler::disagreements() {
  if (lot_.complete) {
    for (const PartInFlight& part : results_.in_flight()) {
      summaries_.part_without_prr({part.byte_offset, 0}, part.head, part.site);
    }
  }
  auto found = summaries_.finish();
  check_tests(tests_, results_.doubtful(), found);
  return found;
}

store::Table LotAssembler::run_rows() const {
  auto t = store::Table::of("test_runs");
  for (std::size_t i = 0; i < results_.runs().size(); ++i) add_run(t, i);
  return t;
}

void LotAssembler::add_run(store::Table& t, std::size_t i) const {
  const Run& run = results_.runs()[i];
  const bool is_wafer = wafers_ > 0;
  t["test_run"].add_text(results_.run_id(i));
  t["lot_id"].add_text(lot_.lot_id);
  t["wafer_id"].add_text(run.wafer_id);
  add_text(t["product"], lot_.product);
  t["insertion"].add_text(lot_.insertion());
  add_text(t["program"], lot_.program);
  add_text(t["program_revision"], lot_.program_revision);
  add_text(t["sublot"], lot_.sublot);
  add_text(t["tester"], lot_.tester);
  add_text(t["tester_type"], lot_.tester_type);
  add_text(t["operator"], lot_.operator_name);
  add_text(t["temperature"], lot_.temperature);
  add_text(t["probe_card"], lot_.first_card);
  add_text(t["retest_code"], lot_.retest_code);
  t["started_at"].add_time(run.started_at.known() ? run.started_at : lot_.started_at);
  t["finished_at"].add_time(run.finished_at.known() || is_wafer ? run.finished_at
                                                                : lot_.finished_at);
  if (lot_.has_wafer_setup) {
    add_real(t["die_width"], lot_.die_width);
    add_real(t["die_height"], lot_.die_height);
    t["wafer_units"].add_int(lot_.wafer_units);
    add_text(t["flat"], lot_.flat);
    add_int(t["center_x"], lot_.center_x);
    add_int(t["center_y"], lot_.center_y);
    add_text(t["positive_x"], lot_.positive_x);
    add_text(t["positive_y"], lot_.positive_y);
  }
  t["parts"].add_int(run.parts);
  t["complete"].add_bool(lot_.complete);
  t[store::kSourceRowColumn].add_int(static_cast<std::int64_t>(run.ordinal) + 1);
  t.finish_row();
}

bool LotAssembler::put_limit_rows() {
  auto t = store::Table::of("test_limits");
  const bool one_run = results_.runs().size() == 1;
  for (const auto& [run, id] : results_.tests_of_runs()) {
    const Test& test = tests_[id];
    t["test_run"].add_text(results_.run_id(run));
    t["test_id"].add_int(id);
    t["test_number"].add_int(test.number);
    add_text(t["test_name"], clean(test.text.empty() ? test.name : test.text));
    t["kind"].add_text(std::string_view(&test.kind, 1));
    add_text(t["units"], test.limits.units);
    add_real(t["lo_limit"], test.limits.lo_limit);
    add_real(t["hi_limit"], test.limits.hi_limit);
    add_real(t["lo_spec"], test.limits.lo_spec);
    add_real(t["hi_spec"], test.limits.hi_spec);
    add_int(t["result_scale"], test.limits.result_scale);
    if (test.has_totals && one_run) {
      t["executions"].add_int(static_cast<std::int64_t>(test.totals.executions));
      t["failures"].add_int(static_cast<std::int64_t>(test.totals.failures));
    }
    t[store::kSourceRowColumn].add_int(id + 1);
    t.finish_row();
    if (t.rows() < kBatchRows) continue;
    if (!sink_.put(std::move(t))) return false;
    t = store::Table::of("test_limits");
  }
  return t.rows() == 0 || sink_.put(std::move(t));
}

bool LotAssembler::put_bin_rows() {
  auto t = store::Table::of("test_bins");
  for (std::size_t i = 0; i < runs(); ++i) {
    bins_.append(t, results_.run_id(i), runs() == 1);
    if (t.rows() < kBatchRows) continue;
    if (!sink_.put(std::move(t))) return false;
    t = store::Table::of("test_bins");
  }
  return t.rows() == 0 || sink_.put(std::move(t));
}

bool LotAssembler::finish() {
  results_.finish();
  records_.finish();
  if (cancelled()) return false;
  store::Table runs = run_rows();
  if (runs.rows() > 0 && !sink_.put(std::move(runs))) return false;
  return put_limit_rows() && put_bin_rows();
}

}  // namespace yieldloop::ingest::stdf
