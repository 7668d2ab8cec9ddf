/// \file
/// Joins results to parts and parts to wafers, and writes die_results, test_values and
/// test_functional.
///
/// A part is PIR..PRR of one (HEAD, SITE); the sites' results come interleaved. A run is
/// WIR..WRR of one HEAD; parts outside any wafer (packaged parts, or testers that write no WIR)
/// share one run without a wafer. A result or a PRR without a PIR opens its part itself; a part
/// without a PRR keeps its values and has no row in die_results.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/store/table.h"
#include "ingest/readers/attributes.h"
#include "ingest/readers/stdf/fields.h"
#include "ingest/readers/stdf/lot_facts.h"
#include "ingest/readers/stdf/part_table.h"
#include "ingest/readers/stdf/record_cursor.h"
#include "ingest/readers/stdf/record_layout.h"
#include "ingest/readers/stdf/result_fields.h"
#include "ingest/readers/stdf/summary_check.h"
#include "ingest/readers/stdf/test_catalogue.h"
#include "ingest/readers/stdf/value_batch.h"

namespace yieldloop::ingest::stdf {

/// X_COORD and Y_COORD where the tester gave none.
inline constexpr std::int16_t kNoCoordinate = -32768;

/// How a record was taken.
struct Taking {
  bool cut = false;         ///< It ends inside a field; nothing of it was taken.
  std::size_t surplus = 0;  ///< Bytes behind its last field.
  bool is_new = true;       ///< It said something that no record before it did.
};

/// One row of test_runs in the making.
struct Run {
  std::string wafer_id;
  UtcMicros started_at, finished_at;
  std::int32_t parts_begun = 0;  ///< The next part_sequence.
  std::int32_t parts = 0;        ///< With a PRR.
  std::uint64_t ordinal = 0;     ///< Of the record that opened it.
};

/// A part that has begun and not ended.
struct PartInFlight {
  unsigned head = 0, site = 0;
  std::uint64_t byte_offset = 0;  ///< Of the record that began it.
};

/// Counts of the check document that come from parts and results.
struct PartCounts {
  std::uint64_t pass = 0, fail = 0, unknown = 0, retested = 0, without_prr = 0, without_pir = 0;
  std::map<std::uint16_t, std::uint64_t> hard_bins, soft_bins;
  std::set<std::uint16_t> sites;  ///< head * 256 + site.
  bool has_xy = false;
  int x_min = 0, x_max = 0, y_min = 0, y_max = 0;
  std::uint64_t ptr = 0, ptr_valid = 0, mpr_values = 0;
  double ptr_sum = 0.0;

  std::uint64_t parts() const { return pass + fail + unknown; }
};

/// Results that say of themselves what few in a file say: see test_check.h.
struct DoubtfulResults {
  static constexpr std::size_t kMostNamed = 3;
  struct Place {
    std::uint64_t byte_offset = 0, ordinal = 0;
    std::uint32_t number = 0;  ///< TEST_NUM
    float value = 0.0F;
  };
  std::uint64_t results = 0;                ///< PTR read.
  std::uint64_t invalid = 0, infinite = 0;  ///< Marked invalid with a value; no number, not marked.
  std::vector<Place> first_invalid, first_infinite;
};

/// Not thread-safe.
class ResultRows {
 public:
  /// REQUIRES: the references outlive the rows. Run ids are `id_prefix` and a number from
  /// `first_run` on.
  ResultRows(std::string id_prefix, std::size_t first_run, const LotFacts& lot,
             TestCatalogue& tests, PartCounts& counts, SummaryCheck& summaries,
             store::RowSink& sink);

  Taking read_ptr(const Record& record, std::endian order);
  Taking read_mpr(const Record& record, std::endian order);
  Taking read_ftr(const Record& record, std::endian order);
  Taking read_wir(const Record& record, std::endian order);
  Taking read_wrr(const Record& record, std::endian order);
  Taking read_pir(const Record& record, std::endian order);
  Taking read_prr(const Record& record, std::endian order);

