/// \file
/// The fields of every record type as data, and records as values: taken apart and put together
/// again in either byte order. What is not on the fast path (see result_rows.h) goes through here:
/// records kept as JSON, the strict check for damage, and the ATDF twin.
///
/// Source: "Standard Test Data Format (STDF) Specification", version 4, Teradyne; its 2007
/// revision for VUR, PSR, NMR, CNR, SSR, CDR and STR.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace yieldloop::ingest::stdf {

/// The specification's data type codes. kUf is an unsigned number and kCf a text whose length in
/// bytes another field gives.
enum class FieldType : std::uint8_t {
  kU1,
  kU2,
  kU4,
  kU8,
  kI1,
  kI2,
  kI4,
  kR4,
  kR8,
  kC1,
  kB1,
  kCn,
  kSn,
  kBn,
  kDn,
  kN1,
  kVn,
  kUf,
  kCf
};

struct FieldLayout {
  std::string_view name;
  FieldType type = FieldType::kU1;
  std::int8_t count = -1;  ///< Position of the field with the number of elements; -1: one.
  std::int8_t size = -1;   ///< Position of the field with the bytes an element; kUf and kCf.
  std::int8_t flags = -1;  ///< Position of the flags that say whether the field is there.
  std::uint8_t mask = 0;   ///< It is there when (flags & mask) == wanted.
  std::uint8_t wanted = 0;
  std::int64_t missing = 0;  ///< The value that says "not given"; numbers and C1.
};

struct RecordLayout {
  std::uint16_t code = 0;  ///< type_code(REC_TYP, REC_SUB).
  std::string_view name;   ///< "PTR".
  std::span<const FieldLayout> fields;

  /// Position of a field. REQUIRES: it is there.
  std::size_t index(std::string_view field) const;
};

/// nullptr for a type the standard does not name.
const RecordLayout* find_layout(std::uint16_t code);
const RecordLayout* find_layout(std::string_view name);
std::span<const RecordLayout> all_layouts();
/// How else writers lay out a type on which they disagree (VUR, PSR); nullptr for the others.
const RecordLayout* other_layout(std::uint16_t code);

/// One element of a field.
struct FieldItem {
  /// The number: unsigned as it is, signed extended to 64 bits, reals as the bits of R4 or R8, C1
  /// as its code; the count of bits of a Dn.
  std::uint64_t bits = 0;
  std::string text;       ///< Cn, Sn, Bn, Dn, Cf: the bytes.
  std::uint8_t code = 0;  ///< Vn: the type code of the value.
  friend bool operator==(const FieldItem&, const FieldItem&) = default;
};

struct FieldValue {
  bool given = false;            ///< False: cut off the record's end, or absent by a flag.
  std::vector<FieldItem> items;  ///< One, or as many as the count says.

  std::uint64_t number() const { return items.empty() ? 0 : items.front().bits; }
  std::int64_t integer() const { return static_cast<std::int64_t>(number()); }
  double real(FieldType type) const;
  std::string_view text() const {
    return items.empty() ? std::string_view() : std::string_view(items.front().text);
  }
};

/// A record as values. Give it back to `decode` to use its memory again.
struct RecordValues {
  const RecordLayout* layout = nullptr;
  std::vector<FieldValue> fields;  ///< Shape: [layout->fields].
  std::size_t surplus = 0;         ///< Bytes behind the last field.

  const FieldValue& operator[](std::string_view name) const { return fields[layout->index(name)]; }
  FieldValue& operator[](std::string_view name) { return fields[layout->index(name)]; }
};

/// Takes a body apart, by the other layout of its type where that alone fits. False when it ends
/// inside a field: the fields before it are given.
bool decode(const RecordLayout& layout, std::span<const std::byte> body, std::endian order,
            RecordValues& values);

/// The standard type as which a body reads from its first byte to its last, among those that have
/// one byte of the code in common: what a damaged code was. nullptr when there is none. Only types
/// of 8 bytes and more are believed.
const RecordLayout* reads_as_another(std::uint16_t code, std::span<const std::byte> body,
                                     std::endian order);

/// Appends the whole record, header included: up to the last field that is given; fields between
/// that are not get their missing value. Counts follow from their arrays. False, with nothing
/// appended, when it does not fit into a record (65,535 bytes) or a text into its length.
bool encode(const RecordValues& values, std::endian order, std::string& out);

/// All fields "not given".
RecordValues empty_record(const RecordLayout& layout);
void set_number(FieldValue& field, std::uint64_t bits);
void set_text(FieldValue& field, std::string_view text);

/// The given fields as one JSON object, {"GRP_INDX":3,"GRP_NAM":"bus","PMR_INDX":[1,2]}: Bn and Dn
/// in hexadecimal digits, NaN and infinities null, texts as valid UTF-8.
std::string to_json(const RecordValues& values);

}  // namespace yieldloop::ingest::stdf
