#include "engine/process/package_fails.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "engine/core/die_outcomes.h"
#include "engine/process/label_excess.h"
#include "engine/stats/distributions.h"
#include "engine/stats/multiplicity.h"

namespace yieldloop::process {
namespace {

constexpr int kRings = 4;
constexpr int kNoRing = kRings;  ///< Of a die whose identity is blank.
constexpr double kLeastShare = 0.02;

struct Item {
  std::uint32_t lot = 0;      ///< Assembly lot, numbered.
  std::uint32_t stratum = 0;  ///< Assembly lot and ring.
  double fail = 0.0;
  bool set_aside = false;
};

/// Ring of each packaged die; kNoRing where its identity names no wafer.
std::vector<int> rings_of(const FabData& data) {
  std::vector<DieOutcome> outcomes;
  for (const PackagedDie& d : data.packaged_die) {
    if (d.wafer) outcomes.push_back({.wafer = *d.wafer, .die = d.die});
  }
  const std::vector<std::uint8_t> rings = equal_area_rings(data.product, outcomes, kRings);
  std::vector<int> all;
  std::size_t next = 0;
  for (const PackagedDie& d : data.packaged_die) all.push_back(d.wafer ? rings[next++] : kNoRing);
  return all;
}

struct Evidence {
  double z = 0.0;
  double excess = 0.0, variance = 0.0;
  double rate = 0.0, other_rate = 0.0;
  std::int64_t die = 0, lots = 0;
  double fails = 0.0;
  bool within = false;
};

class Fails {
 public:
  explicit Fails(const FabData& data) : data_(data) {
    const std::vector<int> rings = rings_of(data);
    std::vector<std::size_t> die_of(data.packages.size(), 0);
    for (const PackagedDie& d : data.packaged_die) ++die_of[d.package];
    for (const PackagedDie& d : data.packaged_die) {
      const Package& package = data.packages[d.package];
      const auto lot = lots_.try_emplace(d.assembly_lot, lots_.size()).first->second;
      Item item{.lot = static_cast<std::uint32_t>(lot)};
      item.stratum = item.lot * (kRings + 1) + static_cast<std::uint32_t>(rings[items_.size()]);
      if (!package.pass && package.failing_position == NameId{})
        item.fail = 1.0 / static_cast<double>(die_of[d.package]);
      if (!package.pass && package.failing_position == d.position) item.fail = 1.0;
      items_.push_back(item);
    }
    tabulate();
  }

  struct Level {
    PackageLevel name;
    std::vector<std::uint32_t> items;
  };

  const std::vector<Level>& levels() const { return levels_; }

  Evidence ask(const Level& level) const {
    std::vector<std::uint32_t> own;
    for (const std::uint32_t i : level.items) {
      if (!items_[i].set_aside) own.push_back(i);
    }
    Sums sums(lots_.size() * (kRings + 1));
    for (std::uint32_t i = 0; i < items_.size(); ++i) sums.add(items_[i], false);
    for (const std::uint32_t i : own) sums.add(items_[i], true);
    Evidence e = within(sums);
    const Evidence between = of_whole_lots(sums, own);
    if (between.z > e.z || e.die == 0) e = between;
    e.lots = between.lots;
    return e;
  }

  /// Fail rate of the die of `whole` that `part` does not hold; nothing when most of `part` lies
  /// elsewhere or it leaves nothing of `whole`.
  std::optional<double> rate_without(const Level& whole, const Level& part) const {
    std::vector<std::uint32_t> rest;
    std::ranges::set_difference(whole.items, part.items, std::back_inserter(rest));
    const std::size_t common = whole.items.size() - rest.size();
    std::erase_if(rest, [this](std::uint32_t i) { return items_[i].set_aside; });
    if (2 * common < part.items.size() || rest.empty()) return std::nullopt;
    double fails = 0;
    for (const std::uint32_t i : rest) fails += items_[i].fail;
    return fails / static_cast<double>(rest.size());
  }

  void set_aside(const Level& level) {
    for (const std::uint32_t i : level.items) items_[i].set_aside = true;
  }

 private:
  /// Shape: [strata]. `die` and `fails` are of all that is not set aside, `own_` of the level.
  struct Sums {
    explicit Sums(std::size_t strata)
        : die(strata), fails(strata), own_die(strata), own_fails(strata) {}
    void add(const Item& item, bool own) {
      if (item.set_aside) return;
      (own ? own_die : die)[item.stratum] += 1;
      (own ? own_fails : fails)[item.stratum] += item.fail;
    }
    std::vector<double> die, fails, own_die, own_fails;
  };

