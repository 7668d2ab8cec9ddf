/// \file
/// The rows of one inspection, found in the tables and made ready for writing.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ingest/readers/klarf/klarf_writer.h"

namespace yieldloop::ingest::klarf {

struct DefectImage {
  std::string file, page, type;
};

/// A column of the defects: one of the store's, or one kept in their attributes.
struct DefectColumn {
  std::string klarf;       ///< Its name in the file.
  std::string_view store;  ///< Column of `defects`; empty for an attribute.
  char unit = ' ';         ///< 'l' length, 'a' area, ' ' none.
  bool whole = false;
};

/// Everything of one inspection by row numbers of the tables.
struct InspectionContent {
  std::size_t row = 0;  ///< Of `inspections`.
  std::vector<std::size_t> die, defects, classes, tests, lookups, facts;
  std::vector<DefectColumn> columns;  ///< In the order they are written; images are not of them.
  bool has_images = false;
};

/// Contents of all inspections in the order of their rows. Tables that are missing are empty.
std::vector<InspectionContent> contents_of(const InspectionTables& tables);

/// The texts of a row's attributes and its image references, from their JSON; what is no such JSON
/// is empty.
std::map<std::string, std::string> attributes_of(std::string_view json);
std::vector<DefectImage> images_of(std::string_view json);

}  // namespace yieldloop::ingest::klarf
