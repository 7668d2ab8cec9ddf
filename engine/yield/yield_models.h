/// \file
/// From defect density to yield and back: the classical random-defect yield models.
///
/// With m = A D0, mean fatal defects per die:
///   Poisson            e^-m
///   Murphy             ((1 - e^-m) / m)^2              triangular density
///   rectangular        (1 - e^-2m) / (2m)              uniform density
///   exponential        1 / (1 + m)                     often called Seeds
///   Moore              e^-sqrt(m)                      also sometimes called Seeds
///   negative binomial  (1 + m/a)^-a
///   Bose-Einstein      (1 + m/n)^-n                    n critical layers of m/n each
/// A systematic share Y0 multiplies any of them. Names differ between books, so surfaces show
/// the formula beside the name.
/// Known points at m = 1: 0.367879441, 0.399576401, 0.432332358, 0.5, 0.367879441; negative
/// binomial with a = 2: 0.444444444. Bose-Einstein n = 10, m = 0.5: 0.613913254.
///
/// Source: B. T. Murphy, Proc. IEEE 52 (1964) 1537; R. B. Seeds, IEDM (1967) 12; G. E. Moore,
/// Electronics 43 (1970) 126; J. E. Price, Proc. IEEE 58 (1970) 1290; C. H. Stapper, IEEE
/// Trans. Electron Devices 20 (1973) 655; J. A. Cunningham, IEEE TSM 3 (1990) 60.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::yield {

enum class YieldModel : std::uint8_t {
  kPoisson,
  kMurphy,
  kRectangular,
  kExponential,
  kMoore,
  kNegativeBinomial,
  kBoseEinstein,
};

struct YieldModelInfo {
  YieldModel model;
  std::string_view name;
  std::string_view formula;
};

/// All models in the order above.
std::span<const YieldModelInfo> yield_models();

struct YieldModelOptions {
  YieldModel model = YieldModel::kPoisson;
  double alpha = 2.0;       ///< Cluster parameter, > 0; negative binomial only.
  double layers = 1.0;      ///< n, > 0; Bose-Einstein only.
  double systematic = 1.0;  ///< Y0, in (0, 1].
};

/// The yield at mean fatal defects m. Errors: kInvalidOptions (YIEL-0001) when m < 0 or not
/// finite, alpha or layers not positive, systematic outside (0, 1].
Result<double> model_yield(double m, const YieldModelOptions& options = {});

/// The m that gives `yield`; round trip to 1e-12 relative. Errors: YIEL-0001, and
/// kInvalidOptions (YIEL-0002) when the yield is not in (0, systematic].
Result<double> model_mean_defects(double yield, const YieldModelOptions& options = {});

struct DefectDensity {
  double yield = 0.0;
  Interval yield_ci;
  double d0 = 0.0;  ///< Per cm^2.
  Interval d0_ci;   ///< From Clopper-Pearson on the yield; high is infinite at a lower bound of 0.
  friend bool operator==(const DefectDensity&, const DefectDensity&) = default;
};

/// D0 from `good` of `tested` die of `area_cm2`. Die are taken as independent: with clustered
/// fails the interval is too short, which the caller shows as a caveat.
/// Errors: as above; kInvalidOptions (YIEL-0003) for an area or counts that make no sense;
/// kNoData (YIEL-0004) when nothing was tested or no die is good.
Result<DefectDensity> defect_density(std::int64_t good, std::int64_t tested, double area_cm2,
                                     const YieldModelOptions& options = {});

/// Product of the limited yields of layers, layer l with mean defects m[l] under one model.
/// Errors: YIEL-0001.
Result<double> layered_yield(std::span<const double> m, const YieldModelOptions& options = {});

}  // namespace yieldloop::yield
