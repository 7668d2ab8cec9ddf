#include "engine/tracing/electrical_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "engine/stats/distributions.h"
#include "engine/stats/multiplicity.h"
#include "engine/tracing/root_cause.h"

namespace yieldloop::tracing {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kRivalLogLikelihood = 1.920729;  // Half the 95 % point of chi-squared(1).
constexpr std::size_t kArea = 0;

/// Fails and executions of each wafer at each block: Shape [wafers][blocks].
struct Counts {
  std::map<WaferId, std::vector<std::pair<double, double>>> by_wafer;
  std::vector<double> executed, failed;
};

/// Several tests of one block: their fails add up, its die are those that met the most run test.
Counts count_blocks(const BlockTests& tests, const std::vector<std::string>& blocks) {
  Counts counts;
  counts.executed.assign(blocks.size(), 0.0);
  counts.failed.assign(blocks.size(), 0.0);
  for (const BlockTestCount& c : tests.counts) {
    const auto at = std::ranges::lower_bound(blocks, tests.tests[c.test].cell);
    if (at == blocks.end() || *at != tests.tests[c.test].cell) continue;
    const auto b = static_cast<std::size_t>(at - blocks.begin());
    auto& row = counts.by_wafer[c.wafer];
    row.resize(blocks.size());
    row[b].first += static_cast<double>(c.failed);
    row[b].second = std::max(row[b].second, static_cast<double>(c.executed));
  }
  for (auto& [wafer, row] : counts.by_wafer) {
    for (std::size_t b = 0; b < row.size(); ++b) {
      row[b].first = std::min(row[b].first, row[b].second);
      counts.failed[b] += row[b].first;
      counts.executed[b] += row[b].second;
    }
  }
  return counts;
}

/// Pearson chi-squared over its degrees of the wafers' block shares against the pooled ones.
double share_dispersion(const Counts& counts) {
  double chi = 0.0, degrees = 0.0;
  for (const auto& [wafer, row] : counts.by_wafer) {
    double weight = 0.0, fails = 0.0;
    for (std::size_t b = 0; b < row.size(); ++b) {
      fails += row[b].first;
      if (counts.executed[b] > 0.0) weight += row[b].second * counts.failed[b] / counts.executed[b];
    }
    if (fails <= 0.0 || weight <= 0.0) continue;
    int cells = 0;
    for (std::size_t b = 0; b < row.size(); ++b) {
      if (counts.executed[b] <= 0.0) continue;
      const double mean = fails * row[b].second * counts.failed[b] / counts.executed[b] / weight;
      if (mean <= 0.0) continue;
      chi += (row[b].first - mean) * (row[b].first - mean) / mean;
      ++cells;
    }
    degrees += std::max(0, cells - 1);
  }
  return degrees > 0.0 ? std::max(1.0, chi / degrees) : 1.0;
}

/// The mixture of a set of causes fitted to the blocks.
struct Fit {
  double deviance = 0.0;
  std::vector<RootCauseShare> shares;
};

class BlockModel {
 public:
  BlockModel(const Counts& counts, const BlockExposures& exposures)
      : fails_(static_cast<Index>(counts.failed.size())),
        profile_(fails_.size(), static_cast<Index>(exposures.causes.size())) {
    for (Index b = 0; b < fails_.size(); ++b) {
      const auto i = static_cast<std::size_t>(b);
      const double n = counts.failed[i], all = counts.executed[i];
      fails_[b] = n < all ? -all * std::log1p(-n / all) : n * std::log(2.0 * all + 1.0);
      for (Index c = 0; c < profile_.cols(); ++c) {
        profile_(b, c) = all * exposures.at(i, static_cast<std::size_t>(c));
      }
    }
    totals_ = profile_.colwise().sum().transpose();
    for (Index c = 0; c < profile_.cols(); ++c) {
      if (totals_[c] > 0.0) profile_.col(c) /= totals_[c];
    }
  }

  double fails() const { return fails_.sum(); }
  /// Exposure times tested die.
  double total(std::size_t cause) const { return totals_[static_cast<Index>(cause)]; }
  const MatrixXd& profile() const { return profile_; }
  VectorXd mean(const std::vector<std::size_t>& causes, const Fit& fit) const {
    VectorXd m = VectorXd::Zero(fails_.size());
    for (std::size_t k = 0; k < causes.size(); ++k) {
      m += fails() * fit.shares[k].share * profile_.col(static_cast<Index>(causes[k]));
    }
    return m;
  }

