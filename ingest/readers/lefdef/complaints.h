/// \file
/// What the LEF and the DEF parser share: telling what was skipped. Internal to the folder.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "engine/core/text.h"
#include "ingest/readers/diagnostics.h"
#include "ingest/readers/lefdef/tokens.h"

namespace yieldloop::ingest::lefdef {

/// A word as it may be shown: short and on one line.
inline std::string shown(std::string_view word) {
  constexpr std::size_t kLongest = 60;
  return one_line(word.substr(0, kLongest));
}

class Complaints {
 public:
  Complaints(TokenStream& tokens, Rejects& rejects) : tokens_(tokens), rejects_(rejects) {}

  /// Says that what lies between `from` and the current word was skipped.
  void add(std::size_t from, std::string id, std::string message) {
    const std::uint64_t line = rejects_.total() < Rejects::kKept ? tokens_.line_at(from) : 0;
    rejects_.push_back({.byte_offset = from,
                        .line = line,
                        .record = record_++,
                        .bytes_dropped = tokens_.offset() > from ? tokens_.offset() - from : 0,
                        .id = std::move(id),
                        .message = std::move(message)});
  }

 private:
  TokenStream& tokens_;
  Rejects& rejects_;
  std::size_t record_ = 0;
};

}  // namespace yieldloop::ingest::lefdef
