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
/// constants = { tool = "CMP01" }                 # columns that the file does not have
/// unpivot = { columns = "V* P*", name = "sensor", value = "value" }   # one row for each of these
/// short_rows = true                              # rows may end early
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
  std::string time_format;  ///< Empty: ISO 8601; epoch_s, epoch_ms, epoch_us: since 1970, UTC.
  bool short_rows = false;  ///< Cells missing at the end of a row are null.
  std::map<std::string, std::string> constants;  ///< Contract's name -> what every row says.
  /// Columns that each become a row of their own; empty: none.
  struct Unpivot {
    std::string columns;  ///< Globs on the file's names, blanks between them.
    std::string name;     ///< The contract's column for the file's column name.
    std::string value;    ///< The contract's column for its cell; an empty cell makes no row.
    friend bool operator==(const Unpivot&, const Unpivot&) = default;
  };
  Unpivot unpivot;
  std::map<std::string, std::map<std::string, std::string>>
      value_map;  ///< column -> said -> meant.
  friend bool operator==(const FileMapping&, const FileMapping&) = default;
};

/// What one kind of collection event (CEID) becomes.
struct SmlEvent {
  std::string ceid;
  std::string table;                             ///< equipment_states, maintenance or fdc_trace.
  std::map<std::string, std::string> constants;  ///< Column -> text: state, event, note, ...
  std::map<std::string, std::string> columns;    ///< Column -> name of a variable.
  std::vector<std::string> values;               ///< fdc_trace: variables that each become a row.
  friend bool operator==(const SmlEvent&, const SmlEvent&) = default;
};

/// One `[[sml]]` entry: how the messages of an equipment become rows; see docs/formats/sml.md.
struct SmlMapping {
  std::string match;
  std::string tool;
  std::string time;         ///< A variable's name; empty: what stands before the message.
  std::string time_format;  ///< Empty: ISO 8601.
  std::map<std::string, std::vector<std::string>> reports;  ///< RPTID -> variables in order.
  std::vector<SmlEvent> events;
  friend bool operator==(const SmlMapping&, const SmlMapping&) = default;
};

struct Mapping {
  std::string site;
  TimeZone zone;
  std::vector<FileMapping> files;
  std::vector<SmlMapping> sml;

  const SmlMapping* find_sml(std::string_view file_name) const;

  /// The first entry whose glob matches the file's name, or nullptr.
  const FileMapping* find(std::string_view file_name) const;
  friend bool operator==(const Mapping&, const Mapping&) = default;
};

/// Errors: FILE-.. when it cannot be read; kFormat MAPP-0001 (not TOML), MAPP-0003 (unknown
/// table), MAPP-0004 (no such column in that table), MAPP-0005 (delimiter is not one character),
/// MAPP-0006 (entry without match, or a member of the wrong kind), MAPP-0008 (unpivot without all
/// it needs), MAPP-0009 (an [[sml]] entry or event without what it needs); MAPP-0002 (unknown time
/// zone).
Result<Mapping> load_mapping(FileSystem& files, const fs::path& path);
/// The same from text; `files` is where the time zone database is read.
Result<Mapping> parse_mapping(FileSystem& files, std::string_view toml);

}  // namespace yieldloop::ingest
