/// \file
/// The steps of build_report. Private to engine/report.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "engine/core/die_outcomes.h"
#include "engine/report/build_report.h"
#include "engine/report/control_limits.h"

namespace yieldloop::report {

/// Dies of one wafer or lot.
struct Tally {
  std::int64_t tested = 0, good = 0;
  double yield() const {
    return tested > 0 ? static_cast<double>(good) / static_cast<double>(tested) : 0.0;
  }
};

/// What several sections need, computed once.
struct ReportBasis {
  const FabData& data;
  const FindingsDocument& findings;
  const ReportOptions& options;
  std::vector<DieOutcome> final_dies;  ///< Sorted by wafer, then die.
  std::vector<Tally> final_tally;      ///< Shape: [wafers].
  std::vector<Tally> first_tally;
  std::vector<NameId> lots;  ///< With tested dies, in order of last test.
  std::map<NameId, UtcMicros> last_test;
  std::set<NameId> tonight;  ///< Lots of the night.
  std::set<NameId> earlier;  ///< Baseline lots; empty without a night.
};

ReportBasis make_basis(const FabData& data, const FindingsDocument& findings,
                       const ReportOptions& options);
/// Dies of the wafers whose lot is in `lots`. Shape: tallies is [wafers].
YieldFigure pooled_yield(const ReportBasis& basis, const std::vector<Tally>& tallies,
                         const std::set<NameId>& lots);

void add_lots(const ReportBasis& basis, ReportContent& content);
void add_bins(const ReportBasis& basis, ReportContent& content);
/// REQUIRES: add_lots. Sets the flags of the lots and wafers that left their limits.
void add_excursions(const ReportBasis& basis, ReportContent& content);
void add_drivers(const ReportBasis& basis, ReportContent& content);
void add_suspects(const ReportBasis& basis, ReportContent& content);
void add_defects(const ReportBasis& basis, ReportContent& content);
void add_suggestions(const ReportBasis& basis, const std::vector<Suggestion>& suggestions,
                     ReportContent& content);
/// REQUIRES: add_lots, add_excursions.
void add_maps(const ReportBasis& basis, ReportContent& content);
/// REQUIRES: all sections above.
void add_caveats(const ReportBasis& basis, ReportContent& content);
void add_headline(const ReportBasis& basis, ReportContent& content);
void add_provenance(const ReportBasis& basis, ReportContent& content);

/// The lots the report is about: the night's.
bool is_tonight(const ReportBasis& basis, WaferId wafer);
std::vector<StackedDie> stack_of(const std::vector<DieOutcome>& dies,
                                 const std::vector<bool>& wafer_taken);

}  // namespace yieldloop::report
