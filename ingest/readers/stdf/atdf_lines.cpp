#include "ingest/readers/stdf/atdf_lines.h"

#include <fmt/format.h>

#include <algorithm>

namespace yieldloop::ingest::stdf {
namespace {

constexpr std::size_t kWindow = 1U << 18U;

}  // namespace

bool AtdfLines::fill() {
  if (ended_ || error_) return false;
  window_.resize(kWindow);
  at_ = 0;
  auto got = source_->read(std::as_writable_bytes(std::span(window_.data(), window_.size())));
  if (!got) error_ = got.error();
  const std::size_t n = got ? *got : 0;
  ended_ = n < kWindow;
  window_.resize(n);
  return n > 0;
}

bool AtdfLines::peek(char& c) {
  if (at_ == window_.size() && !fill()) return false;
  c = window_[at_];
  return true;
}

/// Appends a line as it stands in the file, without its break. False at the end.
bool AtdfLines::read_physical(std::string& text, bool keep) {
  char c = 0;
  if (!peek(c)) return false;
  ++line_;
  while (peek(c)) {
    const std::size_t end = std::min(window_.find('\n', at_), window_.size());
    if (keep && text.size() <= kLongest) text.append(window_, at_, end - at_);
    offset_ += end - at_;
    at_ = end;
    if (at_ == window_.size()) continue;
    ++at_;
    ++offset_;
    break;
  }
  if (!text.empty() && text.back() == '\r') text.pop_back();
  return true;
}

bool AtdfLines::next(AtdfLine& line, Rejects& rejects) {
  for (;;) {
    line.text.clear();
    line.byte_offset = offset_;
    line.number = line_ + 1;
    if (!read_physical(line.text, true)) return false;
    char c = 0;
    while (peek(c) && c == ' ') {
      ++at_;
      ++offset_;
      read_physical(line.text, true);
    }
    line.bytes = offset_ - line.byte_offset;
    if (error_) return false;
    if (line.text.size() > kLongest) {
      rejects.push_back(
          {.byte_offset = line.byte_offset,
           .line = line.number,
           .record = 0,
           .bytes_dropped = line.bytes,
           .id = "ATDF-0004",
           .message = fmt::format("A record of {} bytes is longer than any can be; it "
                                  "is dropped.",
                                  line.bytes)});
      continue;
    }
    if (!line.text.empty()) return true;
  }
}

}  // namespace yieldloop::ingest::stdf
