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
#include "ingest/readers/stdf/record_rows.h"
#include "ingest/readers/stdf/record_types.h"
#include "ingest/readers/stdf/result_rows.h"
#include "ingest/readers/stdf/summary_check.h"
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
  Taking take(const Record& record, std::endian order) {
    if (record.code == kPtr) return results_.read_ptr(record, order);
    return take_other(record, order);
  }
  /// Writes what waits for the lot's end. Returns false when the sink wants no more.
  bool finish();
  bool cancelled() const { return results_.cancelled() || records_.cancelled(); }

  std::size_t runs() const { return results_.runs().size(); }
  std::size_t wafers() const { return wafers_; }
  /// Rows of test_bins that `finish` will write.
  std::size_t bin_rows_to_come() const { return runs() * (bins_.hard.size() + bins_.soft.size()); }
  const TestCatalogue& tests() const { return tests_; }
  bool complete() const { return lot_.complete; }
  /// Parts that have begun and not ended. Call before `finish`.
  std::vector<PartInFlight> in_flight() { return results_.in_flight(); }
  /// Summaries that do not agree with what was read. Call before `finish`.
  std::vector<Disagreement> disagreements();

 private:
  Taking take_other(const Record& record, std::endian order);
  Taking take_fact(const Record& record, std::endian order);
  Taking read_summary(const Record& record, std::endian order);
  void keep(const Record& record);
  void read_tsr(const Record& record);
  void read_scan_test(const Record& record);
  RowPlace place();
  void add_run(store::Table& t, std::size_t i) const;
  store::Table run_rows() const;
  bool put_limit_rows();
  bool put_bin_rows();

  LotFacts lot_;
  LotBins bins_;
  TestCatalogue tests_;
  SummaryCheck summaries_;
  std::size_t wafers_ = 0;  ///< Runs that have a WIR or a WRR.
  store::RowSink& sink_;
  ResultRows results_;
  RecordRows records_;
  RecordValues values_;                         ///< Of the record being read.
  std::vector<std::int32_t> scans_that_go_on_;  ///< Tests of STR with CONT_FLG.
};

}  // namespace yieldloop::ingest::stdf