  /// Adds a result without a value, e.g. of a scan test, and returns where it belongs.
  const OpenPart& add_verdict(std::uint8_t head, std::uint8_t site, std::int32_t test,
                              std::uint8_t flags, const Record& record);
  /// The part of a head and site, begun when there is none.
  const OpenPart& part_in_flight(std::uint8_t head, std::uint8_t site, const Record& record) {
    return part_of(head, site, record);
  }
  /// The part that a text between the records of parts belongs to: the only one that is open.
  /// Its sequence is -1 when there is none or there are several.
  OpenPart only_open_part();
  /// The run that is open, whatever its head; -1 when there is none.
  std::int32_t open_run() const;

  const DoubtfulResults& doubtful() const { return doubtful_; }
  /// Parts that have begun and not ended.
  std::vector<PartInFlight> in_flight();
  /// Hands the last batches over.
  void finish();
  bool cancelled() const { return cancelled_; }
  const std::vector<Run>& runs() const { return runs_; }
  const std::string& run_id(std::size_t run) const { return run_ids_[run]; }
  /// Pairs of run and test with a result, sorted.
  const std::vector<std::pair<std::uint32_t, std::int32_t>>& tests_of_runs();

 private:
  std::uint32_t begin_run(std::string wafer_id, UtcMicros started_at, std::uint64_t ordinal);
  std::uint32_t end_run(std::uint8_t head, const std::string& wafer_id, UtcMicros finished_at,
                        std::uint64_t ordinal);
  std::uint32_t run_of(std::uint8_t head, std::uint64_t ordinal);
  OpenPart& part_of(std::uint8_t head, std::uint8_t site, const Record& record) {
    OpenPart& part = parts_(head, site);
    if (part.sequence < 0) begin_unannounced_part(part, head, site, record);
    return part;
  }
  void begin_unannounced_part(OpenPart& part, std::uint8_t head, std::uint8_t site,
                              const Record& record);
  void begin_part(OpenPart& part, std::uint8_t head, std::uint8_t site, const Record& record);
  void end_part(OpenPart& part);
  void count_part(std::uint8_t flags, std::uint16_t site_key, std::uint16_t hard_bin,
                  std::uint16_t soft_bin, std::int16_t x, std::int16_t y);
  void add_die(const RecordValues& prr, const OpenPart& part, std::uint64_t ordinal);
  void add_value(const OpenPart& part, std::int32_t test, float value, bool valid,
                 std::uint8_t flags, std::uint64_t ordinal) {
    if (tests_.is_first_in_run(test, part.run)) note_test(part.run, test);
    if (values_.is_full()) flush_values();
    values_.add(part.run, part.sequence, test, value, valid, flags, ordinal);
  }
  void note_test(std::uint32_t run, std::int32_t test);
  void note_new(std::int32_t test, const Record& record);
  void note_doubtful(const PtrHead& p, const Record& record);
  void add_functional(const OpenPart& part, std::int32_t test, std::uint64_t ordinal);
  void flush_values();
  void flush(store::Table& table);

  std::string id_prefix_;
  std::size_t first_run_;
  const LotFacts& lot_;
  TestCatalogue& tests_;
  PartCounts& counts_;
  SummaryCheck& summaries_;
  store::RowSink& sink_;
  std::vector<Run> runs_;
  std::vector<std::string> run_ids_;
  static constexpr std::int32_t kNoRun = -1;
  std::array<std::int32_t, 256> run_of_head_;
  std::int32_t lot_run_ = kNoRun;  ///< Of parts outside any wafer.
  PartTable parts_;
  std::size_t open_parts_ = 0;
  ValueBatch values_;
  store::Table dies_, functional_;
  RecordValues record_;  ///< Of the record being read, where it is taken apart whole.
  Attributes attributes_;
  std::vector<std::pair<std::uint32_t, std::int32_t>> tests_of_runs_;
  std::size_t sorted_pairs_ = 0;
  DoubtfulResults doubtful_;
  bool cancelled_ = false;
};

}  // namespace yieldloop::ingest::stdf
