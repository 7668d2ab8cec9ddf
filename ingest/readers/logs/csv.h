/// \file
/// Splits delimited text into records and cells; knows nothing of what they mean.
///
/// Cells without quotes are views of the text; quoted ones are unescaped into memory that the
/// scanner reuses, so a pass over a file allocates next to nothing.
///
/// Source: RFC 4180, with the delimiter free, LF beside CRLF, and blank lines skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace yieldloop::ingest {

/// Not thread-safe.
class CsvScanner {
 public:
  /// A quoted cell longer than this is taken for a quote that was never closed.
  static constexpr std::size_t kLongestQuoted = 1U << 20U;

  /// A UTF-8 byte order mark is skipped. REQUIRES: text outlives the scanner.
  CsvScanner(std::string_view text, char delimiter);

  /// The same for the beginning of a text; next() then says when it needs more of it.
  static CsvScanner of_part(std::string_view text, char delimiter);
  /// Goes on in a text that begins `dropped` bytes further; `complete`: nothing follows it.
  /// REQUIRES: dropped <= position().
  void resume(std::string_view text, std::size_t dropped, bool complete);
  /// Where the next record begins.
  std::size_t position() const { return position_; }

  /// Reads the next record that is not a blank line; false at the end, or when it is starved.
  bool next();
  /// The record may go on behind the part of the text that is there: resume() with more of it.
  bool starved() const { return starved_; }

  /// The record's cells; views hold until the next call of next().
  const std::vector<std::string_view>& cells() const { return cells_; }
  /// A quote was not closed, or text followed a closing quote. The record then is its first line
  /// alone and reading goes on after that.
  bool broken() const { return broken_; }
  std::uint64_t line() const { return line_; }  ///< 1-based, of the record's first line.
  std::size_t byte_offset() const { return start_; }
  std::size_t bytes() const { return position_ - start_; }

 private:
  bool quoted_cell(std::size_t& at, std::size_t& used);
  bool broken_line();
  bool starve();
  bool read_record();

  std::string_view text_;
  char delimiter_;
  std::size_t position_ = 0;
  std::size_t start_ = 0;
  std::uint64_t line_ = 0;
  std::uint64_t next_line_ = 1;
  bool broken_ = false;
  bool complete_ = true;
  bool starved_ = false;
  bool unclosed_ = false;  ///< The quoted cell runs to the end of what is there.
  std::vector<std::string_view> cells_;
  std::deque<std::string> unescaped_;
};

/// Which of `,` `;` tab (and `|` when `with_bar`) splits the first line into the most cells;
/// ',' when none occurs.
char sniff_delimiter(std::string_view text, bool with_bar = false);

}  // namespace yieldloop::ingest
