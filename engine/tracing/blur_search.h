/// \file
/// The search for the classes that draw defects: widths, tests, forward selection, joint fit.
///
/// Works on geometry alone; pattern.h says what it is for and describes the classes found.
///
/// Units: um.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/tracing/blur_fit.h"
#include "engine/tracing/blur_scan.h"
#include "engine/tracing/strata.h"

namespace yieldloop::tracing {

struct BlurOptions {
  double q_limit = 0.05;
  std::vector<double> sigmas_um;
  double min_defects = 5.0;
  std::size_t width_defects = 20'000;
  std::size_t most_classes = 10;
};

struct BlurInput {
  std::span<const RectUm> places;
  /// Shape: [classes][places]; ascending.
  std::vector<std::span<const std::uint32_t>> classes;
  std::vector<double> radius;  ///< Shape: [classes]; larger is finer.
  std::vector<PointUm> defects;
  std::vector<std::uint32_t> tool;  ///< Shape: [defects]; tools are counted from 0.
  const DensityStrata* strata = nullptr;
  /// The share of the exposure that showed a place and a tile; empty: all of it.
  std::vector<double> place_seen, tile_seen;
};

/// A class taken up. Its component in the fit has the same position.
struct FoundClass {
  std::uint32_t pattern = 0;           ///< Into BlurInput::classes.
  std::vector<std::uint32_t> places;   ///< Ascending; those that share its rate.
  std::vector<std::uint32_t> members;  ///< Classes they were put together from, if so.
  ClassTest test;                      ///< p-value: times the widths tried.
  double q_value = 1.0;
};

struct BlurFound {
  std::vector<FoundClass> classes;
  std::int64_t tests = 0;           ///< Classes times widths.
  std::vector<double> sigma;        ///< Shape: [tools]; empty when nothing was found.
  std::vector<double> sigma_error;  ///< Shape: [tools]; 0: taken from all tools together.
  std::unique_ptr<BlurBackground> background;  ///< Null when nothing was found.
  std::unique_ptr<BlurFit> fit;
};

/// REQUIRES: sigmas_um not empty, all positive.
BlurFound search_blurred(const BlurInput& input, const BlurOptions& options);

}  // namespace yieldloop::tracing
