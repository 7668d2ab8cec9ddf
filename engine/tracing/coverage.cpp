#include "engine/tracing/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace yieldloop::tracing {
namespace {

constexpr std::size_t kSquares = 24;  ///< Of the coverage grid, along x and y.

/// A listed die's lower-left corner from the wafer centre, and how often it was listed.
struct ListedDie {
  double x = 0.0, y = 0.0;
  std::size_t times = 1;
};

struct WaferFrame {
  std::vector<ListedDie> die;
  double radius = 0.0, kept_radius = 0.0;  ///< Of the wafer, and without its edge exclusion.
  bool known = false;                      ///< False when a file says nothing of its wafer centre.
};

/// Wafers of one product list the same die at the same places.
void join_same(std::vector<ListedDie>& die) {
  std::ranges::sort(die, [](const ListedDie& a, const ListedDie& b) {
    return std::pair(a.x, a.y) < std::pair(b.x, b.y);
  });
  std::size_t kept = 0;
  for (const ListedDie& d : die) {
    if (kept > 0 && die[kept - 1].x == d.x && die[kept - 1].y == d.y) {
      die[kept - 1].times += d.times;
    } else {
      die[kept++] = d;
    }
  }
  die.resize(kept);
}

WaferFrame wafer_frame(const FabData& data, const StepExposure& exposure) {
  WaferFrame f;
  f.radius = 500.0 * data.product.wafer_diameter_mm;
  f.kept_radius = f.radius - 1000.0 * data.product.edge_exclusion_mm;
  f.known = f.radius > 0.0;
  for (const std::uint32_t i : exposure.inspections) {
    const Inspection& inspection = data.inspections[i];
    const double w =
        inspection.die_pitch_x_um > 0.0 ? inspection.die_pitch_x_um : data.product.die_width_um;
    const double h =
        inspection.die_pitch_y_um > 0.0 ? inspection.die_pitch_y_um : data.product.die_height_um;
    // A centre of exactly (0, 0) is what a file has that does not know it.
    if (inspection.sample_center_x_um == 0.0 && inspection.sample_center_y_um == 0.0) {
      f.known = false;
    }
    for (const DieIndex die : inspection.inspected) {
      f.die.push_back(
          {die.x * w - inspection.sample_center_x_um, die.y * h - inspection.sample_center_y_um});
    }
  }
  join_same(f.die);
  return f;
}

/// Shares of die that show each square's centre within the radius.
std::vector<double> shares_within(const WaferFrame& wafer, const Frame& frame, const RectUm& window,
                                  double radius) {
  std::size_t listed = 0;
  for (const ListedDie& d : wafer.die) listed += d.times;
  std::vector<double> share;
  const double w = (window.x_max - window.x_min) / kSquares;
  const double h = (window.y_max - window.y_min) / kSquares;
  for (std::size_t row = 0; row < kSquares; ++row) {
    for (std::size_t column = 0; column < kSquares; ++column) {
      const PointUm p = frame.to_die(PointUm{window.x_min + w * (static_cast<double>(column) + 0.5),
                                             window.y_min + h * (static_cast<double>(row) + 0.5)});
      std::size_t seen = 0;
      for (const ListedDie& d : wafer.die) {
        if (std::hypot(d.x + p.x, d.y + p.y) <= radius) seen += d.times;
      }
      share.push_back(static_cast<double>(seen) / static_cast<double>(listed));
    }
  }
  return share;
}

double mean(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double v : values) sum += v;
  return values.empty() ? 1.0 : sum / static_cast<double>(values.size());
}

std::int64_t defects_beyond(const FabData& data, const StepExposure& exposure, double radius) {
  std::int64_t n = 0;
  for (const LocatedDefect& located : exposure.defects) {
    const Defect& d = data.defects[located.defect];
    const Inspection& i = data.inspections[d.inspection];
    const double w = i.die_pitch_x_um > 0.0 ? i.die_pitch_x_um : data.product.die_width_um;
    const double h = i.die_pitch_y_um > 0.0 ? i.die_pitch_y_um : data.product.die_height_um;
    n += std::hypot(d.die.x * w + d.x_um - i.sample_center_x_um,
                    d.die.y * h + d.y_um - i.sample_center_y_um) > radius
             ? 1
             : 0;
  }
  return n;
}

