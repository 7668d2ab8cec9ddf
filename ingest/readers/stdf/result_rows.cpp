#include "ingest/readers/stdf/result_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ingest/readers/stdf/record_types.h"

namespace yieldloop::ingest::stdf {
namespace {

// PART_FLG
constexpr unsigned kSupersedes = 0x03;  // Of the same PART_ID, of the same X and Y.
constexpr unsigned kPartFailed = 0x08;
constexpr unsigned kNoVerdict = 0x10;

constexpr std::size_t kBatchRows = 1U << 16U;
/// Pairs of run and test are put in order when they have doubled.
constexpr std::size_t kUnsortedPairs = 1U << 20U;

constexpr Taking kCut{.cut = true, .surplus = 0};

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

Taking taken(const Fields& fields) { return {.cut = false, .surplus = fields.rest().size()}; }

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    fmt::format_to(std::back_inserter(text), "{:02X}", static_cast<unsigned char>(c));
  }
  return text;
}

}  // namespace

ResultRows::ResultRows(std::string id_prefix, std::size_t first_run, const LotFacts& lot,
                       TestCatalogue& tests, PartCounts& counts, SummaryCheck& summaries,
                       store::RowSink& sink)
    : id_prefix_(std::move(id_prefix)),
      first_run_(first_run),
      lot_(lot),
      tests_(tests),
      counts_(counts),
      summaries_(summaries),
      sink_(sink),
      dies_(store::Table::of("die_results")),
      functional_(store::Table::of("test_functional")) {
  run_of_head_.fill(kNoRun);
}

std::uint32_t ResultRows::begin_run(std::string wafer_id, UtcMicros started_at,
                                    std::uint64_t ordinal) {
  Run& run = runs_.emplace_back();
  run.wafer_id = std::move(wafer_id);
  run.started_at = started_at;
  run.ordinal = ordinal;
  run_ids_.push_back(fmt::format("{}-{}", id_prefix_, first_run_ + runs_.size() - 1));
  return static_cast<std::uint32_t>(runs_.size() - 1);
}

std::uint32_t ResultRows::run_of(std::uint8_t head, std::uint64_t ordinal) {
  if (run_of_head_[head] != kNoRun) return static_cast<std::uint32_t>(run_of_head_[head]);
  if (lot_run_ == kNoRun) {
    lot_run_ = static_cast<std::int32_t>(begin_run({}, lot_.started_at, ordinal));
  }
  return static_cast<std::uint32_t>(lot_run_);
}

Taking ResultRows::read_wir(const Record& record, std::endian order) {
  Fields fields(record.body, order);
  if (!fields.has(6)) return kCut;
  const std::uint8_t head = fields.u1();
  fields.u1();  // SITE_GRP
  const UtcMicros started_at = from_tester_time(fields.u4());
  const std::string wafer_id = clean(fields.cn());
  if (fields.cut()) return kCut;
  run_of_head_[head] = static_cast<std::int32_t>(begin_run(wafer_id, started_at, record.ordinal));
  return taken(fields);
}

/// Some testers write another HEAD_NUM in the WRR than in the WIR: the wafer id decides then.
std::uint32_t ResultRows::end_run(std::uint8_t head, const std::string& wafer_id,
                                  UtcMicros finished_at, std::uint64_t ordinal) {
  auto open = run_of_head_.begin() + head;
  if (*open == kNoRun) {
    const auto same_wafer = std::ranges::find_if(run_of_head_, [&](std::int32_t run) {
      return run != kNoRun && runs_[static_cast<std::size_t>(run)].wafer_id == wafer_id;
    });
    if (same_wafer != run_of_head_.end()) {
      open = same_wafer;
    } else {
      *open = static_cast<std::int32_t>(begin_run(wafer_id, {}, ordinal));
    }
  }
  const auto run = static_cast<std::uint32_t>(*open);
  runs_[run].finished_at = finished_at;
  *open = kNoRun;
  return run;
}

