/// \file
/// Compares what a file says of itself at its end (WRR, PCR, HBR, SBR) with what was read, so that
/// a damaged count does not pass in silence.
///
/// Testers count in different ways: with or without the parts that a retest superseded, for all
/// sites (HEAD_NUM 255) or site by site, or not at all. Any of these ways is agreement. A summary
/// that no way of counting explains is a reject when it speaks of parts that were not read, or of
/// the same number of parts in other bins; a summary of fewer parts is a warning.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace yieldloop::ingest::stdf {

/// Where a record stands.
struct RecordPlace {
  std::uint64_t byte_offset = 0;
  std::uint64_t ordinal = 0;
};

struct Disagreement {
  RecordPlace place;
  std::string id;
  std::string message;
  bool is_reject = true;  ///< Else a warning.
};

/// Of one lot. Not thread-safe.
class SummaryCheck {
 public:
  struct Part {
    std::uint16_t hard_bin = 0, soft_bin = 0;  ///< 65535: none.
    std::int16_t x = 0, y = 0;                 ///< -32768: none.
    bool passed = false;
    bool has_verdict = true;
    bool supersedes_id = false;  ///< PART_FLG bit 0.
    std::string_view id;
  };

  void part(std::uint32_t run, const Part& part);
  void part_without_pir(RecordPlace place, unsigned head, unsigned site);
  /// A result on a head and site whose part has not begun.
  void result_without_part(RecordPlace place, unsigned head, unsigned site);
  void part_begins() { ++begun_; }  ///< A PIR.
  /// NUM_TEST of a PRR beside the results that were read; 0 is "not counted".
  void tests_of_part(RecordPlace place, unsigned said, std::uint32_t read);
  /// A PIR of a place whose part had not ended, or that never ended.
  void part_without_prr(RecordPlace place, unsigned head, unsigned site);
  /// Counts of 4294967295 are "not given".
  void wafer(std::uint32_t run, std::string_view wafer_id, std::uint32_t parts, std::uint32_t good,
             RecordPlace place);
  void lot(bool overall, std::uint32_t parts, std::uint32_t good, RecordPlace place);
  void bin(bool is_hard, bool overall, std::uint16_t number, std::uint32_t count,
           RecordPlace place);

  /// All that does not agree.
  std::vector<Disagreement> finish() const;

 private:
  using Bins = std::map<std::uint16_t, std::uint64_t>;
  /// Parts counted one way.
  struct Tally {
    std::uint64_t parts = 0, good = 0, without_verdict = 0;
    Bins hard, soft;
    void add(const Part& part, std::uint64_t by);
  };
  struct Counted {
    Tally all;    ///< Every PRR.
    Tally final;  ///< Without the superseded ones.
    bool agrees(std::uint64_t parts) const { return parts == all.parts || parts == final.parts; }
    bool agrees_good(std::uint64_t good) const { return good == all.good || good == final.good; }
  };
  struct BinSummary {
    std::uint64_t count = 0;
    RecordPlace place;
  };
  /// Records for all sites win over those of sites.
  struct BinSummaries {
    std::map<std::uint16_t, BinSummary> overall, by_site;
    const std::map<std::uint16_t, BinSummary>& chosen() const {
      return overall.empty() ? by_site : overall;
    }
  };
  struct PartSummary {
    std::uint64_t parts = 0, good = 0;
    bool has_good = true;
    RecordPlace place;
    std::size_t records = 0;
  };
  void check_parts(std::string_view record, const std::string& of, const PartSummary& said,
                   const Counted& read, std::vector<Disagreement>& out) const;
  void check_bins(bool is_hard, std::vector<Disagreement>& out) const;
  void check_pairs(std::vector<Disagreement>& out) const;
  void check_tests_of_parts(std::vector<Disagreement>& out) const;

  Counted lot_;
  std::uint32_t last_run_ = UINT32_MAX;
  Counted run_;                                       ///< Of last_run_: its wafer, so far.
  std::map<std::uint32_t, Counted> other_runs_;       ///< Of wafers that are open beside it.
  std::unordered_map<std::uint64_t, Part> by_place_;  ///< Key: run, x, y.
  std::unordered_map<std::string, Part> by_id_;       ///< Key: run and part id.
  std::vector<Disagreement> found_;
  BinSummaries hard_, soft_;
  PartSummary overall_, by_site_;
  std::vector<Disagreement> without_pir_, without_prr_, results_;
  std::vector<Disagreement> other_tests_;
  std::uint64_t count_other_tests_ = 0, count_same_tests_ = 0;
  std::uint64_t count_without_pir_ = 0, count_without_prr_ = 0, count_results_ = 0, begun_ = 0;
};

}  // namespace yieldloop::ingest::stdf
