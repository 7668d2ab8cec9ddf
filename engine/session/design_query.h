/// \file
/// What happened on silicon to a piece of the design, and which pieces suffer.
///
/// A cell, net, pattern or drawn box is a zone of the layout: its places, grown by the reach (the
/// position error of inspection). For each inspection step, with n of the step's defects in the
/// zone and E of them expected from the defects outside, within strata of equal local density,
///
///   rate ratio = n / E,      rate = n / (zone area * die inspections)
///
/// so that what is merely dense, large or placed often does not win. p-values are of "the zone
/// draws no more than the rest" (zone_rate.h), its most-hit place left out; where a list is ranked,
/// q-values (Benjamini-Hochberg) are over all that could have been listed, also what no defect
/// met. A layer is asked by the steps that see it, against all other steps, with the exact
/// conditional test of two Poisson rates. Clustered defects are left out.
///
/// Units: um in the top cell's coordinates.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/session/analysis.h"
#include "engine/tracing/die_link.h"
#include "engine/tracing/frame.h"

namespace yieldloop::session {

/// One of the five is asked about; the others are empty.
struct DesignQuery {
  std::string cell;
  std::string net;
  std::string pattern;  ///< As `trace` names it, e.g. p-0123456789.
  std::string region;   ///< A test or a cell of [[test_block]] in product.toml.
  std::optional<tracing::RectUm> box;
  // What is looked at.
  std::string layer;         ///< Only steps that see it; nets and patterns only on it.
  std::string step;          ///< Only this inspection step.
  std::string defect_class;  ///< Only defects of this class.
  double reach_um = 1.0;     ///< A defect so far from a net or pattern still counts.
};

enum class RankBy { kCells, kNets, kLayers, kPatterns };

/// A place of a zone with its defects, most first.
struct HitPlace {
  tracing::RectUm place;
  std::int64_t defects = 0;
  friend bool operator==(const HitPlace&, const HitPlace&) = default;
};

struct SiliconRate {
  std::string kind;  ///< "cell", "net", "layer", "pattern" or "region".
  std::string name;
  std::string step;
  std::int64_t instances = 0;        ///< Places.
  std::int64_t die_inspections = 0;  ///< How often the die was looked at.
  double area_um2 = 0.0;             ///< Of the zone, on one die.
  std::int64_t defects = 0;
  std::int64_t others = 0;  ///< Defects of the step outside of it.
  double expected = 0.0;    ///< From outside.
  double per_cm2 = 0.0;     ///< Defects per inspected area of the zone.
  double per_cm2_outside = 0.0;
  double per_instance = 0.0;  ///< Defects per place and inspected die.
  double rate_ratio = 0.0;    ///< 0 when nothing is expected.
  Interval rate_ratio_ci{0.0, 0.0};
  double p_value = 1.0;
  double q_value = 1.0;  ///< Over the list; the p-value where one thing was asked.
  tracing::DieLink die;
  std::vector<HitPlace> places;  ///< At most 20.
  friend bool operator==(const SiliconRate&, const SiliconRate&) = default;
};

struct DesignAnswer {
  std::vector<SiliconRate> rates;  ///< Ranked: by p, then name; else by step.
  std::int64_t asked = 0;          ///< Size of the family the q-values are over.
  std::vector<std::string> caveats;
};

/// Errors: kInvalidOptions (SESS-0015) unless one thing is asked about; kNotFound (SESS-0013)
/// cell, (SESS-0014) net, (SESS-0016) pattern, region, step, class or layer; kNoData (SESS-0017)
/// when there is no layout or no inspected step; tracing::Frame's.
Result<DesignAnswer> what_happened(const Analysis& analysis, const DesignQuery& query,
                                   Progress& progress);

/// The filters of the query apply; what it asks about is ignored. Errors: as above.
Result<DesignAnswer> which_suffer(const Analysis& analysis, RankBy by, const DesignQuery& query,
                                  Progress& progress);

}  // namespace yieldloop::session