Taking ResultRows::read_wrr(const Record& record, std::endian order) {
  Fields fields(record.body, order);
  if (!fields.has(6)) return kCut;
  const std::uint8_t head = fields.u1();
  fields.u1();  // SITE_GRP
  const UtcMicros finished_at = from_tester_time(fields.u4());
  const std::uint32_t parts = fields.u4(UINT32_MAX);
  fields.u4();  // RTST_CNT
  fields.u4();  // ABRT_CNT
  const std::uint32_t good = fields.u4(UINT32_MAX);
  fields.u4();  // FUNC_CNT
  const std::string wafer_id = clean(fields.cn());
  for (int i = 0; i < 5; ++i) fields.cn();  // FABWF_ID .. EXC_DESC
  if (fields.cut()) return kCut;
  const std::uint32_t run = end_run(head, wafer_id, finished_at, record.ordinal);
  summaries_.wafer(run, runs_[run].wafer_id, parts, good, {record.byte_offset, record.ordinal});
  return taken(fields);
}

void ResultRows::begin_part(OpenPart& part, std::uint8_t head, std::uint8_t site,
                            const Record& record) {
  if (part.sequence >= 0) {
    ++counts_.without_prr;
    summaries_.part_without_prr({part.opened_at, record.ordinal}, head, site);
  } else {
    ++open_parts_;
  }
  part.run = run_of(head, record.ordinal);
  part.sequence = runs_[part.run].parts_begun++;
  part.opened_at = record.byte_offset;
  part.tests = 0;
}

void ResultRows::begin_unannounced_part(OpenPart& part, std::uint8_t head, std::uint8_t site,
                                        const Record& record) {
  summaries_.result_without_part({record.byte_offset, record.ordinal}, head, site);
  begin_part(part, head, site, record);
}

void ResultRows::end_part(OpenPart& part) {
  part.sequence = -1;
  --open_parts_;
}

