#include "engine/process/response.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace yieldloop::process {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

/// Shares of die for which `hit` holds.
template <class Hit>
Response share_response(const FabData& data, std::span<const DieOutcome> outcomes, Hit hit) {
  Response response;
  response.value.assign(data.wafers.size(), 0.0);
  response.items.assign(data.wafers.size(), 0.0);
  for (const DieOutcome& die : outcomes) {
    response.items[die.wafer.raw()] += 1;
    if (hit(die)) response.value[die.wafer.raw()] += 1;
  }
  double wafers = 0, total = 0;
  for (std::size_t w = 0; w < response.value.size(); ++w) {
    const double n = response.items[w];
    response.value[w] = n > 0 ? response.value[w] / n : kMissing;
    wafers += n > 0 ? 1 : 0;
    total += n;
  }
  response.scale = total / std::max(1.0, wafers);
  return response;
}

Error no_die() {
  return {Errc::kNoData, "RESP-0001",
          "No tested die was found; load test results of this product first."};
}

}  // namespace

Result<Response> yield_response(const FabData& data, NameId insertion) {
  return yield_response(data, die_outcomes(data, TestPass::kFinal, insertion));
}

Result<Response> yield_response(const FabData& data, std::span<const DieOutcome> outcomes) {
  if (outcomes.empty()) return no_die();
  Response response = share_response(data, outcomes, [](const DieOutcome& d) { return d.pass; });
  response.name = "yield";
  response.unit = "good die per wafer";
  response.in_die = true;
  return response;
}

Result<Response> bin_response(const FabData& data, int bin, bool soft) {
  return bin_response(data, die_outcomes(data), bin, soft);
}

Result<Response> bin_response(const FabData& data, std::span<const DieOutcome> outcomes, int bin,
                              bool soft) {
  if (outcomes.empty()) return no_die();
  const auto hit = [bin, soft](const DieOutcome& d) {
    return (soft ? d.soft_bin : d.hard_bin) == bin;
  };
  if (std::ranges::none_of(outcomes, hit)) {
    return Error{Errc::kNotFound, "RESP-0002",
                 fmt::format("No die has {} bin {}; ask for a bin that occurs.",
                             soft ? "soft" : "hard", bin)};
  }
  Response response = share_response(data, outcomes, hit);
  response.name = fmt::format("{}:{}", soft ? "soft_bin" : "bin", bin);
  response.unit = fmt::format("die in bin {} per wafer", bin);
  response.lower_is_worse = false;
  return response;
}

Result<Response> defect_response(const FabData& data, NameId step) {
  std::vector<double> count(data.inspections.size(), 0.0);
  for (const Defect& defect : data.defects) count[defect.inspection] += 1;
  std::vector<double> areas;
  for (const Inspection& inspection : data.inspections) {
    if (inspection.step == step && inspection.area_cm2 > 0) areas.push_back(inspection.area_cm2);
  }
  std::ranges::sort(areas);
  const double usual = areas.empty() ? 0.0 : areas[areas.size() / 2];

  Response response;
  response.value.assign(data.wafers.size(), 0.0);
  std::vector<double> inspections(data.wafers.size(), 0.0);
  for (std::size_t i = 0; i < data.inspections.size(); ++i) {
    const Inspection& inspection = data.inspections[i];
    if (inspection.step != step) continue;
    const double factor = inspection.area_cm2 > 0 ? usual / inspection.area_cm2 : 1.0;
    response.value[inspection.wafer.raw()] += count[i] * factor;
    inspections[inspection.wafer.raw()] += 1;
  }
  bool any = false;
  for (std::size_t w = 0; w < response.value.size(); ++w) {
    any = any || inspections[w] > 0;
    response.value[w] = inspections[w] > 0 ? response.value[w] / inspections[w] : kMissing;
  }
  if (!any) {
    return Error{Errc::kNotFound, "RESP-0003",
                 fmt::format("No wafer was inspected at step \"{}\"; ask for an inspection step.",
                             data.names[step])};
  }
  response.name = "defects:" + data.names[step];
  response.unit = "defects per wafer";
  response.lower_is_worse = false;
  return response;
}

Result<Response> value_response(const FabData& data, std::string name, std::string unit,
                                std::vector<double> value, bool lower_is_worse) {
  if (value.size() != data.wafers.size()) {
    return Error{Errc::kInvalidOptions, "RESP-0004",
                 fmt::format("A response needs one value for each of the {} wafers, not {}.",
                             data.wafers.size(), value.size())};
  }
  Response response;
  response.name = std::move(name);
  response.unit = std::move(unit);
  response.value = std::move(value);
  response.lower_is_worse = lower_is_worse;
  return response;
}

}  // namespace yieldloop::process
