// Packages of four die each, taken from the good die of the first lots by four feeders, their test
// results, and what goes wrong there: an assembly tool, a place in the package, a lot of
// substrates, or die identities that are blank or off by some die.

#include <fmt/format.h>

#include <iterator>
#include <optional>

#include "engine/simulator/output_folder.h"
#include "engine/simulator/scenario_list.h"

namespace yieldloop::simulator {
namespace {

constexpr std::size_t kAssembledLots = 8;
constexpr std::size_t kDiePerPackage = 4;
constexpr std::size_t kPackagesPerLot = 600;
constexpr std::size_t kPackagesPerSubstrateLot = 450;
constexpr std::size_t kTools = 3;
constexpr double kUsualFail = 0.004;  ///< Of a die in a package.
constexpr double kEdgeFail = 0.008;   ///< Added at the wafer's edge.

struct PackedDie {
  std::size_t wafer = 0;
  std::size_t die = 0;
};

struct Package {
  std::array<PackedDie, kDiePerPackage> die;
  std::size_t number = 0;
  std::size_t lot() const { return number / kPackagesPerLot; }
  std::size_t substrate_lot() const { return number / kPackagesPerSubstrateLot; }
  std::size_t tool() const { return lot() * 7 % kTools; }
  std::string id() const { return fmt::format("P{:06}", 100'000 + number); }
  std::string lot_name() const { return fmt::format("A{:04}", 3'100 + lot()); }
  std::string tool_name() const { return fmt::format("ASM{:02}", tool() + 1); }
  std::string substrate_lot_name() const { return fmt::format("SB{:03}", 410 + substrate_lot()); }
};

/// Wafers go round among the feeders; a feeder empties its wafers one after the other.
std::vector<Package> pack(const World& world, const GoodDie& good) {
  std::array<std::vector<PackedDie>, kDiePerPackage> feeders;
  for (std::size_t wafer = 0; wafer < world.fab.wafers.size(); ++wafer) {
    if (world.fab.wafers[wafer].mother_lot >= kAssembledLots) continue;
    for (std::size_t die = 0; die < good[wafer].size(); ++die) {
      if (good[wafer][die]) feeders[wafer % kDiePerPackage].push_back({wafer, die});
    }
  }
  std::size_t count = feeders[0].size();
  for (const auto& feeder : feeders) count = std::min(count, feeder.size());
  std::vector<Package> packages(count);
  for (std::size_t i = 0; i < count; ++i) {
    packages[i].number = i;
    for (std::size_t p = 0; p < kDiePerPackage; ++p) packages[i].die[p] = feeders[p][i];
  }
  return packages;
}

/// What a die's row in assembly.csv says; empty fields when the identity is blank.
struct Identity {
  bool blank = false;
  int dx = 0;
  int dy = 0;
};

class Assembly : public Effect {
 public:
  bool exposed(const World&, std::size_t) const override { return true; }

  Status write_files(const World& world, const GoodDie& good, OutputFolder& out,
                     Random& random) override {
    const std::vector<Package> packages = pack(world, good);
    choose(packages, random);
    std::string rows =
        "package_id,position,lot_id,wafer_id,die_x,die_y,assembly_lot_id,product,substrate_id,"
        "assembled_at,tool,step\n";
    std::string results =
        "package_id,insertion,hard_bin,soft_bin,pass,failing_position,tested_at\n";
    for (const Package& package : packages) {
      write_rows(rows, world, package, random);
      write_result(results, world, package, random);
    }
    cause_.parameters.emplace_back("packages", static_cast<std::int64_t>(packages.size()));
    cause_.parameters.emplace_back("packages_failed", static_cast<std::int64_t>(failed_));
    cause_.parameters.emplace_back("packages_lost", static_cast<std::int64_t>(lost_));
    YL_TRY(out.write("assembly.csv", rows));
    return out.write("package_results.csv", results);
  }

 protected:
  /// Draws what is hit once the packages are known.
  virtual void choose(const std::vector<Package>& packages, Random& random) = 0;
  /// The cause's own chance to make a place of a package fail.
  virtual double fail_chance(const Package&, std::size_t /*position*/) const { return 0.0; }
  virtual Identity identity(const Package&, std::size_t /*position*/, Random&) const { return {}; }

 private:
  UtcMicros assembled_at(const World& world, const Package& package) const {
    return after_minutes(world.fab.closed, 2'880.0 + 0.4 * static_cast<double>(package.number));
  }

  void write_rows(std::string& out, const World& world, const Package& package,
                  Random& random) const {
    for (std::size_t p = 0; p < kDiePerPackage; ++p) {
      const SimWafer& wafer = world.fab.wafers[package.die[p].wafer];
      const GridDie& die = world.grid[package.die[p].die];
      const Identity said = identity(package, p, random);
      const std::string source = said.blank
                                     ? ",,,"
                                     : fmt::format("{},{},{},{}", world.lot_of(wafer).id, wafer.id,
                                                   die.x + said.dx, die.y + said.dy);
      fmt::format_to(std::back_inserter(out), "{},{},{},{},MCM4,{}-{:05},{},{},DIE_ATTACH\n",
                     package.id(), p + 1, source, package.lot_name(), package.substrate_lot_name(),
                     package.number % kPackagesPerSubstrateLot,
                     to_iso8601(assembled_at(world, package)), package.tool_name());
    }
  }

  void write_result(std::string& out, const World& world, const Package& package, Random& random) {
    int failing = 0;
    bool to_cause = false;
    for (std::size_t p = 0; p < kDiePerPackage; ++p) {
      const bool edge = world.grid[package.die[p].die].radius > 0.85;
      const bool usual = random.chance(kUsualFail + (edge ? kEdgeFail : 0.0));
      const bool planted = random.chance(fail_chance(package, p));
      if (failing != 0 || !(usual || planted)) continue;
      failing = static_cast<int>(p) + 1;
      to_cause = planted && !usual;
    }
    if (failing != 0) ++failed_;
    if (to_cause) ++lost_;
    fmt::format_to(std::back_inserter(out), "{},FT1,{},{},{},{},{}\n", package.id(),
                   failing == 0 ? 1 : 6, failing == 0 ? 1 : 60 + failing, failing == 0 ? 1 : 0,
                   failing == 0 ? "" : std::to_string(failing),
                   to_iso8601(after_minutes(assembled_at(world, package), 1'440.0)));
  }

  std::size_t failed_ = 0;
  std::size_t lost_ = 0;
};

/// An assembly tool, one place at one tool, or a lot of substrates makes packages fail.
class BadAssembly final : public Assembly {
 public:
  bool plan(World&, Random& random) override {
    mode_ = static_cast<int>(random.below(3));
    chance_ = random.uniform(0.015, 0.03) * (mode_ == 0 ? 1.0 : 3.0);
    cause_.kind = mode_ == 2 ? "supplier_lot" : "assembly";
    cause_.parameters = {{"fail_chance_of_a_die", chance_}};
    cause_.expected_actions = mode_ == 2 ? std::vector<std::string>{"resample_lots"}
                                         : std::vector<std::string>{"maintain_tool"};
    return true;
  }

 protected:
  void choose(const std::vector<Package>& packages, Random& random) override {
    const Package& hit = packages[random.below(packages.size())];
    number_ = mode_ == 2 ? hit.substrate_lot() : hit.tool();
    position_ = random.below(kDiePerPackage);
    if (mode_ == 2) {
      cause_.subject = {{"supplier_lot", hit.substrate_lot_name()}};
      return;
    }
    cause_.subject = {{"step", std::string("DIE_ATTACH")}, {"tool", hit.tool_name()}};
    if (mode_ == 1) {
      cause_.subject.emplace_back("position", static_cast<std::int64_t>(position_ + 1));
    }
  }
  double fail_chance(const Package& package, std::size_t position) const override {
    if ((mode_ == 2 ? package.substrate_lot() : package.tool()) != number_) return 0.0;
    return mode_ != 1 || position == position_ ? chance_ : 0.0;
  }

 private:
  int mode_ = 0;
  double chance_ = 0.0;
  std::size_t number_ = 0;
  std::size_t position_ = 0;
};

/// Some identities are blank, and those of one assembly lot are off by a die or two.
class WrongIdentities final : public Assembly {
 public:
  bool plan(World&, Random& random) override {
    blank_ = random.uniform(0.01, 0.03);
    do {
      dx_ = static_cast<int>(random.below(5)) - 2;
      dy_ = static_cast<int>(random.below(5)) - 2;
    } while (dx_ == 0 && dy_ == 0);
    cause_.kind = "assembly";
    cause_.parameters = {{"blank_share", blank_},
                         {"die_x_off", std::int64_t{dx_}},
                         {"die_y_off", std::int64_t{dy_}}};
    return true;
  }

 protected:
  void choose(const std::vector<Package>& packages, Random& random) override {
    const Package& hit = packages[random.below(packages.size())];
    lot_ = hit.lot();
    cause_.subject = {{"assembly_lot_id", hit.lot_name()}};
  }
  Identity identity(const Package& package, std::size_t, Random& random) const override {
    if (random.chance(blank_)) return {.blank = true};
    return package.lot() == lot_ ? Identity{.dx = dx_, .dy = dy_} : Identity{};
  }

 private:
  double blank_ = 0.0;
  int dx_ = 0;
  int dy_ = 0;
  std::size_t lot_ = 0;
};

}  // namespace

std::unique_ptr<Effect> make_bad_assembly() { return std::make_unique<BadAssembly>(); }
std::unique_ptr<Effect> make_wrong_identities() { return std::make_unique<WrongIdentities>(); }

}  // namespace yieldloop::simulator
