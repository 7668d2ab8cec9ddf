#include "ingest/readers/stdf/atdf_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "engine/core/text.h"
#include "engine/core/time.h"
#include "ingest/readers/stdf/record_types.h"
#include "ingest/readers/stdf/result_fields.h"

namespace yieldloop::ingest::stdf {
namespace {

using enum FieldType;

/// Takes the text up to the next separator off the front.
std::string_view next_part(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

template <class T>
bool parse_whole(std::string_view text, T& value, int base) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size();
}

template <class T>
bool parse_float(std::string_view text, T& value) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse_unsigned(std::string_view text, unsigned bytes, int base, std::uint64_t& bits) {
  return parse_whole(text, bits, base) && (bytes >= 8 || bits >> (8 * bytes) == 0);
}

bool parse_signed(std::string_view text, unsigned bytes, std::uint64_t& bits) {
  std::int64_t value = 0;
  const std::int64_t limit = std::int64_t{1} << (8 * bytes - 1);
  if (!parse_whole(text, value, 10) || value < -limit || value >= limit) return false;
  bits = static_cast<std::uint64_t>(value);
  return true;
}

bool parse_hex(std::string_view text, std::string& bytes) {
  bytes.clear();
  if (text.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned byte = 0;
    if (!parse_whole(text.substr(i, 2), byte, 16)) return false;
    bytes += static_cast<char>(byte);
  }
  return true;
}

bool parse_item(FieldType type, std::string_view text, FieldItem& item) {
  switch (type) {
    case kCn:
    case kSn:
    case kCf: item.text = text; return text.size() <= (type == kCn ? 255U : 65'535U);
    case kBn: item.bits = 0; return parse_hex(text, item.text);
    case kDn:
      if (!parse_hex(text, item.text)) return false;
      item.bits = 8 * item.text.size();
      return true;
    case kC1:
      item.bits = text.empty() ? ' ' : static_cast<unsigned char>(text[0]);
      return text.size() <= 1;
    case kR4: {
      float value = 0.0F;
      if (!parse_float(text, value)) return false;
      item.bits = std::bit_cast<std::uint32_t>(value);
      return true;
    }
    case kR8: {
      double value = 0.0;
      if (!parse_float(text, value)) return false;
      item.bits = std::bit_cast<std::uint64_t>(value);
      return true;
    }
    case kI1: return parse_signed(text, 1, item.bits);
    case kI2: return parse_signed(text, 2, item.bits);
    case kI4: return parse_signed(text, 4, item.bits);
    case kU1:
    case kB1: return parse_unsigned(text, 1, 10, item.bits);
    case kU2: return parse_unsigned(text, 2, 10, item.bits);
    case kU4: return parse_unsigned(text, 4, 10, item.bits);
    case kN1: return parse_unsigned(text, 1, 16, item.bits) && item.bits < 16;
    default: return parse_unsigned(text, 8, 10, item.bits);
  }
}

/// Elements with commas between them; in texts a backslash takes a comma's meaning away.
bool parse_list(FieldType type, std::string_view text, FieldValue& value) {
  const bool is_text = type == kCn || type == kSn || type == kCf;
  std::string part;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || text[i] == ',') {
      if (!parse_item(type, part, value.items.emplace_back())) return false;
      part.clear();
      continue;
    }
    if (is_text && text[i] == '\\' && i + 1 < text.size()) ++i;
    part += text[i];
  }
  return true;
}

/// Nibbles, with commas between them or without.
bool parse_hex_list(FieldType type, std::string_view text, FieldValue& value) {
  const bool is_dense = type == kN1 && text.find(',') == std::string_view::npos;
  while (!text.empty()) {
    const std::string_view part =
        is_dense ? text.substr(0, 1) : text.substr(0, std::min(text.find(','), text.size()));
    text.remove_prefix(std::min(part.size() + (is_dense ? 0U : 1U), text.size()));
    FieldItem& item = value.items.emplace_back();
    if (!part.empty() && !parse_unsigned(part, type == kN1 ? 1 : 2, 16, item.bits)) return false;
    if (type == kN1 && item.bits > 15) return false;
  }
  return true;
}

bool parse_bit_list(std::string_view text, FieldItem& item) {
  while (!text.empty()) {
    std::uint64_t bit = 0;
    if (!parse_unsigned(next_part(text, ','), 2, 10, bit) || bit >= 65'528) return false;
    if (bit / 8 >= item.text.size()) item.text.resize(bit / 8 + 1);
    item.text[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(item.text[bit / 8]) | 1U << (bit % 8));
  }
  item.bits = 8 * item.text.size();
  return true;
}

bool parse_clock(std::string_view text, std::uint64_t& seconds) {
  constexpr std::string_view kMonths = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
  std::array<int, 5> n{};  // Hour, minute, second, day, year.
  std::string_view rest = trim(text);
  const std::string_view clock = next_part(rest, ' ');
  std::string_view date = trim(rest);
  std::string_view times = clock;
  for (std::size_t i = 0; i < 3; ++i) {
    if (!parse_whole(next_part(times, ':'), n[i], 10)) return false;
  }
  if (!parse_whole(next_part(date, '-'), n[3], 10)) return false;
  std::string month(next_part(date, '-'));
  for (char& c : month) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  if (!parse_whole(date, n[4], 10) || month.size() != 3) return false;
  const std::size_t at = kMonths.find(month);
  if (at == std::string_view::npos || at % 3 != 0) return false;
  const auto days = days_from_civil(n[4], static_cast<int>(at / 3) + 1, n[3]);
  if (!days || n[0] < 0 || n[0] > 23 || n[1] < 0 || n[1] > 59 || n[2] < 0 || n[2] > 60)
    return false;
  const std::int64_t all = *days * 86'400 + n[0] * 3600 + n[1] * 60 + n[2];
  if (all < 0 || all > UINT32_MAX) return false;
  seconds = static_cast<std::uint64_t>(all);
  return true;
}

/// The bits that letters stand for; blanks in `letters` have none.
bool parse_letters(std::string_view text, std::string_view letters, std::uint64_t& bits,
                   std::string_view other, std::uint64_t& other_bits) {
  for (const char c : text) {
    if (c == ' ') continue;
    if (const std::size_t at = letters.find(c); at != std::string_view::npos) {
      bits |= std::uint64_t{1} << at;
    } else if (const std::size_t of = other.find(c); of != std::string_view::npos) {
      other_bits |= std::uint64_t{1} << of;
    } else {
      return false;
    }
  }
  return true;
}

bool parse_radix(std::string_view text, FieldValue& value) {
  for (;;) {
    const std::size_t end = std::min(text.find(','), text.size());
    FieldItem& item = value.items.emplace_back();
    const std::string_view part = trim(text.substr(0, end));
    if (!part.empty()) {
      constexpr std::string_view kLetters = "BODHS";
      constexpr std::array<std::uint64_t, 5> kRadix = {2, 8, 10, 16, 20};
      const std::size_t at = part.size() == 1 ? kLetters.find(part[0]) : std::string_view::npos;
      if (at == std::string_view::npos) return false;
      item.bits = kRadix[at];
    }
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

void parse_states(std::string_view text, FieldValue& right, FieldValue& left) {
  right.given = left.given = true;
  for (;;) {
    const std::size_t end = std::min(text.find('/'), text.size());
    std::string_view group = text.substr(0, end);
    FieldItem& r = right.items.emplace_back();
    FieldItem& l = left.items.emplace_back();
    while (!group.empty()) {
      const std::string_view state = next_part(group, ',');
      if (state.empty()) continue;
      r.text += state.back();
      if (state.size() > 1) l.text += state.front();
    }
    if (end == text.size()) return;
    text.remove_prefix(end + 1);
  }
}

/// Whether another record begins within a line: the break between them is lost.
bool holds_record(std::string_view text) {
  for (std::size_t at = text.find(':'); at != std::string_view::npos; at = text.find(':', at + 1)) {
    const bool begins = at >= 3 && at + 1 < text.size() && text[at + 1] != ' ';
    if (begins && find_layout(text.substr(at - 3, 3)) != nullptr) return true;
  }
  return false;
}

float scaled_down(float value, int scale) {
  return static_cast<float>(static_cast<double>(value) * std::pow(10.0, -scale));
}

}  // namespace

Status AtdfParser::open(std::string_view line) {
  if (line.substr(0, 5) != "FAR:A" || line.size() < 6) {
    return Error{Errc::kFormat, "ATDF-0001",
                 "The file does not start with an ATDF FAR line (FAR:A|4|2|U)."};
  }
  separator_ = line[5];
  std::string_view rest = line.substr(6);
  if (trim(next_part(rest, separator_)) != "4") {
    return Error{Errc::kFormat, "ATDF-0001",
                 "The file does not start with an ATDF FAR line of version 4."};
  }
  next_part(rest, separator_);  // Version of ATDF.
  scaled_ = trim(rest) != "U";
  return Ok{};
}

Result<const RecordValues*> AtdfParser::parse(std::string_view line) {
  const std::size_t colon = line.find(':');
  std::string name(line.substr(0, std::min(colon, line.size())));
  for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  // Some tools say SCR for the CDR.
  const RecordLayout* layout = find_layout(name == "SCR" ? "CDR" : std::string_view(name));
  if (colon == std::string_view::npos || layout == nullptr) {
    return Error{Errc::kFormat, "ATDF-0003",
                 fmt::format("\"{}\" begins no record of ATDF.", one_line(name.substr(0, 20)))};
  }
  const std::string_view text = line.substr(colon + 1);
  if (holds_record(text)) {
    return Error{Errc::kFormat, "ATDF-0006",
                 fmt::format("A {} line holds the beginning of another record; it is dropped.",
                             layout->name)};
  }
  values_.layout = layout;
  values_.fields.assign(layout->fields.size(), {});
  values_.surplus = 0;
  if (layout->code == kFar) {
    set_number(values_.fields[0], 2);
    set_number(values_.fields[1], 4);
    return &values_;
  }
  if (layout->code == kGdr) {
    YL_TRY(parse_generic(text));
    return &values_;
  }
  const AtdfRecord& record = *find_atdf_record(layout->code);
  YL_TRY(parse_fields(record, text));
  if (layout->code == kPtr || layout->code == kMpr || layout->code == kFtr) finish_result(record);
  settle_options(record);
  settle_arrays();
  if (scaled_ && (layout->code == kPtr || layout->code == kMpr)) unscale();
  return &values_;
}

Status AtdfParser::parse_fields(const AtdfRecord& record, std::string_view text) {
  std::string_view rest = text;
  for (std::size_t i = 0; i < record.fields.size(); ++i) {
    // A text that is alone in its record may hold the separator.
    const std::string_view part = record.fields.size() == 1 ? rest : next_part(rest, separator_);
    YL_TRY(parse_field(record, record.fields[i], part));
  }
  return Ok{};
}

Status AtdfParser::parse_field(const AtdfRecord& record, const AtdfField& field,
                               std::string_view text) {
  FieldValue& value = values_.fields[field.field];
  const FieldLayout& layout = record.layout->fields[field.field];
  const bool is_text = layout.type == kCn || layout.type == kSn || layout.type == kC1;
  if (!is_text) text = trim(text);
  bool fits = true;
  const auto flags = [&](std::string_view name) -> std::uint64_t& {
    FieldValue& f = values_[name];
    if (!f.given) set_number(f, 0);
    return f.items.front().bits;
  };
  std::uint64_t unused = 0;
  switch (field.style) {
    case AtdfStyle::kPartVerdict:
      flags("PART_FLG") |= text == "F" ? 0x08U : text == "P" ? 0U : 0x10U;
      fits = text.empty() || text == "P" || text == "F";
      break;
    case AtdfStyle::kRetest: fits = parse_letters(text, "IC", flags("PART_FLG"), "", unused); break;
    case AtdfStyle::kAbort: fits = parse_letters(text, "  Y", flags("PART_FLG"), "", unused); break;
    case AtdfStyle::kTestVerdict:
      flags("TEST_FLG") |= text == "F" ? kTestFailed : text.empty() ? kNoVerdictOfTest : 0U;
      if (text == "A" && record.layout->code != kFtr) flags("PARM_FLG") |= 0x20U;
      fits = text.empty() || text == "P" || text == "F" || text == "A";
      break;
    case AtdfStyle::kAlarms: {
      std::uint64_t& parm = record.layout->code == kFtr ? unused : flags("PARM_FLG");
      fits = parse_letters(text, "A UTNX", flags("TEST_FLG"), "SDOHL", parm);
      break;
    }
    case AtdfStyle::kLimitCompare:
      if (text.find('L') != std::string_view::npos || text.find(">=") != std::string_view::npos) {
        flags("PARM_FLG") |= 0x40U;
      }
      if (text.find('H') != std::string_view::npos || text.find("<=") != std::string_view::npos) {
        flags("PARM_FLG") |= 0x80U;
      }
      break;
    default:
      if (text.empty()) return Ok{};
      value.given = true;
      switch (field.style) {
        case AtdfStyle::kTime: fits = parse_clock(text, value.items.emplace_back().bits); break;
        case AtdfStyle::kHexList: fits = parse_hex_list(layout.type, text, value); break;
        case AtdfStyle::kHexBytes: fits = parse_hex(text, value.items.emplace_back().text); break;
        case AtdfStyle::kBitList: fits = parse_bit_list(text, value.items.emplace_back()); break;
        case AtdfStyle::kRadix: fits = parse_radix(text, value); break;
        case AtdfStyle::kStates: parse_states(text, value, values_.fields[field.field + 2]); break;
        default:
          fits = layout.count >= 0 ? parse_list(layout.type, text, value)
                                   : parse_item(layout.type, text, value.items.emplace_back());
      }
  }
  if (fits) return Ok{};
  return Error{Errc::kFormat, "ATDF-0002",
               fmt::format("\"{}\" cannot be {} of a {}; the record is dropped.",
                           one_line(text.substr(0, 40)), layout.name, record.layout->name)};
}

Status AtdfParser::parse_generic(std::string_view text) {
  constexpr std::string_view kLetters = " UMBISLFD TXYN";
  static constexpr std::array kTypes = {kVn, kU1, kU2, kU4, kI1, kI2, kI4,
                                        kR4, kR8, kVn, kCn, kBn, kDn, kN1};
  FieldValue& data = values_.fields[1];
  data.given = true;
  while (!text.empty()) {
    const std::string_view part = next_part(text, separator_);
    const std::size_t code =
        part.empty() || part[0] == ' ' ? std::string_view::npos : kLetters.find(part[0]);
    FieldItem& item = data.items.emplace_back();
    if (code == std::string_view::npos || !parse_item(kTypes[code], part.substr(1), item)) {
      return Error{Errc::kFormat, "ATDF-0002",
                   fmt::format("\"{}\" cannot be GEN_DATA of a GDR; the record is dropped.",
                               one_line(part.substr(0, 40)))};
    }
    item.code = static_cast<std::uint8_t>(code);
  }
  return Ok{};
}

/// Flags are always there, and a PTR without a result says so.
void AtdfParser::finish_result(const AtdfRecord& record) {
  if (record.layout->code == kMpr) return finish_multiple();
  if (record.layout->code != kPtr) return;
  FieldValue& result = values_["RESULT"];
  if (result.given) return;
  set_number(result, 0);
  values_["TEST_FLG"].items.front().bits |= kResultInvalid;
}

/// Results that are all "nan" were invalid.
void AtdfParser::finish_multiple() {
  const FieldValue& results = values_["RTN_RSLT"];
  const bool none =
      results.given && std::ranges::all_of(results.items, [](const FieldItem& item) {
        return std::isnan(std::bit_cast<float>(static_cast<std::uint32_t>(item.bits)));
      });
  if (none) values_["TEST_FLG"].items.front().bits |= kResultInvalid;
}

/// OPT_FLAG says which of the fields behind it are empty.
void AtdfParser::settle_options(const AtdfRecord& record) {
  if (record.opt_flag == SIZE_MAX) return;
  bool any = false;
  std::uint64_t bits = record.opt_default;
  for (const AtdfField& field : record.fields) {
    if (field.field <= record.opt_flag) continue;
    const FieldValue& value = values_.fields[field.field];
    any = any || value.given;
    const std::string_view name = record.layout->fields[field.field].name;
    // Of the pairs that share a bit, the limit decides; a missing scale is zero.
    if (value.given || name == "LLM_SCAL" || name == "HLM_SCAL") continue;
    bits |= field.absent & 0x3fU;
  }
  if (any) set_number(values_.fields[record.opt_flag], bits);
}

/// What STDF cannot leave out: fields that flags promise, and those every record of a type has.
void AtdfParser::settle_arrays() {
  const auto& fields = values_.layout->fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].flags < 0) continue;
    const FieldValue& flags = values_.fields[static_cast<std::size_t>(fields[i].flags)];
    const bool is_there = flags.given && (flags.number() & fields[i].mask) == fields[i].wanted;
    if (is_there && !values_.fields[i].given && fields[i].count < 0) {
      set_number(values_.fields[i], 0);
    }
    values_.fields[i].given = is_there;
  }
  const std::size_t least = find_record_type(values_.layout->code)->least;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < fields.size() && bytes < least; ++i) {
    if (!values_.fields[i].given) {
      set_number(values_.fields[i], static_cast<std::uint64_t>(fields[i].missing));
    }
    switch (fields[i].type) {
      case kU2:
      case kI2: bytes += 2; break;
      case kU4:
      case kI4:
      case kR4: bytes += 4; break;
      default: bytes += 1;
    }
  }
}

void AtdfParser::unscale() {
  const bool is_multiple = values_.layout->code == kMpr;
  const std::uint64_t key =
      std::uint64_t{is_multiple ? 1U : 0U} << 32U | values_["TEST_NUM"].number();
  Scales& scales = scales_[key];
  const auto take = [this](std::string_view field, int& scale) {
    if (values_[field].given) scale = static_cast<int>(values_[field].integer());
  };
  take("RES_SCAL", scales.result);
  take("LLM_SCAL", scales.low);
  take("HLM_SCAL", scales.high);
  const auto apply = [this](std::string_view field, int scale) {
    if (!values_[field].given || scale == 0) return;
    for (FieldItem& item : values_[field].items) {
      const float value = std::bit_cast<float>(static_cast<std::uint32_t>(item.bits));
      item.bits = std::bit_cast<std::uint32_t>(scaled_down(value, scale));
    }
  };
  apply(is_multiple ? "RTN_RSLT" : "RESULT", scales.result);
  apply("LO_LIMIT", scales.low);
  apply("HI_LIMIT", scales.high);
  apply("LO_SPEC", scales.low);
  apply("HI_SPEC", scales.high);
}

}  // namespace yieldloop::ingest::stdf
