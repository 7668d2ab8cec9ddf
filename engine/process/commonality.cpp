#include "engine/process/commonality.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/core/random.h"
#include "engine/process/attribute_scan.h"
#include "engine/stats/distributions.h"
#include "engine/stats/multiplicity.h"

namespace yieldloop::process {
namespace {

/// One look at all attributes.
struct Look {
  std::vector<ScanResult> scans;  ///< Shape: [rows].
  std::vector<double> q;          ///< Shape: [rows]; 1 where not testable.
  std::size_t family = 0;
};

bool is_slice_of_one_tool(const AttributeName& a, const AttributeName& b) {
  return a.step == b.step && a.tool == b.tool && a.tool != NameId{} &&
         (a.chamber == b.chamber || a.chamber == NameId{} || b.chamber == NameId{});
}

class Study {
 public:
  Study(const FabData& data, const Response& response, const CommonalityOptions& options)
      : data_(data),
        response_(response),
        options_(options),
        table_(tabulate_exposures(
            data, {.queue_times = options.queue_times, .test_equipment = options.test_equipment})) {
  }

  Result<CommonalityResult> run() {
    CommonalityResult result;
    result.response = response_.name;
    result.unit = response_.unit;
    result.in_die = response_.in_die;
    count_units(result);
    result.residual = response_.value;
    const Look first = look(result.residual);
    if (first.family == 0) return nothing_to_compare(result);
    result.family = first.family;
    result.untestable = table_.rows.size() - first.family;
    result.family_text =
        fmt::format("{} attributes of the process history against {}, Benjamini-Hochberg",
                    first.family, response_.name);
    describe_attributes(first, result);
    add_unsettled(remove_causes(first, result), result);
    refine_effects(result);
    order_attributes(result);
    if (options_.shuffles > 0) result.shuffled_alarm_rate = alarm_rate_on_shuffled();
    return result;
  }

 private:
  struct Accepted {
    std::size_t row = 0;
    ScanResult scan;
  };

  void count_units(CommonalityResult& result) const {
    std::vector<char> seen(table_.lots, 0);
    for (std::size_t w = 0; w < response_.value.size(); ++w) {
      if (std::isnan(response_.value[w])) continue;
      ++result.wafers;
      seen[table_.lot_of[w]] = 1;
    }
    result.lots = std::count(seen.begin(), seen.end(), 1);
  }

  Error nothing_to_compare(const CommonalityResult& result) const {
    return {Errc::kNoData, "COMM-0005",
            fmt::format("No attribute separates any of the {} wafers of {} lots: all went the "
                        "same way or only lot by lot; add lots that took other tools, or split "
                        "a lot between chambers.",
                        result.wafers, result.lots)};
  }

  Look look(const std::vector<double>& value) const {
    FrameCache frames(table_, response_, value);
    Look look;
    look.scans.resize(table_.rows.size());
    look.q.assign(table_.rows.size(), 1.0);
    std::vector<double> p;
    std::vector<std::size_t> tested;
    for (std::size_t r = 0; r < table_.rows.size(); ++r) {
      const Exposure& row = table_.rows[r];
      // What everybody met differs from nothing but the calendar, which is its own row.
      if (row.everything && row.name.kind != AttributeKind::kTimeChange &&
          row.name.kind != AttributeKind::kQueueTime) {
        continue;
      }
      look.scans[r] = scan_attribute(row, frames, options_);
      if (!look.scans[r].testable) continue;
      p.push_back(look.scans[r].p_value);
      tested.push_back(r);
    }
    const std::vector<double> q = stats::benjamini_hochberg(p);
    for (std::size_t i = 0; i < tested.size(); ++i) look.q[tested[i]] = q[i];
    look.family = tested.size();
    return look;
  }

  bool harmful(const ScanResult& scan) const {
    return response_.lower_is_worse ? scan.contrast.effect < 0 : scan.contrast.effect > 0;
  }

  /// The harmful attribute with the most evidence, in table order on a tie; rows.size(): none.
  std::size_t strongest(const Look& now, const std::vector<Accepted>& accepted) const {
    std::size_t best = table_.rows.size();
    for (std::size_t r = 0; r < table_.rows.size(); ++r) {
      const ScanResult& scan = now.scans[r];
      if (!scan.testable || now.q[r] > options_.alpha || !harmful(scan)) continue;
      const bool again = std::ranges::any_of(accepted, [&](const Accepted& a) {
        return a.row == r || is_slice_of_one_tool(table_.rows[a.row].name, table_.rows[r].name);
      });
      if (again) continue;
      if (best == table_.rows.size() || stronger(scan, now.scans[best])) best = r;
    }
    return best;
  }

