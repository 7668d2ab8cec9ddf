#include "engine/process/retest_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <unordered_map>

#include "engine/core/die_outcomes.h"
#include "engine/stats/distributions.h"
#include "engine/stats/multiplicity.h"
#include "engine/stats/resampling.h"

namespace yieldloop::process {
namespace {

constexpr std::size_t kLeastLots = 3;

struct Counts {
  double die = 0, recovered = 0;
  double share() const { return die > 0 ? recovered / die : 0.0; }
};

/// First fails of one hard bin.
struct BinCounts {
  double fails = 0, again = 0, recovered = 0;
};

struct WaferCounts {
  Counts counts;
  UtcMicros at;
};

/// One lot on one card and tester at one insertion.
struct Unit {
  NameId insertion{}, card{}, tester{}, lot{};
  Counts counts;
  UtcMicros at;  ///< First touch.
  std::map<WaferId, WaferCounts> wafers;
  std::map<int, BinCounts> bins;
};

std::uint64_t key_of(WaferId wafer, DieIndex die) {
  return static_cast<std::uint64_t>(wafer.raw()) << 32 |
         static_cast<std::uint64_t>(std::hash<DieIndex>{}(die));
}

/// What became of a die after its first touch at an insertion.
struct Again {
  bool tested = false, passed = false;
};

using UnitKey = std::tuple<NameId, NameId, NameId, NameId>;

/// Sorted by name, so that draws do not depend on the order of rows.
std::vector<Unit> units_of(const FabData& data) {
  std::map<NameId, std::unordered_map<std::uint64_t, Again>> again;
  for (const DieResult& r : data.die_results) {
    if (r.first_pass || !has_place(r.die)) continue;
    Again& a = again[r.insertion][key_of(r.wafer, r.die)];
    a.tested = true;
    a.passed = a.passed || (r.final_result && r.pass);
  }
  std::map<UnitKey, Unit> units;
  for (const DieResult& r : data.die_results) {
    if (!r.first_pass || !has_place(r.die)) continue;
    const NameId lot = data.wafers[r.wafer.raw()].lot;
    Unit& unit = units[{r.insertion, r.probe_card, r.tester, lot}];
    unit.insertion = r.insertion;
    unit.card = r.probe_card;
    unit.tester = r.tester;
    unit.lot = lot;
    const auto& of_insertion = again[r.insertion];
    const auto it = of_insertion.find(key_of(r.wafer, r.die));
    const Again a = it == of_insertion.end() ? Again{} : it->second;
    const bool recovered = !r.pass && a.passed;
    WaferCounts& wafer = unit.wafers[r.wafer];
    for (Counts* c : {&unit.counts, &wafer.counts}) {
      c->die += 1;
      c->recovered += recovered ? 1 : 0;
    }
    for (UtcMicros* at : {&unit.at, &wafer.at}) {
      if (r.tested_at.known() && (!at->known() || r.tested_at < *at)) *at = r.tested_at;
    }
    if (r.pass) continue;
    BinCounts& bin = unit.bins[r.hard_bin];
    bin.fails += 1;
    bin.again += a.tested ? 1 : 0;
    bin.recovered += recovered ? 1 : 0;
  }
  std::vector<Unit> sorted;
  for (auto& [key, unit] : units) sorted.push_back(std::move(unit));
  const NameTable& names = data.names;
  std::ranges::sort(sorted, {}, [&](const Unit& u) {
    return std::tuple(names[u.insertion], names[u.card], names[u.tester], names[u.lot]);
  });
  return sorted;
}

/// A card or a tester at an insertion, and the positions of its units.
struct Label {
  NameId insertion{}, card{}, tester{};
  std::vector<std::size_t> own, others;
};

double mean_share(const std::vector<Unit>& units, const std::vector<std::size_t>& at) {
  double sum = 0;
  for (const std::size_t i : at) sum += units[i].counts.share();
  return sum / static_cast<double>(at.size());
}

std::size_t lots_of(const std::vector<Unit>& units, const std::vector<std::size_t>& at) {
  std::set<NameId> lots;
  for (const std::size_t i : at) lots.insert(units[i].lot);
  return lots.size();
}

/// Cards first, so that of a card and a tester that met the same lots the card is named.
std::vector<Label> labels_of(const std::vector<Unit>& units) {
  std::vector<Label> labels;
  for (const bool of_card : {true, false}) {
    std::set<std::pair<NameId, NameId>> names;
    for (const Unit& u : units) names.emplace(u.insertion, of_card ? u.card : u.tester);
    for (const auto& [insertion, name] : names) {
      if (name == NameId{}) continue;
      Label label{insertion, of_card ? name : NameId{}, of_card ? NameId{} : name, {}, {}};
      for (std::size_t i = 0; i < units.size(); ++i) {
        if (units[i].insertion != insertion) continue;
        const bool own = (of_card ? units[i].card : units[i].tester) == name;
        (own ? label.own : label.others).push_back(i);
      }
      if (lots_of(units, label.own) >= kLeastLots && lots_of(units, label.others) >= kLeastLots)
        labels.push_back(std::move(label));
    }
  }
  return labels;
}

double exchange_p(const std::vector<Unit>& units, const Label& label,
                  const RetestRecoveryOptions& options) {
  std::vector<double> shares;
  for (const auto* at : {&label.own, &label.others}) {
    for (const std::size_t i : *at) shares.push_back(units[i].counts.share());
  }
  const std::size_t own = label.own.size();
  const auto sum_of_own = [own](const std::vector<double>& s) {
    return std::accumulate(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(own), 0.0);
  };
  // Sums of the same shares in another order differ in the last digits only.
  const double observed = sum_of_own(shares) * (1 - 1e-12);
  return stats::permutation_p_value(
             observed, options.permutations, options.seed,
             [&](Random& random) {
               std::vector<double> drawn = shares;
               random.shuffle(drawn);
               return sum_of_own(drawn);
             },
             20)
      .p_value;
}

/// Whether values grow along their order: groups are asked within, by exchange at random.
double growth_p(const std::vector<std::vector<double>>& groups,
                const RetestRecoveryOptions& options) {
  const auto slope = [](const std::vector<std::vector<double>>& all) {
    double sum = 0;
    for (const auto& group : all) {
      const double middle = 0.5 * (static_cast<double>(group.size()) - 1);
      for (std::size_t i = 0; i < group.size(); ++i)
        sum += (static_cast<double>(i) - middle) * group[i];
    }
    return sum;
  };
  const double observed = slope(groups);
  if (!(observed > 0)) return 1.0;
  return stats::permutation_p_value(
             observed * (1 - 1e-12), options.permutations, options.seed,
             [&](Random& random) {
               auto drawn = groups;
               for (auto& group : drawn) random.shuffle(group);
               return slope(drawn);
             },
             20)
      .p_value;
}

void describe_wear(std::vector<const Unit*> own, const RetestRecoveryOptions& options,
                   Misreader& m) {
  if (std::ranges::any_of(own, [](const Unit* u) { return !u->at.known(); })) return;
  std::ranges::stable_sort(own, {}, [](const Unit* u) { return u->at; });
  m.first_share = own.front()->counts.share();
  m.last_share = own.back()->counts.share();
  std::vector<double> of_lots;
  std::vector<std::vector<double>> of_wafers;
  for (const Unit* u : own) {
    of_lots.push_back(u->counts.share());
    std::vector<std::pair<UtcMicros, double>> wafers;
    for (const auto& [id, w] : u->wafers) wafers.emplace_back(w.at, w.counts.share());
    std::ranges::stable_sort(wafers, {}, &std::pair<UtcMicros, double>::first);
    std::vector<double>& shares = of_wafers.emplace_back();
    for (const auto& w : wafers) shares.push_back(w.second);
  }
  m.wear_p_value =
      std::min(1.0, 2.0 * std::min(growth_p({of_lots}, options), growth_p(of_wafers, options)));
}

/// Share of the label's recovered fails that were tested again at all, by bin, harmonically.
double share_tested_again(const std::vector<const Unit*>& own) {
  std::map<int, BinCounts> bins;
  for (const Unit* u : own) {
    for (const auto& [bin, c] : u->bins) {
      bins[bin].fails += c.fails;
      bins[bin].again += c.again;
      bins[bin].recovered += c.recovered;
    }
  }
  double misread = 0, recovered = 0;
  for (const auto& [bin, c] : bins) {
    if (!(c.recovered > 0)) continue;
    misread += c.recovered * c.fails / c.again;
    recovered += c.recovered;
  }
  return misread > 0 ? recovered / misread : 1.0;
}

/// Good die that stay lost of `counts`, above what other lots lose.
double lost_die(const Counts& counts, double tested_again, double background) {
  const double excess = std::max(0.0, counts.recovered - background * counts.die);
  const double a = std::min(0.25, excess / std::max(1.0, tested_again * counts.die));
  return std::max(0.0, 0.5 * (1 - std::sqrt(1 - 4 * a)) * counts.die - excess);
}

void describe_loss(const std::vector<const Unit*>& own, Misreader& m) {
  const double tested_again = share_tested_again(own);
  std::vector<double> lost;  // a wafer, by lot
  double total = 0;
  for (const Unit* u : own) {
    const double die = lost_die(u->counts, tested_again, m.background_share);
    lost.push_back(die / static_cast<double>(u->wafers.size()));
    total += die;
  }
  const auto n = static_cast<double>(lost.size());
  const double mean = std::accumulate(lost.begin(), lost.end(), 0.0) / n;
  double squares = 0;
  for (const double x : lost) squares += (x - mean) * (x - mean);
  const double half =
      n > 1 ? stats::student_t_quantile(0.975, n - 1) * std::sqrt(squares / (n - 1) / n) : 0.0;
  m.die_per_wafer = -total / static_cast<double>(m.on_wafers.size());
  m.die_per_wafer_ci = {m.die_per_wafer - half, std::min(0.0, m.die_per_wafer + half)};
}

Misreader describe(const std::vector<Unit>& units, const Label& label,
                   const RetestRecoveryOptions& options) {
  Misreader m{.insertion = label.insertion, .probe_card = label.card, .tester = label.tester};
  m.recovered_share = mean_share(units, label.own);
  m.background_share = mean_share(units, label.others);
  m.lots = static_cast<std::int64_t>(lots_of(units, label.own));
  m.other_lots = static_cast<std::int64_t>(lots_of(units, label.others));
  std::vector<const Unit*> own;
  std::set<WaferId> wafers;
  Counts sum;
  for (const std::size_t i : label.own) {
    own.push_back(&units[i]);
    sum.die += units[i].counts.die;
    sum.recovered += units[i].counts.recovered;
    for (const auto& [id, w] : units[i].wafers) wafers.insert(id);
  }
  m.die = static_cast<std::int64_t>(sum.die);
  m.recovered = static_cast<std::int64_t>(sum.recovered);
  m.on_wafers.assign(wafers.begin(), wafers.end());
  describe_wear(own, options, m);
  describe_loss(own, m);
  return m;
}

bool is_large(const std::vector<Unit>& units, const Label& label,
              const RetestRecoveryOptions& options) {
  const double own = mean_share(units, label.own), other = mean_share(units, label.others);
  return own - other >= options.least_excess && own >= options.least_ratio * other;
}

/// The label most surely guilty of what is left, if one is.
const Label* most_guilty(const std::vector<Unit>& units, const std::vector<Label>& labels,
                         const RetestRecoveryOptions& options, double& p, double& q) {
  std::vector<double> all;
  for (const Label& label : labels) all.push_back(exchange_p(units, label, options));
  const auto adjusted = stats::benjamini_hochberg(all);
  const Label* best = nullptr;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (adjusted[i] > options.alpha || !is_large(units, labels[i], options)) continue;
    const bool better =
        best == nullptr || all[i] < p ||
        (all[i] == p && mean_share(units, labels[i].own) > mean_share(units, best->own));
    if (!better) continue;
    best = &labels[i];
    p = all[i];
    q = adjusted[i];
  }
  return best;
}

}  // namespace

