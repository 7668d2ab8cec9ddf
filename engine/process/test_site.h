/// \file
/// Does a tester site or probe card fail good die? A test artefact, not a process problem.
///
/// First-pass fails of the die a site touched are compared with the die other sites touched on
/// the same wafer and ring (label_excess.h), and with the neighbouring die of other sites
/// (Student's t over wafers of fail minus the mean of up to 8 neighbours), since sites tile the
/// wafer and a process pattern hits neighbours alike. The evidence is the weaker of both.
/// Retests add the proof: fails of this site that pass on another, against the same share of
/// the other sites' fails (Fisher). q: Benjamini-Hochberg over insertion x probe card x site.
///
/// Source: N. Mantel and W. Haenszel (1959); R. A. Fisher (1925).
#pragma once

#include <string>
#include <vector>

#include "engine/core/die_outcomes.h"
#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::process {

struct TestSiteOptions {
  double alpha = 0.05;  ///< In (0, 0.5].
  int rings = 6;        ///< In [1, 16].
};

struct SiteResult {
  NameId insertion{}, probe_card{};
  int site = -1;
  double fail_rate = 0.0, background_rate = 0.0;  ///< First pass.
  double die_per_wafer = 0.0;  ///< Change of good die at first pass; negative: loss.
  Interval die_per_wafer_ci{0.0, 0.0};
  double p_value = 1.0, q_value = 1.0, z = 0.0;
  std::int64_t die = 0, wafers = 0;
  std::int64_t retested_elsewhere = 0;  ///< Fails of the site tested again on another site.
  std::int64_t recovered_elsewhere = 0;
  double retest_p_value = 1.0;  ///< Of recovering no more often than other sites' fails.
  bool artefact = false;        ///< q <= alpha and the site fails more.
  double confidence = 0.0;      ///< 1 - q, or 1 - q * retest p where retests exist.
  std::vector<WaferId> on_wafers;
  friend bool operator==(const SiteResult&, const SiteResult&) = default;
};

struct TestSiteResult {
  std::vector<SiteResult> sites;  ///< Smallest p first.
  std::size_t family = 0;
  std::string family_text;
  friend bool operator==(const TestSiteResult&, const TestSiteResult&) = default;
};

/// Errors: kInvalidOptions (SITE-0001); kNoData (SITE-0002) when fewer than two sites are named
/// in the test data.
Result<TestSiteResult> test_sites(const FabData& data, const TestSiteOptions& options = {});

}  // namespace yieldloop::process
