#include "engine/defects/clusters.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <unordered_map>

#include "engine/stats/distributions.h"

namespace yieldloop::defects {
namespace {

/// Points by square cell of the radius' side: neighbours lie in the 3 x 3 cells around.
class Grid {
 public:
  Grid(std::span<const WaferPoint> points, double side) : points_(points), side_(side) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      cells_[key(cell(points[i].x_um), cell(points[i].y_um))].push_back(i);
    }
  }

  /// Calls visit(j, squared distance) for every point within the radius, i itself included.
  template <class Visit>
  void for_neighbours(std::size_t i, Visit visit) const {
    const std::int64_t cx = cell(points_[i].x_um);
    const std::int64_t cy = cell(points_[i].y_um);
    for (std::int64_t dy = -1; dy <= 1; ++dy) {
      for (std::int64_t dx = -1; dx <= 1; ++dx) {
        const auto it = cells_.find(key(cx + dx, cy + dy));
        if (it == cells_.end()) continue;
        for (const std::size_t j : it->second) {
          const double ex = points_[i].x_um - points_[j].x_um;
          const double ey = points_[i].y_um - points_[j].y_um;
          const double d2 = ex * ex + ey * ey;
          if (d2 <= side_ * side_) visit(j, d2);
        }
      }
    }
  }

 private:
  std::int64_t cell(double v) const { return static_cast<std::int64_t>(std::floor(v / side_)); }
  static std::uint64_t key(std::int64_t x, std::int64_t y) {
    return static_cast<std::uint64_t>(x) << 32 ^ (static_cast<std::uint64_t>(y) & 0xFFFFFFFFu);
  }

  std::span<const WaferPoint> points_;
  double side_;
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> cells_;
};

std::vector<char> core_flags(const Grid& grid, std::size_t count, int min_points) {
  std::vector<char> core(count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    int neighbours = 0;
    grid.for_neighbours(i, [&](std::size_t, double) { ++neighbours; });
    core[i] = neighbours >= min_points ? 1 : 0;
  }
  return core;
}

void flood(const Grid& grid, const std::vector<char>& core, std::size_t seed, std::int32_t label,
           std::vector<std::int32_t>& labels) {
  std::vector<std::size_t> open{seed};
  labels[seed] = label;
  while (!open.empty()) {
    const std::size_t i = open.back();
    open.pop_back();
    grid.for_neighbours(i, [&](std::size_t j, double) {
      if (!core[j] || labels[j] != kNoCluster) return;
      labels[j] = label;
      open.push_back(j);
    });
  }
}

void join_borders(const Grid& grid, const std::vector<char>& core,
                  std::vector<std::int32_t>& labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (core[i]) continue;
    double nearest = std::numeric_limits<double>::infinity();
    std::size_t owner = labels.size();
    grid.for_neighbours(i, [&](std::size_t j, double d2) {
      if (!core[j] || d2 > nearest || (d2 == nearest && j > owner)) return;
      nearest = d2;
      owner = j;
    });
    if (owner < labels.size()) labels[i] = labels[owner];
  }
}

/// Labels count from 0 in order of first member, borders included.
void number_by_first_member(std::vector<std::int32_t>& labels) {
  std::vector<std::int32_t> renamed(labels.size(), kNoCluster);
  std::int32_t next = 0;
  for (std::int32_t& label : labels) {
    if (label == kNoCluster) continue;
    std::int32_t& name = renamed[static_cast<std::size_t>(label)];
    if (name == kNoCluster) name = next++;
    label = name;
  }
}

