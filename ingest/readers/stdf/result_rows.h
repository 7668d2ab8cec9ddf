/// \file
/// Joins results to parts and parts to wafers, and writes die_results and test_values.
///
/// A part is PIR..PRR of one (HEAD, SITE); the sites' results come interleaved. A run is
/// WIR..WRR of one HEAD; parts outside any wafer (packaged parts, or testers that write no WIR)
/// share one run without a wafer. A result or a PRR without a PIR opens its part itself; a part
/// without a PRR keeps its values and has no row in die_results.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/store/table.h"
#include "ingest/readers/stdf/fields.h"
#include "ingest/readers/stdf/lot_facts.h"
#include "ingest/readers/stdf/test_catalogue.h"

namespace yieldloop::ingest::stdf {

/// X_COORD and Y_COORD where the tester gave none.
inline constexpr std::int16_t kNoCoordinate = -32768;

/// One row of test_runs in the making.
struct Run {
  std::string id;
  std::string wafer_id;
  UtcMicros started_at, finished_at;
  std::int32_t parts_begun = 0;  ///< The next part_sequence.
  std::int32_t parts = 0;        ///< With a PRR.
  std::vector<bool> tests;       ///< By test id: has a result in the run.
  std::uint64_t ordinal = 0;     ///< Of the record that opened it.
};

/// Counts of the check document that come from parts and results.
struct PartCounts {
  std::uint64_t pass = 0, fail = 0, unknown = 0, retested = 0, without_prr = 0;
  std::map<std::uint16_t, std::uint64_t> hard_bins, soft_bins;
  std::set<std::uint16_t> sites;  ///< head * 256 + site.
  bool has_xy = false;
  int x_min = 0, x_max = 0, y_min = 0, y_max = 0;
  std::uint64_t ptr = 0, ptr_valid = 0, mpr_values = 0;
  double ptr_sum = 0.0;
};

/// Not thread-safe. Every `read_` returns false when the record's fixed fields are not all there
/// (nothing of it was taken).
class ResultRows {
 public:
  /// REQUIRES: the references outlive the rows. Run ids are `id_prefix` and a number from
  /// `first_run` on.
  ResultRows(std::string id_prefix, std::size_t first_run, const LotFacts& lot,
             TestCatalogue& tests, PartCounts& counts, store::RowSink& sink);

  bool read_wir(Fields& fields, std::uint64_t ordinal);
  bool read_wrr(Fields& fields, std::uint64_t ordinal);
  bool read_pir(Fields& fields, std::uint64_t ordinal);
  bool read_prr(Fields& fields, std::uint64_t ordinal);
  bool read_ptr(Fields& fields, std::uint64_t ordinal);
  bool read_mpr(Fields& fields, std::uint64_t ordinal);
  bool read_ftr(Fields& fields, std::uint64_t ordinal);

  /// Counts parts that never ended and hands the last batches over.
  void finish();
  bool cancelled() const { return cancelled_; }
  const std::vector<Run>& runs() const { return runs_; }

 private:
  struct OpenPart {
    std::int32_t sequence = -1;  ///< -1: none is open.
    std::uint32_t run = 0;
  };

  std::uint32_t open_run(std::string wafer_id, UtcMicros started_at, std::uint64_t ordinal);
  void end_run(std::uint8_t head, const std::string& wafer_id, UtcMicros finished_at,
               std::uint64_t ordinal);
  std::uint32_t run_of(std::uint8_t head, std::uint64_t ordinal);
  OpenPart& slot_of(std::uint8_t head, std::uint8_t site);
  OpenPart& part_of(std::uint8_t head, std::uint8_t site, std::uint64_t ordinal);
  void begin_part(OpenPart& part, std::uint8_t head, std::uint64_t ordinal);
  void count_part(std::uint8_t flags, std::uint16_t site_key, std::uint16_t hard_bin,
                  std::uint16_t soft_bin, std::int16_t x, std::int16_t y);
  void add_value(const OpenPart& part, std::int32_t test, float value, bool valid,
                 std::uint8_t flags, std::uint64_t ordinal);
  void add_element(std::int32_t element);
  void flush_values();
  void flush_dies();

  std::string id_prefix_;
  std::size_t first_run_;
  const LotFacts& lot_;
  TestCatalogue& tests_;
  PartCounts& counts_;
  store::RowSink& sink_;
  std::vector<Run> runs_;
  static constexpr std::int32_t kNoRun = -1;
  std::array<std::int32_t, 256> run_of_head_;
  std::int32_t lot_run_ = kNoRun;  ///< Of parts outside any wafer.
  using Sites = std::array<OpenPart, 256>;
  std::array<std::unique_ptr<Sites>, 256> open_parts_;  ///< By head, then site.
  store::Table values_, dies_;
  // Positions of test_values, looked up once.
  std::size_t v_run_, v_part_, v_test_, v_element_, v_value_, v_flags_, v_row_;
  bool cancelled_ = false;
};

}  // namespace yieldloop::ingest::stdf