  static bool stronger(const ScanResult& a, const ScanResult& b) {
    if (a.p_value != b.p_value) return a.p_value < b.p_value;
    return std::abs(a.contrast.z) > std::abs(b.contrast.z);
  }

  AttributeResult describe_row(std::size_t r, const ScanResult& scan, double q,
                               std::size_t family) const {
    const Exposure& row = table_.rows[r];
    AttributeResult out{.name = row.name, .same_wafers = row.same_wafers};
    const Contrast& c = scan.contrast;
    out.effect = c.effect * response_.scale;
    const double half = c.usable() ? stats::student_t_quantile(0.975, c.degrees) *
                                         std::sqrt(c.variance) * response_.scale
                                   : 0.0;
    out.effect_ci = {out.effect - half, out.effect + half};
    out.harmful = harmful(scan);
    out.p_value = scan.p_value;
    out.q_value = q;
    out.z = c.z;
    out.within_lot_share = c.within_share;
    out.test = test_text(c);
    const auto universe = static_cast<std::int64_t>(frame_size(row.universe));
    out.wafers_exposed = static_cast<std::int64_t>(scan.exposed);
    out.wafers_unexposed = universe - out.wafers_exposed;
    out.lots_exposed = static_cast<std::int64_t>(scan.lots_exposed);
    out.lots_with_unexposed = static_cast<std::int64_t>(scan.lots_with_unexposed);
    if (scan.restricted) add_period(row, scan, out);
    out.needs_more_lots = c.within_share < 0.05 && q > options_.alpha && p_bar(scan) > 0 &&
                          p_bar(scan) > options_.alpha / static_cast<double>(family);
    return out;
  }

  std::size_t frame_size(std::size_t universe) const {
    std::size_t n = 0;
    for (std::size_t w = 0; w < response_.value.size(); ++w) {
      n += table_.universes[universe][w] && !std::isnan(response_.value[w]) ? 1U : 0U;
    }
    return n;
  }

  static std::string test_text(const Contrast& c) {
    const char* lots = c.within_share > 0.95   ? "wafers against lot mates"
                       : c.within_share < 0.05 ? "lots against lots"
                                               : "lot mates and lots, joined";
    return fmt::format("{}: t and normal scores, the weaker", lots);
  }

  /// The smallest p that the lots allow: one over the ways to choose the exposed ones.
  static double p_bar(const ScanResult& scan) {
    const auto k = static_cast<std::int64_t>(scan.lots_exposed);
    const auto n = k + static_cast<std::int64_t>(scan.lots_with_unexposed);
    return stats::hypergeometric_point_p(k, k, k, n);
  }

  static void add_period(const Exposure& row, const ScanResult& scan, AttributeResult& out) {
    if (row.name.kind == AttributeKind::kQueueTime) {
      out.limit_minutes = row.keys[scan.begin - 1];
      return;
    }
    out.from = {static_cast<std::int64_t>(row.keys[scan.begin])};
    if (scan.end < row.keys.size()) out.to = {static_cast<std::int64_t>(row.keys[scan.end - 1])};
  }

  void describe_attributes(const Look& first, CommonalityResult& result) {
    for (std::size_t r = 0; r < table_.rows.size(); ++r) {
      if (!first.scans[r].testable) continue;
      described_.push_back(r);
      result.attributes.push_back(describe_row(r, first.scans[r], first.q[r], first.family));
    }
  }

  /// Returns the last look: what is left when the causes are gone.
  Look remove_causes(const Look& first, CommonalityResult& result) {
    Look now = first;
    while (accepted_.size() < options_.max_causes) {
      const std::size_t r = strongest(now, accepted_);
      if (r == table_.rows.size()) break;
      accepted_.push_back({r, now.scans[r]});
      Cause cause{.attribute = describe_row(r, now.scans[r], now.q[r], now.family),
                  .wafers = wafers_of(table_.rows[r], now.scans[r])};
      add_candidates(r, now, cause);
      const auto index = static_cast<int>(result.causes.size());
      result.causes.push_back(std::move(cause));
      subtract(accepted_.back(), 1.0, result.residual);
      const Look next = look(result.residual);
      mark_echoes(first, next, index, result);
      now = next;
    }
    return now;
  }

