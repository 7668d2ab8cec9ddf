/// \file
/// mapping.toml: how one site's exports become the tables of the CSV contract.
///
/// ```toml
/// [site]
/// name = "FAB-A"
/// time_zone = "Asia/Tokyo"      # IANA; UTC when absent
///
/// [[file]]
/// match = "WIP_MOVES_*.txt"     # glob on the file name; the first match counts
/// table = "lot_history"
/// delimiter = "|"               # one character; found by itself when absent
/// columns = { lot_id = "LOTID", started_at = "TRKIN" }
/// time_format = "%Y/%m/%d %H:%M:%S"
/// value_map = { state = { UP_RUN = "productive" } }
/// ```
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/file_system.h"
#include "engine/core/result.h"
#include "ingest/readers/logs/time_zone.h"

namespace yieldloop::ingest {

/// One `[[file]]` entry.
struct FileMapping {
  std::string match;
  std::string table;      ///< Empty: told by the name or the header, as without a mapping.
  char delimiter = '\0';  ///< '\0': sniffed.
  std::map<std::string, std::string> columns;  ///< Contract's name -> the file's.
  std::string time_format;                     ///< Empty: ISO 8601.
  std::map<std::string, std::map<std::string, std::string>>
      value_map;  ///< column -> said -> meant.
  friend bool operator==(const FileMapping&, const FileMapping&) = default;
};

struct Mapping {
  std::string site;
  TimeZone zone;
  std::vector<FileMapping> files;

  /// The first entry whose glob matches the file's name, or nullptr.
  const FileMapping* find(std::string_view file_name) const;
  friend bool operator==(const Mapping&, const Mapping&) = default;
};

/// Errors: FILE-.. when it cannot be read; kFormat MAPP-0001 (not TOML), MAPP-0003 (unknown
/// table), MAPP-0004 (no such column in that table), MAPP-0005 (delimiter is not one character),
/// MAPP-0006 (entry without match, or a member of the wrong kind); MAPP-0002 (unknown time zone).
Result<Mapping> load_mapping(FileSystem& files, const fs::path& path);
/// The same from text; `files` is where the time zone database is read.
Result<Mapping> parse_mapping(FileSystem& files, std::string_view toml);

}  // namespace yieldloop::ingest
