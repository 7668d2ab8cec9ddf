/// \file
/// Writes STDF records as ATDF lines (atdf_fields.h), unscaled: FAR:A|4|2|U.
#pragma once

#include <string>
#include <string_view>

#include "ingest/readers/stdf/atdf_fields.h"

namespace yieldloop::ingest::stdf {

/// Separators in the order in which they are tried; one that occurs in no text is taken.
inline constexpr std::string_view kAtdfSeparators = "|^~`;!@\t";

class AtdfWriter {
 public:
  explicit AtdfWriter(char separator) : separator_(separator) {}

  /// Appends a line. Line breaks within texts become blanks. False for a record that has no ATDF.
  bool write(const RecordValues& values, std::string& out);
  /// Texts in which something was replaced.
  std::size_t replaced() const { return replaced_; }

 private:
  void write_generic(const RecordValues& gdr, std::string& out);
  void write_field(const AtdfRecord& record, const AtdfField& field, const RecordValues& values,
                   std::string& out);
  void write_plain(const FieldLayout& layout, const FieldValue& value, std::string& out);
  void write_item(FieldType type, const FieldItem& item, std::string& out);
  void write_text(std::string_view text, bool in_list, std::string& out);
  void write_variant(const FieldItem& item, std::string& out);
  void write_states(const RecordValues& values, std::size_t right, std::string& out);

  char separator_;
  std::size_t replaced_ = 0;
};

}  // namespace yieldloop::ingest::stdf