void cut_at_edge(const FabData& data, const Frame& frame, StepExposure& exposure) {
  const WaferFrame wafer = wafer_frame(data, exposure);
  if (!wafer.known) return;
  auto on_wafer = shares_within(wafer, frame, exposure.window, wafer.radius);
  const auto defects = static_cast<double>(exposure.defects.size());
  // Defects where the wafer ends mean that the frame is not what it seems: nothing is cut.
  if (static_cast<double>(defects_beyond(data, exposure, wafer.radius)) > 0.01 * defects) return;
  const auto kept = shares_within(wafer, frame, exposure.window, wafer.kept_radius);
  const double whole = mean(on_wafer), inside = mean(kept);
  const double ring = whole > 0.0 ? defects * (1.0 - inside / whole) : 0.0;
  const bool ring_unseen =
      ring >= kRingExpects && defects_beyond(data, exposure, wafer.kept_radius) == 0;
  const auto& share = ring_unseen ? kept : on_wafer;
  if (mean(share) > 0.9999) return;
  exposure.coverage = {exposure.window, kSquares, kSquares, share};
  exposure.caveats.push_back(fmt::format(
      "{:.1f} % of the area of the die listed at {} lies beyond the wafer's {} and is not counted "
      "as "
      "inspected.",
      100.0 * (1.0 - mean(share)), exposure.step, ring_unseen ? "edge exclusion" : "edge"));
}

/// AREAPERTEST against the listed die.
void compare_areas(const FabData& data, StepExposure& exposure) {
  double said = 0.0, listed = 0.0;
  for (const std::uint32_t i : exposure.inspections) {
    const Inspection& inspection = data.inspections[i];
    const double w =
        inspection.die_pitch_x_um > 0.0 ? inspection.die_pitch_x_um : data.product.die_width_um;
    const double h =
        inspection.die_pitch_y_um > 0.0 ? inspection.die_pitch_y_um : data.product.die_height_um;
    if (!(inspection.area_cm2 > 0.0)) return;
    said += inspection.area_cm2;
    listed += static_cast<double>(inspection.inspected.size()) * w * h * 1e-8;
  }
  if (!(listed > 0.0)) return;
  const double ratio = said / listed, covered = mean(exposure.coverage.share);
  if (ratio < 0.01 || ratio > 100.0) {
    exposure.caveats.push_back(fmt::format(
        "AREAPERTEST at {} sums to {:.3g} cm2 where the die listed have {:.3g} cm2: a unit mistake "
        "is likely, the die list is taken.",
        exposure.step, said, listed));
  } else if (ratio > 1.02) {
    exposure.caveats.push_back(fmt::format(
        "AREAPERTEST at {} sums to {:.2f} times the die listed (several tests saw the same die): "
        "each die counts as inspected once.",
        exposure.step, ratio));
  } else if (ratio < 0.98 * covered) {
    exposure.seen_share = ratio / covered;
    exposure.caveats.push_back(fmt::format(
        "Only {:.0f} % of the area of the die listed at {} was inspected (AREAPERTEST); the file "
        "does "
        "not say which, so every place of the layout is taken to be seen in that share of the die.",
        100.0 * ratio, exposure.step));
  }
}

void note_odd_die(StepExposure& exposure) {
  if (exposure.defects.size() < 20) return;
  std::size_t same = 0;
  for (const LocatedDefect& d : exposure.defects) {
    same += d.wafer == exposure.defects.front().wafer && d.die == exposure.defects.front().die;
  }
  if (same < exposure.defects.size() || exposure.die_inspections < 2) return;
  exposure.caveats.push_back(fmt::format(
      "All {} defects of {} lie on one of {} inspected die: rates and intervals describe that die, "
      "not the product.",
      same, exposure.step, exposure.die_inspections));
}

}  // namespace

double Coverage::at(PointUm p) const {
  if (share.empty()) return 1.0;
  const auto along = [](double v, double low, double high, std::size_t n) {
    const double t = std::floor((v - low) / (high - low) * static_cast<double>(n));
    return static_cast<std::size_t>(std::clamp(t, 0.0, static_cast<double>(n - 1)));
  };
  return share[along(p.y, window.y_min, window.y_max, rows) * columns +
               along(p.x, window.x_min, window.x_max, columns)];
}

void find_coverage(const FabData& data, const Frame& frame, StepExposure& exposure) {
  cut_at_edge(data, frame, exposure);
  compare_areas(data, exposure);
  note_odd_die(exposure);
  exposure.area_um2 = static_cast<double>(exposure.die_inspections) * exposure.seen_share *
                      mean(exposure.coverage.share) * exposure.window.area();
}

}  // namespace yieldloop::tracing
