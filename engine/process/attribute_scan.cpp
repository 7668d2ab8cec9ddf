#include "engine/process/attribute_scan.h"

#include <algorithm>
#include <cmath>

#include "engine/stats/distributions.h"
#include "engine/stats/multiplicity.h"

namespace yieldloop::process {
namespace {

/// Shares of an attribute's error budget.
struct Budget {
  double always = 1.0, since = 0.0, between = 0.0;
};

Budget budget_of(const Exposure& row, const CommonalityOptions& options) {
  const bool keyed = !row.keys.empty();
  if (row.name.kind == AttributeKind::kQueueTime) return {0.0, 1.0, 0.0};
  if (row.everything) return {0.0, 0.7, 0.3};
  if (!keyed || !options.time_windows) return {};
  return {0.5, 0.35, 0.15};
}

struct Best {
  double z = 0.0;
  std::size_t position = 0;
  std::size_t splits = 0, smallest = 0, largest = 0;
};

class Scanner {
 public:
  Scanner(const Exposure& row, FrameCache& frames, const CommonalityOptions& options)
      : row_(row),
        frame_(frames.frame(row.universe)),
        sums_(frames.sums(row.universe)),
        options_(options) {}

  /// Wafers [i, n) for all i where the key changes: the latest (or longest waits) first.
  Best since() {
    Best best;
    sums_.clear();
    for (std::size_t i = row_.wafers.size(); i-- > 1;) {
      sums_.add(row_.wafers[i]);
      if (row_.keys[i] == row_.keys[i - 1]) continue;
      consider(best, i);
    }
    return best;
  }

  /// Wafers [begin, i) for all i.
  Best until(std::size_t begin) {
    Best best;
    sums_.clear();
    for (std::size_t i = begin; i + 1 < row_.wafers.size(); ++i) {
      sums_.add(row_.wafers[i]);
      if (row_.keys[i] == row_.keys[i + 1]) continue;
      consider(best, i + 1);
    }
    return best;
  }

  /// Price of the best of a nested family. The walk's clock is the odds of being exposed, which
  /// also covers attributes that nearly all wafers met.
  double price(const Best& best) const {
    const auto odds = [this](std::size_t n) {
      const auto exposed = static_cast<double>(n);
      return exposed / std::max(1.0, static_cast<double>(frame_.wafers()) - exposed);
    };
    return stats::maximally_selected_p(best.z, odds(best.smallest), odds(best.largest),
                                       static_cast<double>(best.splits));
  }

  bool enough() const {
    return sums_.exposed() >= options_.min_exposed_wafers &&
           frame_.wafers() - sums_.exposed() >= options_.min_exposed_wafers;
  }

 private:
  void consider(Best& best, std::size_t position) const {
    if (!enough()) return;
    const Contrast contrast = sums_.contrast(false);
    if (!contrast.usable()) return;
    if (best.splits == 0) best.smallest = best.largest = sums_.exposed();
    best.smallest = std::min(best.smallest, sums_.exposed());
    best.largest = std::max(best.largest, sums_.exposed());
    ++best.splits;
    if (std::abs(contrast.z) > std::abs(best.z)) {
      best.z = contrast.z;
      best.position = position;
    }
  }

  const Exposure& row_;
  const ContrastFrame& frame_;
  ContrastSums& sums_;
  const CommonalityOptions& options_;
};

/// A restricted form must beat the plain one by this much: a few quiet wafers at the start are
/// no onset.
constexpr double kRestrictionGain = 0.01;

}  // namespace

FrameCache::FrameCache(const ExposureTable& table, const Response& response,
                       const std::vector<double>& value)
    : table_(table),
      response_(response),
      value_(value),
      frames_(table.universes.size()),
      sums_(table.universes.size()) {}

const ContrastFrame& FrameCache::frame(std::size_t universe) {
  if (!frames_[universe]) {
    frames_[universe] = std::make_unique<ContrastFrame>(
        response_, value_, table_.universes[universe], table_.lot_of, table_.lots);
    sums_[universe] = std::make_unique<ContrastSums>(*frames_[universe]);
  }
  return *frames_[universe];
}

ContrastSums& FrameCache::sums(std::size_t universe) {
  frame(universe);
  return *sums_[universe];
}

std::vector<double> shuffled_response(const ExposureTable& table,
                                      const std::vector<double>& response, Random& random) {
  std::vector<std::vector<std::size_t>> members(table.lots);
  for (std::size_t w = 0; w < response.size(); ++w) {
    if (!std::isnan(response[w])) members[table.lot_of[w]].push_back(w);
  }
  std::erase_if(members, [](const auto& lot) { return lot.empty(); });
  std::vector<double> means;
  for (const auto& lot : members) {
    double sum = 0;
    for (const std::size_t w : lot) sum += response[w];
    means.push_back(sum / static_cast<double>(lot.size()));
  }
  std::vector<double> moved = means, value = response;
  random.shuffle(moved);
  for (std::size_t l = 0; l < members.size(); ++l) {
    std::vector<std::size_t> order = members[l];
    random.shuffle(order);
    for (std::size_t i = 0; i < order.size(); ++i) {
      value[members[l][i]] = moved[l] + response[order[i]] - means[l];
    }
  }
  return value;
}

ScanResult contrast_slice(const Exposure& row, std::size_t begin, std::size_t end,
                          FrameCache& frames) {
  ContrastSums& sums = frames.sums(row.universe);
  sums.clear();
  for (std::size_t i = begin; i < end; ++i) sums.add(row.wafers[i]);
  ScanResult result{.begin = begin, .end = end};
  result.contrast = sums.contrast(true);
  result.testable = result.contrast.usable();
  result.exposed = sums.exposed();
  result.lots_exposed = sums.lots_exposed();
  result.lots_with_unexposed = sums.lots_with_unexposed();
  result.p_value = result.testable ? stats::normal_two_sided_p(result.contrast.z) : 1.0;
  return result;
}

ScanResult scan_attribute(const Exposure& row, FrameCache& frames,
                          const CommonalityOptions& options) {
  const Budget budget = budget_of(row, options);
  Scanner scanner(row, frames, options);
  ScanResult result;
  if (budget.always > 0) {
    result = contrast_slice(row, 0, row.wafers.size(), frames);
    result.testable = result.testable && scanner.enough();
    result.p_value = result.testable ? std::min(1.0, result.p_value / budget.always) : 1.0;
  }
  if (!(budget.since > 0) || row.keys.empty()) return result;
  const auto adopt = [&](std::size_t begin, std::size_t end, double p) {
    const bool plain = result.testable && !result.restricted;
    if (result.testable && !(p < result.p_value * (plain ? kRestrictionGain : 1.0))) return;
    result = contrast_slice(row, begin, end, frames);
    result.restricted = true;
    result.p_value = std::min(1.0, p);
  };
  const Best since = scanner.since();
  if (since.splits == 0) return result;
  adopt(since.position, row.wafers.size(), scanner.price(since) / budget.since);
  if (!(budget.between > 0)) return result;
  const Best until = scanner.until(since.position);
  if (until.splits == 0) return result;
  const auto splits = static_cast<double>(since.splits + 1);
  const double p = stats::normal_two_sided_p(until.z) * splits * (splits + 1) / 2;
  adopt(since.position, until.position, p / budget.between);
  return result;
}

}  // namespace yieldloop::process