  Result<Fit> fit(const std::vector<std::size_t>& causes, double dispersion, bool intervals) const {
    MatrixXd p(fails_.size(), static_cast<Index>(causes.size()));
    for (std::size_t k = 0; k < causes.size(); ++k) {
      p.col(static_cast<Index>(k)) = profile_.col(static_cast<Index>(causes[k]));
    }
    YL_ASSIGN(auto mix, root_causes(p, fails_, {.dispersion = dispersion, .intervals = intervals}));
    Fit fit;
    double saturated = 0.0;
    for (const double h : fails_) {
      if (h > 0.0) saturated += h * std::log(h / fails());
    }
    fit.deviance = std::max(0.0, 2.0 * (saturated - mix.log_likelihood));
    fit.shares = std::move(mix.shares);
    return fit;
  }

 private:
  VectorXd fails_;
  MatrixXd profile_;  ///< Columns sum to 1.
  VectorXd totals_;
};

/// What a layer holds as a whole.
bool in_first_tier(const ElectricalCause& cause) {
  const auto feature = cause.subject.find("feature");
  return cause.kind == "via" ||
         (feature != cause.subject.end() && feature->second == "wire_length");
}

class ElectricalSearch {
 public:
  ElectricalSearch(const BlockModel& model, const ElectricalOptions& options,
                   ElectricalTrace& result)
      : model_(model), options_(options), result_(result) {}

  Status run() {
    mark_like_area();
    YL_ASSIGN(Fit null, model_.fit({kArea}, 1.0, false));
    std::vector<std::size_t> accepted{kArea};
    while (accepted.size() + 1 < result_.blocks.size()) {
      YL_ASSIGN(const auto asked, ask(accepted, null.deviance));
      if (accepted.size() == 1) keep(asked);
      std::size_t best = best_of(asked, false);
      if (best == 0) break;
      const double left = null.deviance - asked[best].deviance_drop;
      const auto degrees = static_cast<double>(result_.blocks.size() - accepted.size() - 1);
      const double scatter =
          degrees > 0.0 ? std::max(result_.dispersion, left / degrees) : result_.dispersion;
      const std::size_t whole = best_of(asked, true);
      if (whole != 0 && as_good(asked[whole], asked[best], scatter)) best = whole;
      ElectricalVerdict verdict{.best = best};
      name_rivals(asked, scatter, verdict);
      accepted.push_back(best);
      result_.tests[best].p_value = asked[best].p_value;
      result_.tests[best].q_value = asked[best].q_value;
      const bool undecided = !verdict.rivals.empty();
      result_.verdicts.push_back(std::move(verdict));
      YL_ASSIGN(null, model_.fit(accepted, 1.0, false));
      if (undecided) break;  // What else there is depends on which of them it was.
    }
    return describe(accepted);
  }

 private:
  void mark_like_area() {
    const VectorXd area = model_.profile().col(0).normalized();
    std::vector<std::string> alike;
    for (std::size_t c = 1; c < result_.tests.size(); ++c) {
      const VectorXd own = model_.profile().col(static_cast<Index>(c));
      if (own.norm() > 0.0 && own.normalized().dot(area) < 0.9995) continue;
      result_.tests[c].distinct = false;
      alike.push_back(tracing::describe(result_.tests[c].cause));
    }
    mark_one_block();
    if (alike.empty()) return;
    result_.caveats.push_back(
        fmt::format("In every block these go by the area, so that electrical fails cannot tell "
                    "them from random "
                    "defects: {}.",
                    fmt::join(alike, ", ")));
  }

  /// What differs from area in one block only is that block, with all else that is its own.
  void mark_one_block() {
    constexpr double kMostOfOne = 0.5;
    const VectorXd area = model_.profile().col(0);
    std::size_t marked = 0;
    for (std::size_t c = 1; c < result_.tests.size(); ++c) {
      if (!result_.tests[c].distinct) continue;
      const VectorXd apart = (model_.profile().col(static_cast<Index>(c)) - area).cwiseAbs2();
      if (apart.maxCoeff() <= kMostOfOne * apart.sum()) continue;
      result_.tests[c].distinct = false;
      ++marked;
    }
    if (marked == 0) return;
    result_.caveats.push_back(fmt::format(
        "{} of the causes asked for electrical fails differ from area in one block only, so that "
        "they cannot be told from whatever else is particular to that block; tests of more blocks "
        "would tell.",
        marked));
  }