Result<RetestRecoveryResult> retest_recovery(const FabData& data,
                                             const RetestRecoveryOptions& options) {
  if (!(options.alpha > 0) || options.alpha > 0.5 || options.permutations < 99) {
    return Error{Errc::kInvalidOptions, "RETE-0001",
                 "Retest recovery needs alpha in (0, 0.5] and at least 99 permutations."};
  }
  std::vector<Unit> units = units_of(data);
  const bool any = std::ranges::any_of(units, [](const Unit& u) { return u.counts.recovered > 0; });
  std::vector<Label> labels = labels_of(units);
  if (!any || labels.empty()) {
    return Error{Errc::kNoData, "RETE-0002",
                 "No failing die passed when tested again, or no probe card or tester has 3 lots "
                 "with 3 others to compare them with."};
  }
  RetestRecoveryResult result;
  result.family = labels.size();
  result.family_text = fmt::format(
      "recovery at retest over {} cards and testers, Benjamini-Hochberg", labels.size());
  while (!labels.empty()) {
    double p = 1.0, q = 1.0;
    const Label* label = most_guilty(units, labels, options, p, q);
    if (label == nullptr) break;
    Misreader m = describe(units, *label, options);
    m.p_value = p;
    m.q_value = q;
    for (const Label& other : labels) {
      if (&other != label && other.own == label->own)
        m.same_lots.emplace_back(other.card, other.tester);
    }
    result.misreaders.push_back(std::move(m));
    const std::set<std::size_t> explained(label->own.begin(), label->own.end());
    std::vector<Unit> rest;
    for (std::size_t i = 0; i < units.size(); ++i) {
      if (!explained.contains(i)) rest.push_back(std::move(units[i]));
    }
    units = std::move(rest);
    labels = labels_of(units);
  }
  return result;
}

}  // namespace yieldloop::process
