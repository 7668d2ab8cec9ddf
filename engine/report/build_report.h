/// \file
/// From a product's data, its findings and suggestions to the content of the report.
///
/// The night of day D is what was tested from D-1 12:00 to D 12:00 UTC: a lot belongs to the
/// night of its last test. Earlier lots are the baseline, later ones are left out. Without a
/// night the report covers all lots and has no baseline.
///
/// Source of the control limits: see control_limits.h.
#pragma once

#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"
#include "engine/report/report_content.h"

namespace yieldloop::report {

struct ReportOptions {
  std::string night;                         ///< "YYYY-MM-DD", or empty.
  std::size_t top_drivers = 5;               ///< In [1, 100].
  std::size_t max_maps = 25;                 ///< Wafer maps shown, in [0, 1000].
  std::size_t max_suggestions = 20;          ///< In [1, 1000].
  std::map<int, std::string> bin_names;      ///< Hard bins that have a name.
  std::vector<std::string> skipped_files;    ///< "lot2.stdf: not an STDF file", as caveats.
  std::vector<ReportClip> clips;             ///< Layout around findings, by finding id.
  std::optional<FindingsDocument> previous;  ///< Of the last report: tells new from known.
  Provenance provenance;                     ///< config_hash is computed here.
};

/// No tested die is not an error: the report then says so.
/// Cost: O(rows). Errors: kInvalidOptions (REPT-0001) for a night that is no date, (REPT-0002)
/// for a count out of its range.
Result<ReportContent> build_report(const FabData& data, const FindingsDocument& findings,
                                   const std::vector<Suggestion>& suggestions,
                                   const ReportOptions& options = {});

}  // namespace yieldloop::report
