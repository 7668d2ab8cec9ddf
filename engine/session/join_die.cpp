#include "engine/session/join_die.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

namespace yieldloop::session {
namespace {

constexpr double kEnoughCoverage = 0.9;
constexpr double kSameCoverage = 0.02;  ///< Maps this close to the best count as equally good.
constexpr double kStrong = 6.0;         ///< z of a map that overrules the numbers as they are.
constexpr double kAhead = 4.0;          ///< And how far above the others it must be.
constexpr std::size_t kMostJudged = 200;
constexpr int kFarthest = 400;  ///< Die that a shift may span; a wafer has fewer.

struct Bounds {
  int x0 = 0, y0 = 0, x1 = -1, y1 = -1;
  explicit Bounds(const std::vector<DieIndex>& die) {
    if (die.empty()) return;
    const auto [xl, xh] = std::ranges::minmax(die, {}, &DieIndex::x);
    const auto [yl, yh] = std::ranges::minmax(die, {}, &DieIndex::y);
    x0 = xl.x, x1 = xh.x, y0 = yl.y, y1 = yh.y;
  }
};

/// The tested die of all wafers as a bitmap, and every wafer's fails.
class Tested {
 public:
  explicit Tested(const FabData& data) {
    std::set<DieIndex> die;
    for (const DieResult& r : data.die_results) die.insert(r.die);
    die_.assign(die.begin(), die.end());
    bounds_ = Bounds(die_);
    if (die_.empty()) return;
    width_ = bounds_.x1 - bounds_.x0 + 1;
    const auto cells =
        static_cast<std::size_t>(width_) * static_cast<std::size_t>(bounds_.y1 - bounds_.y0 + 1);
    known_.assign(cells, 0);
    for (const DieIndex d : die_) known_[place(d)] = 1;
    for (const DieResult& r : data.die_results) {
      if (!r.final_result) continue;
      auto& wafer = outcome_[r.wafer];
      if (wafer.empty()) wafer.assign(cells, 0);
      wafer[place(r.die)] = r.pass ? 1 : 2;
    }
  }
  const std::vector<DieIndex>& die() const { return die_; }
  const Bounds& bounds() const { return bounds_; }
  bool has(DieIndex d) const { return inside(d) && known_[place(d)] != 0; }
  /// 0 not tested, 1 passed, 2 failed; shape [cells] or nullptr.
  const std::vector<char>* outcomes(WaferId wafer) const {
    const auto it = outcome_.find(wafer);
    return it == outcome_.end() ? nullptr : &it->second;
  }
  char outcome(const std::vector<char>& wafer, DieIndex d) const {
    return inside(d) ? wafer[place(d)] : '\0';
  }

 private:
  bool inside(DieIndex d) const {
    return d.x >= bounds_.x0 && d.x <= bounds_.x1 && d.y >= bounds_.y0 && d.y <= bounds_.y1;
  }
  std::size_t place(DieIndex d) const {
    return static_cast<std::size_t>(d.y - bounds_.y0) * static_cast<std::size_t>(width_) +
           static_cast<std::size_t>(d.x - bounds_.x0);
  }

