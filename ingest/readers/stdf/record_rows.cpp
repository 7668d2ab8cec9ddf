#include "ingest/readers/stdf/record_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "ingest/readers/stdf/lot_facts.h"
#include "ingest/readers/stdf/record_types.h"

namespace yieldloop::ingest::stdf {
namespace {

constexpr std::size_t kBatchRows = 1U << 16U;
constexpr std::size_t kBatchText = std::size_t{8} << 20U;
/// A private record's bytes are kept up to here.
constexpr std::size_t kLongestPrivate = 4096;

const FieldItem* item(const RecordValues& values, std::string_view field, std::size_t i) {
  const FieldValue& value = values[field];
  return value.given && i < value.items.size() ? &value.items[i] : nullptr;
}

void add_number(store::Column& column, const FieldItem* value, std::uint64_t base = 0) {
  if (value == nullptr || value->bits + base > INT64_MAX) {
    column.add_null();
  } else {
    column.add_int(static_cast<std::int64_t>(value->bits + base));
  }
}

void add_text(store::Column& column, const FieldItem* value) {
  if (value == nullptr || value->text.empty()) {
    column.add_null();
  } else {
    column.add_text(clean(value->text));
  }
}

}  // namespace

std::string name_of_type(std::uint16_t code) {
  const RecordType* type = find_record_type(code);
  return type != nullptr ? std::string(type->name) : fmt::format("{},{}", code >> 8U, code & 0xffU);
}

RecordRows::RecordRows(store::RowSink& sink)
    : sink_(sink),
      records_("test_records"),
      pins_("test_pins"),
      patterns_("scan_patterns"),
      cells_("scan_cells"),
      fails_("scan_fails") {}

store::Table& RecordRows::begin(Batch& batch, RowPlace place) {
  store::Table& t = batch.table;
  if (place.run.empty()) {
    t["test_run"].add_null();
  } else {
    t["test_run"].add_text(place.run);
  }
  return t;
}

void RecordRows::end(Batch& batch, const Record& record, std::size_t text_bytes) {
  batch.table[store::kSourceRowColumn].add_int(static_cast<std::int64_t>(record.ordinal) + 1);
  batch.table.finish_row();
  batch.text_bytes += text_bytes;
  if (batch.table.rows() >= kBatchRows || batch.text_bytes >= kBatchText) flush(batch);
}

void RecordRows::flush(Batch& batch) {
  if (batch.table.rows() == 0) return;
  const std::string name = batch.table.name();
  if (!sink_.put(std::move(batch.table))) cancelled_ = true;
  batch = Batch(name);
}

void RecordRows::finish() {
  for (Batch* batch : {&records_, &pins_, &patterns_, &cells_, &fails_}) flush(*batch);
}

void RecordRows::keep(const Record& record, const RecordValues& values, RowPlace place) {
  store::Table& t = begin(records_, place);
  if (place.part >= 0) t["part_sequence"].add_int(place.part);
  t["record"].add_text(values.layout->name);
  std::size_t bytes = 0;
  if (record.code == kDtr || record.code == kBps) {
    const std::string text =
        clean(values.fields[0].given ? values.fields[0].text() : std::string_view());
    bytes = text.size();
    if (!text.empty()) t["text"].add_text(text);
  } else {
    const std::string document = to_json(values);
    bytes = document.size();
    t["document"].add_text(document);
  }
  end(records_, record, bytes);
}

void RecordRows::keep_private(const Record& record, RowPlace place) {
  store::Table& t = begin(records_, place);
  if (place.part >= 0) t["part_sequence"].add_int(place.part);
  t["record"].add_text(name_of_type(record.code));
  std::string digits;
  for (const std::byte b : record.body.first(std::min(record.body.size(), kLongestPrivate))) {
    fmt::format_to(std::back_inserter(digits), "{:02X}", std::to_integer<unsigned>(b));
  }
  t["document"].add_text(digits);
  end(records_, record, digits.size());
}

void RecordRows::keep_pin(const Record& record, const RecordValues& pmr, RowPlace place) {
  store::Table& t = begin(pins_, place);
  add_number(t["pin"], item(pmr, "PMR_INDX", 0));
  add_number(t["channel_type"], item(pmr, "CHAN_TYP", 0));
  add_text(t["channel"], item(pmr, "CHAN_NAM", 0));
  add_text(t["physical_name"], item(pmr, "PHY_NAM", 0));
  add_text(t["logical_name"], item(pmr, "LOG_NAM", 0));
  add_number(t["head"], item(pmr, "HEAD_NUM", 0));
  add_number(t["site"], item(pmr, "SITE_NUM", 0));
  end(pins_, record, record.body.size());
}

void RecordRows::keep_pin_names(const Record& record, const RecordValues& nmr, RowPlace place) {
  const std::size_t count = nmr["PMR_INDX"].given ? nmr["PMR_INDX"].items.size() : 0;
  for (std::size_t i = 0; i < count; ++i) {
    store::Table& t = begin(pins_, place);
    add_number(t["pin"], item(nmr, "PMR_INDX", i));
    add_text(t["pattern_name"], item(nmr, "ATPG_NAM", i));
    end(pins_, record, 16);
  }
}

void RecordRows::keep_patterns(const Record& record, const RecordValues& psr, RowPlace place) {
  const std::uint64_t set = psr["PSR_INDX"].number();
  std::int32_t& position = patterns_so_far_[set];
  const std::size_t count = psr["PAT_BGN"].given ? psr["PAT_BGN"].items.size() : 0;
  for (std::size_t i = 0; i < count; ++i) {
    store::Table& t = begin(patterns_, place);
    add_number(t["pattern_set"], item(psr, "PSR_INDX", 0));
    add_text(t["set_name"], item(psr, "PSR_NAM", 0));
    t["position"].add_int(position++);
    add_number(t["first_cycle"], item(psr, "PAT_BGN", i));
    add_number(t["last_cycle"], item(psr, "PAT_END", i));
    add_text(t["file"], item(psr, "PAT_FILE", i));
    add_text(t["label"], item(psr, "PAT_LBL", i));
    add_text(t["file_uid"], item(psr, "FILE_UID", i));
    add_text(t["description"], item(psr, "ATPG_DSC", i));
    add_text(t["origin"], item(psr, "SRC_ID", i));
    end(patterns_, record, 64);
  }
  if (psr["CONT_FLG"].number() == 0) patterns_so_far_.erase(set);
}

void RecordRows::keep_chain(const Record& record, const RecordValues& cdr, RowPlace place) {
  const std::uint64_t chain = cdr["CDR_INDX"].number();
  std::uint64_t& bit = cells_so_far_[chain];
  const std::size_t count = cdr["CELL_LST"].given ? cdr["CELL_LST"].items.size() : 0;
  for (std::size_t i = 0; i < count; ++i) {
    store::Table& t = begin(cells_, place);
    add_number(t["chain"], item(cdr, "CDR_INDX", 0));
    add_text(t["chain_name"], item(cdr, "CHN_NAM", 0));
    t["bit"].add_int(static_cast<std::int64_t>(bit++));
    add_text(t["cell"], item(cdr, "CELL_LST", i));
    end(cells_, record, 32);
  }
  if (cdr["CONT_FLG"].number() == 0) cells_so_far_.erase(chain);
}

void RecordRows::keep_cell(const Record& record, const RecordValues& cnr, RowPlace place) {
  store::Table& t = begin(cells_, place);
  add_number(t["chain"], item(cnr, "CHN_NUM", 0));
  add_number(t["bit"], item(cnr, "BIT_POS", 0));
  add_text(t["cell"], item(cnr, "CELL_NAM", 0));
  end(cells_, record, 32);
}

void RecordRows::keep_fails(const Record& record, const RecordValues& str, std::string_view run,
                            std::int32_t part, std::int32_t test) {
  std::size_t count = 0;
  for (const char* field : {"CYC_OFST", "PMR_INDX", "CHN_NUM", "EXP_DATA", "CAP_DATA", "NEW_DATA",
                            "PAT_NUM", "BIT_POS", "USER_TXT"}) {
    if (str[field].given) count = std::max(count, str[field].items.size());
  }
  const std::uint64_t first_cycle = str["CYC_BASE"].number();
  const std::uint64_t first_bit = str["BIT_BASE"].number();
  for (std::size_t i = 0; i < count; ++i) {
    store::Table& t = begin(fails_, {.run = run, .part = part});
    t["part_sequence"].add_int(part);
    t["test_id"].add_int(test);
    add_number(t["pattern_set"], item(str, "PSR_REF", 0));
    add_number(t["pattern"], item(str, "PAT_NUM", i));
    add_number(t["cycle"], item(str, "CYC_OFST", i), first_cycle);
    add_number(t["pin"], item(str, "PMR_INDX", i));
    add_number(t["chain"], item(str, "CHN_NUM", i));
    add_number(t["bit"], item(str, "BIT_POS", i), first_bit);
    add_number(t["expected"], item(str, "EXP_DATA", i));
    add_number(t["captured"], item(str, "CAP_DATA", i));
    add_number(t["new_data"], item(str, "NEW_DATA", i));
    add_text(t["user_text"], item(str, "USER_TXT", i));
    end(fails_, record, 16);
  }
}

}  // namespace yieldloop::ingest::stdf
