/// \file
/// Turns the records of one lot (MIR to MRR) into rows: what is known only at its end, the runs,
/// their tests and bins, is written there.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/store/table.h"
#include "ingest/readers/diagnostics.h"
#include "ingest/readers/stdf/lot_facts.h"
#include "ingest/readers/stdf/record_cursor.h"
#include "ingest/readers/stdf/result_rows.h"
#include "ingest/readers/stdf/test_catalogue.h"

namespace yieldloop::ingest::stdf {

/// Not thread-safe.
class LotAssembler {
 public:
  /// REQUIRES: the references outlive the assembler.
  LotAssembler(std::string id_prefix, std::size_t first_run, PartCounts& counts,
               store::RowSink& sink);
  LotAssembler(const LotAssembler&) = delete;
  LotAssembler& operator=(const LotAssembler&) = delete;

  bool has_mir() const { return lot_.has_mir; }
  /// False when the record is damaged; nothing of it was taken then.
  bool take(const Record& record, std::endian order);
  /// Writes what waits for the lot's end. Returns false when the sink wants no more.
  bool finish();
  bool cancelled() const { return results_.cancelled(); }

  std::size_t runs() const { return results_.runs().size(); }
  std::size_t wafers() const { return wafers_; }
  const TestCatalogue& tests() const { return tests_; }
  bool complete() const { return lot_.complete; }

 private:
  bool read_tsr(Fields& fields);
  bool read_mrr(Fields& fields);
  store::Table run_rows() const;
  store::Table limit_rows() const;
  store::Table bin_rows() const;

  LotFacts lot_;
  LotBins bins_;
  TestCatalogue tests_;
  std::size_t wafers_ = 0;  ///< Runs that have a WIR or a WRR.
  store::RowSink& sink_;
  ResultRows results_;
};

}  // namespace yieldloop::ingest::stdf
