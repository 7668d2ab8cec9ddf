/// \file
/// Where in a file's text the things stand that a writer may change, told while it is read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace yieldloop::ingest::klarf {

/// A piece [from, to) of the text.
struct Piece {
  std::size_t from = 0;
  std::size_t to = 0;
};

/// A class list: flat `ClassLookup n ...;` or nested `ClassLookupList`.
struct ClassListPlace {
  Piece count;                       ///< The number of entries.
  std::size_t end = 0;               ///< Behind the last entry; a new one goes here.
  std::vector<std::string> columns;  ///< Of the nested dialect; empty in the flat one.
  std::vector<int> numbers;          ///< Classes it names.
  std::size_t entry_begins = 0;      ///< Its last entry, for the look of a new one; 0: it has none.
};

/// Implemented by a writer. Views are of the text that is read.
class Landmarks {
 public:
  virtual ~Landmarks() = default;
  /// The column names of the defect rows to come.
  virtual void columns(const std::vector<std::string_view>& names) = 0;
  /// A committed row of a wafer: what its columns hold, in their order. An image list is one piece.
  virtual void row(std::string_view lot_id, std::string_view wafer_id, std::int64_t defect_id,
                   const std::vector<Piece>& values) = 0;
  virtual void class_list(const ClassListPlace& place) = 0;
  /// Where a class list would go: before the first DefectRecordSpec, or at the end of a LotRecord.
  virtual void class_list_home(std::size_t offset, bool nested) = 0;
};

}  // namespace yieldloop::ingest::klarf