Cluster describe(std::span<const WaferPoint> points, const ClusterOptions& options) {
  Cluster c;
  c.defects = static_cast<std::int64_t>(points.size());
  const auto n = static_cast<double>(points.size());
  for (const WaferPoint& p : points) {
    c.centre.x_um += p.x_um / n;
    c.centre.y_um += p.y_um / n;
  }
  double xx = 0.0, yy = 0.0, xy = 0.0;
  for (const WaferPoint& p : points) {
    const double dx = p.x_um - c.centre.x_um;
    const double dy = p.y_um - c.centre.y_um;
    xx += dx * dx / n;
    yy += dy * dy / n;
    xy += dx * dy / n;
  }
  const double mean = 0.5 * (xx + yy);
  const double half = std::hypot(0.5 * (xx - yy), xy);
  const double major = mean + half;
  const double minor = std::max(mean - half, major * 1e-6);
  c.aspect = major > 0.0 ? std::sqrt(major / minor) : 1.0;
  const double angle = 0.5 * std::atan2(2.0 * xy, xx - yy);
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const WaferPoint& p : points) {
    const double along = p.x_um * std::cos(angle) + p.y_um * std::sin(angle);
    low = std::min(low, along);
    high = std::max(high, along);
  }
  c.length_um = high - low;
  c.is_scratch = c.aspect >= options.scratch_aspect && c.length_um >= options.scratch_length_um;
  return c;
}

void cluster_inspection(const FabData& data, std::uint32_t inspection,
                        std::span<const std::size_t> members, const ClusterOptions& options,
                        ClusterResult& result) {
  std::vector<WaferPoint> points;
  points.reserve(members.size());
  for (const std::size_t d : members) points.push_back(on_wafer(data, data.defects[d]));
  const double area_um2 = inspected_area_cm2(data, data.inspections[inspection]) * 1e8;
  const double radius = options.radius_um > 0.0
                            ? options.radius_um
                            : auto_radius_um(static_cast<std::int64_t>(points.size()), area_um2,
                                             options.min_points, options.random_core_rate);
  if (radius <= 0.0) return;
  const auto labels = dbscan(points, radius, options.min_points);
  const auto first = static_cast<std::int32_t>(result.clusters.size());
  std::vector<std::vector<WaferPoint>> groups;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == kNoCluster) continue;
    const auto label = static_cast<std::size_t>(labels[i]);
    if (label >= groups.size()) groups.resize(label + 1);
    groups[label].push_back(points[i]);
    result.cluster_of[members[i]] = first + labels[i];
  }
  for (const auto& group : groups) {
    result.clusters.push_back(describe(group, options));
    result.clusters.back().inspection = inspection;
  }
}

}  // namespace

std::vector<std::int32_t> dbscan(std::span<const WaferPoint> points, double radius_um,
                                 int min_points) {
  std::vector<std::int32_t> labels(points.size(), kNoCluster);
  if (points.empty() || radius_um <= 0.0) return labels;
  const Grid grid(points, radius_um);
  const auto core = core_flags(grid, points.size(), min_points);
  std::int32_t next = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (core[i] && labels[i] == kNoCluster) flood(grid, core, i, next++, labels);
  }
  join_borders(grid, core, labels);
  number_by_first_member(labels);
  return labels;
}

double auto_radius_um(std::int64_t count, double area_um2, int min_points,
                      double random_core_rate) {
  if (count < min_points || area_um2 <= 0.0) return 0.0;
  double low = 0.0, high = 100.0;
  for (int i = 0; i < 80; ++i) {
    const double mean = 0.5 * (low + high);
    (stats::poisson_upper_p(min_points - 1, mean) < random_core_rate ? low : high) = mean;
  }
  return std::sqrt(low * area_um2 / (std::numbers::pi * static_cast<double>(count)));
}

Result<ClusterResult> find_clusters(const FabData& data, const ClusterOptions& options) {
  if (options.min_points < 2 || options.radius_um < 0.0 || options.random_core_rate <= 0.0 ||
      options.random_core_rate >= 1.0) {
    return Error{Errc::kInvalidOptions, "CLUS-0001",
                 "Clustering needs at least 2 points, a radius of 0 or more and a chance rate "
                 "between 0 and 1; correct the options."};
  }
  ClusterResult result;
  result.cluster_of.assign(data.defects.size(), kNoCluster);
  std::vector<std::vector<std::size_t>> members(data.inspections.size());
  for (std::size_t d = 0; d < data.defects.size(); ++d) {
    members[data.defects[d].inspection].push_back(d);
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    cluster_inspection(data, static_cast<std::uint32_t>(i), members[i], options, result);
  }
  return result;
}

}  // namespace yieldloop::defects
