#include "ingest/readers/stdf/lot_facts.h"

#include "engine/core/text.h"

namespace yieldloop::ingest::stdf {

std::string clean(std::string_view text) {
  while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  return to_valid_utf8(trim(text));
}

UtcMicros from_tester_time(std::uint32_t seconds) {
  if (seconds == 0 || seconds == UINT32_MAX) return {};
  return UtcMicros{std::int64_t{seconds} * kMicrosPerSecond};
}

void LotFacts::read_mir(Fields& fields) {
  has_mir = true;
  fields.u4();  // SETUP_T
  started_at = from_tester_time(fields.u4());
  fields.u1();  // STAT_NUM
  fields.c1();  // MODE_COD
  const char retest = fields.c1();
  retest_code = clean(std::string_view(&retest, 1));
  fields.c1();  // PROT_COD
  fields.u2();  // BURN_TIM
  fields.c1();  // CMOD_COD
  lot_id = clean(fields.cn());
  product = clean(fields.cn());
  tester = clean(fields.cn());
  tester_type = clean(fields.cn());
  program = clean(fields.cn());
  program_revision = clean(fields.cn());
  sublot = clean(fields.cn());
  operator_name = clean(fields.cn());
  fields.cn();  // EXEC_TYP
  fields.cn();  // EXEC_VER
  test_code = clean(fields.cn());
  temperature = clean(fields.cn());
}

void LotFacts::read_sdr(Fields& fields) {
  const std::uint8_t head = fields.u1();
  fields.u1();  // SITE_GRP
  const std::uint8_t count = fields.u1();
  const auto sites = fields.block(count);
  fields.cn();  // HAND_TYP
  fields.cn();  // HAND_ID
  fields.cn();  // CARD_TYP
  const std::string card = clean(fields.cn());
  if (card.empty()) return;
  if (first_card.empty()) first_card = card;
  for (const std::byte site : sites) {
    card_of_site.try_emplace(
        static_cast<std::uint16_t>(head << 8U | std::to_integer<unsigned>(site)), card);
  }
}

void LotFacts::read_wcr(Fields& fields) {
  has_wafer_setup = true;
  fields.r4();  // WAFR_SIZ
  const float height = fields.r4();
  const float width = fields.r4();
  if (height > 0) die_height = height;
  if (width > 0) die_width = width;
  wafer_units = fields.u1();
  const auto letter = [&] {
    const char c = fields.c1();
    return clean(std::string_view(&c, 1));
  };
  flat = letter();
  const int x = fields.i2();
  const int y = fields.i2();
  if (x != -32768) center_x = x;
  if (y != -32768) center_y = y;
  positive_x = letter();
  positive_y = letter();
}

const std::string& LotFacts::insertion() const {
  static const std::string kUnnamed = "TEST";
  if (!test_code.empty()) return test_code;
  return program.empty() ? kUnnamed : program;
}

const std::string& LotFacts::probe_card(std::uint8_t head, std::uint8_t site) const {
  const auto it = card_of_site.find(static_cast<std::uint16_t>(head << 8U | site));
  return it == card_of_site.end() ? first_card : it->second;
}

bool LotBins::read(Fields& fields, bool is_hard) {
  const bool overall = fields.u1() == 255;
  fields.u1();  // SITE_NUM
  const std::uint16_t number = fields.u2();
  const std::uint32_t count = fields.u4(UINT32_MAX);
  const char pass = fields.c1();
  const std::string name = clean(fields.cn());
  if (fields.cut()) return false;
  BinFacts& bin = (is_hard ? hard : soft)[number];
  if (bin.name.empty()) bin.name = name;
  if (pass == 'P' || pass == 'F') bin.pass = pass;
  if (count == UINT32_MAX || (bin.has_overall && !overall)) return true;
  if (overall && !bin.has_overall) bin.count = 0;
  bin.count += count;
  bin.has_overall = bin.has_overall || overall;
  return true;
}

void LotBins::append(store::Table& table, std::string_view run, bool with_counts) const {
  for (const auto* bins : {&hard, &soft}) {
    for (const auto& [number, bin] : *bins) {
      table["test_run"].add_text(run);
      table["kind"].add_text(bins == &hard ? "hard" : "soft");
      table["bin"].add_int(number);
      if (!bin.name.empty()) table["name"].add_text(bin.name);
      table["pass"].add_text(bin.pass == ' ' ? std::string_view() : std::string_view(&bin.pass, 1));
      if (with_counts) table["count"].add_int(static_cast<std::int64_t>(bin.count));
      table[store::kSourceRowColumn].add_int(number);
      table.finish_row();
    }
  }
}

}  // namespace yieldloop::ingest::stdf
