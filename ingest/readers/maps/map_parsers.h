/// \file
/// One function a dialect: the text of a map file in, its maps out, as the file lists them.
///
/// What a file does not say stays unsaid: without a list of good bins or a quality beside them the
/// quality of a bin is unknown, never assumed, and a warning says so.
/// Source: docs/formats/maps.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "ingest/readers/maps/map_text.h"
#include "ingest/readers/maps/wafer_map.h"

namespace yieldloop::ingest::maps {

struct MapFile {
  std::string_view text;
  std::string_view name;   ///< The file's name, where a dialect has the wafer in nothing else.
  std::string version;     ///< Set by the parser: the dialect's revision or family.
  Complaints& complaints;  ///< Rejects and warnings.
};

using Maps = std::vector<WaferMap>;

/// SINF: `KEY:value` lines and `RowData:` lines, first row at the top, FNLOC clockwise from the
/// top.
Result<Maps> parse_sinf(MapFile& file);
/// SEMI G85: rows as drawn, first at the top; Orientation clockwise from the bottom.
/// Errors: as parse_xml.
Result<Maps> parse_g85(MapFile& file);
/// SEMI E142: rows and cells in AxisDirection; Orientation clockwise from the bottom.
/// Errors: as parse_xml.
Result<Maps> parse_e142(MapFile& file);
/// A grid of bins between commas, semicolons or tabs, with `key: value` lines before it.
Result<Maps> parse_csv_map(MapFile& file);
/// A grid of characters or codes behind `Key: value` lines, and the families of
/// docs/formats/maps.md.
Result<Maps> parse_ascii_map(MapFile& file);

/// The families of ASCII maps by their own first lines.
bool is_wmap(std::string_view head);       ///< `VERSID`, `ROWCNT`, `MAP001` ...
bool is_esc(std::string_view head);        ///< Electroglas: `X14Y2`, tab, codes.
bool is_run_lists(std::string_view head);  ///< `MAP_XY.01.01="Y-11 47/72 ..."`.
Result<Maps> parse_wmap(MapFile& file);
Result<Maps> parse_esc(MapFile& file);
Result<Maps> parse_run_lists(MapFile& file);

/// Whether the first bytes of a file are of the dialect.
bool looks_like_sinf(std::string_view head);
bool looks_like_g85(std::string_view head);
bool looks_like_e142(std::string_view head);
bool looks_like_csv_map(std::string_view head);
bool looks_like_ascii_map(std::string_view head);

/// Splits one row of XML or SINF text into codes: blanks between them, or `width` characters each.
/// Empty when the row is not made of whole codes.
std::vector<std::string_view> codes_of(std::string_view row, std::size_t columns,
                                       std::size_t width);
/// Compares codes as their numbers: hexadecimal "0A" and "A", decimal "001" and "1".
std::string same_code(std::string_view code, int base);

}  // namespace yieldloop::ingest::maps
