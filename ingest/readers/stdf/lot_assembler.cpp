#include "ingest/readers/stdf/lot_assembler.h"

#include <algorithm>

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

}  // namespace

LotAssembler::LotAssembler(std::string id_prefix, std::size_t first_run, PartCounts& counts,
                           store::RowSink& sink)
    : sink_(sink), results_(std::move(id_prefix), first_run, lot_, tests_, counts, sink) {}

bool LotAssembler::read_tsr(Fields& fields) {
  if (!fields.has(7)) return false;
  const bool overall = fields.u1() == 255;
  fields.u1();  // SITE_NUM
  const char kind = fields.c1();
  const std::uint32_t number = fields.u4();
  const std::uint32_t executions = fields.u4(UINT32_MAX);
  const std::uint32_t failures = fields.u4(UINT32_MAX);
  fields.u4();  // ALRM_CNT
  const std::string_view name = fields.cn();
  if (fields.cut()) return false;
  tests_.add_totals(kind, number, name, overall, executions, failures);
  return true;
}

bool LotAssembler::read_mrr(Fields& fields) {
  if (!fields.has(4)) return false;
  lot_.finished_at = from_tester_time(fields.u4());
  lot_.complete = true;
  return true;
}

bool LotAssembler::take(const Record& record, std::endian order) {
  Fields fields(record.body, order);
  const std::uint64_t n = record.ordinal;
  switch (record.code) {
    case kPtr: return results_.read_ptr(fields, n);
    case kMpr: return results_.read_mpr(fields, n);
    case kFtr: return results_.read_ftr(fields, n);
    case kPir: return results_.read_pir(fields, n);
    case kPrr: return results_.read_prr(fields, n);
    case kWir: return results_.read_wir(fields, n) && ++wafers_ > 0;
    case kWrr: {
      const std::size_t before = results_.runs().size();
      if (!results_.read_wrr(fields, n)) return false;
      wafers_ += results_.runs().size() - before;  // A WRR without its WIR.
      return true;
    }
    case kHbr: return fields.has(4) && bins_.read(fields, true);
    case kSbr: return fields.has(4) && bins_.read(fields, false);
    case kTsr: return read_tsr(fields);
    case kMrr: return read_mrr(fields);
    case kMir: lot_.read_mir(fields); return !fields.cut();
    case kSdr: lot_.read_sdr(fields); return !fields.cut();
    case kWcr: lot_.read_wcr(fields); return !fields.cut();
    default: return true;
  }
}

store::Table LotAssembler::run_rows() const {
  auto t = store::Table::of("test_runs");
  for (const Run& run : results_.runs()) {
    const bool is_wafer = wafers_ > 0;
    t["test_run"].add_text(run.id);
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
  return t;
}

store::Table LotAssembler::limit_rows() const {
  auto t = store::Table::of("test_limits");
  const auto& tests = tests_.tests();
  const bool one_run = results_.runs().size() == 1;
  for (const Run& run : results_.runs()) {
    for (std::size_t id = 0; id < std::min(tests.size(), run.tests.size()); ++id) {
      if (!run.tests[id]) continue;
      const Test& test = tests[id];
      t["test_run"].add_text(run.id);
      t["test_id"].add_int(static_cast<std::int64_t>(id));
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
        t["executions"].add_int(static_cast<std::int64_t>(test.executions));
        t["failures"].add_int(static_cast<std::int64_t>(test.failures));
      }
      t[store::kSourceRowColumn].add_int(static_cast<std::int64_t>(id) + 1);
      t.finish_row();
    }
  }
  return t;
}

store::Table LotAssembler::bin_rows() const {
  auto t = store::Table::of("test_bins");
  for (const Run& run : results_.runs()) bins_.append(t, run.id, results_.runs().size() == 1);
  return t;
}

bool LotAssembler::finish() {
  results_.finish();
  if (results_.cancelled()) return false;
  for (store::Table table : {run_rows(), limit_rows(), bin_rows()}) {
    if (table.rows() > 0 && !sink_.put(std::move(table))) return false;
  }
  return true;
}

}  // namespace yieldloop::ingest::stdf
