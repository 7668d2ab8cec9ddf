#include "ingest/readers/logs/sml.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "engine/core/text.h"

namespace yieldloop::ingest {
namespace {

constexpr std::array<std::string_view, 17> kFormats = {"L",  "A",  "J",  "B",  "BOOLEAN", "I1",
                                                       "I2", "I4", "I8", "U1", "U2",      "U4",
                                                       "U8", "F4", "F8", "C2", "BOOL"};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return result;
}

/// Up to three digits at `at`, stepped over; below 0 when there is none.
int small_number(std::string_view text, std::size_t& at) {
  int value = 0;
  const std::size_t begin = at;
  while (at < text.size() && is_digit(text[at]) && at - begin < 3) {
    value = value * 10 + (text[at++] - '0');
  }
  return at == begin || (at < text.size() && is_digit(text[at])) ? -1 : value;
}

/// "<L [", "<A \"": a bracket with a format behind it.
bool opens_item(std::string_view text) {
  std::size_t end = 1;
  while (end < text.size() && is_word(text[end])) ++end;
  const std::string_view format = text.substr(1, end - 1);
  return std::ranges::find(kFormats, format) != kFormats.end() &&
         (end == text.size() || is_blank(text[end]) || text[end] == '[' || text[end] == '>');
}

/// "0x0A" of a text: one byte.
std::optional<char> byte_of(std::string_view word) {
  if (!word.starts_with("0x") && !word.starts_with("0X")) return std::nullopt;
  unsigned value = 0;
  const auto [end, code] = std::from_chars(word.data() + 2, word.data() + word.size(), value, 16);
  if (code != std::errc{} || end != word.data() + word.size() || value > 255) return std::nullopt;
  return static_cast<char>(value);
}

}  // namespace

std::string SmlItem::text() const { return join(values, " "); }

std::uint64_t SmlParser::line_at(std::size_t offset) {
  const auto begin = text_.begin();
  line_ += static_cast<std::uint64_t>(
      std::count(begin + static_cast<std::ptrdiff_t>(line_offset_),
                 begin + static_cast<std::ptrdiff_t>(std::max(offset, line_offset_)), '\n'));
  line_offset_ = std::max(offset, line_offset_);
  return line_;
}

void SmlParser::skip_blanks() {
  while (position_ < text_.size()) {
    const std::string_view rest = text_.substr(position_);
    if (is_blank(rest[0])) {
      ++position_;
    } else if (rest.starts_with("/*")) {
      const std::size_t end = rest.find("*/", 2);
      position_ = end == std::string_view::npos ? text_.size() : position_ + end + 2;
    } else if (rest.starts_with("//")) {
      position_ += std::min(rest.find('\n'), rest.size());
    } else {
      return;
    }
  }
}

/// SxFy with nothing of a word before or behind it.
bool SmlParser::header_at(std::size_t at, SmlMessage& message) {
  if (at > 0 && is_word(text_[at - 1])) return false;
  std::size_t end = at + 1;
  message.stream = small_number(text_, end);
  if (message.stream < 0 || end >= text_.size() || (text_[end] != 'F' && text_[end] != 'f')) {
    return false;
  }
  message.function = small_number(text_, ++end);
  if (message.function < 0 || message.function > 255 || message.stream > 127) return false;
  if (end < text_.size() && is_word(text_[end])) return false;
  if (end < text_.size() && (text_[end] == '\'' || text_[end] == '"')) ++end;
  const std::size_t line = text_.rfind('\n', at);
  const std::size_t from = line == std::string_view::npos || at == 0 ? 0 : line + 1;
  message.before = std::string(trim(text_.substr(from, at - from)));
  message.byte_offset = at;
  position_ = end;
  return true;
}

bool SmlParser::find_header(SmlMessage& message) {
  for (; position_ < text_.size(); ++position_) {
    const char c = text_[position_];
    if ((c == 'S' || c == 's') && header_at(position_, message)) return true;
    if (c == '<' && !orphan_ && opens_item(text_.substr(position_))) orphan_ = position_;
    if (c == '/' && (text_.substr(position_).starts_with("/*"))) {
      skip_blanks();
      --position_;
    }
  }
  return false;
}

Reject SmlParser::reject(std::size_t at, std::size_t bytes, std::string id, std::string message) {
  return {.byte_offset = at,
          .line = line_at(at),
          .record = record_ - 1,
          .bytes_dropped = bytes,
          .id = std::move(id),
          .message = std::move(message)};
}

/// Items outside of a message: what named it is damaged.
void SmlParser::tell_orphan(Rejects& rejects) {
  const bool follows_damage = std::exchange(after_damage_, false);
  const auto at = std::exchange(orphan_, std::nullopt);
  if (!at || follows_damage) return;
  ++record_;
  rejects.push_back(reject(*at, 0, "SECS-0004",
                           "Items stand outside of a message; the words before them that say which "
                           "one it is may be damaged."));
}

