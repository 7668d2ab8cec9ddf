/// \file
/// What a store keeps of the records that are neither parts nor results: texts, generic data, pins,
/// scan patterns, chains and their failing cells.
///
/// Rows that hold for the whole lot have no test_run; rows within a part have its run and sequence.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "engine/store/table.h"
#include "ingest/readers/stdf/record_cursor.h"
#include "ingest/readers/stdf/record_layout.h"

namespace yieldloop::ingest::stdf {

/// What a record belongs to.
struct RowPlace {
  std::string_view run;    ///< "": the lot.
  std::int32_t part = -1;  ///< -1: no part, or several.
};

/// Not thread-safe.
class RecordRows {
 public:
  explicit RecordRows(store::RowSink& sink);

  /// test_records: a DTR's or BPS's text, any other's fields as JSON.
  void keep(const Record& record, const RecordValues& values, RowPlace place);
  /// test_records: a type that the standard does not name, its bytes as hexadecimal digits.
  void keep_private(const Record& record, RowPlace place);
  /// test_pins of a PMR; of an NMR.
  void keep_pin(const Record& record, const RecordValues& pmr, RowPlace place);
  void keep_pin_names(const Record& record, const RecordValues& nmr, RowPlace place);
  /// scan_patterns of a PSR; scan_cells of a CDR; of a CNR.
  void keep_patterns(const Record& record, const RecordValues& psr, RowPlace place);
  void keep_chain(const Record& record, const RecordValues& cdr, RowPlace place);
  void keep_cell(const Record& record, const RecordValues& cnr, RowPlace place);
  /// scan_fails of an STR.
  void keep_fails(const Record& record, const RecordValues& str, std::string_view run,
                  std::int32_t part, std::int32_t test);

  void finish();
  bool cancelled() const { return cancelled_; }

 private:
  struct Batch {
    store::Table table;
    std::size_t text_bytes = 0;
    explicit Batch(std::string_view name) : table(store::Table::of(name)) {}
  };
  store::Table& begin(Batch& batch, RowPlace place);
  void end(Batch& batch, const Record& record, std::size_t text_bytes);
  void flush(Batch& batch);

  store::RowSink& sink_;
  Batch records_, pins_, patterns_, cells_, fails_;
  std::map<std::uint64_t, std::uint64_t> cells_so_far_;    ///< Of a chain that goes on.
  std::map<std::uint64_t, std::int32_t> patterns_so_far_;  ///< Of a set that goes on.
  bool cancelled_ = false;
};

/// "PTR", or "180,5" for a type that the standard does not name.
std::string name_of_type(std::uint16_t code);

}  // namespace yieldloop::ingest::stdf
