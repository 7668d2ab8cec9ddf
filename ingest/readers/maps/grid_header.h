/// \file
/// The `key: value` lines before the grid of a CSV or ASCII map, under whatever name a site knows
/// them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/readers/maps/map_text.h"
#include "ingest/readers/maps/wafer_map.h"

namespace yieldloop::ingest::maps {

struct GridHeader {
  std::vector<std::string> pass_bins;
  std::vector<std::string> null_bins;
  std::optional<std::int64_t> rows, columns;
  std::optional<std::int64_t> total, good, bad;  ///< Die, as the header counts them.
  bool says_pickable = false;                    ///< The family in which 1 is good and X is bad.
  std::size_t known = 0;                         ///< Keys that were understood.
};

/// A line's key and value: "key: value", "key = value", "# key: value", "key,value" and the like.
struct HeaderLine {
  std::string key;  ///< As plain_key.
  std::string_view value;
};
std::optional<HeaderLine> header_line(std::string_view line);
/// Whether the key is one that set_header_field takes.
bool is_header_key(std::string_view plain);
/// Takes one line over; false when the key is unknown.
bool set_header_field(GridHeader& header, WaferMap& map, const HeaderLine& field, const Line& line,
                      Complaints& complaints);
/// Qualities by the header's list, and the header's totals compared: WMAP-0004.
void finish_header(const GridHeader& header, WaferMap& map, const Line& at, Complaints& complaints);

}  // namespace yieldloop::ingest::maps
