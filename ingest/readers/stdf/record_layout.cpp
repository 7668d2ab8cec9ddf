#include "ingest/readers/stdf/record_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/core/text.h"
#include "ingest/readers/attributes.h"

namespace yieldloop::ingest::stdf {
namespace {

using enum FieldType;

constexpr std::size_t kLongestBody = 65'535;

/// Bytes of a number; 0 for what is not one.
std::size_t width_of(FieldType type) {
  switch (type) {
    case kU1:
    case kI1:
    case kC1:
    case kB1: return 1;
    case kU2:
    case kI2: return 2;
    case kU4:
    case kI4:
    case kR4: return 4;
    case kU8:
    case kR8: return 8;
    default: return 0;
  }
}

bool is_signed(FieldType type) { return type == kI1 || type == kI2 || type == kI4; }

/// The type of a Vn value by its code; kVn for a pad or an unknown code.
FieldType type_of_code(std::uint8_t code) {
  switch (code) {
    case 1: return kU1;
    case 2: return kU2;
    case 3: return kU4;
    case 4: return kI1;
    case 5: return kI2;
    case 6: return kI4;
    case 7: return kR4;
    case 8: return kR8;
    case 10: return kCn;
    case 11: return kBn;
    case 12: return kDn;
    case 13: return kN1;
    default: return kVn;
  }
}

class Decoder {
 public:
  Decoder(std::span<const std::byte> body, std::endian order) : rest_(body), order_(order) {}

  bool run(const RecordLayout& layout, RecordValues& values) {
    for (std::size_t i = 0; i < layout.fields.size(); ++i) {
      const FieldLayout& field = layout.fields[i];
      FieldValue& value = values.fields[i];
      value.given = false;
      if (rest_.empty() && !is_empty_array(field, values)) continue;
      if (field.flags >= 0 &&
          (values.fields[position(field.flags)].number() & field.mask) != field.wanted) {
        value.items.clear();
        continue;
      }
      if (!read_field(field, values, value)) return false;
      value.given = true;
    }
    values.surplus = rest_.size();
    return true;
  }

 private:
  static std::size_t position(std::int8_t at) { return static_cast<std::size_t>(at); }

  static std::size_t count_of(const FieldLayout& field, const RecordValues& values) {
    return field.count < 0
               ? 1
               : static_cast<std::size_t>(values.fields[position(field.count)].number());
  }
  /// An array of no elements takes no bytes and is there as soon as its count is.
  static bool is_empty_array(const FieldLayout& field, const RecordValues& values) {
    return field.count >= 0 && values.fields[position(field.count)].given &&
           count_of(field, values) == 0;
  }

  bool read_field(const FieldLayout& field, const RecordValues& values, FieldValue& value) {
    const std::size_t count = count_of(field, values);
    const std::size_t size =
        field.size < 0 ? 0 : static_cast<std::size_t>(values.fields[position(field.size)].number());
    // Every element but a nibble takes a byte at least: a count beyond that is damage.
    if (count > 2 * rest_.size() && field.type != kVn && !(field.size >= 0 && size == 0))
      return false;
    value.items.clear();
    if (field.type == kN1) return read_nibbles(count, value);
    for (std::size_t i = 0; i < count; ++i) {
      // Some writers count pads and more: the record's end ends the list.
      if (field.type == kVn && rest_.empty()) return true;
      FieldItem& item = value.items.emplace_back();
      if (!(field.type == kVn ? read_variant(item) : read_item(field.type, size, item)))
        return false;
    }
    return true;
  }

  bool read_nibbles(std::size_t count, FieldValue& value) {
    std::span<const std::byte> bytes;
    if (!take((count + 1) / 2, bytes)) return false;
    for (std::size_t i = 0; i < count; ++i) {
      const auto byte = std::to_integer<unsigned>(bytes[i / 2]);
      value.items.emplace_back().bits = i % 2 == 0 ? byte & 15U : byte >> 4U;
    }
    return true;
  }

  bool read_variant(FieldItem& item) {
    std::span<const std::byte> code;
    if (!take(1, code)) return false;
    item.code = std::to_integer<std::uint8_t>(code[0]);
    if (item.code == 0) return true;
    const FieldType type = type_of_code(item.code);
    if (type == kVn) return false;
    if (type != kN1) return read_item(type, 0, item);
    std::span<const std::byte> nibble;
    if (!take(1, nibble)) return false;
    item.bits = std::to_integer<unsigned>(nibble[0]) & 15U;
    return true;
  }

  bool read_item(FieldType type, std::size_t size, FieldItem& item) {
    switch (type) {
      case kCn:
      case kBn: return read_number(1, false, item.bits) && read_text(item.bits, item);
      case kSn: return read_number(2, false, item.bits) && read_text(item.bits, item);
      case kDn: return read_number(2, false, item.bits) && read_text((item.bits + 7) / 8, item);
      case kCf: return read_text(size, item);
      case kUf: return size <= 8 && read_number(size, false, item.bits);
      default: return read_number(width_of(type), is_signed(type), item.bits);
    }
  }

