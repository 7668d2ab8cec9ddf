#include "ingest/readers/stdf/atdf_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/core/time.h"
#include "ingest/readers/stdf/record_types.h"
#include "ingest/readers/stdf/result_fields.h"

namespace yieldloop::ingest::stdf {
namespace {

using enum FieldType;

constexpr std::array<std::string_view, 12> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                      "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};

void write_time(std::uint64_t seconds, std::string& out) {
  if (seconds == 0) return;
  const std::string iso =
      to_iso8601(UtcMicros{static_cast<std::int64_t>(seconds) * kMicrosPerSecond});
  // 2024-01-21T09:03:00Z
  const auto month = static_cast<std::size_t>((iso[5] - '0') * 10 + (iso[6] - '0') - 1);
  fmt::format_to(std::back_inserter(out), "{} {}-{}-{}", iso.substr(11, 8), iso.substr(8, 2),
                 kMonths[month], iso.substr(0, 4));
}

void write_hex(std::string_view bytes, std::string& out) {
  for (const char c : bytes) {
    fmt::format_to(std::back_inserter(out), "{:02X}", static_cast<unsigned char>(c));
  }
}

void write_bits(std::string_view bytes, std::string& out) {
  bool first = true;
  for (std::size_t i = 0; i < 8 * bytes.size(); ++i) {
    if ((static_cast<unsigned char>(bytes[i / 8]) >> (i % 8) & 1) == 0) continue;
    fmt::format_to(std::back_inserter(out), "{}{}", first ? "" : ",", i);
    first = false;
  }
}

void write_letters(std::uint64_t bits, std::string_view letters, std::string& out) {
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (letters[i] != ' ' && (bits >> i & 1U) != 0) out += letters[i];
  }
}

void write_test_verdict(std::uint64_t flags, std::uint64_t parm, std::string& out) {
  if ((flags & kNoVerdictOfTest) != 0) return;
  out += (flags & kTestFailed) != 0 ? 'F' : (parm & 0x20U) != 0 ? 'A' : 'P';
}

char radix_letter(std::uint64_t radix) {
  switch (radix) {
    case 2: return 'B';
    case 8: return 'O';
    case 10: return 'D';
    case 16: return 'H';
    case 20: return 'S';
    default: return '\0';
  }
}

void write_real(double value, bool single, std::string& out) {
  if (single) {
    fmt::format_to(std::back_inserter(out), "{}", static_cast<float>(value));
  } else {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

std::uint64_t number_of(const RecordValues& values, std::string_view field) {
  const auto& fields = values.layout->fields;
  const auto it = std::ranges::find(fields, field, &FieldLayout::name);
  if (it == fields.end()) return 0;
  const FieldValue& value = values.fields[static_cast<std::size_t>(it - fields.begin())];
  return value.given ? value.number() : 0;
}

}  // namespace

void AtdfWriter::write_text(std::string_view text, bool in_list, std::string& out) {
  bool whole = true;
  for (const char c : text) {
    const bool breaks = c == '\n' || c == '\r' || (c == separator_ && separator_ != '\0');
    if (in_list && (c == ',' || c == '\\')) out += '\\';
    out += breaks ? ' ' : c;
    whole = whole && !breaks;
  }
  replaced_ += whole ? 0U : 1U;
}

void AtdfWriter::write_item(FieldType type, const FieldItem& item, std::string& out) {
  switch (type) {
    case kCn:
    case kSn:
    case kCf: return write_text(item.text, false, out);
    case kBn:
    case kDn: return write_hex(item.text, out);
    case kC1: {
      const char c = static_cast<char>(item.bits);
      if (c != ' ') write_text(std::string_view(&c, 1), false, out);
      return;
    }
    case kR4:
      return write_real(
          static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(item.bits))), true,
          out);
    case kR8: return write_real(std::bit_cast<double>(item.bits), false, out);
    case kI1:
    case kI2:
    case kI4:
      fmt::format_to(std::back_inserter(out), "{}", static_cast<std::int64_t>(item.bits));
      return;
    default: fmt::format_to(std::back_inserter(out), "{}", item.bits);
  }
}

void AtdfWriter::write_plain(const FieldLayout& layout, const FieldValue& value, std::string& out) {
  if (layout.count >= 0) {
    const bool is_text = layout.type == kCn || layout.type == kSn || layout.type == kCf;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      if (i > 0) out += ',';
      if (is_text) {
        write_text(value.items[i].text, true, out);
      } else {
        write_item(layout.type, value.items[i], out);
      }
    }
    return;
  }
  const bool is_missing = layout.missing != 0 && value.integer() == layout.missing;
  if (!is_missing) write_item(layout.type, value.items.front(), out);
}

/// The left character of each state, if there is any, then the right one.
void AtdfWriter::write_states(const RecordValues& values, std::size_t right, std::string& out) {
  const FieldValue& rights = values.fields[right];
  const FieldValue& lefts = values.fields[right + 2];  // xxx_CHAL follow PGM_CHAR and RTN_CHAR.
  const bool any = rights.given && std::ranges::any_of(rights.items, [](const FieldItem& item) {
                     return !item.text.empty();
                   });
  if (!any) return;
  for (std::size_t group = 0; group < rights.items.size(); ++group) {
    if (group > 0) out += '/';
    const std::string& r = rights.items[group].text;
    const std::string l =
        lefts.given && group < lefts.items.size() ? lefts.items[group].text : std::string();
    for (std::size_t i = 0; i < r.size(); ++i) {
      if (i > 0) out += ',';
      if (i < l.size()) out += l[i];
      out += r[i];
    }
  }
}