Taking ResultRows::read_pir(const Record& record, std::endian order) {
  Fields fields(record.body, order);
  if (!fields.has(2)) return kCut;
  const std::uint8_t head = fields.u1();
  const std::uint8_t site = fields.u1();
  begin_part(parts_(head, site), head, site, record);
  summaries_.part_begins();
  return taken(fields);
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

Taking ResultRows::read_prr(const Record& record, std::endian order) {
  static const RecordLayout& layout = *find_layout(kPrr);
  if (record.body.size() < 7 || !decode(layout, record.body, order, record_)) return kCut;
  const auto small = [this](std::size_t i) {
    return static_cast<std::uint16_t>(record_.fields[i].number());
  };
  const auto head = static_cast<std::uint8_t>(small(0));
  const auto site = static_cast<std::uint8_t>(small(1));
  const auto flags = static_cast<std::uint8_t>(small(2));
  const std::uint16_t hard_bin = small(4);
  const std::uint16_t soft_bin = record_.fields[5].given ? small(5) : std::uint16_t{UINT16_MAX};
  const auto place = [&](std::size_t i) {
    return record_.fields[i].given ? static_cast<std::int16_t>(small(i)) : kNoCoordinate;
  };
  OpenPart& part = parts_(head, site);
  if (part.sequence < 0) {
    ++counts_.without_pir;
    summaries_.part_without_pir({record.byte_offset, record.ordinal}, head, site);
    begin_part(part, head, site, record);
  }
  count_part(flags, site_key(head, site), hard_bin, soft_bin, place(6), place(7));
  summaries_.part(part.run, {.hard_bin = hard_bin,
                             .soft_bin = soft_bin,
                             .x = place(6),
                             .y = place(7),
                             .passed = (flags & (kPartFailed | kNoVerdict)) == 0,
                             .has_verdict = (flags & kNoVerdict) == 0,
                             .supersedes_id = (flags & 1U) != 0,
                             .id = record_.fields[9].text()});
  summaries_.tests_of_part({record.byte_offset, record.ordinal}, small(3), part.tests);
  ++runs_[part.run].parts;
  add_die(record_, part, record.ordinal);
  end_part(part);
  return {.cut = false, .surplus = record_.surplus};
}

/// Fields by position in the PRR: see record_layout_tables.cpp.
void ResultRows::add_die(const RecordValues& prr, const OpenPart& part, std::uint64_t ordinal) {
  const Run& run = runs_[part.run];
  const auto number = [&prr](std::size_t i, std::int64_t missing) {
    return prr.fields[i].given ? prr.fields[i].integer() : missing;
  };
  const auto flags = static_cast<unsigned>(number(2, 0));
  const auto head = static_cast<std::uint8_t>(number(0, 0));
  const auto site = static_cast<std::uint8_t>(number(1, 0));
  store::Table& t = dies_;
  t["lot_id"].add_text(lot_.lot_id);
  t["wafer_id"].add_text(run.wafer_id);
  t["insertion"].add_text(lot_.insertion());
  t["die_x"].add_int(number(6, kNoCoordinate));
  t["die_y"].add_int(number(7, kNoCoordinate));
  t["hard_bin"].add_int(number(4, 0));
  add_number(t["soft_bin"], number(5, UINT16_MAX), number(5, UINT16_MAX) != UINT16_MAX);
  if ((flags & kNoVerdict) == 0) {
    t["pass"].add_bool((flags & kPartFailed) == 0);
  } else {
    t["pass"].add_null();
  }
  t["site"].add_int(site);
  t["tester"].add_text(lot_.tester);
  t["probe_card"].add_text(lot_.probe_card(head, site));
  t["tested_at"].add_time(run.started_at.known() ? run.started_at : lot_.started_at);
  t["test_run"].add_text(run_ids_[part.run]);
  t["part_sequence"].add_int(part.sequence);
  t["part_id"].add_text(clean(prr.fields[9].given ? prr.fields[9].text() : std::string_view()));
  t["part_flag"].add_int(flags);
  const std::int64_t milliseconds = number(8, 0);
  add_number(t["test_time_ms"], milliseconds, milliseconds != 0 && milliseconds <= INT32_MAX);
  attributes_.clear();
  if (prr.fields[10].given) attributes_.add("PART_TXT", clean(prr.fields[10].text()));
  if (prr.fields[11].given) attributes_.add("PART_FIX", hex(prr.fields[11].text()));
  if (const auto text = attributes_.finish(); !text.empty()) t["attributes"].add_text(text);
  t[store::kSourceRowColumn].add_int(static_cast<std::int64_t>(ordinal) + 1);
  t.finish_row();
  if (dies_.rows() >= kBatchRows) flush(dies_);
}

void ResultRows::note_test(std::uint32_t run, std::int32_t test) {
  tests_of_runs_.emplace_back(run, test);
  // Wafers of several heads tested side by side ask in turns: the same pairs come again.
  if (tests_of_runs_.size() > 2 * sorted_pairs_ + kUnsortedPairs) tests_of_runs();
}

void ResultRows::note_new(std::int32_t test, const Record& record) {
  tests_[test].begun_at = record.byte_offset;
  tests_[test].begun_ordinal = record.ordinal;
}

void ResultRows::note_doubtful(const PtrHead& p, const Record& record) {
  const auto note = [&](std::uint64_t& count, std::vector<DoubtfulResults::Place>& first) {
    if (++count <= DoubtfulResults::kMostNamed) {
      first.push_back({record.byte_offset, record.ordinal, p.number, p.result});
    }
  };
  const bool is_marked = (p.flags & (kResultInvalid | kNotExecuted)) != 0;
  const bool is_number = std::isfinite(p.result);
  if (!is_marked && !is_number) note(doubtful_.infinite, doubtful_.first_infinite);
  if (is_marked && is_number && p.result != 0.0F) note(doubtful_.invalid, doubtful_.first_invalid);
}

const std::vector<std::pair<std::uint32_t, std::int32_t>>& ResultRows::tests_of_runs() {
  auto& pairs = tests_of_runs_;
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  sorted_pairs_ = pairs.size();
  return pairs;
}

Taking ResultRows::read_ptr(const Record& record, std::endian order) {
  PtrHead p;
  if (!read_ptr_head(record.body, order != std::endian::native, p)) return kCut;
  const std::size_t known = tests_.tests().size();
  const std::int32_t test = tests_.find('P', p.number, p.text);
  Taking taking{.cut = false, .surplus = 0, .is_new = tests_.tests().size() != known};
  if (taking.is_new) note_new(test, record);
  if (p.taken < record.body.size()) {
    Fields fields(record.body.subspan(p.taken), order);
    taking.is_new = tests_.describe(test, fields, std::nullopt) || taking.is_new;
    if (fields.cut()) return kCut;
    taking.surplus = fields.rest().size();
  }
  ++counts_.ptr;
  ++doubtful_.results;
  tests_.count_result(test);
  if (p.valid) {
    ++counts_.ptr_valid;
    counts_.ptr_sum += static_cast<double>(p.result);
    tests_.count_value(test, p.result);
  } else {
    note_doubtful(p, record);
  }
  OpenPart& part = part_of(p.head, p.site, record);
  ++part.tests;
  add_value(part, test, p.result, p.valid, p.flags, record.ordinal);
  return taking;
}

Taking ResultRows::read_mpr(const Record& record, std::endian order) {
  Fields fields(record.body, order);
  if (!fields.has(8)) return kCut;
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
  if (count > 0 && !results.has(4 * count)) return kCut;
  const std::string_view text = fields.cn();
  fields.cn();  // ALARM_ID
  if (fields.cut()) return kCut;
  const std::size_t known = tests_.tests().size();
  const std::int32_t test = tests_.find('M', number, text);
  bool is_new = tests_.tests().size() != known;
  if (!fields.ended()) is_new = tests_.describe(test, fields, pins) || is_new;
  if (fields.cut()) return kCut;
  counts_.mpr_values += count;
  if (tests_.tests().size() != known) note_new(test, record);
  tests_.count_result(test);
  OpenPart& part = part_of(head, site, record);
  ++part.tests;
  const bool usable = (flags & (kResultInvalid | kNotExecuted)) == 0;
  for (std::size_t i = 0; i < count; ++i) {
    const float result = results.r4();
    add_value(part, test, result, usable && std::isfinite(result), flags, record.ordinal);
    values_.set_element(static_cast<std::int32_t>(i));
  }
  // An MPR without results still says that the test was run, and how it went.
  if (count == 0) add_value(part, test, 0.0F, false, flags, record.ordinal);
  return {.cut = false, .surplus = fields.rest().size(), .is_new = is_new};
}

Taking ResultRows::read_ftr(const Record& record, std::endian order) {
  Fields fields(record.body, order);
  if (!fields.has(7)) return kCut;
  const std::uint32_t number = fields.u4();
  const std::uint8_t head = fields.u1();
  const std::uint8_t site = fields.u1();
  const std::uint8_t flags = fields.u1();
  fields.skip(1 + 4 * 4 + 2 * 4 + 2);  // OPT_FLAG, CYCL_CNT .. YFAIL_AD, VECT_OFF
  const std::size_t returned = fields.u2();
  const std::size_t programmed = fields.u2();
  fields.skip(2 * returned + (returned + 1) / 2);      // RTN_INDX, RTN_STAT
  fields.skip(2 * programmed + (programmed + 1) / 2);  // PGM_INDX, PGM_STAT
  fields.skip((std::size_t{fields.u2()} + 7) / 8);     // FAIL_PIN
  for (int i = 0; i < 3; ++i) fields.cn();             // VECT_NAM, TIME_SET, OP_CODE
  const std::string_view text = fields.cn();
  for (int i = 0; i < 3; ++i) fields.cn();  // ALARM_ID, PROG_TXT, RSLT_TXT
  fields.u1();                              // PATG_NUM
  if (!fields.ended()) fields.skip((std::size_t{fields.u2()} + 7) / 8);  // SPIN_MAP
  if (fields.cut()) return kCut;
  const std::size_t known = tests_.tests().size();
  const std::int32_t test = tests_.find('F', number, text);
  if (tests_.tests().size() != known) note_new(test, record);
  const OpenPart& part = add_verdict(head, site, test, flags, record);
  if ((flags & kTestFailed) != 0 && decode(*find_layout(kFtr), record.body, order, record_)) {
    add_functional(part, test, record.ordinal);
  }
  return {.cut = false, .surplus = fields.rest().size(), .is_new = tests_.tests().size() != known};
}

void ResultRows::add_functional(const OpenPart& part, std::int32_t test, std::uint64_t ordinal) {
  store::Table& t = functional_;
  const unsigned absent =
      record_["OPT_FLAG"].given ? static_cast<unsigned>(record_["OPT_FLAG"].number()) : 0xffU;
  const auto add_if = [&](const char* column, const char* field, unsigned bit) {
    const FieldValue& value = record_[field];
    add_number(t[column], value.integer(), value.given && (absent & bit) == 0);
  };
  const auto add_text = [&](const char* column, const char* field) {
    const FieldValue& value = record_[field];
    if (value.given && !value.text().empty()) t[column].add_text(clean(value.text()));
  };
  t["test_run"].add_text(run_ids_[part.run]);
  t["part_sequence"].add_int(part.sequence);
  t["test_id"].add_int(test);
  add_text("vector", "VECT_NAM");
  add_if("vector_offset", "VECT_OFF", 0x20);
  add_if("cycle", "CYCL_CNT", 0x01);
  add_if("address", "REL_VADR", 0x02);
  add_if("repeat", "REPT_CNT", 0x04);
  add_if("failing_pins", "NUM_FAIL", 0x08);
  add_if("x_fail", "XFAIL_AD", 0x10);
  add_if("y_fail", "YFAIL_AD", 0x10);
  std::string pins;
  const std::string_view bits = record_["FAIL_PIN"].given ? record_["FAIL_PIN"].text() : "";
  for (std::size_t i = 0; i < 8 * bits.size(); ++i) {
    if ((static_cast<unsigned char>(bits[i / 8]) >> (i % 8) & 1) == 0) continue;
    fmt::format_to(std::back_inserter(pins), "{}{}", pins.empty() ? "" : ",", i);
  }
  if (!pins.empty()) t["pins"].add_text(pins);
  add_text("result_text", "RSLT_TXT");
  t[store::kSourceRowColumn].add_int(static_cast<std::int64_t>(ordinal) + 1);
  t.finish_row();
  if (t.rows() >= kBatchRows) flush(t);
}

const OpenPart& ResultRows::add_verdict(std::uint8_t head, std::uint8_t site, std::int32_t test,
                                        std::uint8_t flags, const Record& record) {
  OpenPart& part = part_of(head, site, record);
  ++part.tests;
  tests_.count_result(test);
  add_value(part, test, 0.0F, false, flags, record.ordinal);
  return part;
}

OpenPart ResultRows::only_open_part() {
  OpenPart only;
  if (open_parts_ == 1) {
    parts_.for_each_open([&](unsigned, unsigned, const OpenPart& part) { only = part; });
  }
  return only;
}

std::int32_t ResultRows::open_run() const {
  const auto it =
      std::ranges::find_if(run_of_head_, [](std::int32_t run) { return run != kNoRun; });
  return it == run_of_head_.end() ? lot_run_ : *it;
}

std::vector<PartInFlight> ResultRows::in_flight() {
  std::vector<PartInFlight> parts;
  parts_.for_each_open([&](unsigned head, unsigned site, const OpenPart& part) {
    parts.push_back({.head = head, .site = site, .byte_offset = part.opened_at});
  });
  return parts;
}

void ResultRows::flush_values() {
  if (!sink_.put(values_.take(run_ids_))) cancelled_ = true;
}

void ResultRows::flush(store::Table& table) {
  const std::string name = table.name();
  if (!sink_.put(std::move(table))) cancelled_ = true;
  table = store::Table::of(name);
}

void ResultRows::finish() {
  parts_.for_each_open([this](unsigned, unsigned, OpenPart& part) {
    ++counts_.without_prr;
    end_part(part);
  });
  if (values_.rows() > 0) flush_values();
  if (dies_.rows() > 0) flush(dies_);
  if (functional_.rows() > 0) flush(functional_);
}

}  // namespace yieldloop::ingest::stdf
