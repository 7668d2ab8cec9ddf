/// \file
/// Numbers of the OASIS records. Source: SEMI P39 (OASIS), section 13 onwards.
#pragma once

#include <cstdint>
#include <string_view>

namespace yieldloop::ingest::oasis {

enum class RecordId : std::uint8_t {
  kPad = 0,
  kStart = 1,
  kEnd = 2,
  kCellName = 3,
  kCellNameNumbered = 4,
  kTextString = 5,
  kTextStringNumbered = 6,
  kPropName = 7,
  kPropNameNumbered = 8,
  kPropString = 9,
  kPropStringNumbered = 10,
  kLayerName = 11,
  kTextLayerName = 12,
  kCellByNumber = 13,
  kCellByName = 14,
  kXyAbsolute = 15,
  kXyRelative = 16,
  kPlacement = 17,
  kPlacementTurned = 18,
  kText = 19,
  kRectangle = 20,
  kPolygon = 21,
  kPath = 22,
  kTrapezoid = 23,
  kTrapezoidA = 24,
  kTrapezoidB = 25,
  kCTrapezoid = 26,
  kCircle = 27,
  kProperty = 28,
  kPropertyRepeated = 29,
  kXName = 30,
  kXNameNumbered = 31,
  kXElement = 32,
  kXGeometry = 33,
  kCBlock = 34,
};

/// "%SEMI-OASIS\r\n".
inline constexpr std::string_view kMagic = "%SEMI-OASIS\r\n";
/// END is always this long, its padding included.
inline constexpr std::size_t kEndBytes = 256;

}  // namespace yieldloop::ingest::oasis
