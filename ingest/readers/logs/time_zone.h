/// \file
/// Turns a tool's wall-clock time into UTC by the IANA time zone database of the machine.
///
/// A zone is a list of regimes, each an offset east of UTC that holds from one transition to
/// the next. A local time in a gap (clocks went forward) is read with the offset before the gap;
/// a local time that occurs twice (clocks went back) is read as its first occurrence, which is
/// what Python's `fold=0` and java.time do.
///
/// Source: RFC 8536 (TZif), sections 3.1 to 3.3; POSIX.1-2017, section 8.3 (TZ).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/file_system.h"
#include "engine/core/result.h"
#include "engine/core/time.h"

namespace yieldloop::ingest {

class TimeZone {
 public:
  /// UTC.
  TimeZone() = default;

  /// By IANA name, e.g. "Asia/Tokyo"; "UTC" and "Etc/UTC" need no database.
  /// Errors: kInvalidOptions (MAPP-0002) when there is no such zone, (MAPP-0007) when its file is
  /// damaged.
  static Result<TimeZone> load(FileSystem& files, std::string_view name,
                               const fs::path& database = "/usr/share/zoneinfo");
  /// From the bytes of a TZif file of version 2 or later. Errors: as load.
  static Result<TimeZone> parse(std::string_view name, std::string_view tzif);

  /// `local` counts microseconds since 1970-01-01T00:00:00 on the wall clock.
  UtcMicros to_utc(UtcMicros local) const;

  const std::string& name() const { return name_; }
  friend bool operator==(const TimeZone&, const TimeZone&) = default;

 private:
  void add_regime(std::int64_t from_utc, std::int32_t offset_seconds);
  void add_rule(std::string_view posix_rule);

  std::string name_ = "UTC";
  std::int32_t first_offset_ = 0;           ///< Seconds east, before the first regime.
  std::vector<std::int64_t> utc_starts_;    ///< Seconds.
  std::vector<std::int64_t> local_starts_;  ///< First local second read with the regime's offset.
  std::vector<std::int32_t> offsets_;       ///< Seconds east.
};

}  // namespace yieldloop::ingest