  void add_unsettled(const Look& last, CommonalityResult& result) const {
    constexpr std::size_t kMost = 10;
    for (std::size_t r = 0; r < table_.rows.size(); ++r) {
      const ScanResult& scan = last.scans[r];
      if (!scan.testable || scan.restricted || !harmful(scan)) continue;
      const double p = stats::normal_two_sided_p(scan.contrast.z_value);
      AttributeResult row = describe_row(r, scan, last.q[r], last.family);
      if (!row.needs_more_lots || p * static_cast<double>(last.family) > options_.alpha) continue;
      row.z = scan.contrast.z_value;
      result.unsettled.push_back(std::move(row));
    }
    std::ranges::stable_sort(result.unsettled, [](const auto& a, const auto& b) {
      return std::abs(a.z) > std::abs(b.z);
    });
    if (result.unsettled.empty()) return;
    if (result.unsettled.size() > kMost) result.unsettled.resize(kMost);
    result.unsettled_experiment = fmt::format(
        "Send at least {} further lots through {} and as many past it, or split a lot between "
        "tools there",
        std::max<std::int64_t>(2, result.unsettled[0].lots_exposed),
        describe(result.unsettled[0].name, data_.names));
  }

  std::vector<WaferId> wafers_of(const Exposure& row, const ScanResult& scan) const {
    std::vector<WaferId> wafers;
    for (std::size_t i = scan.begin; i < scan.end; ++i) {
      if (!std::isnan(response_.value[row.wafers[i]])) wafers.push_back(WaferId{row.wafers[i]});
    }
    std::ranges::sort(wafers);
    return wafers;
  }

  /// Others that met nearly the same wafers and look as guilty.
  void add_candidates(std::size_t top, const Look& now, Cause& cause) const {
    const AttributeName& name = table_.rows[top].name;
    cause.candidates.push_back(name);
    const auto add = [&](const AttributeName& other) {
      if (!is_slice_of_one_tool(name, other)) cause.candidates.push_back(other);
    };
    // "Since T" for everybody and the tools that everybody met are one statement.
    if (name.kind != AttributeKind::kTimeChange) {
      for (const AttributeName& other : table_.rows[top].same_wafers) add(other);
    }
    std::vector<char> mine(data_.wafers.size(), 0);
    for (const WaferId w : cause.wafers) mine[w.raw()] = 1;
    for (std::size_t r = 0; r < table_.rows.size(); ++r) {
      if (r == top || now.q[r] > options_.alpha || !harmful(now.scans[r])) continue;
      if (jaccard(mine, cause.wafers.size(), r, now.scans[r]) <= options_.same_wafers_jaccard) {
        continue;
      }
      add(table_.rows[r].name);
      for (const AttributeName& other : table_.rows[r].same_wafers) add(other);
    }
    if (cause.candidates.size() < 2) return;
    const std::string a = describe(cause.candidates[0], data_.names);
    const std::string b = describe(cause.candidates[1], data_.names);
    cause.why =
        fmt::format("{} and {} met the same wafers, so these data cannot separate them", a, b);
    cause.deciding_experiment = fmt::format(
        "Send the next 2 lots through {} without {}, and 2 lots the other way round, and compare "
        "their {}",
        a, b, response_.name);
  }

  double jaccard(const std::vector<char>& mine, std::size_t size, std::size_t r,
                 const ScanResult& scan) const {
    std::size_t both = 0, other = 0;
    for (std::size_t i = scan.begin; i < scan.end; ++i) {
      const std::uint32_t w = table_.rows[r].wafers[i];
      if (std::isnan(response_.value[w])) continue;
      ++other;
      both += mine[w] ? 1U : 0U;
    }
    return static_cast<double>(both) /
           static_cast<double>(std::max<std::size_t>(1, size + other - both));
  }

