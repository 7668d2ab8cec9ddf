/// \file
/// What the overnight report says, as plain values, in the order in which it is read:
/// sentence and status, lots and wafers, excursions, loss drivers, bins, suspect tools, defects
/// and hotspots, suggestions, caveats, provenance.
///
/// Every renderer (HTML, PDF, JSON, mail) shows this and computes nothing of its own.
/// Units: yields and shares in [0, 1]; intervals at 95 %; lengths in micrometres.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/finding.h"

namespace yieldloop::report {

/// Die-weighted yield of a set of lots.
struct YieldFigure {
  std::int64_t tested = 0;
  std::int64_t good = 0;
  double yield = 0.0;
  Interval ci{0.0, 1.0};  ///< Allows for lots (or wafers, below five lots) that scatter.
  std::int64_t lots = 0;
  friend bool operator==(const YieldFigure&, const YieldFigure&) = default;
};

enum class ReportStatus : std::uint8_t {
  kNoNewData,  ///< Nothing was tested in the night.
  kNormal,     ///< Nothing left its limits and no cause of loss was found.
  kAttention,  ///< There are findings, but nothing left its limits.
  kAlarm,      ///< Something left its limits, or the yield is below the baseline's interval.
};

struct Headline {
  ReportStatus status = ReportStatus::kNoNewData;
  std::string sentence;
  std::vector<std::string> changes;  ///< New findings, excursions, closed findings.
  YieldFigure final_yield;
  YieldFigure first_pass;
  std::optional<YieldFigure> baseline;  ///< Of the earlier lots; absent with fewer than two.
  double die_lost = 0.0;                ///< Against the baseline, >= 0.
  std::string completeness;             ///< How much of the data there is.
  friend bool operator==(const Headline&, const Headline&) = default;
};

struct WaferRow {
  std::string label;  ///< "L012/W03".
  std::int64_t tested = 0;
  double first_pass = 0.0;
  double final_yield = 0.0;
  std::vector<std::string> flags;
  friend bool operator==(const WaferRow&, const WaferRow&) = default;
};

struct LotRow {
  std::string lot;
  std::int64_t wafers = 0;
  std::int64_t tested = 0;
  double first_pass = 0.0;   ///< Die-weighted.
  double final_yield = 0.0;  ///< Die-weighted.
  Interval final_ci{0.0, 1.0};
  double mean_wafer_yield = 0.0;           ///< Plain mean of the wafers' final yields.
  std::optional<double> against_baseline;  ///< final_yield - baseline.
  UtcMicros last_tested;
  bool of_the_night = true;
  bool excursion = false;
  std::vector<std::string> flags;
  std::vector<WaferRow> wafer_rows;
  friend bool operator==(const LotRow&, const LotRow&) = default;
};

/// A series that left its control limit.
struct Excursion {
  std::string rule;     ///< "lot yield below its lower limit (median - 3 sigma)".
  std::string subject;  ///< "lot L012", "bin 5 in lot L012", "3 wafers of lot L012".
  std::string first_lot;
  double value = 0.0, centre = 0.0, limit = 0.0;
  std::int64_t wafers = 0;  ///< Exposed: from the first lot to the last of the report.
  double die_lost = 0.0;
  std::vector<std::string> maps;  ///< Labels of wafers worth looking at.
  friend bool operator==(const Excursion&, const Excursion&) = default;
};

struct StackedDie {
  DieIndex die;
  std::int64_t n = 0;
  std::int64_t good = 0;
  friend bool operator==(const StackedDie&, const StackedDie&) = default;
};

struct LossDriver {
  Finding finding;
  std::string owner;           ///< Who can act: "M1_ETCH", "lithography", "design", "test".
  double share_of_loss = 0.0;  ///< Of the failed dies of the scope.
  bool is_new = true;
  std::vector<StackedDie> affected;  ///< Stack of the finding's wafers; may be empty.
  std::vector<StackedDie> others;    ///< Stack of the other wafers of the scope.
  friend bool operator==(const LossDriver&, const LossDriver&) = default;
};

struct BinRow {
  int bin = 0;
  std::string name;
  std::int64_t die = 0;
  double share = 0.0;              ///< Of the tested dies.
  double cumulative = 0.0;         ///< Of the failed dies up to and with this bin.
  std::optional<double> expected;  ///< Dies expected from the earlier lots' share.
  friend bool operator==(const BinRow&, const BinRow&) = default;
};

struct DensityRow {
  std::string step;
  std::string layers;  ///< What the step sees, "M1, VIA1".
  std::int64_t inspections = 0;
  std::int64_t defects = 0;
  double area_cm2 = 0.0;
  double density_per_cm2 = 0.0;
  Interval density_ci{};
  friend bool operator==(const DensityRow&, const DensityRow&) = default;
};

struct ClipShape {
  std::vector<std::pair<double, double>> points;  ///< Layout micrometres.
  friend bool operator==(const ClipShape&, const ClipShape&) = default;
};
struct ReportClip {
  std::string finding;  ///< Its id.
  LayoutLocation place;
  std::vector<std::pair<std::string, std::vector<ClipShape>>> layers;  ///< Bottom first.
  friend bool operator==(const ReportClip&, const ReportClip&) = default;
};

struct Hotspot {
  Finding finding;
  bool is_new = true;
  std::optional<ReportClip> clip;
  friend bool operator==(const Hotspot&, const Hotspot&) = default;
};

struct SuggestionRow {
  Suggestion suggestion;
  std::vector<std::string> because;  ///< The statements of the findings it rests on.
  friend bool operator==(const SuggestionRow&, const SuggestionRow&) = default;
};

struct MapResult {
  DieIndex die;
  int bin = 0;
  bool pass = false;
  friend bool operator==(const MapResult&, const MapResult&) = default;
};
struct ReportMap {
  std::string label;  ///< "L012/W03".
  double final_yield = 0.0;
  std::vector<MapResult> dies;
  std::vector<std::pair<double, double>> defects_um;  ///< From the wafer centre, notch down.
  friend bool operator==(const ReportMap&, const ReportMap&) = default;
};

/// Of the wafers' die grid; centre absent where no inspection gave it.
struct ReportGeometry {
  double die_width_um = 0.0, die_height_um = 0.0;
  std::optional<double> centre_x_um, centre_y_um;
  double wafer_diameter_mm = 300.0, edge_exclusion_mm = 0.0;
  int reticle_columns = 0, reticle_rows = 0;
  DieIndex reticle_origin;
  friend bool operator==(const ReportGeometry&, const ReportGeometry&) = default;
};

/// All that is needed to make the report again, byte for byte.
struct Provenance {
  std::string version;   ///< Of the program.
  std::string store;     ///< Name of the store, without its folder.
  std::string snapshot;  ///< Number of the store's snapshot.
  std::string command;
  std::string created;      ///< ISO 8601; the time of the night, not of the run.
  std::string config_hash;  ///< SHA-256 over options and scope, filled by build_report.
  std::vector<std::pair<std::string, std::string>> options;
  std::vector<std::uint64_t> seeds;
  friend bool operator==(const Provenance&, const Provenance&) = default;
};

struct ReportContent {
  std::string title;
  std::string product;
  std::string night;  ///< "2026-03-14"; empty: all lots of the scope.
  Headline headline;
  std::vector<LotRow> lots;      ///< Of the night, in order of test.
  std::vector<LotRow> trend;     ///< All lots of the scope, in order of test, without wafers.
  std::optional<double> centre;  ///< Of the lots' control chart.
  std::optional<double> lower_limit, upper_limit;
  std::vector<Excursion> excursions;
  std::vector<LossDriver> drivers;  ///< At most five.
  std::size_t drivers_total = 0;
  std::vector<BinRow> bins;       ///< Failing hard bins, largest first.
  std::vector<Finding> suspects;  ///< Findings about equipment, by rank.
  std::vector<Undecided> undecided;
  std::vector<DensityRow> density;
  std::vector<Hotspot> hotspots;
  std::vector<std::string> closed;  ///< Statements of earlier findings that are gone.
  std::vector<SuggestionRow> suggestions;
  std::vector<std::string> caveats;
  Provenance provenance;
  ReportGeometry geometry;
  std::vector<ReportMap> maps;    ///< Wafers of the night, lowest yield first, then excursions'.
  std::size_t maps_total = 0;     ///< Wafers of the night; more than maps.size() when cut.
  std::vector<StackedDie> stack;  ///< All wafers of the night.
  friend bool operator==(const ReportContent&, const ReportContent&) = default;
};

}  // namespace yieldloop::report
