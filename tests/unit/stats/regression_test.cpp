#include "engine/stats/regression.h"

#include <cmath>

#include "catch_portable.h"
#include "engine/core/random.h"

using namespace yieldloop;
using namespace yieldloop::stats;
using Eigen::MatrixXd;
using Eigen::VectorXd;

TEST_CASE("poisson regression: Dobson's randomised trial", "[stats][glm]") {
  VectorXd y(9);
  y << 18, 17, 15, 20, 10, 20, 25, 13, 12;
  MatrixXd x = MatrixXd::Zero(9, 5);
  for (Eigen::Index i = 0; i < 9; ++i) {
    x(i, 0) = 1;
    if (i % 3 > 0) x(i, i % 3) = 1;
    if (i / 3 > 0) x(i, 2 + i / 3) = 1;
  }
  const auto fit = fit_poisson(x, y, VectorXd::Ones(9));
  REQUIRE(fit);
  CHECK(fit->converged);
  CHECK_THAT(fit->coefficients[0], WithinAbs(3.0445, 5e-5));
  CHECK_THAT(fit->coefficients[1], WithinAbs(-0.4543, 5e-5));
  CHECK_THAT(fit->coefficients[2], WithinAbs(-0.2930, 5e-5));
  CHECK_THAT(fit->coefficients[3], WithinAbs(0.0, 1e-6));
  CHECK_THAT(fit->deviance, WithinAbs(5.1291, 5e-5));
  CHECK_THAT(fit->standard_error(1), WithinAbs(0.2022, 5e-5));
}

TEST_CASE("logistic regression: a two-by-two table in closed form", "[stats][glm]") {
  // 30 of 100 fail unexposed, 60 of 120 exposed.
  MatrixXd x(2, 2);
  x << 1, 0, 1, 1;
  VectorXd y(2), n(2);
  y << 30, 60;
  n << 100, 120;
  const auto fit = fit_logistic(x, y, n);
  REQUIRE(fit);
  CHECK_THAT(fit->coefficients[1], WithinAbs(std::log(1.0 / (30.0 / 70)), 1e-9));
  CHECK_THAT(fit->standard_error(1), WithinAbs(std::sqrt(1 / 30. + 1 / 70. + 2 / 60.), 1e-7));
  CHECK_THAT(fit->deviance, WithinAbs(0.0, 1e-9));
  CHECK_THAT(fit->fitted[1], WithinAbs(0.5, 1e-9));
}

TEST_CASE("logistic regression: separated data stay finite with a ridge", "[stats][glm]") {
  MatrixXd x(4, 2);
  x << 1, -2, 1, -1, 1, 1, 1, 2;
  VectorXd y(4);
  y << 0, 0, 1, 1;
  const auto fit = fit_logistic(x, y, VectorXd::Ones(4), {.ridge = 1.0});
  REQUIRE(fit);
  CHECK(fit->converged);
  CHECK(fit->coefficients[1] > 0.2);
  CHECK(fit->coefficients[1] < 5);
  CHECK_THAT(fit->coefficients[0], WithinAbs(0.0, 1e-6));
}

TEST_CASE("poisson regression: planted rates come back, row order does not matter",
          "[stats][glm]") {
  Random random(11);
  MatrixXd x(400, 2), back(400, 2);
  VectorXd y(400), e(400), yb(400), eb(400);
  for (Eigen::Index i = 0; i < 400; ++i) {
    x(i, 0) = 1;
    x(i, 1) = random.normal();
    e[i] = 1 + random.uniform() * 9;
    y[i] = static_cast<double>(random.poisson(e[i] * std::exp(0.5 + 0.8 * x(i, 1))));
  }
  for (Eigen::Index i = 0; i < 400; ++i) {
    back.row(i) = x.row(399 - i);
    yb[i] = y[399 - i];
    eb[i] = e[399 - i];
  }
  const auto fit = fit_poisson(x, y, e), again = fit_poisson(back, yb, eb);
  REQUIRE(fit);
  CHECK_THAT(fit->coefficients[1], WithinAbs(0.8, 3 * fit->standard_error(1)));
  CHECK_THAT(fit->dispersion, WithinAbs(1.0, 0.25));
  CHECK_THAT(again->coefficients[1], WithinAbs(fit->coefficients[1], 1e-9));
}

TEST_CASE("regression: what it refuses", "[stats][glm][error]") {
  MatrixXd x = MatrixXd::Ones(3, 2);  // Twice the same column.
  VectorXd y(3);
  y << 1, 0, 1;
  CHECK(fit_logistic(x, y, VectorXd::Ones(3)).error().id == "STAT-0005");
  CHECK(fit_logistic(x, y, VectorXd::Ones(2)).error().id == "STAT-0004");
  CHECK(fit_logistic(x, y, VectorXd::Zero(3)).error().id == "STAT-0004");
  CHECK(fit_poisson(x, y, VectorXd::Zero(3)).error().id == "STAT-0004");
  CHECK(fit_poisson(x, -y, VectorXd::Ones(3)).error().id == "STAT-0004");
}