  void mark_echoes(const Look& first, const Look& next, int cause, CommonalityResult& result) {
    for (std::size_t i = 0; i < described_.size(); ++i) {
      const std::size_t r = described_[i];
      AttributeResult& row = result.attributes[i];
      const bool accepted =
          std::ranges::any_of(accepted_, [r](const Accepted& a) { return a.row == r; });
      if (accepted || row.explained_by >= 0 || first.q[r] > options_.alpha) continue;
      const bool slice = is_slice_of_one_tool(table_.rows[accepted_.back().row].name, row.name);
      if (next.q[r] > options_.alpha || slice) row.explained_by = cause;
    }
  }

  void subtract(const Accepted& a, double sign, std::vector<double>& value) const {
    for (std::size_t i = a.scan.begin; i < a.scan.end; ++i) {
      value[table_.rows[a.row].wafers[i]] -= sign * a.scan.contrast.effect;
    }
  }

  /// Joint effects: each cause is estimated again with all others taken out, in turn.
  void refine_effects(CommonalityResult& result) {
    constexpr int kSweeps = 4;
    for (int sweep = 0; accepted_.size() > 1 && sweep < kSweeps; ++sweep) {
      for (Accepted& a : accepted_) {
        subtract(a, -1.0, result.residual);
        FrameCache frames(table_, response_, result.residual);
        a.scan.contrast =
            contrast_slice(table_.rows[a.row], a.scan.begin, a.scan.end, frames).contrast;
        subtract(a, 1.0, result.residual);
      }
    }
    for (std::size_t k = 0; k < accepted_.size(); ++k) {
      AttributeResult& out = result.causes[k].attribute;
      const AttributeResult joint =
          describe_row(accepted_[k].row, accepted_[k].scan, out.q_value, result.family);
      out.effect = joint.effect;
      out.effect_ci = joint.effect_ci;
      result.causes[k].total = out.effect * static_cast<double>(result.causes[k].wafers.size());
    }
  }

  void order_attributes(CommonalityResult& result) const {
    std::ranges::stable_sort(result.attributes,
                             [](const AttributeResult& a, const AttributeResult& b) {
                               if (a.p_value != b.p_value) return a.p_value < b.p_value;
                               return std::abs(a.z) > std::abs(b.z);
                             });
  }

  /// Share of shuffled fabs with any cause.
  double alarm_rate_on_shuffled() const {
    const Random root(options_.seed);
    std::size_t alarms = 0;
    for (std::size_t s = 0; s < options_.shuffles; ++s) {
      Random random = root.fork(s);
      const Look look_at = look(shuffled_response(table_, response_.value, random));
      alarms += strongest(look_at, {}) < table_.rows.size() ? 1U : 0U;
    }
    return static_cast<double>(alarms) / static_cast<double>(options_.shuffles);
  }

  const FabData& data_;
  const Response& response_;
  CommonalityOptions options_;
  ExposureTable table_;
  std::vector<std::size_t> described_;  ///< Row of each described attribute, before ordering.
  std::vector<Accepted> accepted_;
};

Status check(const FabData& data, const Response& response, const CommonalityOptions& options) {
  if (!(options.alpha > 0) || options.alpha > 0.5 || options.min_exposed_wafers < 2 ||
      options.max_causes < 1 || !(options.same_wafers_jaccard > 0)) {
    return Error{Errc::kInvalidOptions, "COMM-0001",
                 "Commonality needs alpha in (0, 0.5], at least 2 exposed wafers, at least one "
                 "cause and a positive Jaccard limit."};
  }
  if (response.value.size() != data.wafers.size() ||
      (!response.items.empty() && response.items.size() != data.wafers.size())) {
    return Error{Errc::kInvalidOptions, "COMM-0002",
                 "The response must have one value for each wafer of the scope."};
  }
  const auto known = std::ranges::count_if(response.value, [](double v) { return !std::isnan(v); });
  if (known < 6) {
    return Error{
        Errc::kNoData, "COMM-0003",
        fmt::format("Only {} wafers have {}; commonality needs at least 6.", known, response.name)};
  }
  if (data.step_runs.empty() && data.die_results.empty()) {
    return Error{Errc::kNoData, "COMM-0004",
                 "There is no process history to compare; load lot_history.csv for these lots."};
  }
  return Ok{};
}

}  // namespace

Result<CommonalityResult> commonality(const FabData& data, const Response& response,
                                      const CommonalityOptions& options) {
  YL_TRY(check(data, response, options));
  return Study(data, response, options).run();
}

}  // namespace yieldloop::process
