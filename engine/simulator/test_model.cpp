#include "engine/simulator/test_model.h"

#include <cmath>
#include <map>

namespace yieldloop::simulator {
namespace {

/// Everything random about the test of one die, drawn whether it is needed or not.
struct Draws {
  std::array<double, 2> mishap;
  std::array<double, 2> misread;
  double retest;
  int site_shift;
  std::array<double, 4> noise;
  std::array<double, 4> far_off;
};

Draws draw(Random& random) {
  Draws d{};
  for (double& u : d.mishap) u = random.uniform();
  for (double& u : d.misread) u = random.uniform();
  d.retest = random.uniform();
  d.site_shift = static_cast<int>(1 + random.below(kSites - 1));
  for (double& z : d.noise) z = random.normal();
  for (double& u : d.far_off) u = random.uniform();
  return d;
}

/// Sites run up a column of the grid, starting at its lowest die.
std::vector<int> sites(const std::vector<GridDie>& grid) {
  std::map<int, int> next;
  std::vector<int> site;
  for (const GridDie& die : grid) site.push_back(next[die.x]++ % kSites);
  return site;
}

std::array<float, 4> measure(const DieFate& die, FailKind fail, const Draws& d) {
  const bool contact = fail == FailKind::kContact;
  const double volts = contact ? -1.0 - 0.5 * d.far_off[0] : -0.6 + 0.012 * d.noise[0];
  const double amps =
      fail == FailKind::kShort ? 4e-3 + 30e-3 * d.far_off[1] : 0.8e-3 * std::exp(0.15 * d.noise[1]);
  const double ohms =
      fail == FailKind::kOpen ? 400.0 + 9e3 * d.far_off[2] : 100.0 + 4.0 * d.noise[2];
  return {static_cast<float>(volts), static_cast<float>(amps), static_cast<float>(ohms),
          static_cast<float>(die.ro_mhz)};
}

bool misreads(const World& world, const Effects& effects, const Touch& touch, double u) {
  double chance = 0.0;
  for (const auto& effect : effects) chance += effect->misread_chance(world, touch);
  return u < chance;
}

/// The one or two touches of a die.
std::vector<TestedPart> test_die(const World& world, const Touch& touch, const DieFate& die,
                                 const Effects& effects, const Draws& d) {
  std::vector<TestedPart> parts;
  Touch now = touch;
  for (std::size_t pass = 0; pass < 2; ++pass) {
    const bool contact =
        d.mishap[pass] < kContactMishap || misreads(world, effects, now, d.misread[pass]);
    const FailKind fail = contact ? FailKind::kContact : die.fail;
    parts.push_back(
        {now.die, now.site, pass == 1, fail, die.layer, die.block, measure(die, fail, d)});
    const int bin = hard_bin(fail);
    if ((bin != 3 && bin != 4) || d.retest >= kRetestShare) break;
    now.site = (touch.site + d.site_shift) % kSites;
  }
  return parts;
}

/// What killed a die that is good without the planted causes, or who misread it in one of its
/// touches: at the first, or at the second after a mishap at the first.
int cause_of(const World& world, std::size_t wafer, const DieFate& die,
             const std::vector<TestedPart>& parts, const Effects& effects) {
  if (die.cause >= 0) return die.cause;
  for (const TestedPart& part : parts) {
    const Touch touch{wafer, part.die, part.site};
    for (std::size_t i = 0; i < effects.size(); ++i) {
      if (effects[i]->misread_chance(world, touch) > 0.0) return static_cast<int>(i);
    }
  }
  return -1;
}

}  // namespace

int hard_bin(FailKind fail) {
  switch (fail) {
    case FailKind::kNone: return 1;
    case FailKind::kShort: return 2;
    case FailKind::kOpen:
    case FailKind::kContact: return 3;
    case FailKind::kParametric: return 4;
    case FailKind::kFunctional: return 5;
  }
  return 5;
}

int soft_bin(const TestedPart& part) {
  switch (part.fail) {
    case FailKind::kNone: return 1;
    case FailKind::kShort: return 20;
    case FailKind::kContact: return 30;
    case FailKind::kOpen: return 31;
    case FailKind::kParametric: return 40;
    case FailKind::kFunctional: return 50 + part.block;
  }
  return 50;
}

WaferTest test_wafer(const World& world, std::size_t wafer, const WaferFate& background,
                     const WaferFate& fate, const Effects& effects, Random random) {
  static const Effects no_effects;
  WaferTest test;
  std::vector<Touchdown> retests;
  const std::vector<int> site = sites(world.grid);
  std::map<std::pair<int, int>, std::size_t> touchdown_at;  // column, ordinal in the column
  std::map<int, int> seen;
  for (std::size_t die = 0; die < world.grid.size(); ++die) {
    const Draws d = draw(random);
    const Touch touch{wafer, die, site[die]};
    const auto parts = test_die(world, touch, fate.die[die], effects, d);
    const auto without = test_die(world, touch, background.die[die], no_effects, d);
    const bool lost =
        parts.back().fail != FailKind::kNone && without.back().fail == FailKind::kNone;
    const int column = world.grid[die].x;
    const auto key = std::pair{column, seen[column]++ / kSites};
    const auto [at, fresh] = touchdown_at.emplace(key, test.touchdowns.size());
    if (fresh) test.touchdowns.emplace_back();
    test.touchdowns[at->second].push_back(parts.front());
    if (parts.size() > 1) retests.push_back({parts.back()});
    test.final_parts.push_back(parts.back());
    test.lost_to.push_back(lost ? cause_of(world, wafer, fate.die[die], parts, effects) : -1);
  }
  test.touchdowns.insert(test.touchdowns.end(), retests.begin(), retests.end());
  return test;
}

}  // namespace yieldloop::simulator
