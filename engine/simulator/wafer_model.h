/// \file
/// What is on a wafer when it leaves the line: real defects, and the fate of every die.
///
/// Background of layer l: every die holds Poisson(m) defects with
///
///   m = density * lot factor * wafer factor * die factor,
///
/// factors log-normal, gamma and gamma with mean 1, so that counts are negative binomial and
/// clustered; sizes x follow p(x) ~ 1/x^3 above kSmallestDefectUm; positions are uniform over
/// the die; a defect kills with class_factor * (1 - exp(-(x / kKillScaleUm)^2)). Added to that:
/// unseen random loss, a mild edge ring and parametric fails.
///
/// Source: C. H. Stapper, "Modeling of defects in integrated circuit photolithographic
/// patterns", IBM J. Res. Dev. 28 (1984) 461-475, for the size law and the clustering.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/core/random.h"
#include "engine/simulator/product_model.h"

namespace yieldloop::simulator {

struct World;

inline constexpr double kSmallestDefectUm = 0.15;
inline constexpr double kLargestDefectUm = 25.0;
inline constexpr double kKillScaleUm = 0.4;
inline constexpr double kRoLimitMhz = 477.0;  ///< A slower die is a parametric fail.

/// The fab's own level of loss, drawn by seed.
struct Background {
  double defects_per_die = 0.148;   ///< Real ones, on each inspected layer.
  double unseen_kill_rate = 0.028;  ///< Of die, by what no inspection sees.
  double cluster_shape = 2.0;       ///< Of the die factor's gamma distribution.
};

enum class FailKind : std::uint8_t { kNone, kShort, kOpen, kParametric, kFunctional, kContact };

/// As in the KLARF's ClassLookup.
enum class DefectClass : std::uint8_t {
  kUnclassified,
  kParticle,
  kBridge,
  kOpen,
  kResidue,
  kVoid,
  kNuisance
};

/// Inspected layers, in the order of kInspectionSteps.
enum class InspectedLayer : std::uint8_t { kM1, kM2 };
inline constexpr std::array<const char*, 2> kInspectionSteps{"M1_CMP_INSP", "M2_CMP_INSP"};

struct Defect {
  std::size_t die = 0;  ///< In World::grid.
  double x_um = 0.0;    ///< From the die's lower left corner.
  double y_um = 0.0;
  double size_um = 0.0;
  DefectClass kind{};
};

/// Blocks of the functional tests: BLKA, BLKB, BLKC, ARRD.
inline constexpr int kTestedBlocks = 4;

struct DieFate {
  FailKind fail = FailKind::kNone;
  int block = 0;  ///< Of a functional fail.
  InspectedLayer layer{};
  int cause = -1;  ///< The planted cause that decided, -1: background.
  double ro_mhz = 0.0;
};

struct WaferFate {
  std::vector<DieFate> die;                               ///< Shape: [World::grid].
  std::array<std::vector<Defect>, 2> background_defects;  ///< By InspectedLayer.
  std::array<std::vector<Defect>, 2> planted_defects;

  /// A planted cause kills a die, unless it is dead already.
  void kill(std::size_t index, FailKind fail, InspectedLayer layer, int block, int cause);
};

/// The same whatever the scenario plants.
WaferFate draw_background(const World& world, std::size_t wafer, Random random);

double draw_defect_size(Random& random);

/// The tested block under a place of the die, -1 where there is none.
int tested_block_at(const World& world, double x_um, double y_um);

/// The block under a place of the die, or a random one where there is none.
int block_at(const World& world, double x_um, double y_um, Random& random);

/// A defect of a planted cause, seen by inspection like any other.
void plant_defect(WaferFate& fate, InspectedLayer layer, std::size_t die, double x_um, double y_um,
                  double size_um, DefectClass kind);

}  // namespace yieldloop::simulator
