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

  /// Reads the next record that is not a blank line; false at the end.
  bool next();

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
  void skip_broken_line();

  std::string_view text_;
  char delimiter_;
  std::size_t position_ = 0;
  std::size_t start_ = 0;
  std::uint64_t line_ = 0;
  std::uint64_t next_line_ = 1;
  bool broken_ = false;
  std::vector<std::string_view> cells_;
  std::deque<std::string> unescaped_;
};

/// Which of `,` `;` tab (and `|` when `with_bar`) splits the first line into the most cells;
/// ',' when none occurs.
char sniff_delimiter(std::string_view text, bool with_bar = false);

}  // namespace yieldloop::ingest