  static Evidence within(const Sums& s) {
    Evidence e{.within = true};
    double others = 0, other_fails = 0;
    for (std::size_t k = 0; k < s.die.size(); ++k) {
      const double n = s.die[k], m = s.own_die[k], f = s.fails[k];
      if (!(m > 0) || !(n > m) || !(n > 1)) continue;
      e.die += static_cast<std::int64_t>(m);
      e.fails += s.own_fails[k];
      e.excess += s.own_fails[k] - m * f / n;
      e.variance += m * (n - m) * f * std::max(0.0, n - f) / (n * n * (n - 1));
      // The other die's rate at the level's own mix of strata.
      others += m;
      other_fails += m * (f - s.own_fails[k]) / (n - m);
    }
    if (!(e.variance > 0)) return {};
    e.z = e.excess / std::sqrt(e.variance);
    e.rate = e.fails / static_cast<double>(e.die);
    e.other_rate = other_fails / others;
    // Against the other die, not against a pool that the level is part of.
    const double full = e.fails - e.other_rate * static_cast<double>(e.die);
    const double widen = e.excess != 0.0 ? full / e.excess : 1.0;
    e.variance *= widen * widen;
    e.excess = full;
    return e;
  }

  /// Lots that the level takes whole against lots it does not touch.
  Evidence of_whole_lots(const Sums& s, const std::vector<std::uint32_t>& own) const {
    std::vector<double> ring_die(kRings + 1), ring_fails(kRings + 1);
    for (std::size_t k = 0; k < s.die.size(); ++k) {
      ring_die[k % (kRings + 1)] += s.die[k];
      ring_fails[k % (kRings + 1)] += s.fails[k];
    }
    struct Lot {
      double die = 0, own = 0, fails = 0, expected = 0;
    };
    std::vector<Lot> lots(lots_.size());
    for (std::size_t k = 0; k < s.die.size(); ++k) {
      Lot& lot = lots[k / (kRings + 1)];
      lot.die += s.die[k];
      lot.own += s.own_die[k];
      lot.fails += s.fails[k];
      if (s.die[k] > 0)
        lot.expected += s.die[k] * ring_fails[k % (kRings + 1)] / ring_die[k % (kRings + 1)];
    }
    Evidence e{.die = static_cast<std::int64_t>(own.size())};
    std::vector<double> in, out;
    double coin = 0, coin_lots = 0, own_expected = 0;
    for (const Lot& lot : lots) {
      if (!(lot.die > 0)) continue;
      e.lots += lot.own > 0 ? 1 : 0;
      const double rate = (lot.fails - lot.expected) / lot.die;
      coin += lot.expected / lot.die / lot.die;
      coin_lots += 1;
      if (lot.own == lot.die) {
        in.push_back(rate);
        e.fails += lot.fails;
        own_expected += lot.expected;
      } else if (lot.own == 0) {
        out.push_back(rate);
      }
    }
    if (in.empty() || out.size() < 3 || e.die == 0) return e;
    const auto k = static_cast<double>(in.size()), m = static_cast<double>(out.size());
    const double mean_in = std::accumulate(in.begin(), in.end(), 0.0) / k;
    const double mean_out = std::accumulate(out.begin(), out.end(), 0.0) / m;
    double squares = 0;
    for (const double x : in) squares += (x - mean_in) * (x - mean_in);
    for (const double x : out) squares += (x - mean_out) * (x - mean_out);
    const double variance = std::max(squares / (k + m - 2), coin / coin_lots) * (1 / k + 1 / m);
    const double difference = mean_in - mean_out;
    e.z = stats::student_t_to_z(difference / std::sqrt(variance), k + m - 2);
    const auto die = static_cast<double>(e.die);
    e.rate = e.fails / die;
    e.excess = difference * die;
    e.variance = variance * die * die;
    e.other_rate = std::max(0.0, e.rate - difference);
    return e;
  }

  void tabulate() {
    std::map<PackageLevel, std::vector<std::uint32_t>> by_name;
    for (std::uint32_t i = 0; i < items_.size(); ++i) {
      const PackagedDie& d = data_.packaged_die[i];
      std::vector<PackageLevel> names;
      if (d.tool != NameId{}) names.push_back({.step = d.step, .tool = d.tool});
      if (d.position != NameId{}) names.push_back({.position = d.position});
      if (d.tool != NameId{} && d.position != NameId{})
        names.push_back({.step = d.step, .tool = d.tool, .position = d.position});
      if (d.supplier_lot != NameId{}) names.push_back({.supplier_lot = d.supplier_lot});
      if (d.assembly_lot != NameId{}) names.push_back({.assembly_lot = d.assembly_lot});
      for (const PackageLevel& name : names) by_name[name].push_back(i);
    }
    for (auto& [name, items] : by_name) {
      const double share = static_cast<double>(items.size()) / static_cast<double>(items_.size());
      const bool is_small = items.size() < 50 && share < kLeastShare;
      if (!is_small && items.size() < items_.size()) levels_.push_back({name, std::move(items)});
    }
    std::ranges::sort(levels_, {}, [this](const Level& l) {
      const NameTable& names = data_.names;
      return std::tuple(names[l.name.step], names[l.name.tool], names[l.name.position],
                        names[l.name.supplier_lot], names[l.name.assembly_lot]);
    });
  }

