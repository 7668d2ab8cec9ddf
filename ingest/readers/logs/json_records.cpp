#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "engine/core/text.h"
#include "ingest/readers/logs/records.h"

namespace yieldloop::ingest {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kLongestLine = std::size_t{64} << 20;
constexpr std::size_t kMostColumns = 10'000;

/// The members of one line, as texts.
class LineParser {
 public:
  /// Calls `put(name, text)` for each member. False, with a reason, when the line is no object.
  /// REQUIRES: 64 bytes behind the line may be read.
  template <class Put>
  bool parse(std::string_view line, std::string& reason, Put put) {
    texts_.clear();
    simdjson::error_code error = members(line, line.size() + simdjson::SIMDJSON_PADDING, put);
    if (error == simdjson::UTF8_ERROR) {
      texts_.clear();
      valid_ = to_valid_utf8(line);
      const std::size_t size = valid_.size();
      valid_.resize(size + simdjson::SIMDJSON_PADDING, ' ');
      error = members(std::string_view(valid_).substr(0, size), valid_.size(), put);
    }
    if (error == simdjson::SUCCESS) return true;
    reason = simdjson::error_message(error);
    return false;
  }

 private:
  template <class Put>
  simdjson::error_code members(std::string_view line, std::size_t readable, Put& put) {
    ondemand::document document;
    if (auto error = parser_.iterate(line.data(), line.size(), readable).get(document)) {
      return error;
    }
    ondemand::object object;
    if (auto error = document.get_object().get(object)) return error;
    for (auto member : object) {
      std::string_view name;
      if (auto error = member.unescaped_key().get(name)) return error;
      ondemand::value value;
      if (auto error = member.value().get(value)) return error;
      std::string_view text;
      if (auto error = text_of(value, text)) return error;
      put(name, text);
    }
    // What follows the object has a place; behind the last one there is none.
    const bool more = document.current_location().error() == simdjson::SUCCESS;
    return more ? simdjson::TRAILING_CONTENT : simdjson::SUCCESS;
  }

  simdjson::error_code text_of(ondemand::value& value, std::string_view& text) {
    ondemand::json_type type{};
    if (auto error = value.type().get(type)) return error;
    switch (type) {
      case ondemand::json_type::string: return value.get_string().get(text);
      case ondemand::json_type::null: {
        text = {};
        return value.is_null() ? simdjson::SUCCESS : simdjson::INCORRECT_TYPE;
      }
      case ondemand::json_type::boolean: {
        bool yes = false;
        if (auto error = value.get_bool().get(yes)) return error;
        text = yes ? "true" : "false";
        return simdjson::SUCCESS;
      }
      case ondemand::json_type::number: {
        text = trim(value.raw_json_token());
        // Steps over it, and sees to it that it is a number.
        double number = 0.0;
        return value.get_double().get(number);
      }
      default: break;
    }
    std::string_view raw;
    const auto error = type == ondemand::json_type::object ? raw_of(value.get_object(), raw)
                                                           : raw_of(value.get_array(), raw);
    texts_.emplace_back(raw);
    text = texts_.back();
    return error;
  }

  template <class Nested>
  static simdjson::error_code raw_of(Nested nested, std::string_view& raw) {
    if (nested.error() != simdjson::SUCCESS) return nested.error();
    return nested.value_unsafe().raw_json().get(raw);
  }

  ondemand::parser parser_;
  std::deque<std::string> texts_;
  std::string valid_;
};

class JsonRecords final : public RecordSource {
 public:
  explicit JsonRecords(TextWindow window) : window_(std::move(window)) {}

