/// \file
/// How a scenario changes the fab: a list of effects, each of which may plant a cause.
///
/// To add a scenario: derive from Effect in a new file scenario_NAME.cpp, declare its maker in
/// scenario_list.h and add one row to the table in scenario_list.cpp. An effect decides in
/// `plan` what it hits (drawn by seed) and in `apply` what that does to a wafer. An effect
/// without a cause in truth.json (a decoy) leaves `cause().kind` empty.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/core/random.h"
#include "engine/core/result.h"
#include "engine/simulator/wafer_model.h"
#include "engine/simulator/world.h"

namespace yieldloop::simulator {

using TruthValue = std::variant<std::string, double, std::int64_t>;
using TruthFields = std::vector<std::pair<std::string, TruthValue>>;

/// A place in the top cell, µm; x and y are the lower left corner.
struct Location {
  std::string layer;
  double x = 0.0;
  double y = 0.0;
  double w = 0.0;
  double h = 0.0;
};

/// What truth.json says of one planted cause; field names are those of a finding's subject.
struct Cause {
  std::string kind;
  TruthFields subject;
  UtcMicros from;
  UtcMicros to;
  TruthFields parameters;
  std::vector<std::string> expected_actions;
  std::vector<Location> locations;  ///< The first kListedLocations.
  std::size_t locations_total = 0;
  std::vector<Location> decoys;  ///< Innocent look-alikes, as locations.
  std::size_t decoys_total = 0;
  /// Subjects that no data of this fab can tell apart, the true one first; empty: it can be told.
  std::vector<TruthFields> undecided;
};

inline constexpr std::size_t kListedLocations = 10'000;

/// One touch of a probe on a die.
struct Touch {
  std::size_t wafer = 0;
  std::size_t die = 0;
  int site = 0;
};

/// Shape: [Fab::wafers][World::grid]; whether the die is good in the end.
using GoodDie = std::vector<std::vector<bool>>;

class OutputFolder;

class Effect {
 public:
  virtual ~Effect() = default;

  /// How lots must be routed for this scenario, decided before the history is drawn.
  virtual void set_rules(FabRules&, Random&) {}

  /// Draws what is hit and may add maintenance events and sensor shifts. Returns false when the
  /// history offers nothing fit to be hit (too few lots).
  virtual bool plan(World& world, Random& random) = 0;

  /// What the cause does to a wafer. REQUIRES: plan returned true.
  virtual void apply(const World&, std::size_t /*wafer*/, WaferFate&, int /*cause*/,
                     Random&) const {}

  /// Whether the wafer met the cause.
  virtual bool exposed(const World& world, std::size_t wafer) const = 0;

  /// The chance that a good die reads as a contact fail.
  virtual double misread_chance(const World&, const Touch&) const { return 0.0; }

  /// Files that only this scenario has; may complete the cause.
  virtual Status write_files(const World&, const GoodDie&, OutputFolder&, Random&) { return Ok{}; }

  const Cause& cause() const { return cause_; }

 protected:
  Cause cause_;
};

using Effects = std::vector<std::unique_ptr<Effect>>;

}  // namespace yieldloop::simulator