  const FabData& data_;
  std::map<NameId, std::size_t> lots_;
  std::vector<Item> items_;
  std::vector<Level> levels_;
};

PackageCause describe(const FabData& data, const Fails::Level& level, const Evidence& e, double q) {
  const double half = 1.96 * std::sqrt(e.variance);
  PackageCause cause{.level = level.name,
                     .fail_rate = e.rate,
                     .other_rate = e.other_rate,
                     .packages_lost = e.excess,
                     .packages_lost_ci = {e.excess - half, e.excess + half},
                     .p_value = stats::normal_upper_p(e.z),
                     .q_value = q,
                     .die = e.die,
                     .fails = std::llround(e.fails),
                     .lots = e.lots,
                     .within_lots = e.within};
  std::set<WaferId> wafers;
  for (const std::uint32_t i : level.items) {
    if (data.packaged_die[i].wafer) wafers.insert(*data.packaged_die[i].wafer);
  }
  cause.wafers.assign(wafers.begin(), wafers.end());
  return cause;
}

/// The level most surely guilty. Where one that lies mostly inside it is guilty too and the rest of
/// it is as good as the others, that one is meant. Number of levels when none is guilty.
std::size_t guiltiest(const Fails& fails, const std::vector<Evidence>& found,
                      const std::vector<double>& q, const PackageFailOptions& options) {
  const auto& levels = fails.levels();
  const auto is_guilty = [&](std::size_t i) {
    return q[i] <= options.alpha && found[i].fails >= static_cast<double>(options.least_fails) &&
           found[i].rate >= options.least_ratio * found[i].other_rate;
  };
  std::size_t best = levels.size();
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (is_guilty(i) && (best == levels.size() || found[i].z > found[best].z)) best = i;
  }
  if (best == levels.size()) return best;
  const std::size_t whole = best;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (i == whole || !is_guilty(i)) continue;
    const auto rest = fails.rate_without(levels[whole], levels[i]);
    if (!rest || *rest >= options.least_ratio * found[whole].other_rate) continue;
    if (best == whole || found[i].z > found[best].z) best = i;
  }
  return best;
}

}  // namespace

Result<PackageFailResult> package_fails(const FabData& data, const PackageFailOptions& options) {
  if (!(options.alpha > 0) || options.alpha > 0.5 || options.least_fails < 1) {
    return Error{Errc::kInvalidOptions, "PACK-0001",
                 "Package fails need alpha in (0, 0.5] and at least one fail."};
  }
  if (data.packages.empty()) {
    return Error{Errc::kNoData, "PACK-0002",
                 "No package has both an assembly record and a test result."};
  }
  PackageFailResult result;
  result.packages = static_cast<std::int64_t>(data.packages.size());
  result.failed = std::ranges::count(data.packages, false, &Package::pass);
  result.die_per_package =
      static_cast<double>(data.packaged_die.size()) / static_cast<double>(data.packages.size());
  Fails fails(data);
  const auto& levels = fails.levels();
  result.family = levels.size();
  result.family_text = fmt::format(
      "package fails over {} tools, positions and lots, Benjamini-Hochberg", levels.size());
  constexpr std::size_t kMostCauses = 10;
  while (result.causes.size() < kMostCauses && !levels.empty()) {
    std::vector<Evidence> found;
    std::vector<double> p;
    for (const auto& level : levels) {
      found.push_back(fails.ask(level));
      p.push_back(stats::normal_upper_p(found.back().z));
    }
    const std::vector<double> q = stats::benjamini_hochberg(p);
    const std::size_t best = guiltiest(fails, found, q, options);
    if (best == levels.size()) break;
    PackageCause cause = describe(data, levels[best], found[best], q[best]);
    for (std::size_t i = 0; i < levels.size(); ++i) {
      if (i != best && levels[i].items == levels[best].items)
        cause.same_die.push_back(levels[i].name);
    }
    result.causes.push_back(std::move(cause));
    fails.set_aside(levels[best]);
  }
  return result;
}

}  // namespace yieldloop::process
