/// \file
/// Scores that hang together in clusters (wafers, tiles); private to layout_regression.
///
/// Source: H. Hotelling, Ann. Math. Stat. 2 (1931) 360.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

namespace yieldloop::tracing {

/// Cluster numbers made dense.
struct Clusters {
  std::vector<std::uint32_t> of;
  std::size_t count = 0;
};

Clusters dense_clusters(const std::vector<std::uint32_t>& ids);

/// P of Hotelling's T-squared that the clusters' scores add up to `sum` by chance; 1 when there are
/// too few clusters to say. `extra` is variance that the clusters do not show.
/// Shape: scores is [clusters, k], sum is [k], extra is [k, k].
double hotelling_p(const Eigen::MatrixXd& scores, const Eigen::VectorXd& sum,
                   const Eigen::MatrixXd& extra);

}  // namespace yieldloop::tracing
