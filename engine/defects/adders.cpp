#include "engine/defects/adders.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <tuple>
#include <unordered_map>

#include "engine/defects/inspected_area.h"

namespace yieldloop::defects {
namespace {

struct Known {
  WaferPoint point;
  std::int64_t defect = 0;
};

/// Earlier defects of one wafer by square cells of the tolerance's side.
class KnownDefects {
 public:
  explicit KnownDefects(double side) : side_(side) {}

  void add(const Known& known) {
    cells_[{cell(known.point.x_um), cell(known.point.y_um)}].push_back(known);
    ++count_;
  }

  template <class Visit>
  void for_near(const WaferPoint& p, Visit visit) const {
    for (std::int64_t dy = -1; dy <= 1; ++dy) {
      for (std::int64_t dx = -1; dx <= 1; ++dx) {
        const auto it = cells_.find({cell(p.x_um) + dx, cell(p.y_um) + dy});
        if (it == cells_.end()) continue;
        for (const Known& known : it->second) {
          const double ex = known.point.x_um - p.x_um, ey = known.point.y_um - p.y_um;
          const double d2 = ex * ex + ey * ey;
          if (d2 <= side_ * side_) visit(known, d2);
        }
      }
    }
  }

  std::size_t count() const { return count_; }

 private:
  std::int64_t cell(double v) const { return static_cast<std::int64_t>(std::floor(v / side_)); }

  double side_;
  std::size_t count_ = 0;
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<Known>> cells_;
};

/// Nearest pairs first; every defect on either side takes part once.
void match(const FabData& data, const std::vector<std::size_t>& later, const KnownDefects& known,
           std::vector<std::int64_t>& carried_from) {
  std::vector<std::tuple<double, std::size_t, std::int64_t>> pairs;
  for (const std::size_t d : later) {
    known.for_near(on_wafer(data, data.defects[d]),
                   [&](const Known& k, double d2) { pairs.emplace_back(d2, d, k.defect); });
  }
  std::ranges::sort(pairs);
  std::unordered_map<std::int64_t, bool> taken;
  for (const auto& [d2, d, earlier] : pairs) {
    if (carried_from[d] >= 0 || taken[earlier]) continue;
    carried_from[d] = earlier;
    taken[earlier] = true;
  }
}

struct WaferWork {
  const FabData& data;
  const std::vector<std::vector<std::size_t>>& members;
  double tolerance_um;
};

/// Goes through one wafer's inspections in time and adds to the accounts of their steps.
void account_wafer(const WaferWork& work, const std::vector<std::uint32_t>& inspections,
                   std::map<NameId, StepAdders>& accounts, AdderResult& result) {
  KnownDefects known(work.tolerance_um);
  for (const std::uint32_t i : inspections) {
    const Inspection& inspection = work.data.inspections[i];
    const auto& defects = work.members[i];
    match(work.data, defects, known, result.carried_from);
    StepAdders& account = accounts[inspection.step];
    account.step = inspection.step;
    ++account.wafers;
    account.defects += static_cast<std::int64_t>(defects.size());
    const auto carried =
        std::ranges::count_if(defects, [&](std::size_t d) { return result.carried_from[d] >= 0; });
    account.carried += carried;
    account.missing += static_cast<std::int64_t>(known.count()) - carried;
    const double area_um2 = inspected_area_cm2(work.data, inspection) * 1e8;
    if (area_um2 > 0.0) {
      const double mean = static_cast<double>(known.count()) * std::numbers::pi *
                          work.tolerance_um * work.tolerance_um / area_um2;
      account.chance_matches += static_cast<double>(defects.size()) * -std::expm1(-mean);
    }
    for (const std::size_t d : defects) {
      if (result.carried_from[d] >= 0) continue;
      known.add({on_wafer(work.data, work.data.defects[d]), static_cast<std::int64_t>(d)});
    }
  }
}

}  // namespace

Result<AdderResult> find_adders(const FabData& data, const AdderOptions& options) {
  if (!(options.tolerance_um > 0.0)) {
    return Error{Errc::kInvalidOptions, "ADDR-0001",
                 "The carry-over tolerance must be positive; give it in micrometres."};
  }
  AdderResult result;
  result.carried_from.assign(data.defects.size(), -1);
  std::vector<std::vector<std::size_t>> members(data.inspections.size());
  for (std::size_t d = 0; d < data.defects.size(); ++d) {
    members[data.defects[d].inspection].push_back(d);
  }
  std::map<WaferId, std::vector<std::uint32_t>> by_wafer;
  for (std::uint32_t i = 0; i < data.inspections.size(); ++i) {
    by_wafer[data.inspections[i].wafer].push_back(i);
  }
  std::map<NameId, StepAdders> accounts;
  std::map<NameId, std::pair<UtcMicros, std::uint32_t>> first_seen;
  const WaferWork work{data, members, options.tolerance_um};
  for (auto& [wafer, inspections] : by_wafer) {
    std::ranges::stable_sort(inspections, {},
                             [&](std::uint32_t i) { return data.inspections[i].inspected_at; });
    account_wafer(work, inspections, accounts, result);
    for (const std::uint32_t i : inspections) {
      const auto seen = std::pair{data.inspections[i].inspected_at, i};
      const auto [it, added] = first_seen.try_emplace(data.inspections[i].step, seen);
      if (!added) it->second = std::min(it->second, seen);
    }
  }
  for (auto& [step, account] : accounts) {
    account.adders = account.defects - account.carried;
    result.steps.push_back(account);
  }
  std::ranges::sort(result.steps, {}, [&](const StepAdders& s) { return first_seen.at(s.step); });
  return result;
}

}  // namespace yieldloop::defects