  bool read_number(std::size_t width, bool extend, std::uint64_t& bits) {
    std::span<const std::byte> bytes;
    if (!take(width, bytes)) return false;
    bits = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t at = order_ == std::endian::big ? i : width - 1 - i;
      bits = bits << 8U | std::to_integer<std::uint64_t>(bytes[at]);
    }
    if (extend && width < 8 && (bits >> (8 * width - 1) & 1U) != 0)
      bits |= ~std::uint64_t{0} << (8 * width);
    return true;
  }

  bool read_text(std::uint64_t length, FieldItem& item) {
    std::span<const std::byte> bytes;
    if (!take(length, bytes)) return false;
    item.text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return true;
  }

  bool take(std::uint64_t count, std::span<const std::byte>& bytes) {
    if (count > rest_.size()) return false;
    bytes = rest_.first(count);
    rest_ = rest_.subspan(count);
    return true;
  }

  std::span<const std::byte> rest_;
  std::endian order_;
};

bool decode_as(const RecordLayout& layout, std::span<const std::byte> body, std::endian order,
               RecordValues& values) {
  values.layout = &layout;
  values.surplus = 0;
  values.fields.resize(layout.fields.size());
  if (Decoder(body, order).run(layout, values)) return true;
  return false;
}

class Encoder {
 public:
  Encoder(std::endian order, std::string& out) : order_(order), out_(out) {}

  bool put_field(const FieldLayout& field, const FieldValue& value, std::size_t size) {
    if (field.type == kN1) return put_nibbles(value);
    for (const FieldItem& item : value.items) {
      if (!(field.type == kVn ? put_variant(item) : put_item(field.type, size, item))) return false;
    }
    return true;
  }
  void put_number(std::uint64_t bits, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t at = order_ == std::endian::big ? width - 1 - i : i;
      out_ += static_cast<char>(bits >> (8 * at));
    }
  }

 private:
  bool put_nibbles(const FieldValue& value) {
    for (std::size_t i = 0; i < value.items.size(); i += 2) {
      const std::uint64_t high = i + 1 < value.items.size() ? value.items[i + 1].bits & 15U : 0;
      put_number((value.items[i].bits & 15U) | high << 4U, 1);
    }
    return true;
  }
  bool put_variant(const FieldItem& item) {
    put_number(item.code, 1);
    if (item.code == 0) return true;
    const FieldType type = type_of_code(item.code);
    if (type == kVn) return false;
    if (type == kN1) return put_number(item.bits & 15U, 1), true;
    return put_item(type, 0, item);
  }
  bool put_item(FieldType type, std::size_t size, const FieldItem& item) {
    switch (type) {
      case kCn:
      case kBn: return item.text.size() <= 255 && put_text(1, item.text.size(), item.text);
      case kSn: return item.text.size() <= kLongestBody && put_text(2, item.text.size(), item.text);
      case kDn: return (item.bits + 7) / 8 == item.text.size() && put_text(2, item.bits, item.text);
      case kCf:
        if (item.text.size() > size) return false;
        out_ += item.text;
        return out_.append(size - item.text.size(), ' '), true;
      case kUf: return size <= 8 && (put_number(item.bits, size), true);
      default: return put_number(item.bits, width_of(type)), true;
    }
  }
  bool put_text(std::size_t width, std::uint64_t length, std::string_view text) {
    put_number(length, width);
    out_ += text;
    return true;
  }

  std::endian order_;
  std::string& out_;
};

/// Elements of the arrays that a count field counts: those of the first one that is given.
std::size_t counted(const RecordValues& values, std::size_t count_field) {
  const auto& fields = values.layout->fields;
  for (std::size_t k = count_field + 1; k < fields.size(); ++k) {
    if (fields[k].count == static_cast<std::int8_t>(count_field) && values.fields[k].given) {
      return values.fields[k].items.size();
    }
  }
  return static_cast<std::size_t>(values.fields[count_field].number());
}

bool is_count(const RecordLayout& layout, std::size_t i) {
  return std::ranges::any_of(
      layout.fields, [i](const FieldLayout& f) { return f.count == static_cast<std::int8_t>(i); });
}

/// The field with what has to stand in it: its count, its missing value, or all its elements.
FieldValue completed(const RecordValues& values, std::size_t i) {
  const FieldLayout& field = values.layout->fields[i];
  FieldValue value = values.fields[i];
  if (field.count >= 0) {
    value.items.resize(counted(values, static_cast<std::size_t>(field.count)));
  } else if (is_count(*values.layout, i)) {
    set_number(value, counted(values, i));
  } else if (!value.given) {
    set_number(value, static_cast<std::uint64_t>(field.missing));
  }
  return value;
}

void append_hex(std::string& out, std::string_view bytes) {
  out += '"';
  for (const char c : bytes) {
    fmt::format_to(std::back_inserter(out), "{:02X}", static_cast<unsigned char>(c));
  }
  out += '"';
}

