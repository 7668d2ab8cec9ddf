/// \file
/// Lines of a text map with their places, and the rejects of one file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/readers/diagnostics.h"
#include "ingest/readers/maps/wafer_map.h"

namespace yieldloop::ingest::maps {

/// Sniffers see at most this much; a text that long may end within a line.
inline constexpr std::size_t kWholeHead = 65'536;

struct Line {
  std::string_view text;  ///< Without its end ("\n", "\r\n" or "\r").
  std::uint64_t offset = 0;
  std::uint64_t number = 1;
};

/// The lines of a text; a UTF-8 byte order mark is skipped.
std::vector<Line> lines_of(std::string_view text);
/// Texts between blanks and tabs.
std::vector<std::string_view> words_of(std::string_view text);
/// Letters and digits only, in lower case: "Lot ID" and "LOT_ID" are "lotid".
std::string plain_key(std::string_view key);
/// A text as people mean it: valid UTF-8, no blanks and no quotes around it.
std::string clean(std::string_view text);
/// What is shown of a file's text in a message.
std::string shown(std::string_view text);

/// Writes what a map file could not give. Not thread-safe.
class Complaints {
 public:
  explicit Complaints(Rejects& rejects) : rejects_(rejects) {}
  void reject(const Line& line, std::string id, std::string message);
  void warn(std::string sentence);
  std::vector<std::string> take_warnings() { return std::move(warnings_); }

 private:
  Rejects& rejects_;
  std::vector<std::string> warnings_;
  std::size_t ordinal_ = 0;
};

/// Rows of cells as they come, joined to a grid at the end.
class GridBuilder {
 public:
  /// A row of as many cells as the others; else it is a reject (WMAP-0001) and a row without die.
  /// `columns` 0: the first row says how many.
  GridBuilder(WaferMap& map, std::size_t columns) : map_(map), columns_(columns) {}
  void add(std::vector<std::int32_t> row, const Line& line, Complaints& complaints);
  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  /// `declared` rows: what the header says; a difference is a reject (WMAP-0002).
  void finish(std::optional<std::int64_t> declared, const Line& at, Complaints& complaints);

 private:
  WaferMap& map_;
  std::size_t columns_;
  std::size_t rows_ = 0;
};

/// Compares the die of each bin with what the file itself counts: WMAP-0004 for a difference.
void check_counts(const WaferMap& map, const Line& at, Complaints& complaints);
/// The same for one total of the header.
void check_total(std::string_view what, std::int64_t declared, std::size_t counted, const Line& at,
                 Complaints& complaints);
/// Degrees clockwise from the bottom, or from the top; WMAP-0006 when it is no right angle.
int notch_degrees(std::string_view text, bool from_top, const Line& at, Complaints& complaints);

}  // namespace yieldloop::ingest::maps
