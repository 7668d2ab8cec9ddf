/// \file
/// Instants, as UTC microseconds, and the texts they come in.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace yieldloop {

/// Microseconds since 1970-01-01T00:00:00Z; `kNone` where the source gave no time.
struct UtcMicros {
  static constexpr std::int64_t kNone = INT64_MIN;
  std::int64_t count = kNone;
  bool known() const { return count != kNone; }
  friend constexpr auto operator<=>(UtcMicros, UtcMicros) = default;
};

inline constexpr std::int64_t kMicrosPerSecond = 1'000'000;
inline constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

/// Days since 1970-01-01 in the proleptic Gregorian calendar, or nothing for a date that does
/// not exist (2026-02-30).
std::optional<std::int64_t> days_from_civil(int year, int month, int day);

/// "2026-03-14T02:10:00Z", fraction only when it is not zero; "" when unknown.
std::string to_iso8601(UtcMicros time);

/// ISO 8601 date or date and time, 'T' or a blank between them, fraction, 'Z' or an offset.
/// A text without offset is taken to be `offset_minutes` east of UTC.
std::optional<UtcMicros> parse_iso8601(std::string_view text, int offset_minutes = 0);

/// By a strptime-like format (%Y %y %m %d %H %M %S %f %b %z %p %I %%), for logs and KLARF.
std::optional<UtcMicros> parse_time(std::string_view text, std::string_view format,
                                    int offset_minutes = 0);

UtcMicros now_utc();

}  // namespace yieldloop
