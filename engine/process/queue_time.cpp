#include "engine/process/queue_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/process/attribute_scan.h"
#include "engine/stats/distributions.h"
#include "engine/stats/multiplicity.h"

namespace yieldloop::process {
namespace {

/// Thresholds as good as the best: |z|^2 within 3.84.
Interval limit_interval(const Exposure& row, double best_z, FrameCache& frames,
                        std::size_t min_exposed) {
  const ContrastFrame& frame = frames.frame(row.universe);
  ContrastSums& sums = frames.sums(row.universe);
  sums.clear();
  Interval interval{row.keys.back(), row.keys.front()};
  for (std::size_t i = row.wafers.size(); i-- > 1;) {
    sums.add(row.wafers[i]);
    if (row.keys[i] == row.keys[i - 1] || sums.exposed() < min_exposed) continue;
    if (frame.wafers() - sums.exposed() < min_exposed) break;
    const double z = sums.contrast(false).z;
    if (z * best_z <= 0 || z * z < best_z * best_z - 3.84) continue;
    interval.low = std::min(interval.low, row.keys[i - 1]);
    interval.high = std::max(interval.high, row.keys[i]);
  }
  return interval;
}

QueueTimeEffect describe_scan(const Exposure& row, const ScanResult& scan, const Response& response,
                              FrameCache& frames, const QueueTimeOptions& options) {
  const Contrast& c = scan.contrast;
  QueueTimeEffect out{.step = row.name.step};
  out.limit_minutes = row.keys[scan.begin - 1];
  out.limit_ci = limit_interval(row, c.z, frames, options.min_exposed_wafers);
  out.effect = c.effect * response.scale;
  const double half =
      stats::student_t_quantile(0.975, c.degrees) * std::sqrt(c.variance) * response.scale;
  out.effect_ci = {out.effect - half, out.effect + half};
  out.harmful = response.lower_is_worse ? c.effect < 0 : c.effect > 0;
  out.p_value = scan.p_value;
  out.wafers_above = static_cast<std::int64_t>(scan.exposed);
  out.wafers_below =
      static_cast<std::int64_t>(frames.frame(row.universe).wafers()) - out.wafers_above;
  out.mean_change = out.effect * static_cast<double>(out.wafers_above) /
                    static_cast<double>(out.wafers_above + out.wafers_below);
  return out;
}

double permutation_p(const ExposureTable& table, const Exposure& row, double p,
                     const Response& response, const CommonalityOptions& scan_options,
                     const QueueTimeOptions& options) {
  const Random root(options.seed);
  std::size_t reached = 0;
  for (std::size_t i = 0; i < options.permutations; ++i) {
    Random random = root.fork(i);
    const std::vector<double> value = shuffled_response(table, response.value, random);
    FrameCache frames(table, response, value);
    reached += scan_attribute(row, frames, scan_options).p_value <= p ? 1U : 0U;
  }
  return static_cast<double>(reached + 1) / static_cast<double>(options.permutations + 1);
}

}  // namespace

Result<QueueTimeResult> queue_time_effects(const FabData& data, const Response& response,
                                           const QueueTimeOptions& options) {
  if (!(options.alpha > 0) || options.alpha > 0.5 || options.min_exposed_wafers < 2) {
    return Error{Errc::kInvalidOptions, "QTIM-0001",
                 "Queue time limits need alpha in (0, 0.5] and at least 2 wafers on either side."};
  }
  if (response.value.size() != data.wafers.size()) {
    return Error{Errc::kInvalidOptions, "QTIM-0002",
                 "The response must have one value for each wafer of the scope."};
  }
  const CommonalityOptions scan_options{.min_exposed_wafers = options.min_exposed_wafers};
  const ExposureTable table =
      tabulate_exposures(data, {.queue_times = true, .test_equipment = false});
  FrameCache frames(table, response, response.value);
  QueueTimeResult result;
  std::vector<double> p;
  std::vector<const Exposure*> rows;
  for (const Exposure& row : table.rows) {
    if (row.name.kind != AttributeKind::kQueueTime) continue;
    const ScanResult scan = scan_attribute(row, frames, scan_options);
    if (!scan.testable || !scan.restricted) continue;
    result.steps.push_back(describe_scan(row, scan, response, frames, options));
    p.push_back(scan.p_value);
    rows.push_back(&row);
  }
  if (p.empty()) {
    return Error{Errc::kNoData, "QTIM-0003",
                 "No step has queue times that differ between wafers with " + response.name +
                     "; give queue_minutes in lot_history.csv."};
  }
  const std::vector<double> q = stats::benjamini_hochberg(p);
  for (std::size_t i = 0; i < q.size(); ++i) {
    result.steps[i].q_value = q[i];
    if (q[i] > options.alpha || options.permutations == 0) continue;
    result.steps[i].permutation_p =
        permutation_p(table, *rows[i], p[i], response, scan_options, options);
  }
  result.family = p.size();
  result.family_text = fmt::format("queue times of {} steps, Benjamini-Hochberg", p.size());
  std::ranges::stable_sort(result.steps, {}, &QueueTimeEffect::p_value);
  return result;
}

}  // namespace yieldloop::process
