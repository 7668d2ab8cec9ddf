/// \file
/// Do single vias fail more often than doubled ones?
///
/// Defects within the blur of a cut, after the via or the metal above it was inspected, over the
/// number of cuts and inspected die, for single and for doubled cuts, each less the background
/// that its zone's area explains within strata of density (zone_rate.h):
///
///   rate = (n - E) / (capture * cuts * inspected die)
///
/// The blur is at least what the caller says, and 2.5 position errors where the single cuts' own
/// defects tell the error sigma (registration_fit.h, no shift; at most the caller's blur). capture
/// = 1 - exp(-(R + s/2)^2 / (2 sigma^2)) is the share of a cut's defects that falls within the blur
/// R of a cut of side s.
///
/// The difference is tested by the zones' own counts: n_single against n_doubled at exposures
/// E_single and E_doubled (exact conditional test), which asks whether the single cuts draw more
/// than the doubled ones beyond what area and density give both.
///
/// Units: um.
/// Source: J. Przyborowski, H. Wilenski, Biometrika 31 (1940) 313 (comparison of two counts).
#pragma once

#include <string>

#include "engine/core/result.h"
#include "engine/layout/census.h"
#include "engine/tracing/die_link.h"
#include "engine/tracing/exposure.h"
#include "engine/tracing/strata.h"
#include "engine/tracing/zone_rate.h"

namespace yieldloop::tracing {

struct ViaZone {
  std::int64_t cuts = 0;
  std::int64_t defects = 0;
  double expected = 0.0;
  double rate_ratio = 1.0;  ///< Against background.
  double attributable = 0.0;
  Interval attributable_ci{0.0, 0.0};
  double rate_per_cut = 0.0;  ///< Per inspected cut.
  Interval rate_per_cut_ci{0.0, 0.0};
  double p_value = 1.0;  ///< Of the zone being like the rest (one-sided).
  friend bool operator==(const ViaZone&, const ViaZone&) = default;
};

struct ViaTrace {
  std::string step, layer;
  ViaZone single, doubled;
  double single_to_double = 1.0;  ///< Ratio of the two zones' rate ratios.
  Interval single_to_double_ci{0.0, 0.0};
  double p_value = 1.0;            ///< Single against doubled; against background when there are
                                   ///< no doubled cuts.
  DieLink die;                     ///< Of the defects at single cuts.
  double reach_um = 0.0;           ///< R.
  double position_sigma_um = 0.0;  ///< sigma; 0 when the defects do not tell.
  std::vector<RectUm> places;      ///< All single cuts.
  std::vector<LayoutLocation> locations;  ///< Of these at most 10,000.
  friend bool operator==(const ViaTrace&, const ViaTrace&) = default;
};

/// Errors: kNoData (VIAT-0001) when the layer has no single cut or the step no defect.
Result<ViaTrace> trace_vias(const FabData& data, const StepExposure& exposure,
                            const std::string& layer, const layout::ViaCensus& vias, double dbu_um,
                            const DensityStrata& strata, double blur_um = 1.0);

}  // namespace yieldloop::tracing
