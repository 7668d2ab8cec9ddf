#include "ingest/readers/klarf/lexer.h"

#include <algorithm>
#include <array>

namespace yieldloop::ingest::klarf {
namespace {

constexpr std::array<bool, 256> make_breaks(std::string_view breaks) {
  std::array<bool, 256> table{};
  for (const char c : breaks) table[static_cast<unsigned char>(c)] = true;
  return table;
}

constexpr auto kFlatBreaks = make_breaks(" \t\r\n\f\v;\"");
constexpr auto kNestedBreaks = make_breaks(" \t\r\n\f\v;\"{},");
constexpr auto kBlanks = make_breaks(" \t\r\n\f\v");

}  // namespace

Lexer::Lexer(std::string_view text, bool nested)
    : text_(text), breaks_((nested ? kNestedBreaks : kFlatBreaks).data()) {
  if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
}

Token Lexer::next() {
  const char* const data = text_.data();
  const std::size_t size = text_.size();
  std::size_t at = at_;
  bool line_start = line_start_;
  while (at < size && kBlanks[static_cast<unsigned char>(data[at])]) {
    line_start = line_start || data[at] == '\n';
    ++at;
  }
  line_start_ = false;
  Token token{.starts_line = line_start, .offset = at};
  if (at == size) {
    at_ = at;
    return token;
  }
  const std::size_t from = at;
  if (data[at] == '"') {
    token.kind = TokenKind::kText;
    do {
      ++at;
    } while (at < size && data[at] != '"' && data[at] != '\n');
    token.text = text_.substr(from + 1, at - from - 1);
    if (at < size && data[at] == '"') ++at;
  } else if (breaks_[static_cast<unsigned char>(data[at])]) {
    token.kind = TokenKind::kSign;
    token.text = text_.substr(at++, 1);
  } else {
    token.kind = TokenKind::kWord;
    while (at < size && !breaks_[static_cast<unsigned char>(data[at])]) ++at;
    token.text = text_.substr(from, at - from);
  }
  at_ = at;
  return token;
}

void Lexer::skip_line_of(const Token& token) {
  const std::size_t end = text_.find('\n', token.offset);
  at_ = end == std::string_view::npos ? text_.size() : end + 1;
  line_start_ = true;
}

std::uint64_t Complaints::line_of(std::size_t offset) {
  const auto [from, to] = std::minmax(offset, counted_to_);
  const auto lines =
      static_cast<std::uint64_t>(std::ranges::count(text_.substr(from, to - from), '\n'));
  line_ = offset < counted_to_ ? line_ - lines : line_ + lines;
  counted_to_ = offset;
  return line_;
}

void Complaints::reject(std::size_t from, std::size_t to, std::string id, std::string message) {
  rejects_.push_back({.byte_offset = from,
                      .line = line_of(from),
                      .record = ordinal_++,
                      .bytes_dropped = to - from,
                      .id = std::move(id),
                      .message = std::move(message)});
}

}  // namespace yieldloop::ingest::klarf
