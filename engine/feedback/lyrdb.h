/// \file
/// KLayout marker databases (.lyrdb): what a finding's places look like in KLayout.
///
/// KLayout refuses a whole file when items come before their categories and cells, when a cell
/// or category is not declared or a category's name is not quoted, and cuts an unquoted text
/// at its first blank. Everything here is therefore declared first and quoted always. Items keep
/// the order they are given in: KLayout shows the first 1000, so rank before writing.
///
/// Units: um in the top cell's coordinates.
/// Source: KLayout documentation, "The Report Database (RDB)", file format of 0.28.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::feedback {

struct MarkerCategory {
  std::string name;
  std::string description;
  friend bool operator==(const MarkerCategory&, const MarkerCategory&) = default;
};

struct MarkerItem {
  std::size_t category = 0;  ///< Into MarkerDatabase::categories.
  double x_um = 0.0, y_um = 0.0, w_um = 0.0, h_um = 0.0;
  std::vector<std::string> texts;
  friend bool operator==(const MarkerItem&, const MarkerItem&) = default;
};

struct MarkerDatabase {
  std::string description;
  std::string top_cell;
  std::vector<MarkerCategory> categories;
  std::vector<MarkerItem> items;
  friend bool operator==(const MarkerDatabase&, const MarkerDatabase&) = default;
};

/// The text of the .lyrdb file.
/// Errors: kInvalidOptions (LYRD-0001) for a coordinate that is not finite, (LYRD-0002) for an
/// item without category, (LYRD-0003) when no top cell is named.
Result<std::string> lyrdb_text(const MarkerDatabase& markers);

/// One category for each finding or suggestion that has locations, best rank first, at most
/// `most` items in all; the description of a category says how many its finding has.
MarkerDatabase markers_of(const FindingsDocument& findings, const std::string& top_cell,
                          std::size_t most = 100'000);
MarkerDatabase markers_of(const Suggestion& suggestion, const std::string& top_cell,
                          std::size_t most = 100'000);

}  // namespace yieldloop::feedback
