/// \file
/// A log as records of named cells, whatever it is written in: delimited text, JSON lines, Parquet.
/// Internal to the folder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "ingest/readers/logs/mapping.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest {

/// Reads one record after another in bounded memory. Not thread-safe.
class RecordSource {
 public:
  virtual ~RecordSource() = default;

  /// Steps to the next record; false at the end. Errors: those of ByteSource::read, and what makes
  /// the rest of the file unreadable.
  virtual Result<bool> next() = 0;
  /// The columns met so far; JSON lines may add some with every record.
  const std::vector<std::string>& columns() const { return columns_; }
  /// One a column. An absent value is "". Views hold until the next call of next().
  const std::vector<std::string_view>& cells() const { return cells_; }
  /// Why the record cannot be used as a whole; the id is empty when it can.
  const std::string& problem_id() const { return problem_id_; }
  const std::string& problem() const { return problem_; }
  std::uint64_t line() const { return line_; }  ///< 1-based; of Parquet, the row.
  std::uint64_t byte_offset() const { return byte_offset_; }
  std::size_t bytes() const { return bytes_; }

 protected:
  void good() { problem_id_.clear(); }
  void bad(std::string_view id, std::string text) {
    problem_id_ = id;
    problem_ = std::move(text);
  }

  std::vector<std::string> columns_;
  std::vector<std::string_view> cells_;
  std::string problem_id_, problem_;
  std::uint64_t line_ = 0;
  std::uint64_t byte_offset_ = 0;
  std::size_t bytes_ = 0;
};

/// A stream of text as a window that moves on; 64 bytes behind the window may be read.
class TextWindow {
 public:
  explicit TextWindow(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  std::string_view text() const { return {buffer_.data(), size_}; }
  bool complete() const { return complete_; }  ///< The window reaches the end of the file.
  /// Forgets the first `used` bytes and reads on. REQUIRES: used <= text().size().
  Status move(std::size_t used);
  std::uint64_t offset() const { return offset_; }  ///< Of the window in the file.

 private:
  static constexpr std::size_t kStep = std::size_t{1} << 20;
  static constexpr std::size_t kBehind = 64;

  std::unique_ptr<ByteSource> source_;
  std::vector<char> buffer_;
  std::size_t size_ = 0;
  std::uint64_t offset_ = 0;
  bool complete_ = false;
};

/// The first record is the header. Errors: LOGS-0020.
Result<std::unique_ptr<RecordSource>> csv_records(Input& input, const FileMapping* file);
/// One JSON object a line. Numbers keep their digits; members that are objects or lists become
/// their text. Errors: those of ByteSource::read.
Result<std::unique_ptr<RecordSource>> json_records(Input& input);
bool looks_like_json_lines(Bytes head);
/// The members' names of the first lines.
std::vector<std::string> json_columns(Bytes head);

}  // namespace yieldloop::ingest
