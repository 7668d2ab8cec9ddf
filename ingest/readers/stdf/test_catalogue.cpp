#include "ingest/readers/stdf/test_catalogue.h"

#include <algorithm>
#include <cmath>

#include "engine/core/text.h"

namespace yieldloop::ingest::stdf {
namespace {

std::uint64_t number_key(char kind, std::uint32_t number) {
  return std::uint64_t{static_cast<unsigned char>(kind)} << 32U | number;
}

std::optional<float> limit(float value, bool given) {
  if (!given || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

std::int32_t TestCatalogue::find_slowly(char kind, std::uint32_t number, std::string_view text) {
  const std::int32_t test = lookup(kind, number, text);
  if (last_ != kNoTest) keys_[static_cast<std::size_t>(last_)].follower = test;
  last_ = test;
  return test;
}

void TestCatalogue::set_key(std::int32_t test) {
  const auto at = static_cast<std::size_t>(test);
  if (at == keys_.size()) {
    keys_.emplace_back();
    tallies_.emplace_back();
  }
  Key& key = keys_[at];
  const Test& t = tests_[at];
  key.text = t.text.data();
  key.length = static_cast<std::uint16_t>(t.text.size());
  key.number = t.number;
  key.kind = t.kind;
}

std::int32_t TestCatalogue::lookup(char kind, std::uint32_t number, std::string_view text) {
  auto& same_number = by_number_[number_key(kind, number)];
  if (text.empty() && !same_number.empty()) return same_number.front();
  if (same_number.size() == 1 && (*this)[same_number.front()].text.empty()) {
    // Its first records had no text; this one names it.
    (*this)[same_number.front()].text = text;
    set_key(same_number.front());
  }
  key_.assign(1, kind);
  key_.append(reinterpret_cast<const char*>(&number), sizeof(number));
  key_.append(text);
  if (!same_number.empty() && (*this)[same_number.front()].text == text) {
    by_text_.try_emplace(key_, same_number.front());
    return same_number.front();
  }
  const auto [it, is_new] = by_text_.try_emplace(key_, static_cast<std::int32_t>(tests_.size()));
  if (is_new) {
    same_number.push_back(it->second);
    Test& test = tests_.emplace_back();
    test.kind = kind;
    test.number = number;
    test.text = text;
    test.before = last_;
    set_key(it->second);
    keys_.back().is_first = same_number.size() == 1;
  }
  return it->second;
}

bool TestCatalogue::describe(std::int32_t test, Fields& fields,
                             std::optional<std::size_t> returned_pins) {
  Test& t = (*this)[test];
  const std::string_view said = fields.rest();
  if (t.described && said == t.said) return fields.take_rest(), false;
  TestLimits limits = read_limits(fields, returned_pins);
  if (fields.cut()) return true;
  t.said = said;
  take_limits(t, std::move(limits));
  return true;
}

void TestCatalogue::take_limits(Test& t, TestLimits limits) const {
  if (!t.described) {
    t.described = true;
    t.limits = std::move(limits);
    return;
  }
  const auto take = [&t](std::optional<float>& first, const std::optional<float>& later,
                         bool is_settled) {
    if (!later.has_value()) return;
    if (!first.has_value() && !is_settled) first = later;
    t.changed = t.changed || first != later;
  };
  take(t.limits.lo_limit, limits.lo_limit, t.limits.without_lo);
  take(t.limits.hi_limit, limits.hi_limit, t.limits.without_hi);
  if (!t.limits.lo_spec) t.limits.lo_spec = limits.lo_spec;
  if (!t.limits.hi_spec) t.limits.hi_spec = limits.hi_spec;
  if (!t.limits.result_scale) t.limits.result_scale = limits.result_scale;
  if (t.limits.units.empty()) t.limits.units = std::move(limits.units);
}

void TestCatalogue::add_totals(char kind, std::uint32_t number, std::string_view name, bool overall,
                               const TestTotals& said) {
  if (kind != 'P' && kind != 'M' && kind != 'F' && kind != 'S') return;
  const auto same_number = by_number_.find(number_key(kind, number));
  if (same_number == by_number_.end()) return;
  const auto& ids = same_number->second;
  const auto named =
      std::ranges::find_if(ids, [&](std::int32_t id) { return (*this)[id].text == name; });
  if (named == ids.end() && ids.size() > 1) return;
  Test& test = (*this)[named == ids.end() ? ids.front() : *named];
  if (test.name.empty()) test.name = name;
  if (said.executions == UINT32_MAX || (test.has_overall && !overall)) return;
  TestTotals& totals = test.totals;
  if (overall || !test.has_totals) {
    totals = said;
  } else {
    totals.executions += said.executions;
    totals.failures += said.failures;
    totals.has_range = totals.has_range && said.has_range;
    totals.has_sum = totals.has_sum && said.has_sum;
    totals.least = std::min(totals.least, said.least);
    totals.most = std::max(totals.most, said.most);
    totals.sum += said.sum;
  }
  test.has_totals = true;
  test.has_overall = test.has_overall || overall;
}

std::size_t TestCatalogue::numbers() const {
  std::vector<std::uint32_t> numbers;
  for (const Test& test : tests_) numbers.push_back(test.number);
  std::ranges::sort(numbers);
  return static_cast<std::size_t>(std::unique(numbers.begin(), numbers.end()) - numbers.begin());
}

std::size_t TestCatalogue::changed() const {
  return static_cast<std::size_t>(std::ranges::count(tests_, true, &Test::changed));
}

TestLimits read_limits(Fields& fields, std::optional<std::size_t> returned_pins) {
  TestLimits limits;
  const unsigned flags = fields.u1(0xff);
  const bool has_scale = !fields.ended() && (flags & 1U) == 0;
  // NOLINTNEXTLINE(bugprone-signed-char-misuse): a number, not a character.
  const auto scale = static_cast<int>(fields.i1());
  if (has_scale) limits.result_scale = scale;
  fields.skip(2);  // LLM_SCAL, HLM_SCAL: display exponents too.
  limits.without_lo = (flags & 0x40U) != 0 && flags != 0xff;
  limits.without_hi = (flags & 0x80U) != 0 && flags != 0xff;
  const bool has_lo = fields.has(4) && (flags & 0x50U) == 0;
  limits.lo_limit = limit(fields.r4(), has_lo);
  const bool has_hi = fields.has(4) && (flags & 0xa0U) == 0;
  limits.hi_limit = limit(fields.r4(), has_hi);
  if (returned_pins) fields.skip(8 + 2 * *returned_pins);  // START_IN, INCR_IN, RTN_INDX.
  limits.units = to_valid_utf8(trim(fields.cn()));
  if (returned_pins) fields.cn();           // UNITS_IN
  for (int i = 0; i < 3; ++i) fields.cn();  // C_RESFMT, C_LLMFMT, C_HLMFMT
  const bool has_lo_spec = fields.has(4) && (flags & 4U) == 0;
  limits.lo_spec = limit(fields.r4(), has_lo_spec);
  const bool has_hi_spec = fields.has(4) && (flags & 8U) == 0;
  limits.hi_spec = limit(fields.r4(), has_hi_spec);
  return limits;
}

}  // namespace yieldloop::ingest::stdf
