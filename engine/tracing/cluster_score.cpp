#include "engine/tracing/cluster_score.h"

#include <Eigen/Cholesky>
#include <algorithm>

#include "engine/stats/distributions.h"

namespace yieldloop::tracing {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

Clusters dense_clusters(const std::vector<std::uint32_t>& ids) {
  std::vector<std::uint32_t> names = ids;
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  Clusters c{.of = {}, .count = names.size()};
  for (const std::uint32_t id : ids) {
    c.of.push_back(static_cast<std::uint32_t>(std::ranges::lower_bound(names, id) - names.begin()));
  }
  return c;
}

double hotelling_p(const MatrixXd& scores, const VectorXd& sum, const MatrixXd& extra) {
  const Index clusters = scores.rows(), k = sum.size();
  if (clusters <= k + 1) return 1.0;
  const auto c = static_cast<double>(clusters);
  const MatrixXd centred = scores.rowwise() - (sum / c).transpose();
  MatrixXd spread = centred.transpose() * centred * (c / (c - 1.0)) + extra;
  const Eigen::LDLT<MatrixXd> factor(spread);
  if (factor.info() != Eigen::Success || !(factor.vectorD().minCoeff() > 0.0)) return 1.0;
  const double t2 = sum.dot(factor.solve(sum));
  const auto d = static_cast<double>(k);
  return stats::f_upper_p(t2 * (c - d) / (d * (c - 1.0)), d, c - d);
}

}  // namespace yieldloop::tracing