  Result<bool> next() override {
    YL_ASSIGN(const bool there, next_line());
    if (!there) return false;
    good();
    cells_.assign(columns_.size(), {});
    std::string reason;
    bool twice = false, many = false;
    const bool parsed = parser_.parse(record_, reason, [&](std::string_view name, auto text) {
      const std::size_t column = column_of(name);
      if (column == SIZE_MAX) {
        many = true;
        return;
      }
      twice = twice || seen_[column] == line_;
      seen_[column] = line_;
      cells_[column] = text;
    });
    if (!parsed || twice || many) {
      if (twice) reason = "a member occurs twice";
      if (many) reason = "the file has more than 10,000 different members";
      bad("LOGS-0011",
          fmt::format("The line is not one JSON object: {}.", one_line(to_valid_utf8(reason))));
    }
    return true;
  }

 private:
  std::size_t column_of(std::string_view name) {
    const auto it = index_.find(name);
    if (it != index_.end()) return it->second;
    if (columns_.size() == kMostColumns) return SIZE_MAX;
    names_.emplace_back(name);
    index_.emplace(names_.back(), columns_.size());
    columns_.emplace_back(to_valid_utf8(trim(name)));
    cells_.emplace_back();
    seen_.push_back(0);
    return columns_.size() - 1;
  }

  /// The next line that is not blank.
  Result<bool> next_line() {
    for (;;) {
      std::size_t end = window_.text().find('\n', position_);
      while (end == std::string_view::npos && !window_.complete() &&
             window_.text().size() - position_ < kLongestLine) {
        YL_TRY(window_.move(position_));
        position_ = 0;
        end = window_.text().find('\n');
      }
      const bool last = end == std::string_view::npos;
      const std::size_t stop = last ? window_.text().size() : end;
      if (last && position_ >= stop) return false;
      const std::string_view line = window_.text().substr(position_, stop - position_);
      byte_offset_ = window_.offset() + position_;
      bytes_ = line.size() + (last ? 0 : 1);
      position_ = last ? stop : stop + 1;
      ++line_;
      record_ = trim(line);
      if (line_ == 1 && record_.starts_with("\xef\xbb\xbf")) record_.remove_prefix(3);
      if (!record_.empty()) return true;
    }
  }

  TextWindow window_;
  LineParser parser_;
  std::string_view record_;
  std::size_t position_ = 0;
  std::deque<std::string> names_;
  std::unordered_map<std::string_view, std::size_t> index_;
  std::vector<std::uint64_t> seen_;
};

/// The first lines of the head that are whole.
std::vector<std::string> whole_lines(Bytes head, std::size_t most) {
  std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  constexpr std::size_t kHead = 64 * 1024;
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < most) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos && head.size() >= kHead) break;
    const std::string_view line = trim(text.substr(0, end));
    if (!line.empty()) lines.emplace_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

}  // namespace

std::vector<std::string> json_columns(Bytes head) {
  constexpr std::size_t kLines = 20;
  std::vector<std::string> columns;
  LineParser parser;
  for (std::string& line : whole_lines(head, kLines)) {
    const std::size_t size = line.size();
    line.resize(size + simdjson::SIMDJSON_PADDING, ' ');
    std::string reason;
    (void)parser.parse(std::string_view(line).substr(0, size), reason,
                       [&](std::string_view name, std::string_view) {
                         std::string column = to_valid_utf8(trim(name));
                         if (std::ranges::find(columns, column) == columns.end()) {
                           columns.push_back(std::move(column));
                         }
                       });
  }
  return columns;
}

bool looks_like_json_lines(Bytes head) {
  auto lines = whole_lines(head, 1);
  if (lines.empty() || lines.front().front() != '{') return false;
  LineParser parser;
  std::string& line = lines.front();
  const std::size_t size = line.size();
  line.resize(size + simdjson::SIMDJSON_PADDING, ' ');
  std::string reason;
  return parser.parse(std::string_view(line).substr(0, size), reason,
                      [](std::string_view, std::string_view) {});
}

Result<std::unique_ptr<RecordSource>> json_records(Input& input) {
  YL_ASSIGN(auto stream, input.stream());
  TextWindow window(std::move(stream));
  YL_TRY(window.move(0));
  return std::unique_ptr<RecordSource>(std::make_unique<JsonRecords>(std::move(window)));
}

}  // namespace yieldloop::ingest
