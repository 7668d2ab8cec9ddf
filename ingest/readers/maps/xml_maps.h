/// \file
/// What SEMI G85 and E142 have in common: rows of codes of one bin type, bins with a quality.
#pragma once

#include "ingest/readers/maps/map_parsers.h"
#include "ingest/readers/maps/xml_tree.h"

namespace yieldloop::ingest::maps {

/// How the codes of a map are written.
struct BinType {
  std::size_t width = 1;  ///< Characters of a code where no blanks stand between them.
  int base = 0;           ///< 16 or 10: codes are compared as numbers; 0: as texts.
};
/// "ASCII" (also when nothing is said), "HexaDecimal", "Decimal", "Integer2".
BinType bin_type(std::string_view word);

/// A place in the file for messages.
Line line_of(const XmlElement& element);

/// Adds the rows to the map's grid and compares the counts.
class XmlGrid {
 public:
  XmlGrid(WaferMap& map, BinType type, std::string_view null_bin, std::size_t columns,
          Complaints& complaints);
  void declare_bin(const XmlElement& definition);
  void add_row(const XmlElement& row);
  /// `at` says where the header is.
  void finish(std::optional<std::int64_t> declared_rows, const XmlElement& at);

 private:
  std::optional<std::vector<std::string_view>> cut(std::string_view text) const;

  WaferMap& map_;
  BinType type_;
  std::string null_;
  std::size_t null_width_ = 0;
  std::optional<std::int64_t> declared_null_;
  GridBuilder grid_;
  Complaints& complaints_;
};

/// The whole of a document, or what stands before its break with a reject (WMAP-0005).
Result<XmlElement> read_xml(MapFile& file);

/// A number of an attribute, or nothing.
std::optional<std::int64_t> whole(std::string_view text);

}  // namespace yieldloop::ingest::maps