  /// Every distinct cause beside those accepted. Shape: as tests.
  Result<std::vector<ElectricalTest>> ask(const std::vector<std::size_t>& accepted,
                                          double null_deviance) const {
    std::vector<ElectricalTest> asked = result_.tests;
    std::vector<double> p[2];
    std::vector<std::size_t> at[2];
    const auto degrees =
        static_cast<double>(result_.blocks.size()) - static_cast<double>(accepted.size()) - 1.0;
    for (std::size_t c = 1; c < asked.size(); ++c) {
      ElectricalTest& t = asked[c];
      t.deviance_drop = t.share = 0.0;
      t.p_value = t.q_value = 1.0;
      const bool taken = std::ranges::find(accepted, c) != accepted.end();
      if (!t.distinct || taken) continue;
      std::vector<std::size_t> causes = accepted;
      causes.push_back(c);
      YL_ASSIGN(const Fit fit, model_.fit(causes, 1.0, false));
      t.deviance_drop = std::max(0.0, null_deviance - fit.deviance);
      t.share = fit.shares.back().share;
      const double phi = result_.dispersion;
      const double scatter = degrees > 0.0 ? std::max(phi, fit.deviance / degrees) : phi;
      const double by_wafers = 0.5 * stats::chi_squared_upper_p(t.deviance_drop / phi, 1.0);
      const double by_blocks =
          degrees > 0.0 ? 0.5 * stats::f_upper_p(t.deviance_drop / scatter, 1.0, degrees) : 1.0;
      t.p_value = t.share > 1e-9 ? std::max(by_wafers, by_blocks) : 1.0;
      const std::size_t tier = in_first_tier(t.cause) ? 0 : 1;
      p[tier].push_back(t.p_value);
      at[tier].push_back(c);
    }
    for (const std::size_t tier : {0u, 1u}) {
      const auto q = stats::benjamini_hochberg(p[tier]);
      for (std::size_t i = 0; i < q.size(); ++i)
        asked[at[tier][i]].q_value = std::min(1.0, 2.0 * q[i]);
    }
    return asked;
  }

  void keep(const std::vector<ElectricalTest>& asked) { result_.tests = asked; }

  /// Of the causes with q <= alpha the one that explains most; 0 when there is none.
  std::size_t best_of(const std::vector<ElectricalTest>& asked, bool first_tier) const {
    std::size_t best = 0;
    for (std::size_t c = 1; c < asked.size(); ++c) {
      if (asked[c].q_value > options_.alpha || (first_tier && !in_first_tier(asked[c].cause)))
        continue;
      if (best == 0 || asked[c].deviance_drop > asked[best].deviance_drop * (1.0 + 1e-12)) best = c;
    }
    return best;
  }

  /// Whether a cause leaves the blocks no worse explained than another does.
  static bool as_good(const ElectricalTest& cause, const ElectricalTest& than, double dispersion) {
    return cause.share > 1e-9 &&
           than.deviance_drop - cause.deviance_drop <= 2.0 * kRivalLogLikelihood * dispersion;
  }

  /// Whether two causes have the same profile over the blocks.
  bool alike(std::size_t a, std::size_t b) const {
    const VectorXd one = model_.profile().col(static_cast<Index>(a)).normalized();
    return one.dot(model_.profile().col(static_cast<Index>(b)).normalized()) >= 0.9995;
  }

  void name_rivals(const std::vector<ElectricalTest>& asked, double dispersion,
                   ElectricalVerdict& verdict) const {
    const ElectricalTest& best = asked[verdict.best];
    for (std::size_t c = 1; c < asked.size(); ++c) {
      const ElectricalTest& t = asked[c];
      if (c == verdict.best || !t.distinct || !as_good(t, best, dispersion)) continue;
      const bool same_tier = in_first_tier(t.cause) == in_first_tier(best.cause);
      (same_tier || alike(c, verdict.best) ? verdict.rivals : verdict.finer).push_back(c);
    }
  }

  /// Shares, rates and losses of what was accepted, all fitted together.
  Status describe(const std::vector<std::size_t>& accepted) {
    YL_ASSIGN(const Fit plain, model_.fit(accepted, 1.0, false));
    const auto degrees =
        static_cast<double>(result_.blocks.size()) - static_cast<double>(accepted.size());
    const double scatter =
        degrees > 0.0 ? std::max(result_.dispersion, plain.deviance / degrees) : result_.dispersion;
    YL_ASSIGN(const Fit fit, model_.fit(accepted, scatter, true));
    const VectorXd mean = model_.mean(accepted, fit);
    for (std::size_t b = 0; b < result_.blocks.size(); ++b) {
      result_.blocks[b].expected = mean[static_cast<Index>(b)];
      result_.blocks[b].expected_by_area =
          model_.fails() * model_.profile()(static_cast<Index>(b), 0);
    }
    for (std::size_t k = 0; k < accepted.size(); ++k) {
      ElectricalTest& t = result_.tests[accepted[k]];
      t.share = fit.shares[k].share;
      t.share_ci = fit.shares[k].share_ci;
      const double rate = model_.fails() / std::max(1e-300, model_.total(accepted[k]));
      t.rate_per_opportunity = rate * t.share;
      t.rate_per_opportunity_ci = {rate * t.share_ci.low, rate * t.share_ci.high};
      if (t.share < 1.0) t.rate_ratio = 1.0 / (1.0 - t.share);
    }
    return Ok{};
  }

