/// \file
/// How good the data of each source are, and what still waits for its other half.
///
/// Counted for every file whose rows count in a snapshot:
///   completeness  filled cells among those that identify a row (lot, wafer, step, time, ...)
///   duplicates    rows that say again what an earlier row of the same file said: the same key of a
///                 log, the same defect of an inspection, the same part of a test run
///   out of range  values that cannot be: slots beyond 25, negative waits and sizes, negative bins,
///                 measurements more than ten tolerances from the nearest limit
///   time order    steps of a wafer that start before an earlier step of its route ended, and
///   sensor
///                 samples that go back in time
///   coordinates   defects outside their die (by the die pitch of the inspection) and inspected die
///                 that lie wholly outside the wafer
///
/// A wafer with test or inspection results but without lot history is unresolved: its rows are
/// stored and count where history is not needed, and join when it comes.
///
/// Cost: one pass over each table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "engine/store/store.h"

namespace yieldloop::session {

struct SourceQuality {
  std::string name;
  std::string reader;
  std::uint64_t rows = 0;
  std::uint64_t rejects = 0;
  double completeness = 1.0;  ///< In [0, 1]; 1 when the file has no identifying cell.
  std::uint64_t duplicates = 0;
  std::uint64_t out_of_range = 0;
  std::uint64_t time_order = 0;
  std::uint64_t defects_outside_die = 0;
  std::uint64_t die_outside_wafer = 0;

  bool clean() const {
    return rejects + duplicates + out_of_range + time_order + defects_outside_die +
                   die_outside_wafer ==
               0 &&
           completeness == 1.0;
  }
  friend bool operator==(const SourceQuality&, const SourceQuality&) = default;
};

struct Unresolved {
  std::uint64_t wafers = 0;
  std::vector<std::string> first;  ///< "LOT/WAFER", at most 20, sorted.
  friend bool operator==(const Unresolved&, const Unresolved&) = default;
};

struct Quality {
  std::vector<SourceQuality> sources;  ///< By name.
  Unresolved unresolved;
};

/// Errors: as Snapshot::query.
Result<Quality> assess_quality(const store::Snapshot& snapshot);
Result<Unresolved> unresolved_wafers(const store::Snapshot& snapshot);

/// One sentence for each kind of trouble there is, for reports; empty when all is well.
std::vector<std::string> quality_sentences(const Quality& quality);

/// The sentence about waiting wafers; empty when there are none.
std::string quality_sentence(const Unresolved& unresolved);

}  // namespace yieldloop::session
