/// \file
/// Wafer sort: four dies are touched at once, in order; what fails a retested bin may be touched
/// again, alone, at another site, after the wafer's first pass.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/simulator/effect.h"

namespace yieldloop::simulator {

inline constexpr const char* kInsertion = "WS1";
inline constexpr int kSites = 4;
inline constexpr double kRetestShare = 0.6;      ///< Of the die in bins 3 and 4.
inline constexpr double kContactMishap = 0.004;  ///< A good die that reads as a contact fail.

struct TestedPart {
  std::size_t die = 0;  ///< In World::grid.
  int site = 0;
  bool retest = false;
  FailKind fail = FailKind::kNone;
  InspectedLayer layer{};
  int block = 0;
  /// Results of the parametric tests, in the order of kParametricTests.
  std::array<float, 4> values{};
};

struct ParametricTest {
  std::uint32_t number;
  const char* name;
  const char* units;
  float low;
  float high;
};
inline constexpr std::array<ParametricTest, 4> kParametricTests{
    {{1000, "CONTINUITY", "V", -0.9F, -0.3F},
     {2000, "IDDQ", "A", 0.0F, 2.0e-3F},
     {3000, "VIA_CHAIN_RES", "OHM", 60.0F, 140.0F},
     {4000, "RO_FREQ", "MHZ", static_cast<float>(kRoLimitMhz), 560.0F}}};

struct FunctionalTest {
  std::uint32_t number;
  const char* name;
};
/// By tested block.
inline constexpr std::array<FunctionalTest, kTestedBlocks> kFunctionalTests{
    {{5000, "SCAN_BLKA"}, {5010, "SCAN_BLKB"}, {5020, "SCAN_BLKC"}, {5100, "MBIST_ARRD"}}};

int hard_bin(FailKind fail);
int soft_bin(const TestedPart& part);

using Touchdown = std::vector<TestedPart>;

struct WaferTest {
  std::vector<Touchdown> touchdowns;
  std::vector<TestedPart> final_parts;  ///< Shape: [World::grid]; the touch that counts.
  std::vector<int> lost_to;             ///< Shape: [World::grid]; cause that lost it, or -1.
};

/// `background` is the wafer without, `fate` with the planted causes; both are tested with the
/// same draws, and a die is lost to a cause when it is good without and bad with it.
WaferTest test_wafer(const World& world, std::size_t wafer, const WaferFate& background,
                     const WaferFate& fate, const Effects& effects, Random random);

}  // namespace yieldloop::simulator
