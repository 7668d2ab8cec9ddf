#include "engine/process/identity_shift.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <unordered_set>

#include "engine/core/die_outcomes.h"

namespace yieldloop::process {
namespace {

/// Packaged die that sort calls bad though their identity is right: sorted by hand, other pass
/// rules.
constexpr double kWrong = 0.01;

std::uint64_t key_of(WaferId wafer, int x, int y) {
  const DieIndex die{static_cast<std::int16_t>(x), static_cast<std::int16_t>(y)};
  return static_cast<std::uint64_t>(wafer.raw()) << 32 |
         static_cast<std::uint64_t>(std::hash<DieIndex>{}(die));
}

struct Lot {
  std::vector<const PackagedDie*> die;
  std::set<WaferId> wafers;
};

double log_likelihood(double good, double die) {
  return good * std::log1p(-kWrong) + (die - good) * std::log(kWrong);
}

/// The best shift that is not none, if it is one.
std::optional<ShiftedLot> shift_of(const Lot& lot, const std::unordered_set<std::uint64_t>& good,
                                   const IdentityOptions& options) {
  const auto n = static_cast<double>(lot.die.size());
  double best = -1, second = -1, as_named = 0;
  ShiftedLot found{.die = static_cast<std::int64_t>(lot.die.size())};
  for (int dy = -options.reach; dy <= options.reach; ++dy) {
    for (int dx = -options.reach; dx <= options.reach; ++dx) {
      double count = 0;
      for (const PackagedDie* d : lot.die)
        count += good.contains(key_of(*d->wafer, d->die.x - dx, d->die.y - dy)) ? 1 : 0;
      if (dx == 0 && dy == 0) as_named = count;
      if (count > best) {
        second = best;
        best = count;
        found.dx = dx;
        found.dy = dy;
      } else {
        second = std::max(second, count);
      }
    }
  }
  found.good_as_named = as_named / n;
  found.good_when_moved = best / n;
  found.evidence = log_likelihood(best, n) - log_likelihood(second, n);
  if ((found.dx == 0 && found.dy == 0) || found.evidence < options.least_evidence)
    return std::nullopt;
  found.wafers.assign(lot.wafers.begin(), lot.wafers.end());
  return found;
}

}  // namespace

Result<IdentityResult> check_identities(const FabData& data, const IdentityOptions& options) {
  if (options.reach < 1 || options.reach > 20 || options.least_die < 1) {
    return Error{Errc::kInvalidOptions, "IDEN-0001",
                 "Identities are compared over a reach of 1 to 20 die."};
  }
  std::unordered_set<std::uint64_t> good;
  std::unordered_set<std::uint32_t> tested;
  for (const DieOutcome& o : die_outcomes(data)) {
    tested.insert(o.wafer.raw());
    if (o.pass) good.insert(key_of(o.wafer, o.die.x, o.die.y));
  }
  if (data.packaged_die.empty() || tested.empty()) {
    return Error{Errc::kNoData, "IDEN-0002",
                 "There are no packages, or no die results to compare their die with."};
  }
  IdentityResult result;
  std::map<NameId, Lot> lots;
  std::vector<std::int64_t> size(data.packages.size(), 0);
  for (const PackagedDie& d : data.packaged_die) {
    ++size[d.package];
    ++result.die;
    if (!d.wafer) ++result.blank;
    if (!d.wafer || !tested.contains(d.wafer->raw())) continue;
    Lot& lot = lots[d.assembly_lot];
    lot.die.push_back(&d);
    lot.wafers.insert(*d.wafer);
  }
  const std::int64_t full = *std::ranges::max_element(size);
  for (const std::int64_t s : size) result.blank += full - s;
  for (const auto& [name, lot] : lots) {
    if (static_cast<std::int64_t>(lot.die.size()) < options.least_die) continue;
    ++result.lots;
    auto found = shift_of(lot, good, options);
    if (!found) continue;
    found->assembly_lot = name;
    result.shifted.push_back(std::move(*found));
  }
  std::ranges::stable_sort(result.shifted, [&](const ShiftedLot& a, const ShiftedLot& b) {
    if (a.evidence != b.evidence) return a.evidence > b.evidence;
    return data.names[a.assembly_lot] < data.names[b.assembly_lot];
  });
  return result;
}

}  // namespace yieldloop::process
