/// \file
/// Which layout features draw defects: defects (cases) against uniform points of the inspected
/// area (controls), feature by feature.
///
/// Every feature is yes or no at a point: near a tight space, a line end, a single or a doubled
/// via (within the blur radius), in a dense or sparse tile, where there is much border, on wide
/// metal, where nothing is drawn. With a of A cases and c of C controls exposed
///
///   rate ratio = (a / c) / ((A - a) / (C - c)),
///
/// pooled over strata of local density (Mantel-Haenszel), so that what lives in dense places
/// does not win for the density; features that are densities themselves are not stratified.
/// p-value: Cochran-Mantel-Haenszel on the case counts divided by their dispersion (the larger
/// of what the company on one die and the scatter of the exposed share over wafers say),
/// Fisher's exact test where few are exposed. q-values
/// (Benjamini-Hochberg) are over all features, layers, steps and defect classes given.
///
/// Units: um.
/// Source: N. Mantel, W. Haenszel, JNCI 22 (1959) 719; K. J. Rothman et al., "Modern
/// Epidemiology", 3rd ed., chapter 8 (controls by area give rate ratios); R. A. Fisher 1935.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/core/finding.h"
#include "engine/core/result.h"
#include "engine/layout/census.h"
#include "engine/tracing/exposure.h"
#include "engine/tracing/pattern_census.h"
#include "engine/tracing/strata.h"

namespace yieldloop::tracing {

/// A yes-or-no question about a point of the layout.
struct LayoutFeature {
  std::string name;        ///< "narrow_space_1.2x", "line_end", "single_via", "density_high", ...
  bool stratified = true;  ///< Within strata of density.
  std::function<bool(PointUm)> holds;  ///< Thread-safe.
  std::int64_t places = 0;  ///< Opportunities on the chip; 0 where they cannot be counted.
};

struct FeatureOptions {
  double blur_um = 1.0;                                 ///< Near means within this.
  std::vector<double> space_factors = {1.2, 1.5, 2.0};  ///< Of the smallest space.
  double low_share = 0.1, high_share = 0.9;             ///< Quantiles for dense and sparse.
  double wide_um = 0.0;                                 ///< 0: 10 smallest spaces.
};

/// The features of one layer. `view`, `strata` and what they rest on must outlive them.
/// `census` may be null (no narrow places), `vias` may be null (no vias land here).
std::vector<LayoutFeature> layer_features(const layout::FlatView& view, layout::LayerIndex layer,
                                          const PatternCensus* census,
                                          const layout::ViaCensus* vias,
                                          const DensityStrata& strata,
                                          const FeatureOptions& options = {});

struct FeatureRate {
  std::string step, layer, feature;
  std::string defect_class;  ///< Empty: all classes.
  std::int64_t places = 0;
  std::int64_t cases = 0, cases_exposed = 0;
  std::int64_t controls = 0, controls_exposed = 0;
  double rate_ratio = 1.0;
  Interval rate_ratio_ci{0.0, 0.0};
  double attributable = 0.0;  ///< Exposed cases beyond the background's; may be negative.
  double dispersion = 1.0;
  double p_value = 1.0;
  double q_value = 1.0;                      ///< Set by correct_features.
  std::vector<std::size_t> exposed_defects;  ///< Into StepExposure::defects.
  friend bool operator==(const FeatureRate&, const FeatureRate&) = default;
};

struct CaseControlOptions {
  std::uint64_t seed = 1;
  std::size_t controls = 0;  ///< 0: 20 for each case, 20,000 to 200,000.
  /// Shape in, shape out: [points]; 1 where no control may lie because no case was left there.
  std::function<std::vector<char>(const std::vector<PointUm>&)> set_aside;
  std::int64_t min_class_defects = 30;  ///< Classes with fewer are only in "all classes".
};

/// One step and layer. Errors: kNoData (CASE-0001) when the step has no defect in the window.
Result<std::vector<FeatureRate>> case_control(const FabData& data, const StepExposure& exposure,
                                              const std::string& layer, const DensityStrata& strata,
                                              std::span<const LayoutFeature> features,
                                              const CaseControlOptions& options = {});

/// Sets q over everything that was asked; sorts by p, then step, layer, feature, class.
void correct_features(std::vector<FeatureRate>& rates);

}  // namespace yieldloop::tracing
