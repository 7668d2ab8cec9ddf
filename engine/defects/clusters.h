/// \file
/// Clusters and scratches: defects that one event left behind together.
///
/// A rate test counts defects as if each were an event of its own; a scratch of 80 defects is
/// one event. This finds the clusters of each inspection, so that they can be left out of such
/// tests and shown for what they are.
///
/// DBSCAN: a defect with at least `min_points` defects (itself included) within `radius_um` is
/// a core; cores within the radius of each other share a cluster; a defect within the radius of
/// a core belongs to the nearest core's cluster (ties: the lower position), others to none.
/// The grid makes it fast and changes nothing: every distance is compared exactly.
/// A cluster is a scratch when the principal axes of its points have a length ratio of at least
/// `scratch_aspect` (ratio of standard deviations) and it spans `scratch_length_um`.
///
/// Source: M. Ester, H.-P. Kriegel, J. Sander, X. Xu, "A density-based algorithm for discovering
/// clusters in large spatial databases with noise", KDD-96, 226-231, definitions 1 to 6.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/result.h"
#include "engine/defects/inspected_area.h"

namespace yieldloop::defects {

struct ClusterOptions {
  double radius_um = 0.0;          ///< 0: chosen per inspection, see `auto_radius_um`.
  int min_points = 5;              ///< >= 2.
  double random_core_rate = 1e-3;  ///< Share of uniform defects that may become cores by chance.
  double scratch_aspect = 4.0;
  double scratch_length_um = 1000.0;
};

inline constexpr std::int32_t kNoCluster = -1;

struct Cluster {
  std::uint32_t inspection = 0;
  std::int64_t defects = 0;
  WaferPoint centre;
  double length_um = 0.0;  ///< Extent along the principal axis.
  double aspect = 1.0;     ///< Ratio of the standard deviations along the principal axes, >= 1.
  bool is_scratch = false;
  friend bool operator==(const Cluster&, const Cluster&) = default;
};

struct ClusterResult {
  std::vector<std::int32_t> cluster_of;  ///< Shape: [defects]; kNoCluster or into clusters.
  std::vector<Cluster> clusters;         ///< By inspection, then first defect.
  friend bool operator==(const ClusterResult&, const ClusterResult&) = default;
};

/// Labels of points, -1 for noise; labels count from 0 in order of first member.
/// Cost: O(n) cells of the grid plus the pairs within the radius.
std::vector<std::int32_t> dbscan(std::span<const WaferPoint> points, double radius_um,
                                 int min_points);

/// The radius at which a uniform scatter of `count` defects over `area_um2` makes a defect a
/// core with probability `random_core_rate`: P(Poisson(count*pi*r^2/area) >= min_points-1).
double auto_radius_um(std::int64_t count, double area_um2, int min_points, double random_core_rate);

/// Errors: kInvalidOptions (CLUS-0001).
Result<ClusterResult> find_clusters(const FabData& data, const ClusterOptions& options = {});

}  // namespace yieldloop::defects