std::string_view SmlParser::word() {
  const std::size_t from = position_;
  while (position_ < text_.size() && !is_blank(text_[position_]) && text_[position_] != '<' &&
         text_[position_] != '>' && text_[position_] != ',' && text_[position_] != '"') {
    ++position_;
  }
  return text_.substr(from, position_ - from);
}

bool SmlParser::value(SmlItem& item) {
  const char c = text_[position_];
  const bool is_text = item.format == "A" || item.format == "J" || item.format == "C2";
  if (c == ',') return ++position_, true;
  if (c == '"' || (is_text && c == '\'')) {
    const std::size_t end = text_.find(c, position_ + 1);
    if (end == std::string_view::npos) return problem_ = "a text is not closed", false;
    const std::string text(text_.substr(position_ + 1, end - position_ - 1));
    if (is_text && !item.values.empty()) {
      item.values.back() += text;
    } else {
      item.values.push_back(text);
    }
    position_ = end + 1;
    return true;
  }
  const std::string_view word = this->word();
  if (word.empty()) return problem_ = fmt::format("\"{}\" is not expected", c), false;
  if (is_text) {
    const auto byte = byte_of(word);
    if (item.values.empty()) item.values.emplace_back();
    item.values.back() += byte ? std::string(1, *byte) : std::string(word);
  } else {
    item.values.emplace_back(word);
  }
  return true;
}

bool SmlParser::item(SmlItem& item, int depth) {
  if (depth > kDeepest) return problem_ = "lists are nested too deep", false;
  skip_blanks();
  const std::size_t from = position_;
  while (position_ < text_.size() && is_word(text_[position_])) ++position_;
  item.format = upper(text_.substr(from, position_ - from));
  if (item.format == "BOOL") item.format = "BOOLEAN";
  if (std::ranges::find(kFormats, item.format) == kFormats.end()) {
    problem_ = fmt::format("\"{}\" is no format", one_line(item.format.substr(0, 20)));
    return false;
  }
  skip_blanks();
  std::optional<std::size_t> count;
  if (position_ < text_.size() && text_[position_] == '[') {
    const std::size_t end = text_.find(']', position_);
    if (end == std::string_view::npos) return problem_ = "a count is not closed", false;
    const auto number = parse_int(trim(text_.substr(position_ + 1, end - position_ - 1)));
    if (number && *number >= 0) count = static_cast<std::size_t>(*number);
    position_ = end + 1;
  }
  for (;;) {
    skip_blanks();
    if (position_ >= text_.size()) return problem_ = "an item is not closed", false;
    if (text_[position_] == '>') {
      ++position_;
      if (item.is_list() && count && *count != item.items.size()) {
        problem_ = fmt::format("a list of {} items holds {}", *count, item.items.size());
        return false;
      }
      return true;
    }
    if (text_[position_] == '<') {
      if (!item.is_list()) return problem_ = "an item stands inside one that is no list", false;
      ++position_;
      item.items.emplace_back();
      if (!this->item(item.items.back(), depth + 1)) return false;
    } else if (item.is_list()) {
      return problem_ = "a value stands where an item belongs", false;
    } else if (!value(item)) {
      return false;
    }
  }
}

std::optional<SmlMessage> SmlParser::next(Rejects& rejects) {
  SmlMessage message;
  for (;;) {
    const bool found = find_header(message);
    tell_orphan(rejects);
    if (!found) return std::nullopt;
    message.line = line_at(message.byte_offset);
    const std::size_t behind = position_;
    skip_blanks();
    message.wait = position_ < text_.size() && text_[position_] == 'W' &&
                   (position_ + 1 == text_.size() || !is_word(text_[position_ + 1]));
    if (message.wait) ++position_;
    skip_blanks();
    message.body.reset();
    bool good = true;
    if (position_ < text_.size() && text_[position_] == '<') {
      ++position_;
      message.body.emplace();
      good = item(*message.body, 1);
    } else if (position_ >= text_.size() || text_[position_] != '.') {
      // Words about a message, not a message: "S6F11 was sent".
      position_ = behind;
      continue;
    }
    skip_blanks();
    if (good && position_ < text_.size() && text_[position_] == '.') ++position_;
    ++record_;
    if (good) return message;
    const std::size_t line_end = text_.find('\n', message.byte_offset);
    position_ = line_end == std::string_view::npos ? text_.size() : line_end + 1;
    rejects.push_back(reject(message.byte_offset, position_ - message.byte_offset, "SECS-0001",
                             fmt::format("The message S{}F{} is damaged: {}.", message.stream,
                                         message.function, problem_)));
    after_damage_ = true;
  }
}

}  // namespace yieldloop::ingest
