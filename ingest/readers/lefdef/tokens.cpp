#include "ingest/readers/lefdef/tokens.h"

#include <algorithm>
#include <cmath>

#include "engine/core/text.h"

namespace yieldloop::ingest::lefdef {
namespace {

bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' '; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool starts_number(std::string_view word) {
  return !word.empty() && (is_digit(word[0]) || word[0] == '-' || word[0] == '+' || word[0] == '*');
}

}  // namespace

TokenStream::TokenStream(std::string_view text) : text_(text) {
  if (text_.starts_with("\xef\xbb\xbf")) position_ = 3;
  advance();
}

void TokenStream::skip_blanks() {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (is_blank(c)) {
      ++position_;
    } else if (c == '#') {
      const std::size_t end = text_.find('\n', position_);
      const std::size_t stop = end == std::string_view::npos ? text_.size() : end;
      comment_bytes_ += stop - position_;
      position_ = stop;
    } else {
      return;
    }
  }
}

/// Reads a text in quotes; false when it is never closed.
bool TokenStream::quoted_word() {
  if (open_quote_) return false;
  std::size_t close = position_ + 1;
  for (;;) {
    close = text_.find('"', close);
    if (close == std::string_view::npos) {
      open_quote_ = true;
      return false;
    }
    if (text_[close - 1] != '\\' || close - 1 == position_) break;
    ++close;
  }
  word_ = text_.substr(position_ + 1, close - position_ - 1);
  position_ = close + 1;
  quoted_ = true;
  return true;
}

void TokenStream::advance() {
  quoted_ = false;
  skip_blanks();
  start_ = position_;
  if (position_ >= text_.size()) {
    at_end_ = true;
    word_ = {};
    return;
  }
  if (text_[position_] == '"' && quoted_word()) return;
  std::size_t end = position_ + 1;
  while (end < text_.size() && !is_blank(text_[end])) ++end;
  std::string_view word = text_.substr(position_, end - position_);
  if (word.size() > 1) {
    if (word[0] == '(' && starts_number(word.substr(1))) {
      word = word.substr(0, 1);
    } else if (word.back() == ';') {
      word.remove_suffix(1);
      if (word.size() > 1 && word.back() == ')' && starts_number(word)) word.remove_suffix(1);
    } else if (word.back() == ')' && starts_number(word)) {
      word.remove_suffix(1);
    }
  }
  word_ = word;
  position_ += word.size();
}

bool TokenStream::is_like(std::string_view word) const {
  return !quoted_ && equals_ignoring_case(word_, word);
}

std::uint64_t TokenStream::line_at(std::size_t offset) {
  if (offset < line_offset_) {
    line_offset_ = 0;
    line_ = 1;
  }
  const auto begin = text_.begin();
  line_ += static_cast<std::uint64_t>(
      std::count(begin + static_cast<std::ptrdiff_t>(line_offset_),
                 begin + static_cast<std::ptrdiff_t>(std::min(offset, text_.size())), '\n'));
  line_offset_ = offset;
  return line_;
}

std::optional<geometry::Coord> to_coord(std::string_view word) {
  std::size_t at = !word.empty() && (word[0] == '-' || word[0] == '+') ? 1 : 0;
  if (at == word.size() || word.size() > 14) return std::nullopt;
  geometry::Coord value = 0;
  for (; at < word.size() && is_digit(word[at]); ++at) value = value * 10 + (word[at] - '0');
  if (at < word.size()) {
    const auto real = to_number(word);
    if (!real) return std::nullopt;
    return std::llround(*real);
  }
  if (value > kLargestCoordinate) return std::nullopt;
  return word[0] == '-' ? -value : value;
}

std::optional<double> to_number(std::string_view word) {
  const auto value = parse_real(word);
  if (!value || std::abs(*value) > static_cast<double>(kLargestCoordinate)) return std::nullopt;
  return value;
}

std::string unescaped(std::string_view word) {
  if (word.find('\\') == std::string_view::npos) return std::string(word);
  std::string name;
  name.reserve(word.size());
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\\' && i + 1 < word.size()) ++i;
    name += word[i];
  }
  return name;
}

}  // namespace yieldloop::ingest::lefdef
