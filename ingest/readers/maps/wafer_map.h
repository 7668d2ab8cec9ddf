/// \file
/// A wafer map as a file lists it, and where its die lie on the wafer.
///
/// A file lists a grid row by row. Which way the rows and the cells run, where the notch is and
/// which side of the wafer is seen differ between dialects and between files of one dialect.
/// `wafer_place` undoes all of that: the wafer as seen from its front with the notch down, x the
/// column from the left and y the row from the bottom, both from 0. The same wafer written in two
/// dialects therefore gives the same places, whatever corner its writer counts from.
///
/// Source: docs/formats/maps.md, with the standards each dialect follows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ingest/readers/diagnostics.h"

namespace yieldloop::ingest::maps {

enum class Quality : std::uint8_t { kUnknown, kPass, kFail };

/// "pass", "fail" or "".
std::string_view to_word(Quality quality);
/// "Pass", "Good", "P": pass; "Fail", "Bad", "Reject", "Ink", "F": fail; all else is unknown.
Quality quality_of(std::string_view word);

struct Bin {
  std::string code;
  Quality quality = Quality::kUnknown;
  std::string name;
  std::optional<std::int64_t> declared;  ///< Die of this bin, as the file counts them.
  friend bool operator==(const Bin&, const Bin&) = default;
};

/// A grid position in some frame: column, row.
struct Place {
  std::int64_t x = 0;
  std::int64_t y = 0;
  friend bool operator==(const Place&, const Place&) = default;
};

/// How the listed grid lies on the wafer.
struct Frame {
  bool first_row_top = true;
  bool first_cell_left = true;
  int notch = 0;  ///< Clockwise from the bottom as the file shows it: 0, 90 (left), 180, 270.
  bool back_side = false;  ///< Seen from the back: left and right change places.
  friend bool operator==(const Frame&, const Frame&) = default;
};

inline constexpr std::int32_t kNoDie = -1;

struct WaferMap {
  std::string lot_id, wafer_id, product;
  std::size_t rows = 0, columns = 0;  ///< As listed.
  std::vector<std::int32_t> cells;    ///< Shape: [rows * columns]; a position in `bins` or kNoDie.
  std::vector<Bin> bins;
  Frame frame;
  std::string origin, axis;        ///< As the file says them; may be empty.
  std::optional<Place> reference;  ///< The reference die: listed cell, listed row.
  std::optional<double> step_x_um, step_y_um, diameter_mm;  ///< Steps as the file shows it.
  std::uint64_t line = 1;                                   ///< Where the map begins.

  std::int32_t& cell(std::size_t row, std::size_t column) { return cells[row * columns + column]; }
  std::int32_t cell(std::size_t row, std::size_t column) const {
    return cells[row * columns + column];
  }
  /// Position of a bin by its code, added when it is new.
  std::int32_t bin(std::string_view code);
  std::optional<std::int32_t> find_bin(std::string_view code) const;
  /// After `bins` was changed other than by bin().
  void index_bins();

 private:
  std::unordered_map<std::string, std::int32_t> positions_;
};

/// Columns and rows of the wafer in its own frame: turned by the notch.
Place wafer_extent(const WaferMap& map);
/// Where a listed cell lies on the wafer. REQUIRES: it is inside the grid.
Place wafer_place(const WaferMap& map, std::size_t row, std::size_t column);
/// The listed (column, row) of a place in the file's picture: x from the left, y from the bottom.
Place listed_place(const WaferMap& map, Place picture);

struct Tally {
  std::size_t die = 0, pass = 0, fail = 0;
  std::vector<std::size_t> by_bin;  ///< Shape: [bins].
};
Tally tally(const WaferMap& map);

/// Where a map's reference counts from: a corner of the picture or its middle die, and the
/// directions in which x and y grow.
struct Axes {
  int corner_x = -1;  ///< -1 left, 0 centre, 1 right.
  int corner_y = -1;  ///< -1 bottom, 0 centre, 1 top.
  bool right = true;
  bool up = true;
};
/// "LowerLeft", "UpperRight", "Center", ... Returns false for anything else.
bool set_origin(Axes& axes, std::string_view word);
/// "UpRight", "DownRight", "UpLeft", "DownLeft". Returns false for anything else.
bool set_directions(Axes& axes, std::string_view word);
/// The picture's place (x from the left, y from the bottom) of coordinates counted by `axes`.
Place picture_place(const WaferMap& map, const Axes& axes, Place counted);

}  // namespace yieldloop::ingest::maps