  const BlockModel& model_;
  const ElectricalOptions& options_;
  ElectricalTrace& result_;
};

Status check(const BlockTests& tests, const ElectricalTrace& result,
             const ElectricalOptions& options) {
  if (!(options.alpha > 0.0) || options.alpha > 0.5 || options.min_fails < 1) {
    return Error{
        Errc::kInvalidOptions, "ELEC-0001",
        "Electrical tracing needs a false discovery rate in (0, 0.5] and at least one fail "
        "to ask about."};
  }
  const auto tested =
      std::ranges::count_if(result.blocks, [](const BlockFails& b) { return b.executed > 0; });
  if (tested < 3) {
    return Error{
        Errc::kNoData, "ELEC-0002",
        tests.counts.empty() && !tests.why_empty.empty()
            ? tests.why_empty
            : fmt::format("{} block{} of the layout tested by name; three are the least that tell "
                          "one cause from random defects: name more in [[test_block]].",
                          tested, tested == 1 ? " is" : "s are")};
  }
  if (result.fails < options.min_fails) {
    return Error{
        Errc::kNoData, "ELEC-0002",
        fmt::format("Only {} die failed a test of a block; {} are the least that are asked "
                    "for a cause.",
                    result.fails, options.min_fails)};
  }
  return Ok{};
}

/// Exposures of the blocks that were tested, in their order.
BlockExposures tested_only(const BlockExposures& exposures, const Counts& counts) {
  BlockExposures kept{.causes = exposures.causes, .caveats = exposures.caveats};
  for (std::size_t b = 0; b < exposures.blocks.size(); ++b) {
    if (counts.executed[b] <= 0.0) continue;
    kept.blocks.push_back(exposures.blocks[b]);
    for (std::size_t c = 0; c < exposures.causes.size(); ++c)
      kept.amount.push_back(exposures.at(b, c));
  }
  return kept;
}

void fill_losses(const BlockTests& tests, ElectricalTrace& result) {
  const double per_wafer =
      static_cast<double>(tests.failing_die) / std::max(1.0, static_cast<double>(result.wafers));
  for (ElectricalVerdict& v : result.verdicts) {
    const ElectricalTest& t = result.tests[v.best];
    v.die_per_wafer = -t.share * per_wafer;
    v.die_per_wafer_ci = {-t.share_ci.high * per_wafer, -t.share_ci.low * per_wafer};
    v.loss_die_total = t.share * static_cast<double>(tests.failing_die);
  }
}

}  // namespace

Result<ElectricalTrace> trace_electrical(const BlockTests& tests, const BlockExposures& exposures,
                                         const ElectricalOptions& options) {
  ElectricalTrace result;
  Counts counts = count_blocks(tests, exposures.blocks);
  const BlockExposures kept = tested_only(exposures, counts);
  counts = count_blocks(tests, kept.blocks);
  for (std::size_t b = 0; b < kept.blocks.size(); ++b) {
    result.blocks.push_back({.cell = kept.blocks[b],
                             .executed = std::llround(counts.executed[b]),
                             .failed = std::llround(counts.failed[b])});
    result.fails += result.blocks.back().failed;
  }
  for (const auto& [wafer, row] : counts.by_wafer) {
    ++result.wafers;
    const bool failed = std::ranges::any_of(row, [](const auto& cell) { return cell.first > 0.0; });
    if (failed) result.failing_wafers.push_back(wafer);
  }
  YL_TRY(check(tests, result, options));
  result.caveats = kept.caveats;
  result.dispersion = share_dispersion(counts);
  for (std::size_t c = 0; c < kept.causes.size(); ++c) {
    ElectricalTest t{.cause = kept.causes[c]};
    for (std::size_t b = 0; b < kept.blocks.size(); ++b) t.exposure += kept.at(b, c);
    result.tests.push_back(std::move(t));
  }
  const BlockModel model(counts, kept);
  YL_TRY(ElectricalSearch(model, options, result).run());
  fill_losses(tests, result);
  return result;
}

}  // namespace yieldloop::tracing