void AtdfWriter::write_field(const AtdfRecord& record, const AtdfField& field,
                             const RecordValues& values, std::string& out) {
  const FieldValue& value = values.fields[field.field];
  const std::uint64_t absent = record.opt_flag == SIZE_MAX || !values.fields[record.opt_flag].given
                                   ? 0
                                   : values.fields[record.opt_flag].number();
  const std::uint64_t flags = value.given ? value.number() : 0;
  switch (field.style) {
    case AtdfStyle::kPartVerdict:
      if ((flags & 0x10U) == 0) out += (flags & 0x08U) != 0 ? 'F' : 'P';
      return;
    case AtdfStyle::kRetest: return write_letters(flags, "IC", out);
    case AtdfStyle::kAbort: return write_letters(flags, "  Y", out);
    case AtdfStyle::kTestVerdict:
      return write_test_verdict(flags, number_of(values, "PARM_FLG"), out);
    case AtdfStyle::kAlarms:
      write_letters(flags, "A UTNX", out);
      return write_letters(number_of(values, "PARM_FLG"), "SDOHL", out);
    case AtdfStyle::kLimitCompare: return write_letters(flags, "      LH", out);
    default: break;
  }
  if (!value.given || (absent & field.absent) != 0) return;
  const bool is_result =
      values.layout->code == kPtr && values.layout->fields[field.field].name == "RESULT";
  if (is_result && (number_of(values, "TEST_FLG") & kResultInvalid) != 0) return;
  switch (field.style) {
    case AtdfStyle::kTime: return write_time(value.number(), out);
    case AtdfStyle::kHexBytes: return write_hex(value.text(), out);
    case AtdfStyle::kBitList: return write_bits(value.text(), out);
    case AtdfStyle::kStates: return write_states(values, field.field, out);
    case AtdfStyle::kHexList:
    case AtdfStyle::kRadix:
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        if (i > 0) out += ',';
        if (field.style == AtdfStyle::kHexList) {
          fmt::format_to(std::back_inserter(out), "{:X}", value.items[i].bits);
        } else if (const char letter = radix_letter(value.items[i].bits); letter != '\0') {
          out += letter;
        }
      }
      return;
    default: break;
  }
  const bool is_invalid_list = values.layout->code == kMpr &&
                               values.layout->fields[field.field].name == "RTN_RSLT" &&
                               (number_of(values, "TEST_FLG") & kResultInvalid) != 0;
  if (!is_invalid_list) return write_plain(values.layout->fields[field.field], value, out);
  for (std::size_t i = 0; i < value.items.size(); ++i) out += i == 0 ? "nan" : ",nan";
}

void AtdfWriter::write_variant(const FieldItem& item, std::string& out) {
  constexpr std::string_view kLetters = " UMBISLFD TXYN";  // By type code.
  static constexpr std::array kTypes = {kVn, kU1, kU2, kU4, kI1, kI2, kI4,
                                        kR4, kR8, kVn, kCn, kBn, kDn, kU1};
  out += kLetters[item.code];
  write_item(kTypes[item.code], item, out);
}

void AtdfWriter::write_generic(const RecordValues& gdr, std::string& out) {
  out += "GDR:";
  bool first = true;
  for (const FieldItem& item : gdr.fields[1].items) {
    if (item.code == 0 || item.code == 9 || item.code > 13) continue;  // Pads are STDF's own.
    if (!first) out += separator_;
    first = false;
    write_variant(item, out);
  }
  out += '\n';
}

bool AtdfWriter::write(const RecordValues& values, std::string& out) {
  if (values.layout->code == kFar) {
    fmt::format_to(std::back_inserter(out), "FAR:A{0}4{0}2{0}U\n", separator_);
    return true;
  }
  if (values.layout->code == kGdr) return write_generic(values, out), true;
  const AtdfRecord* record = find_atdf_record(values.layout->code);
  if (record == nullptr) return false;
  if (values.layout->fields.data() != record->layout->fields.data()) {
    // A VUR or PSR in the other layout: the same fields by name.
    RecordValues same = empty_record(*record->layout);
    for (std::size_t i = 0; i < same.fields.size(); ++i) {
      same.fields[i] = values[record->layout->fields[i].name];
    }
    if (same.layout->code == kPsr) set_number(same["OPT_FLG"], ~values["OPT_FLG"].number() & 15U);
    return write(same, out);
  }
  out += record->layout->name;
  out += ':';
  std::size_t end = out.size();
  for (std::size_t i = 0; i < record->fields.size(); ++i) {
    if (i > 0) out += separator_;
    const std::size_t before = out.size();
    write_field(*record, record->fields[i], values, out);
    if (out.size() > before) end = out.size();
  }
  out.resize(end);  // Empty fields at the end are left out.
  out += '\n';
  return true;
}

}  // namespace yieldloop::ingest::stdf
