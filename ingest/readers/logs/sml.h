/// \file
/// SECS-II messages written as SML text, as equipment logs and host traces hold them.
///
///   message   := anything on the line before it, [NAME ':'] SxFy ['W'] [item] '.'
///   item      := '<' FORMAT ['[' count ']'] (item* | value*) '>'
///   FORMAT    := L A J B BOOLEAN I1 I2 I4 I8 U1 U2 U4 U8 F4 F8 C2
///   values    := numbers, 0x.., TRUE, FALSE, texts in quotes; commas between them are passed over
///   comments  := C's two kinds
///
/// The final dot may be missing where the next message, or the end of the file, follows. Texts may
/// be split: "a" 0x0A "b" is one.
///
/// Source: SEMI E5 (SECS-II), section on data items; SML as SEMI E5 and E30 examples write it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/readers/diagnostics.h"

namespace yieldloop::ingest {

struct SmlItem {
  std::string format;               ///< Upper case: "L", "A", "U4", ...
  std::vector<std::string> values;  ///< Of anything but a list.
  std::vector<SmlItem> items;       ///< Of a list.

  bool is_list() const { return format == "L"; }
  /// One text: a text's own, else the values with blanks between them.
  std::string text() const;
  friend bool operator==(const SmlItem&, const SmlItem&) = default;
};

struct SmlMessage {
  int stream = 0, function = 0;
  bool wait = false;
  std::string before;           ///< The line up to the message: times and names stand there.
  std::optional<SmlItem> body;  ///< Header-only messages have none.
  std::size_t byte_offset = 0;
  std::uint64_t line = 0;  ///< 1-based.
  friend bool operator==(const SmlMessage&, const SmlMessage&) = default;
};

/// Walks over the messages of a text. Not thread-safe. REQUIRES: the text outlives it.
class SmlParser {
 public:
  explicit SmlParser(std::string_view text) : text_(text) {}

  /// The next message; nothing at the end. What is damaged goes to rejects (SECS-0001) and reading
  /// goes on at the next line that holds a message; items outside of a message are told once
  /// (SECS-0004).
  std::optional<SmlMessage> next(Rejects& rejects);

 private:
  static constexpr int kDeepest = 64;

  bool find_header(SmlMessage& message);
  bool header_at(std::size_t at, SmlMessage& message);
  bool item(SmlItem& item, int depth);
  bool value(SmlItem& item);
  Reject reject(std::size_t at, std::size_t bytes, std::string id, std::string message);
  void tell_orphan(Rejects& rejects);
  void skip_blanks();
  std::uint64_t line_at(std::size_t offset);
  std::string_view word();

  std::string_view text_;
  std::size_t position_ = 0;
  std::size_t record_ = 0;
  std::size_t line_offset_ = 0;
  std::uint64_t line_ = 1;
  std::string problem_;
  std::optional<std::size_t> orphan_;  ///< First item met outside of a message.
  bool after_damage_ = false;          ///< What follows is the rest of a damaged message.
};

}  // namespace yieldloop::ingest
