/// \file
/// Splits LEF and DEF text into words; knows nothing of what they mean.
///
/// Words are parted by blanks; `#` at the start of a word opens a comment to the end of its line; a
/// text in quotes is one word and may run over lines. `;` glued to the word before it and brackets
/// glued to numbers are parted, because some writers leave the blank out. Words are views of the
/// text; nothing is copied.
///
/// Source: "LEF/DEF Language Reference", version 5.8, Cadence Design Systems, chapter 1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/geometry/point.h"

namespace yieldloop::ingest::lefdef {

/// Not thread-safe. REQUIRES: the text outlives the stream.
class TokenStream {
 public:
  explicit TokenStream(std::string_view text);

  bool at_end() const { return at_end_; }
  /// The current word, quotes taken off; "" at the end.
  std::string_view text() const { return word_; }
  bool quoted() const { return quoted_; }
  std::size_t offset() const { return start_; }  ///< Of the current word.
  std::size_t size() const { return text_.size(); }
  void advance();

  /// The current word is this one, not in quotes.
  bool is(std::string_view word) const { return word_ == word && !quoted_ && !at_end_; }
  /// The same whatever the case.
  bool is_like(std::string_view word) const;
  /// Steps over the word when it is this one.
  bool take(std::string_view word) {
    if (!is(word)) return false;
    advance();
    return true;
  }
  bool take_like(std::string_view word) {
    if (!is_like(word)) return false;
    advance();
    return true;
  }

  /// 1-based line of a place in the text. Cost: what lies between it and the last one asked for.
  std::uint64_t line_at(std::size_t offset);
  /// Bytes of comments met so far.
  std::size_t comment_bytes() const { return comment_bytes_; }
  /// A quote was opened and never closed; the quote sign then is part of a word.
  bool open_quote() const { return open_quote_; }

 private:
  void skip_blanks();
  bool quoted_word();

  std::string_view text_;
  std::string_view word_;
  std::size_t start_ = 0;
  std::size_t position_ = 0;
  std::size_t comment_bytes_ = 0;
  std::size_t line_offset_ = 0;
  std::uint64_t line_ = 1;
  bool quoted_ = false;
  bool at_end_ = false;
  bool open_quote_ = false;
};

/// Coordinates beyond this are damage, whatever the unit: 10^12 database units are metres.
inline constexpr geometry::Coord kLargestCoordinate = 1'000'000'000'000;

/// A whole number of database units; a fraction is rounded, because some writers add ".0".
std::optional<geometry::Coord> to_coord(std::string_view word);
/// A plain number with |x| <= kLargestCoordinate.
std::optional<double> to_number(std::string_view word);
/// The name without the backslashes that escape characters in it.
std::string unescaped(std::string_view word);

}  // namespace yieldloop::ingest::lefdef
