#include "engine/tracing/root_cause.h"

#include <algorithm>
#include <cmath>

#include "catch_portable.h"
#include "engine/core/random.h"

using namespace yieldloop;
using namespace yieldloop::tracing;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

MatrixXd oracle() {
  MatrixXd p(4, 3);
  p << .8, .1, 0, .5, .5, 0, 0, .3, .6, .9, 0, .05;
  return p;
}

}  // namespace

TEST_CASE("root cause: the worked example of four reports and three causes", "[tracing][root]") {
  const auto r = root_causes(oracle(), VectorXd::Ones(4)).value();
  REQUIRE(r.shares.size() == 3);
  CHECK_THAT(r.shares[0].share, WithinAbs(0.74534, 5e-6));
  CHECK_THAT(r.shares[1].share, WithinAbs(0.0, 1e-6));
  CHECK_THAT(r.shares[2].share, WithinAbs(0.25466, 5e-6));
  CHECK_THAT(r.log_likelihood, WithinAbs(-3.763243455, 1e-9));
  CHECK(r.converged);
}

TEST_CASE("root cause: a report that only one cause can give is that cause's", "[tracing][root]") {
  const MatrixXd p = MatrixXd::Identity(2, 2);
  VectorXd w(2);
  w << 30, 70;
  const auto r = root_causes(p, w).value();
  CHECK_THAT(r.shares[0].share, WithinAbs(0.3, 1e-9));
  // The profile interval of a binomial share of 30 in 100: 2 (l(.3) - l(s)) = 3.841.
  const auto drop = [](double s) {
    return 2 * (30 * std::log(0.3 / s) + 70 * std::log(0.7 / (1 - s)));
  };
  CHECK_THAT(drop(r.shares[0].share_ci.low), WithinAbs(3.841459, 1e-4));
  CHECK_THAT(drop(r.shares[0].share_ci.high), WithinAbs(3.841459, 1e-4));
}

TEST_CASE("root cause: the order of reports, and reports that repeat, change nothing",
          "[tracing][root]") {
  const auto plain = root_causes(oracle(), VectorXd::Ones(4)).value();
  MatrixXd p(5, 3);
  p << oracle().row(3), oracle().row(1), oracle().row(0), oracle().row(2), oracle().row(2);
  VectorXd w(5);
  w << 1, 1, 1, 0.5, 0.5;
  const auto turned = root_causes(p, w).value();
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK_THAT(turned.shares[c].share, WithinAbs(plain.shares[c].share, 1e-7));
  }
  CHECK_THAT(turned.log_likelihood, WithinAbs(plain.log_likelihood, 1e-10));
}

TEST_CASE("root cause: profile intervals cover the planted mix", "[tracing][root]") {
  MatrixXd p(6, 3);
  p << .4, .1, .2, .3, .1, .1, .1, .3, .1, .1, .3, .1, .05, .1, .3, .05, .1, .2;
  const VectorXd pi = (VectorXd(3) << .5, .2, .3).finished();
  const VectorXd mix = p * pi;
  int covered = 0;
  constexpr int kDraws = 300;
  for (int draw = 0; draw < kDraws; ++draw) {
    Random random(900 + static_cast<std::uint64_t>(draw));
    VectorXd w = VectorXd::Zero(6);
    for (int i = 0; i < 400; ++i) {
      double u = random.uniform() * mix.sum();
      Eigen::Index k = 0;
      while (k < 5 && u > mix[k]) u -= mix[k++];
      w[k] += 1;
    }
    const auto r = root_causes(p, w).value();
    const Interval& ci = r.shares[1].share_ci;
    covered += ci.low <= 0.2 && 0.2 <= ci.high;
  }
  CHECK(covered >= 0.92 * kDraws);
  CHECK(covered <= 0.98 * kDraws);
}

TEST_CASE("root cause: a prior pulls shares off the edge", "[tracing][root]") {
  const auto r = root_causes(oracle(), VectorXd::Ones(4), {.prior = 1.0}).value();
  double sum = 0.0;
  for (const auto& share : r.shares) sum += share.share;
  CHECK_THAT(sum, WithinAbs(1.0, 1e-9));
  CHECK(r.shares[1].share > 0.1);
}

TEST_CASE("root cause: causes with one profile, or dependent ones, are named together",
          "[tracing][root]") {
  MatrixXd p(4, 4);
  p << 1, 2, 0, 1, 2, 4, 1, 0, 3, 6, 0, 2, 1, 2, 5, 1;
  CHECK(same_cause_groups(p) == std::vector<std::vector<std::size_t>>{{0, 1}, {2}, {3}});
  MatrixXd dependent(4, 4);
  dependent << 1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 2, 0, 0, 1, 1, 5;
  CHECK(same_cause_groups(dependent) == std::vector<std::vector<std::size_t>>{{0, 1, 2}, {3}});
  // More causes than reports: something must be dependent.
  CHECK(same_cause_groups(MatrixXd::Random(2, 3).cwiseAbs()).size() == 1);
}

TEST_CASE("root cause: what it refuses", "[tracing][root][error]") {
  CHECK(root_causes(oracle(), VectorXd::Ones(3)).error().id == "ROOT-0001");
  CHECK(root_causes(-oracle(), VectorXd::Ones(4)).error().id == "ROOT-0001");
  CHECK(root_causes(oracle(), VectorXd::Ones(4), {.prior = -1.0}).error().id == "ROOT-0001");
  CHECK(root_causes(oracle(), VectorXd::Ones(4), {.dispersion = 0.5}).error().id == "ROOT-0001");
  CHECK(root_causes(oracle(), VectorXd::Zero(4)).error().id == "ROOT-0002");
  CHECK(root_causes(MatrixXd::Zero(4, 3), VectorXd::Ones(4)).error().id == "ROOT-0002");
}
