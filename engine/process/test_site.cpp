#include "engine/process/test_site.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "engine/process/label_excess.h"
#include "engine/stats/contingency.h"
#include "engine/stats/distributions.h"
#include "engine/stats/multiplicity.h"

namespace yieldloop::process {
namespace {

struct Retests {
  std::int64_t again = 0, recovered = 0;
};

/// First touches of one insertion.
struct Touches {
  std::vector<DieOutcome> outcomes;  ///< Sorted by wafer, then die.
  std::vector<int> labels;
  std::vector<std::tuple<NameId, int>> names;  ///< Probe card and site of each label.
  std::vector<Retests> retests;                ///< Shape: [labels].
};

Touches touches_of(const FabData& data, NameId insertion) {
  struct Touch {
    DieOutcome outcome;
    NameId card;
  };
  std::vector<Touch> rows;
  std::set<std::tuple<NameId, int>> names;
  for (const DieResult& r : data.die_results) {
    if (!r.first_pass || r.insertion != insertion || r.site < 0 || !has_place(r.die)) continue;
    rows.push_back({{r.wafer, r.die, r.hard_bin, r.soft_bin, r.site, r.pass}, r.probe_card});
    names.insert({r.probe_card, r.site});
  }
  std::ranges::sort(rows, [](const Touch& a, const Touch& b) {
    return std::tie(a.outcome.wafer, a.outcome.die) < std::tie(b.outcome.wafer, b.outcome.die);
  });
  Touches touches;
  touches.names.assign(names.begin(), names.end());
  touches.retests.resize(names.size());
  for (const Touch& row : rows) {
    const auto at = std::ranges::lower_bound(touches.names, std::tuple{row.card, row.outcome.site});
    touches.outcomes.push_back(row.outcome);
    touches.labels.push_back(static_cast<int>(at - touches.names.begin()));
  }
  return touches;
}

std::uint64_t key_of(WaferId wafer, DieIndex die) {
  return static_cast<std::uint64_t>(wafer.raw()) << 32 |
         static_cast<std::uint64_t>(std::hash<DieIndex>{}(die));
}

/// Final results on another site of die whose first touch failed.
void count_retests(const FabData& data, NameId insertion, Touches& touches) {
  std::unordered_map<std::uint64_t, std::size_t> failed;
  for (std::size_t i = 0; i < touches.outcomes.size(); ++i) {
    const DieOutcome& o = touches.outcomes[i];
    if (!o.pass) failed[key_of(o.wafer, o.die)] = i;
  }
  for (const DieResult& r : data.die_results) {
    if (!r.final_result || r.first_pass || r.insertion != insertion || r.site < 0) continue;
    const auto it = failed.find(key_of(r.wafer, r.die));
    if (it == failed.end() || touches.outcomes[it->second].site == r.site) continue;
    Retests& retests = touches.retests[static_cast<std::size_t>(touches.labels[it->second])];
    ++retests.again;
    retests.recovered += r.pass ? 1 : 0;
  }
}

/// Shape: [labels][wafers]: sum over the label's die of fail minus mean of the neighbours that
/// other sites touched; wafers without such die are left out.
std::vector<std::map<std::uint32_t, double>> neighbour_excess(const Touches& touches) {
  std::vector<std::map<std::uint32_t, double>> excess(touches.names.size());
  std::unordered_map<std::uint64_t, std::size_t> at;
  at.reserve(touches.outcomes.size());
  for (std::size_t i = 0; i < touches.outcomes.size(); ++i) {
    at[key_of(touches.outcomes[i].wafer, touches.outcomes[i].die)] = i;
  }
  for (std::size_t i = 0; i < touches.outcomes.size(); ++i) {
    const DieOutcome& o = touches.outcomes[i];
    double fails = 0, n = 0;
    for (int dy = -1; dy <= 1; ++dy) {
      for (int dx = -1; dx <= 1; ++dx) {
        const DieIndex next{static_cast<std::int16_t>(o.die.x + dx),
                            static_cast<std::int16_t>(o.die.y + dy)};
        const auto it = at.find(key_of(o.wafer, next));
        if (it == at.end() || touches.labels[it->second] == touches.labels[i]) continue;
        n += 1;
        fails += touches.outcomes[it->second].pass ? 0 : 1;
      }
    }
    if (!(n > 0)) continue;
    excess[static_cast<std::size_t>(touches.labels[i])][o.wafer.raw()] +=
        (o.pass ? 0.0 : 1.0) - fails / n;
  }
  return excess;
}

/// Student's t over wafers, as z; and the interval of the mean.
struct WaferMean {
  double z = 0, mean = 0, half = 0;
};

WaferMean mean_over_wafers(const std::map<std::uint32_t, double>& values) {
  const auto n = static_cast<double>(values.size());
  WaferMean result;
  if (n < 3) return result;
  double sum = 0, squares = 0;
  for (const auto& [wafer, v] : values) {
    sum += v;
    squares += v * v;
  }
  result.mean = sum / n;
  const double spread = std::max((squares - n * result.mean * result.mean) / (n - 1), 1e-9);
  const double se = std::sqrt(spread / n);
  result.z = stats::student_t_to_z(result.mean / se, n - 1);
  result.half = stats::student_t_quantile(0.975, n - 1) * se;
  return result;
}

void add_retest_evidence(const Touches& touches, std::size_t label, SiteResult& site) {
  Retests others;
  for (std::size_t k = 0; k < touches.retests.size(); ++k) {
    if (k == label) continue;
    others.again += touches.retests[k].again;
    others.recovered += touches.retests[k].recovered;
  }
  const Retests& own = touches.retests[label];
  site.retested_elsewhere = own.again;
  site.recovered_elsewhere = own.recovered;
  site.retest_p_value = stats::fisher_exact(own.recovered, own.again - own.recovered,
                                            others.recovered, others.again - others.recovered)
                            .p_greater;
}

void add_insertion(const FabData& data, NameId insertion, const TestSiteOptions& options,
                   std::vector<SiteResult>& sites) {
  Touches touches = touches_of(data, insertion);
  if (touches.names.size() < 2) return;
  count_retests(data, insertion, touches);
  const LabelExcess excess(
      touches.outcomes, equal_area_rings(data.product, touches.outcomes, options.rings),
      touches.labels, static_cast<int>(touches.names.size()), data.wafers.size());
  const auto neighbours = neighbour_excess(touches);
  const std::vector<char> all(data.wafers.size(), 1);
  for (std::size_t label = 0; label < touches.names.size(); ++label) {
    const LabelEvidence e = excess.evidence(static_cast<int>(label), all);
    if (e.wafers < 2) continue;
    SiteResult site{.insertion = insertion,
                    .probe_card = std::get<0>(touches.names[label]),
                    .site = std::get<1>(touches.names[label])};
    const WaferMean near = mean_over_wafers(neighbours[label]);
    site.z = near.half > 0
                 ? (near.z * e.z > 0 ? (std::abs(near.z) < std::abs(e.z) ? near.z : e.z) : 0.0)
                 : e.z;
    site.p_value = stats::normal_upper_p(site.z);
    site.die = static_cast<std::int64_t>(e.die);
    site.wafers = e.wafers;
    site.fail_rate = e.die > 0 ? e.fails / e.die : 0.0;
    const auto n = static_cast<double>(e.wafers);
    const bool by_neighbours = near.half > 0;
    site.die_per_wafer = by_neighbours ? -near.mean : -e.excess / n;
    site.die_per_wafer_ci = by_neighbours ? Interval{-near.mean - near.half, -near.mean + near.half}
                                          : Interval{-e.excess_ci.high / n, -e.excess_ci.low / n};
    site.background_rate = std::max(0.0, site.fail_rate + site.die_per_wafer * n / e.die);
    add_retest_evidence(touches, label, site);
    for (std::uint32_t w = 0; w < data.wafers.size(); ++w) {
      if (excess.cell(w, static_cast<int>(label)).die > 0) site.on_wafers.push_back(WaferId{w});
    }
    sites.push_back(std::move(site));
  }
}

}  // namespace

Result<TestSiteResult> test_sites(const FabData& data, const TestSiteOptions& options) {
  if (!(options.alpha > 0) || options.alpha > 0.5 || options.rings < 1 || options.rings > 16) {
    return Error{Errc::kInvalidOptions, "SITE-0001",
                 "Site comparison needs alpha in (0, 0.5] and 1 to 16 rings."};
  }
  std::set<NameId> insertions;
  for (const DieResult& r : data.die_results) insertions.insert(r.insertion);
  TestSiteResult result;
  for (const NameId insertion : insertions) add_insertion(data, insertion, options, result.sites);
  if (result.sites.empty()) {
    return Error{Errc::kNoData, "SITE-0002",
                 "The test data name fewer than two tester sites, so sites cannot be compared."};
  }
  std::vector<double> p;
  for (const SiteResult& site : result.sites) p.push_back(site.p_value);
  const std::vector<double> q = stats::benjamini_hochberg(p);
  for (std::size_t i = 0; i < q.size(); ++i) {
    SiteResult& site = result.sites[i];
    site.q_value = q[i];
    site.artefact = q[i] <= options.alpha && site.z > 0;
    const bool proof = site.retested_elsewhere > 0 && site.retest_p_value < 0.05;
    site.confidence = site.z > 0 ? 1 - q[i] * (proof ? site.retest_p_value : 1.0) : 0.0;
  }
  result.family = q.size();
  result.family_text =
      fmt::format("{} sites of insertions and probe cards, Benjamini-Hochberg", q.size());
  std::ranges::stable_sort(result.sites, [](const SiteResult& a, const SiteResult& b) {
    return a.p_value != b.p_value ? a.p_value < b.p_value : a.z > b.z;
  });
  return result;
}

}  // namespace yieldloop::process
