#include "ingest/readers/attributes.h"

#include <algorithm>

#include "engine/core/text.h"

namespace yieldloop::ingest {
namespace {

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (code < 0x20 || code == 0x7f) {
      out += "\\u00";
      out += kHex[code >> 4];
      out += kHex[code & 15];
    } else {
      out += c;
    }
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  if (is_ascii(text)) {
    append_escaped(out, text);
  } else {
    append_escaped(out, to_valid_utf8(text));
  }
  out += '"';
}

void Attributes::add(std::string_view key, std::string_view value) {
  if (value.empty()) return;
  text_ += text_.empty() ? '{' : ',';
  append_json_string(text_, key);
  text_ += ':';
  append_json_string(text_, value);
}

std::string_view Attributes::finish() {
  if (!text_.empty()) text_ += '}';
  return text_;
}

}  // namespace yieldloop::ingest
