/// \file
/// A KLARF file made from rows: flat 1.2 or nested 1.8.
///
/// What is written is what the store's tables hold of inspections: header, plan, classes, lookups,
/// defects with all their columns, image references, summary. It is another file with the same
/// content, not the one that was read; to change classes in a file, see class_writer.h.
///
/// Source: docs/formats/klarf.md.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "engine/store/table.h"

namespace yieldloop::ingest::klarf {

/// The tables of inspections by name: inspections, inspected_dies, defects, defect_classes,
/// inspection_tests, inspection_lookups, inspection_facts. All but the first may be missing.
using InspectionTables = std::map<std::string, store::Table>;

/// Keeps what a reader puts, one table a name.
class TableKeeper final : public store::RowSink {
 public:
  bool put(store::Table batch) override;
  const InspectionTables& tables() const { return tables_; }

 private:
  InspectionTables tables_;
};

enum class Dialect : std::uint8_t { kFlat12, kNested18 };

struct WrittenKlarf {
  std::string text;
  std::vector<std::string> warnings;  ///< What the dialect cannot hold, one sentence each.
};

/// Errors: kNoData KLAR-0031 when there is no inspection.
Result<WrittenKlarf> write_klarf(const InspectionTables& tables, Dialect dialect);

}  // namespace yieldloop::ingest::klarf
