/// \file
/// The logical lines of an ATDF stream: lines that begin with a blank go on the line before.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/core/result.h"
#include "ingest/readers/diagnostics.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest::stdf {

struct AtdfLine {
  std::string text;               ///< Without line breaks.
  std::uint64_t byte_offset = 0;  ///< Of its first byte.
  std::uint64_t number = 0;       ///< 1-based, of its first line.
  std::uint64_t bytes = 0;        ///< Line breaks included.
};

/// Not thread-safe. Memory: the longest line that is kept, and a window.
class AtdfLines {
 public:
  /// Longer logical lines are dropped (ATDF-0004): no record of STDF is as long.
  static constexpr std::size_t kLongest = std::size_t{1} << 20U;

  explicit AtdfLines(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  /// The next line that is not empty; false at the end or when the stream failed (see `error`).
  bool next(AtdfLine& line, Rejects& rejects);
  const std::optional<Error>& error() const { return error_; }
  std::uint64_t end_offset() const { return offset_; }
  std::uint64_t lines() const { return line_; }

 private:
  bool fill();
  bool peek(char& c);
  bool read_physical(std::string& text, bool keep);

  std::unique_ptr<ByteSource> source_;
  std::string window_;
  std::size_t at_ = 0;
  bool ended_ = false;
  std::uint64_t offset_ = 0;
  std::uint64_t line_ = 0;
  std::optional<Error> error_;
};

}  // namespace yieldloop::ingest::stdf
