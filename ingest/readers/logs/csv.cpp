#include "ingest/readers/logs/csv.h"

#include <algorithm>

namespace yieldloop::ingest {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

CsvScanner::CsvScanner(std::string_view text, char delimiter) : text_(text), delimiter_(delimiter) {
  if (text_.starts_with(kByteOrderMark)) position_ = kByteOrderMark.size();
}

/// Reads a cell that opens with a quote at `at` and leaves `at` behind its closing quote.
bool CsvScanner::quoted_cell(std::size_t& at, std::size_t& used) {
  if (used == unescaped_.size()) unescaped_.emplace_back();
  std::string& cell = unescaped_[used++];
  cell.clear();
  const std::size_t limit = std::min(text_.size(), at + kLongestQuoted);
  for (std::size_t from = at + 1; from < limit;) {
    const std::size_t quote = text_.substr(0, limit).find('"', from);
    if (quote == std::string_view::npos) return false;
    cell.append(text_, from, quote - from);
    at = quote + 1;
    if (at >= text_.size() || text_[at] != '"') {
      cells_.push_back(cell);
      return true;
    }
    cell += '"';
    from = at + 1;
  }
  return false;
}

void CsvScanner::skip_broken_line() {
  broken_ = true;
  const std::size_t end = text_.find('\n', start_);
  position_ = end == std::string_view::npos ? text_.size() : end + 1;
  next_line_ = line_ + 1;
}

bool CsvScanner::next() {
  while (position_ < text_.size() && (text_[position_] == '\n' || text_[position_] == '\r')) {
    if (text_[position_++] == '\n') ++next_line_;
  }
  if (position_ >= text_.size()) return false;
  cells_.clear();
  broken_ = false;
  start_ = position_;
  line_ = next_line_;
  std::size_t used = 0;
  std::size_t at = start_;
  for (;;) {
    if (at < text_.size() && text_[at] == '"') {
      const std::size_t opened = at;
      if (!quoted_cell(at, used)) return skip_broken_line(), true;
      next_line_ += static_cast<std::uint64_t>(
          std::count(text_.begin() + static_cast<std::ptrdiff_t>(opened),
                     text_.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
      if (at < text_.size() && text_[at] == '\r') ++at;
      if (at < text_.size() && text_[at] != delimiter_ && text_[at] != '\n') {
        return skip_broken_line(), true;
      }
    } else {
      const std::size_t from = at;
      while (at < text_.size() && text_[at] != delimiter_ && text_[at] != '\n') ++at;
      std::string_view cell = text_.substr(from, at - from);
      if ((at == text_.size() || text_[at] == '\n') && cell.ends_with('\r')) cell.remove_suffix(1);
      cells_.push_back(cell);
    }
    if (at >= text_.size() || text_[at] == '\n') break;
    ++at;
  }
  if (at < text_.size()) {
    ++at;
    ++next_line_;
  }
  position_ = at;
  return true;
}

char sniff_delimiter(std::string_view text, bool with_bar) {
  constexpr std::string_view kCandidates = ",;\t|";
  std::size_t seen[4] = {};
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted && c == '\n') break;
    const std::size_t which = kCandidates.find(c);
    if (!quoted && which != std::string_view::npos) ++seen[which];
  }
  const std::size_t count = with_bar ? 4 : 3;
  return kCandidates[static_cast<std::size_t>(std::max_element(seen, seen + count) - seen)];
}

}  // namespace yieldloop::ingest