void append_real(std::string& out, double value, bool single) {
  if (!std::isfinite(value)) {
    out += "null";
  } else if (single) {
    fmt::format_to(std::back_inserter(out), "{}", static_cast<float>(value));
  } else {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

double real_of(FieldType type, std::uint64_t bits) {
  return type == kR4 ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)))
                     : std::bit_cast<double>(bits);
}

void append_item(std::string& out, FieldType type, const FieldItem& item) {
  switch (type) {
    case kCn:
    case kSn:
    case kCf: return append_json_string(out, item.text);
    case kBn:
    case kDn: return append_hex(out, item.text);
    case kC1: {
      const char c = static_cast<char>(item.bits);
      return append_json_string(out, c == ' ' ? std::string_view() : std::string_view(&c, 1));
    }
    case kR4:
    case kR8: return append_real(out, real_of(type, item.bits), type == kR4);
    case kVn: {
      const FieldType inner = type_of_code(item.code);
      if (inner == kVn) {
        out += "null";
        return;
      }
      return append_item(out, inner, item);
    }
    case kI1:
    case kI2:
    case kI4:
      fmt::format_to(std::back_inserter(out), "{}", static_cast<std::int64_t>(item.bits));
      return;
    default: fmt::format_to(std::back_inserter(out), "{}", item.bits);
  }
}

}  // namespace

double FieldValue::real(FieldType type) const { return real_of(type, number()); }

bool decode(const RecordLayout& layout, std::span<const std::byte> body, std::endian order,
            RecordValues& values) {
  const bool fits = decode_as(layout, body, order, values);
  const RecordLayout* other = other_layout(layout.code);
  if ((fits && values.surplus == 0) || other == nullptr) return fits;
  if (decode_as(*other, body, order, values) && values.surplus == 0) return true;
  return decode_as(layout, body, order, values);
}

const RecordLayout* reads_as_another(std::uint16_t code, std::span<const std::byte> body,
                                     std::endian order) {
  RecordValues values;
  for (const RecordLayout& layout : all_layouts()) {
    const bool is_near =
        (layout.code >> 8U) == (code >> 8U) || (layout.code & 0xffU) == (code & 0xffU);
    if (layout.code == code || !is_near || body.size() < 8) continue;
    if (decode_as(layout, body, order, values) && values.surplus == 0) return &layout;
  }
  return nullptr;
}

bool encode(const RecordValues& values, std::endian order, std::string& out) {
  const auto& fields = values.layout->fields;
  std::size_t last = fields.size();
  while (last > 0 && !values.fields[last - 1].given) --last;
  const std::size_t start = out.size();
  Encoder encoder(order, out);
  encoder.put_number(0, 2);
  encoder.put_number(values.layout->code >> 8U, 1);
  encoder.put_number(values.layout->code & 0xffU, 1);
  bool fits = true;
  for (std::size_t i = 0; i < last && fits; ++i) {
    const bool absent = fields[i].flags >= 0 && !values.fields[i].given;
    if (absent) continue;
    const std::size_t size =
        fields[i].size < 0 ? 0
                           : static_cast<std::size_t>(
                                 values.fields[static_cast<std::size_t>(fields[i].size)].number());
    fits = encoder.put_field(fields[i], completed(values, i), size);
  }
  const std::size_t length = out.size() - start - 4;
  if (!fits || length > kLongestBody) {
    out.resize(start);
    return false;
  }
  std::string head;
  Encoder(order, head).put_number(length, 2);
  std::copy(head.begin(), head.end(), out.begin() + static_cast<std::ptrdiff_t>(start));
  return true;
}

RecordValues empty_record(const RecordLayout& layout) {
  RecordValues values;
  values.layout = &layout;
  values.fields.resize(layout.fields.size());
  return values;
}

void set_number(FieldValue& field, std::uint64_t bits) {
  field.given = true;
  field.items.assign(1, FieldItem{.bits = bits, .text = {}, .code = 0});
}

void set_text(FieldValue& field, std::string_view text) {
  field.given = true;
  field.items.assign(1, FieldItem{.bits = text.size(), .text = std::string(text), .code = 0});
}

std::string to_json(const RecordValues& values) {
  std::string out = "{";
  for (std::size_t i = 0; i < values.fields.size(); ++i) {
    const FieldValue& value = values.fields[i];
    const FieldLayout& field = values.layout->fields[i];
    if (!value.given) continue;
    if (out.size() > 1) out += ',';
    append_json_string(out, field.name);
    out += ':';
    if (field.count < 0) {
      append_item(out, field.type, value.items.front());
      continue;
    }
    out += '[';
    for (std::size_t k = 0; k < value.items.size(); ++k) {
      if (k > 0) out += ',';
      append_item(out, field.type, value.items[k]);
    }
    out += ']';
  }
  return out + '}';
}

}  // namespace yieldloop::ingest::stdf