  std::vector<DieIndex> die_;
  Bounds bounds_{{}};
  int width_ = 0;
  std::vector<char> known_;
  std::map<WaferId, std::vector<char>> outcome_;
};

/// What one inspection tool looked at and found.
struct Looked {
  std::vector<std::size_t> inspections;
  std::vector<DieIndex> die;                           ///< Of all wafers, each once.
  std::map<WaferId, std::vector<DieIndex>> defective;  ///< Each die once a wafer.
};

std::map<NameId, Looked> by_tool(const FabData& data) {
  std::map<NameId, Looked> tools;
  std::map<NameId, std::set<DieIndex>> die;
  for (std::size_t i = 0; i < data.inspections.size(); ++i) {
    const Inspection& inspection = data.inspections[i];
    tools[inspection.tool].inspections.push_back(i);
    die[inspection.tool].insert(inspection.inspected.begin(), inspection.inspected.end());
  }
  std::map<NameId, std::map<WaferId, std::set<DieIndex>>> defective;
  for (const Defect& d : data.defects) {
    const Inspection& inspection = data.inspections[d.inspection];
    defective[inspection.tool][d.wafer].insert(d.die);
    die[inspection.tool].insert(d.die);
  }
  for (auto& [tool, looked] : tools) {
    looked.die.assign(die[tool].begin(), die[tool].end());
    for (const auto& [wafer, all] : defective[tool]) {
      looked.defective[wafer].assign(all.begin(), all.end());
    }
  }
  return tools;
}

double coverage(const Looked& looked, const Tested& tested, const DieMap& map) {
  const auto n = std::ranges::count_if(looked.die, [&](DieIndex d) { return tested.has(map(d)); });
  return static_cast<double>(n) / static_cast<double>(looked.die.size());
}

/// How far the fails of die with defects are above chance, in standard deviations.
double association(const Looked& looked, const Tested& tested, const DieMap& map) {
  double above = 0.0, variance = 0.0;
  for (const auto& [wafer, defective] : looked.defective) {
    const auto* outcomes = tested.outcomes(wafer);
    if (outcomes == nullptr) continue;
    const auto fails = static_cast<double>(std::ranges::count(*outcomes, 2));
    const auto all = fails + static_cast<double>(std::ranges::count(*outcomes, 1));
    double hit = 0.0, failed = 0.0;
    for (const DieIndex d : defective) {
      const char outcome = tested.outcome(*outcomes, map(d));
      hit += outcome != 0 ? 1.0 : 0.0;
      failed += outcome == 2 ? 1.0 : 0.0;
    }
    if (all < 2.0 || hit == 0.0) continue;
    above += failed - hit * fails / all;
    variance += hit * (fails / all) * (1.0 - fails / all) * (all - hit) / (all - 1.0);
  }
  return variance > 0.0 ? above / std::sqrt(variance) : 0.0;
}

struct Judged {
  DieMap map;
  double covered = 0.0;
  double z = 0.0;
};

/// Every map of near-best coverage, the strongest first.
std::vector<Judged> candidates(const Looked& looked, const Tested& tested) {
  std::vector<Judged> found;
  for (const auto& [mx, my] :
       {std::pair{false, false}, {true, false}, {false, true}, {true, true}}) {
    std::vector<DieIndex> turned;
    const DieMap mirror{mx, my, 0, 0};
    for (const DieIndex d : looked.die) turned.push_back(mirror(d));
    const Bounds from(turned), to = tested.bounds();
    // The smaller set lies within the larger one, give or take a row.
    const auto range = [](int low_a, int high_a, int low_b, int high_b) {
      return std::pair{std::min(low_b - low_a, high_b - high_a) - 1,
                       std::max(low_b - low_a, high_b - high_a) + 1};
    };
    const auto [xl, xh] = range(from.x0, from.x1, to.x0, to.x1);
    const auto [yl, yh] = range(from.y0, from.y1, to.y0, to.y1);
    if (xh - xl > kFarthest || yh - yl > kFarthest) continue;
    for (int dx = xl; dx <= xh; ++dx) {
      for (int dy = yl; dy <= yh; ++dy) {
        const DieMap map{mx, my, dx, dy};
        const double covered = coverage(looked, tested, map);
        if (covered >= kEnoughCoverage) found.push_back({map, covered, 0.0});
      }
    }
  }
  std::ranges::stable_sort(found, std::ranges::greater{}, &Judged::covered);
  while (!found.empty() && (found.size() > kMostJudged ||
                            found.back().covered < found.front().covered - kSameCoverage)) {
    found.pop_back();
  }
  for (Judged& judged : found) judged.z = association(looked, tested, judged.map);
  std::ranges::stable_sort(found, std::ranges::greater{}, &Judged::z);
  return found;
}

struct Verdict {
  DieMap map;
  bool undecided = false;
  double covered = 0.0;  ///< Of the numbers as they are.
};

Verdict judge(const Looked& looked, const Tested& tested) {
  Verdict verdict;
  verdict.covered = coverage(looked, tested, {});
  const bool fits = verdict.covered >= kEnoughCoverage;
  const double z_plain = association(looked, tested, {});
  if (fits && z_plain >= kStrong) return verdict;
  const auto found = candidates(looked, tested);
  if (found.empty()) {
    verdict.undecided = !fits;
    return verdict;
  }
  double second = z_plain;
  for (const Judged& j : found) {
    if (j.map != found.front().map) second = std::max(second, j.z);
  }
  const Judged& best = found.front();
  if (best.z >= kStrong && best.z >= second + kAhead) {
    verdict.map = best.map;
    return verdict;
  }
  if (fits) return verdict;
  // Without a word from the fails, coverage alone decides between shifts that mirror nothing.
  std::vector<DieMap> plain;
  for (const Judged& j : found) {
    if (!j.map.mirror_x && !j.map.mirror_y) plain.push_back(j.map);
  }
  verdict.undecided = plain.size() != 1;
  if (plain.size() == 1) verdict.map = plain.front();
  return verdict;
}

void move_inspections(FabData& data, const Looked& looked, const DieMap& map) {
  std::set<std::uint32_t> moved;
  for (const std::size_t i : looked.inspections) {
    Inspection& inspection = data.inspections[i];
    moved.insert(static_cast<std::uint32_t>(i));
    for (DieIndex& d : inspection.inspected) d = map(d);
    inspection.sample_center_x_um += map.dx * inspection.die_pitch_x_um;
    inspection.sample_center_y_um += map.dy * inspection.die_pitch_y_um;
  }
  for (Defect& d : data.defects) {
    if (moved.contains(d.inspection)) d.die = map(d.die);
  }
}

std::string words(const DieMap& map) {
  std::string text;
  if (map.mirror_x) text += "x mirrored, ";
  if (map.mirror_y) text += "y mirrored, ";
  return fmt::format("{}{:+d} columns, {:+d} rows", text, map.dx, map.dy);
}

std::string tool_words(const FabData& data, NameId tool) {
  const auto name = data.names[tool];
  return name.empty() ? std::string("an unnamed inspection tool") : std::string(name);
}

}  // namespace

DieIndex DieMap::operator()(DieIndex die) const {
  return {static_cast<std::int16_t>((mirror_x ? -die.x : die.x) + dx),
          static_cast<std::int16_t>((mirror_y ? -die.y : die.y) + dy)};
}

DieMap DieMap::inverse() const {
  return {mirror_x, mirror_y, mirror_x ? dx : -dx, mirror_y ? dy : -dy};
}

std::vector<std::string> join_die(FabData& data) {
  std::vector<std::string> said;
  if (data.die_results.empty() || data.inspections.empty()) return said;
  Tested tested(data);
  auto tools = by_tool(data);
  // The tool with most to say first: a mirrored test is turned once, for all.
  std::vector<NameId> order;
  for (const auto& [tool, looked] : tools) order.push_back(tool);
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](NameId t) { return tools[t].defective.size(); });
  for (const NameId tool : order) {
    const Looked& looked = tools[tool];
    if (looked.die.empty()) continue;
    const Verdict verdict = judge(looked, tested);
    if (verdict.undecided) {
      said.push_back(fmt::format(
          "Only {:.0f} % of the die that {} looked at were tested under the same number, and no "
          "single shift joins them: its defects are not tied to test results reliably.",
          100.0 * verdict.covered, tool_words(data, tool)));
      continue;
    }
    if (verdict.map.identity()) continue;
    if (verdict.map.mirror_x || verdict.map.mirror_y) {
      const DieMap back = verdict.map.inverse();
      for (DieResult& r : data.die_results) r.die = back(r.die);
      tested = Tested(data);
      said.push_back(fmt::format(
          "The test data number their die unlike {} ({}): they were turned to its numbers, which "
          "ties defects to fails.",
          tool_words(data, tool), words(back)));
    } else {
      move_inspections(data, looked, verdict.map);
      said.push_back(
          fmt::format("{} numbers its die unlike the test data ({}): it was moved to theirs.",
                      tool_words(data, tool), words(verdict.map)));
    }
  }
  return said;
}

}  // namespace yieldloop::session
