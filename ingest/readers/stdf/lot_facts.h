/// \file
/// What an STDF file says once for a lot: who tested it, where and with what (MIR, SDR, WCR), and
/// what its bins are called (HBR, SBR).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/core/time.h"
#include "engine/store/table.h"
#include "ingest/readers/stdf/fields.h"

namespace yieldloop::ingest::stdf {

/// A text as people mean it: valid UTF-8 without blanks and NULs around it.
std::string clean(std::string_view text);
/// STDF times are the tester's wall clock in seconds and carry no zone; they are stored as if
/// they were UTC. 0 is "not given".
UtcMicros from_tester_time(std::uint32_t seconds);

struct LotFacts {
  bool has_mir = false;
  std::string lot_id, product, tester, tester_type, program, program_revision, sublot;
  std::string operator_name, test_code, temperature, retest_code;
  UtcMicros started_at, finished_at;
  std::unordered_map<std::uint16_t, std::string> card_of_site;  ///< Key: head * 256 + site.
  std::string first_card;
  bool has_wafer_setup = false;
  std::optional<float> die_width, die_height;
  int wafer_units = 0;
  std::string flat, positive_x, positive_y;
  std::optional<int> center_x, center_y;
  bool complete = false;  ///< An MRR was read.

  void read_mir(Fields& fields);
  void read_sdr(Fields& fields);
  void read_wcr(Fields& fields);

  /// TEST_COD, else JOB_NAM, else "TEST".
  const std::string& insertion() const;
  const std::string& probe_card(std::uint8_t head, std::uint8_t site) const;
};

/// One bin of the lot. Records for all sites (HEAD_NUM 255) win over the sum of sites.
struct BinFacts {
  std::string name;
  char pass = ' ';
  std::uint64_t count = 0;
  bool has_overall = false;
};

/// Hard and soft bins by number.
struct LotBins {
  std::map<std::uint16_t, BinFacts> hard, soft;

  /// An HBR or SBR. False when the record is cut inside a field.
  bool read(Fields& fields, bool is_hard);
  /// Rows of test_bins for a run; counts only when the lot is that one run.
  void append(store::Table& table, std::string_view run, bool with_counts) const;
};

}  // namespace yieldloop::ingest::stdf
