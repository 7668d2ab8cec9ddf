/// \file
/// The `attributes` text of a row: what a file said in columns the store has no place for.
///
/// One JSON object of texts, {"OPERATOR_NOTE":"recheck"}, keys in the order of the file's
/// columns; empty values are left out and an object without members is a null.
#pragma once

#include <string>
#include <string_view>

namespace yieldloop::ingest {

/// Appends `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// Builds one row's object after another without giving its memory back.
class Attributes {
 public:
  void clear() { text_.clear(); }
  void add(std::string_view key, std::string_view value);
  /// The object, or "" when nothing was added; valid until the next clear().
  std::string_view finish();

 private:
  std::string text_;
};

}  // namespace yieldloop::ingest
