/// \file
/// Wafer sort of one lot as an STDF V4 file, little-endian.
///
/// Records in order: FAR MIR RDR SDR WCR, for each wafer WIR, touchdowns (PIR of all sites, then
/// test by test PTR and FTR of all sites, then PRR), WRR; TSR, HBR, SBR, PCR for each site and
/// for all (HEAD_NUM 255), MRR. Testing of a die stops at its first failing test. A die that is
/// touched again has PART_FLG bit 1 set: it supersedes the result at the same X and Y. Counts in
/// WRR, PCR, HBR and SBR are those of PRR records, retests included.
/// Source: "Standard Test Data Format (STDF) Specification", version 4, Teradyne.
#pragma once

#include <array>
#include <map>
#include <string>

#include "engine/simulator/test_model.h"

namespace yieldloop::simulator {

class StdfWriter {
 public:
  StdfWriter(const World& world, std::size_t lot);

  void add_wafer(std::size_t wafer, const WaferTest& test);

  /// The whole file; the writer is spent.
  std::string finish();

 private:
  struct PartCounts {
    std::uint32_t parts = 0;
    std::uint32_t retested = 0;
    std::uint32_t good = 0;
    void count(const TestedPart& part);
  };
  struct TestCounts {
    std::uint32_t executed = 0;
    std::uint32_t failed = 0;
  };
  struct SiteCounts {
    PartCounts parts;
    std::map<int, std::uint32_t> hard_bins;
    std::map<int, std::uint32_t> soft_bins;
    std::array<TestCounts, 8> tests;
    void add(const SiteCounts& other);
  };

  void write_head();
  void write_touchdown(const Touchdown& touchdown);
  void write_test(std::size_t test, const TestedPart& part);
  void write_part(const TestedPart& part);
  void write_counts(const SiteCounts& counts, int head, int site);

  const World& world_;
  const SimLot& lot_;
  std::string bytes_;
  std::array<SiteCounts, kSites> sites_;
  std::array<bool, 8> described_{};  ///< Tests whose limits and texts have been written.
  std::uint32_t next_part_ = 1;
  UtcMicros finished_;
};

}  // namespace yieldloop::simulator
