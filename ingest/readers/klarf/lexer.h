/// \file
/// Cuts KLARF text into words, quoted texts and signs, in place.
///
/// One lexer serves both dialects: the flat one (1.0 to 1.2) knows blanks, quotes and ';', the
/// nested one (1.8) also '{', '}' and ','. Quotes have no escape; one that is not closed on its
/// line ends there, so that a lost quote cannot swallow the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ingest/readers/diagnostics.h"

namespace yieldloop::ingest::klarf {

enum class TokenKind : std::uint8_t { kEnd, kWord, kText, kSign };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  bool starts_line = false;  ///< First on its line.
  std::size_t offset = 0;
  std::string_view text;  ///< Without quotes.

  bool is(char sign) const { return kind == TokenKind::kSign && text.front() == sign; }
  bool is_value() const { return kind == TokenKind::kWord || kind == TokenKind::kText; }
};

/// Cheap to copy: a copy is a place to come back to.
class Lexer {
 public:
  /// A UTF-8 byte order mark is skipped.
  Lexer(std::string_view text, bool nested);
  Token next();
  Token peek() const {
    Lexer ahead = *this;
    return ahead.next();
  }
  /// Goes behind the end of the line that `token` is on.
  void skip_line_of(const Token& token);
  /// Goes on at an offset. REQUIRES: it is no part of a quoted text.
  void jump(std::size_t offset, bool line_start) {
    at_ = offset;
    line_start_ = line_start;
  }
  /// Just behind the last token.
  std::size_t position() const { return at_; }
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
  const bool* breaks_;  ///< Shape: [256], true for bytes that end a word.
  std::size_t at_ = 0;
  bool line_start_ = true;
};

/// Puts lines to offsets and writes the rejects of one file. Not thread-safe.
class Complaints {
 public:
  Complaints(std::string_view text, Rejects& rejects) : text_(text), rejects_(rejects) {}
  /// The piece [from, to) of the text could not be used.
  void reject(std::size_t from, std::size_t to, std::string id, std::string message);
  /// 1-based. Cost: the distance to the offset asked before.
  std::uint64_t line_of(std::size_t offset);
  /// Says that `offset` is on line `line`, so that line_of need not count up to it.
  void note_line(std::size_t offset, std::uint64_t line) {
    counted_to_ = offset;
    line_ = line;
  }
  std::size_t total() const { return rejects_.total(); }

 private:
  std::string_view text_;
  Rejects& rejects_;
  std::size_t counted_to_ = 0;
  std::uint64_t line_ = 1;
  std::size_t ordinal_ = 0;
};

}  // namespace yieldloop::ingest::klarf
