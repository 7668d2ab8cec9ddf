#include "engine/core/time.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

namespace yieldloop {
namespace {

/// Reads digits from the front of a text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  std::optional<int> digits(std::size_t least, std::size_t most) {
    std::size_t n = 0;
    int value = 0;
    while (n < most && n < text_.size() && text_[n] >= '0' && text_[n] <= '9') {
      value = value * 10 + (text_[n++] - '0');
    }
    if (n < least) return std::nullopt;
    text_.remove_prefix(n);
    return value;
  }
  bool skip(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool done() const { return text_.empty(); }
  char peek() const { return text_.empty() ? '\0' : text_.front(); }
  std::string_view rest() const { return text_; }
  void advance(std::size_t n) { text_.remove_prefix(n); }

 private:
  std::string_view text_;
};

struct Fields {
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0;
  std::int64_t micros = 0;
  bool afternoon = false, twelve_hour = false;
  std::optional<int> offset_minutes;
};

std::optional<UtcMicros> assemble(const Fields& f, int offset_minutes) {
  const auto days = days_from_civil(f.year, f.month, f.day);
  int hour = f.hour;
  if (f.twelve_hour) hour = hour % 12 + (f.afternoon ? 12 : 0);
  if (!days || hour > 23 || f.minute > 59 || f.second > 60) return std::nullopt;
  const std::int64_t seconds = *days * 86'400 + hour * 3'600 + f.minute * 60 + f.second;
  const int offset = f.offset_minutes.value_or(offset_minutes);
  return UtcMicros{(seconds - offset * 60) * kMicrosPerSecond + f.micros};
}

std::optional<std::int64_t> read_fraction(Cursor& in) {
  std::int64_t micros = 0;
  std::int64_t scale = 100'000;
  bool any = false;
  while (in.peek() >= '0' && in.peek() <= '9') {
    micros += (in.peek() - '0') * scale;
    scale /= 10;
    in.advance(1);
    any = true;
  }
  return any ? std::optional(micros) : std::nullopt;
}

bool read_offset(Cursor& in, Fields& f) {
  if (in.skip('Z') || in.skip('z')) {
    f.offset_minutes = 0;
    return true;
  }
  const int sign = in.peek() == '-' ? -1 : 1;
  if (!in.skip('+') && !in.skip('-')) return false;
  const auto hours = in.digits(2, 2);
  in.skip(':');
  const auto minutes = in.digits(2, 2);
  if (!hours || *hours > 14 || minutes.value_or(0) > 59) return false;
  f.offset_minutes = sign * (*hours * 60 + minutes.value_or(0));
  return true;
}

bool read_clock(Cursor& in, Fields& f) {
  const auto hour = in.digits(1, 2);
  if (!hour || !in.skip(':')) return false;
  const auto minute = in.digits(2, 2);
  if (!minute) return false;
  f.hour = *hour;
  f.minute = *minute;
  if (!in.skip(':')) return true;
  const auto second = in.digits(2, 2);
  if (!second) return false;
  f.second = *second;
  if (!in.skip('.') && !in.skip(',')) return true;
  const auto micros = read_fraction(in);
  if (micros) f.micros = *micros;
  return micros.has_value();
}

std::optional<int> read_month_name(Cursor& in) {
  constexpr std::array<std::string_view, 12> kNames = {"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
  const auto rest = in.rest();
  for (std::size_t i = 0; rest.size() >= 3 && i < kNames.size(); ++i) {
    bool same = true;
    for (std::size_t k = 0; k < 3; ++k) same = same && (rest[k] | 0x20) == kNames[i][k];
    if (!same) continue;
    in.advance(3);
    return static_cast<int>(i) + 1;
  }
  return std::nullopt;
}

bool assign(std::optional<int> value, int& target) {
  if (value) target = *value;
  return value.has_value();
}

bool read_field(char code, Cursor& in, Fields& f) {
  switch (code) {
    case 'Y': return assign(in.digits(4, 4), f.year);
    case 'y': {
      // POSIX: 69..99 are 1969..1999.
      const auto two = in.digits(2, 4);
      if (two) f.year = *two > 99 ? *two : *two + (*two >= 69 ? 1900 : 2000);
      return two.has_value();
    }
    case 'm': return assign(in.digits(1, 2), f.month);
    case 'd': return assign(in.digits(1, 2), f.day);
    case 'I': f.twelve_hour = true; [[fallthrough]];
    case 'H': return assign(in.digits(1, 2), f.hour);
    case 'M': return assign(in.digits(1, 2), f.minute);
    case 'S': return assign(in.digits(1, 2), f.second);
    case 'b': return assign(read_month_name(in), f.month);
    case 'z': return read_offset(in, f);
    case 'f': {
      const auto micros = read_fraction(in);
      if (micros) f.micros = *micros;
      return micros.has_value();
    }
    case 'p':
      f.afternoon = (in.peek() | 0x20) == 'p';
      if (in.rest().size() < 2) return false;
      in.advance(2);
      return true;
    default: return code == '%' && in.skip('%');
  }
}

}  // namespace

std::optional<std::int64_t> days_from_civil(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (month < 1 || day < 1 || !date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::string to_iso8601(UtcMicros time) {
  if (!time.known()) return {};
  std::int64_t days = time.count / kMicrosPerDay;
  std::int64_t rest = time.count % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  const std::int64_t seconds = rest / kMicrosPerSecond;
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  seconds / 3'600, seconds / 60 % 60, seconds % 60);
  if (const std::int64_t micros = rest % kMicrosPerSecond; micros != 0) {
    text += fmt::format(".{:06}", micros);
  }
  return text + "Z";
}

std::optional<UtcMicros> parse_iso8601(std::string_view text, int offset_minutes) {
  Cursor in(text);
  Fields f;
  const auto year = in.digits(4, 4);
  if (!year) return std::nullopt;
  const bool dashes = in.skip('-');
  const auto month = in.digits(2, 2);
  if (!month || (dashes && !in.skip('-'))) return std::nullopt;
  const auto day = in.digits(2, 2);
  if (!day) return std::nullopt;
  f.year = *year;
  f.month = *month;
  f.day = *day;
  if (!in.done()) {
    if (!in.skip('T') && !in.skip(' ') && !in.skip('t')) return std::nullopt;
    if (!read_clock(in, f)) return std::nullopt;
    if (!in.done() && !read_offset(in, f)) return std::nullopt;
  }
  return in.done() ? assemble(f, offset_minutes) : std::nullopt;
}

std::optional<UtcMicros> parse_time(std::string_view text, std::string_view format,
                                    int offset_minutes) {
  Cursor in(text);
  Fields f;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] == '%' && i + 1 < format.size()) {
      if (!read_field(format[++i], in, f)) return std::nullopt;
    } else if (!in.skip(format[i])) {
      return std::nullopt;
    }
  }
  return in.done() ? assemble(f, offset_minutes) : std::nullopt;
}

UtcMicros now_utc() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
}

}  // namespace yieldloop
