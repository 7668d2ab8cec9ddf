#include "engine/findings/candidate.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/core/sha256.h"

namespace yieldloop::findings {

std::string finding_id(const std::string& kind, const std::map<std::string, std::string>& subject) {
  std::string text = kind;
  for (const auto& [key, value] : subject) {
    if (key != "from" && key != "to") {
      fmt::format_to(std::back_inserter(text), "\n{}={}", key, value);
    }
  }
  return "f-" + Sha256::of(text).hex().substr(0, 12);
}

std::vector<std::string> wafer_labels(const FabData& data, const std::vector<WaferId>& wafers) {
  std::vector<std::string> labels;
  labels.reserve(wafers.size());
  for (const WaferId wafer : wafers) labels.push_back(data.wafer_label(wafer));
  return labels;
}

std::string loss_text(double die_per_wafer, const Interval& interval) {
  const double a = std::abs(interval.low), b = std::abs(interval.high);
  return fmt::format("{:.1f} die per wafer (95 % interval {:.1f} to {:.1f})",
                     std::abs(die_per_wafer), std::min(a, b), std::max(a, b));
}

std::string day_text(UtcMicros time) {
  constexpr std::array<const char*, 12> kMonths = {"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};
  const std::string iso = to_iso8601(time);
  if (iso.size() < 10) return "an unknown day";
  const int month = (iso[5] - '0') * 10 + (iso[6] - '0');
  const int day = (iso[8] - '0') * 10 + (iso[9] - '0');
  return fmt::format("{} {} {}", day, kMonths[static_cast<std::size_t>(month - 1)],
                     iso.substr(0, 4));
}

}  // namespace yieldloop::findings
