/// \file
/// What makes packages fail: an assembly tool, a place in the package, a lot of substrates?
///
/// One die in a package fails when the package fails and its test names the die's position (each
/// die in equal parts where it names none). For every level of tool and step, position, tool with
/// position, supplier lot and assembly lot the fails of its die are compared with the other die,
///
///   within assembly lots that hold both: observed minus expected fails over strata of assembly
///   lot and ring of the wafer, hypergeometric variance (Mantel and Haenszel);
///   where a level takes whole assembly lots: the lots' rates, each less the rate its rings
///   expect, by Student's t with a pooled variance of at least the binomial one.
///
/// Levels of all kinds are one family (Benjamini-Hochberg). The surest is taken, its die are set
/// aside and the rest is asked again, so that what goes along with it is not accused too; where a
/// level that lies mostly inside it leaves nothing to explain, that one is meant. Wafer
/// rings are strata because the wafer's edge fails more often in any assembly.
///
/// Source: N. Mantel and W. Haenszel, J. Natl. Cancer Inst. 22 (1959) 719.
#pragma once

#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::process {

struct PackageFailOptions {
  double alpha = 0.05;       ///< In (0, 0.5].
  double least_ratio = 1.5;  ///< Of the fail rate to that of the other die.
  std::int64_t least_fails = 5;
};

/// The fields that are not empty name the level.
struct PackageLevel {
  NameId step{}, tool{}, position{}, supplier_lot{}, assembly_lot{};
  friend auto operator<=>(const PackageLevel&, const PackageLevel&) = default;
};

struct PackageCause {
  PackageLevel level;
  std::vector<PackageLevel> same_die;  ///< Other levels with exactly the same die.
  double fail_rate = 0.0;              ///< Of a die there.
  double other_rate = 0.0;             ///< Of the other die, over the same lots and rings.
  double packages_lost = 0.0;          ///< Fails above what the others' rate expects.
  Interval packages_lost_ci{0.0, 0.0};
  double p_value = 1.0, q_value = 1.0;
  std::int64_t die = 0, fails = 0, lots = 0;
  bool within_lots = false;
  std::vector<WaferId> wafers;  ///< That gave the die, sorted.
  friend bool operator==(const PackageCause&, const PackageCause&) = default;
};

struct PackageFailResult {
  std::int64_t packages = 0, failed = 0;
  double die_per_package = 0.0;
  std::vector<PackageCause> causes;  ///< In order of acceptance.
  std::size_t family = 0;
  std::string family_text;
  friend bool operator==(const PackageFailResult&, const PackageFailResult&) = default;
};

/// Errors: kInvalidOptions (PACK-0001); kNoData (PACK-0002) when no package has a result.
Result<PackageFailResult> package_fails(const FabData& data,
                                        const PackageFailOptions& options = {});

}  // namespace yieldloop::process
