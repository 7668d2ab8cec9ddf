#include "ingest/readers/logs/csv.h"

#include <algorithm>

namespace yieldloop::ingest {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

CsvScanner::CsvScanner(std::string_view text, char delimiter) : text_(text), delimiter_(delimiter) {
  if (text_.starts_with(kByteOrderMark)) position_ = kByteOrderMark.size();
}

CsvScanner CsvScanner::of_part(std::string_view text, char delimiter) {
  CsvScanner scanner(text, delimiter);
  scanner.complete_ = false;
  return scanner;
}

void CsvScanner::resume(std::string_view text, std::size_t dropped, bool complete) {
  text_ = text;
  position_ -= dropped;
  complete_ = complete;
}

/// Reads a cell that opens with a quote at `at` and leaves `at` behind its closing quote.
bool CsvScanner::quoted_cell(std::size_t& at, std::size_t& used) {
  if (used == unescaped_.size()) unescaped_.emplace_back();
  std::string& cell = unescaped_[used++];
  cell.clear();
  const std::size_t limit = std::min(text_.size(), at + kLongestQuoted);
  for (std::size_t from = at + 1; from < limit;) {
    const std::size_t quote = text_.substr(0, limit).find('"', from);
    if (quote == std::string_view::npos) break;
    cell.append(text_, from, quote - from);
    at = quote + 1;
    if (at >= text_.size() || text_[at] != '"') {
      cells_.push_back(cell);
      return true;
    }
    cell += '"';
    from = at + 1;
  }
  unclosed_ = limit == text_.size();
  return false;
}

bool CsvScanner::starve() {
  starved_ = true;
  position_ = start_;
  next_line_ = line_;
  return false;
}

bool CsvScanner::broken_line() {
  const std::size_t end = text_.find('\n', start_);
  if (end == std::string_view::npos && !complete_) return starve();
  broken_ = true;
  position_ = end == std::string_view::npos ? text_.size() : end + 1;
  next_line_ = line_ + 1;
  return true;
}

bool CsvScanner::next() {
  starved_ = false;
  while (position_ < text_.size() && (text_[position_] == '\n' || text_[position_] == '\r')) {
    if (text_[position_++] == '\n') ++next_line_;
  }
  start_ = position_;
  line_ = next_line_;
  if (position_ >= text_.size()) return complete_ ? false : starve();
  cells_.clear();
  broken_ = false;
  return read_record();
}

bool CsvScanner::read_record() {
  const char* const data = text_.data();
  const std::size_t size = text_.size();
  std::size_t used = 0;
  std::size_t at = start_;
  for (;;) {
    if (at < size && data[at] == '"') {
      const std::size_t opened = at;
      unclosed_ = false;
      if (!quoted_cell(at, used)) {
        if (unclosed_ && !complete_) return starve();
        return broken_line();
      }
      next_line_ += static_cast<std::uint64_t>(
          std::count(text_.begin() + static_cast<std::ptrdiff_t>(opened),
                     text_.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
      if (at < size && data[at] == '\r') ++at;
      if (at < size && data[at] != delimiter_ && data[at] != '\n') return broken_line();
    } else {
      const std::size_t from = at;
      while (at < size && data[at] != delimiter_ && data[at] != '\n') ++at;
      std::string_view cell(data + from, at - from);
      if ((at == size || data[at] == '\n') && cell.ends_with('\r')) cell.remove_suffix(1);
      cells_.push_back(cell);
    }
    if (at >= size || data[at] == '\n') break;
    ++at;
  }
  if (at < size) {
    ++at;
    ++next_line_;
  } else if (!complete_) {
    return starve();
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
