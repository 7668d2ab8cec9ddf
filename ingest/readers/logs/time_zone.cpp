#include "ingest/readers/logs/time_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace yieldloop::ingest {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::size_t kHeaderSize = 44;
constexpr int kLastRuleYear = 2100;  // Rules are written out to here; later times keep the last.

/// Big-endian two's complement of `bytes.size()` bytes.
std::int64_t integer(std::string_view bytes) {
  std::uint64_t value = !bytes.empty() && (bytes[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(value);
}

/// The six counts of a TZif header, or nothing when there is no header.
struct Header {
  std::size_t utc_flags, std_flags, leaps, times, types, chars;
  std::size_t body(std::size_t time_size) const {
    return times * time_size + times + types * 6 + chars + leaps * (time_size + 4) + std_flags +
           utc_flags;
  }
};

std::optional<Header> read_header(std::string_view tzif) {
  if (tzif.size() < kHeaderSize || !tzif.starts_with("TZif")) return std::nullopt;
  std::size_t n[6] = {};
  for (std::size_t i = 0; i < 6; ++i) {
    const std::int64_t value = integer(tzif.substr(20 + 4 * i, 4));
    if (value < 0 || value > 100'000) return std::nullopt;
    n[i] = static_cast<std::size_t>(value);
  }
  return Header{n[0], n[1], n[2], n[3], n[4], n[5]};
}

/// Reads a POSIX TZ text from the front; every member says whether it found what it wanted.
class RuleCursor {
 public:
  explicit RuleCursor(std::string_view text) : text_(text) {}
  bool skip(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  char peek() const { return text_.empty() ? '\0' : text_.front(); }
  bool name() {
    std::size_t n = 0;
    if (peek() == '<') {
      n = text_.find('>');
      if (n == std::string_view::npos) return false;
      ++n;
    } else {
      while (n < text_.size() && ((text_[n] | 0x20) >= 'a' && (text_[n] | 0x20) <= 'z')) ++n;
    }
    text_.remove_prefix(n);
    return n >= 3;
  }
  std::optional<std::int32_t> number() {
    std::int32_t value = 0;
    std::size_t n = 0;
    while (n < text_.size() && n < 4 && text_[n] >= '0' && text_[n] <= '9') {
      value = value * 10 + (text_[n++] - '0');
    }
    text_.remove_prefix(n);
    return n == 0 ? std::nullopt : std::optional(value);
  }
  /// [+-]hh[:mm[:ss]] in seconds.
  std::optional<std::int32_t> clock() {
    const int sign = skip('-') ? -1 : 1;
    if (sign == 1) skip('+');
    const auto hours = number();
    if (!hours) return std::nullopt;
    std::int32_t seconds = *hours * 3600;
    if (skip(':')) seconds += number().value_or(0) * 60;
    if (skip(':')) seconds += number().value_or(0);
    return sign * seconds;
  }

 private:
  std::string_view text_;
};

/// A day of the year on which clocks change: Mm.w.d, Jn or n, and the local time of day.
struct ChangeDay {
  char form = 'M';
  std::int32_t month = 0, week = 0, day = 0;
  std::int32_t seconds = 7200;

  /// Local seconds since 1970 of the change in a year.
  std::int64_t in_year(int year) const {
    const std::int64_t new_year = *days_from_civil(year, 1, 1);
    const bool leap = days_from_civil(year, 2, 29).has_value();
    std::int64_t days = 0;
    if (form == 'J') {
      days = new_year + day - 1 + (leap && day >= 60 ? 1 : 0);
    } else if (form == 'N') {
      days = new_year + day;
    } else {
      const std::int64_t first = *days_from_civil(year, month, 1);
      const std::int64_t next =
          month == 12 ? *days_from_civil(year + 1, 1, 1) : *days_from_civil(year, month + 1, 1);
      const std::int64_t weekday = ((first + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday.
      days = first + (day - weekday + 7) % 7 + 7 * (week - 1);
      while (days >= next) days -= 7;
    }
    return days * kSecondsPerDay + seconds;
  }
};

std::optional<ChangeDay> read_change(RuleCursor& in) {
  ChangeDay change;
  if (!in.skip(',')) return std::nullopt;
  if (in.skip('M')) {
    const auto month = in.number();
    if (!month || !in.skip('.')) return std::nullopt;
    const auto week = in.number();
    if (!week || !in.skip('.')) return std::nullopt;
    const auto day = in.number();
    if (!day || *month < 1 || *month > 12 || *week < 1 || *week > 5 || *day > 6)
      return std::nullopt;
    change.month = *month;
    change.week = *week;
    change.day = *day;
  } else {
    change.form = in.skip('J') ? 'J' : 'N';
    const auto day = in.number();
    if (!day || *day > 365) return std::nullopt;
    change.day = *day;
  }
  if (in.skip('/')) {
    const auto at = in.clock();
    if (!at) return std::nullopt;
    change.seconds = *at;
  }
  return change;
}

Error damaged(std::string_view name) {
  return {
      Errc::kInvalidOptions, "MAPP-0007",
      fmt::format("The time zone file of \"{}\" is damaged; reinstall the tzdata package.", name)};
}

bool is_zone_name(std::string_view name) {
  const bool plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '/';
  });
  return plain && !name.empty() && name.front() != '/' && name.back() != '/';
}

}  // namespace

void TimeZone::add_regime(std::int64_t from_utc, std::int32_t offset_seconds) {
  const std::int32_t before = offsets_.empty() ? first_offset_ : offsets_.back();
  utc_starts_.push_back(from_utc);
  local_starts_.push_back(from_utc + std::max(before, offset_seconds));
  offsets_.push_back(offset_seconds);
}

/// "EST5EDT,M3.2.0,M11.1.0": what holds after the last transition of the table.
void TimeZone::add_rule(std::string_view posix_rule) {
  RuleCursor in(posix_rule);
  if (!in.name()) return;
  const auto west = in.clock();
  if (!west || !in.name()) return;
  std::int32_t summer = -*west + 3600;
  if (in.peek() != ',') {
    const auto summer_west = in.clock();
    if (!summer_west) return;
    summer = -*summer_west;
  }
  const auto start = read_change(in);
  const auto end = start ? read_change(in) : std::nullopt;
  if (!end) return;
  const std::int64_t last = utc_starts_.empty() ? 0 : utc_starts_.back();
  for (int year = 1970; year <= kLastRuleYear; ++year) {
    const std::int64_t on = start->in_year(year) + *west;
    const std::int64_t off = end->in_year(year) - summer;
    const auto first = std::min(std::pair(on, summer), std::pair(off, -*west));
    const auto second = std::max(std::pair(on, summer), std::pair(off, -*west));
    if (first.first > last) add_regime(first.first, first.second);
    if (second.first > last) add_regime(second.first, second.second);
  }
}

Result<TimeZone> TimeZone::parse(std::string_view name, std::string_view tzif) {
  const auto old = read_header(tzif);
  if (!old || tzif.size() < kHeaderSize + old->body(4)) return damaged(name);
  tzif.remove_prefix(kHeaderSize + old->body(4));
  const auto header = read_header(tzif);
  if (!header || tzif.size() < kHeaderSize + header->body(8)) return damaged(name);
  const std::string_view times = tzif.substr(kHeaderSize);
  const std::string_view kinds = times.substr(header->times * 8);
  const std::string_view types = kinds.substr(header->times);
  const auto offset_of = [&](std::size_t type) {
    return static_cast<std::int32_t>(integer(types.substr(type * 6, 4)));
  };
  TimeZone zone;
  zone.name_ = name;
  if (header->types > 0) zone.first_offset_ = offset_of(0);
  for (std::size_t i = 0; i < header->times; ++i) {
    const auto type = static_cast<unsigned char>(kinds[i]);
    if (type >= header->types) return damaged(name);
    zone.add_regime(integer(times.substr(i * 8, 8)), offset_of(type));
  }
  std::string_view footer = tzif.substr(kHeaderSize + header->body(8));
  if (footer.starts_with('\n')) footer.remove_prefix(1);
  zone.add_rule(footer.substr(0, footer.find('\n')));
  return zone;
}

Result<TimeZone> TimeZone::load(FileSystem& files, std::string_view name,
                                const fs::path& database) {
  if (name == "UTC" || name == "Etc/UTC" || name == "Z") return TimeZone();
  const Error unknown{Errc::kInvalidOptions, "MAPP-0002",
                      fmt::format("There is no time zone \"{}\"; give an IANA name such as "
                                  "Asia/Tokyo (the machine's list is in {}).",
                                  name, database.string())};
  if (!is_zone_name(name)) return unknown;
  const auto content = read_text_file(files, database / std::string(name));
  if (!content || !content->starts_with("TZif")) return unknown;
  return parse(name, *content);
}

UtcMicros TimeZone::to_utc(UtcMicros local) const {
  if (!local.known()) return local;
  std::int64_t seconds = local.count / kMicrosPerSecond;
  if (local.count % kMicrosPerSecond < 0) --seconds;
  const auto after = std::ranges::upper_bound(local_starts_, seconds);
  const std::int64_t offset =
      after == local_starts_.begin()
          ? first_offset_
          : offsets_[static_cast<std::size_t>(after - local_starts_.begin()) - 1];
  return UtcMicros{local.count - offset * kMicrosPerSecond};
}

}  // namespace yieldloop::ingest
