/// \file
/// Peaks of the displacements from defects to the places of a class (registration.h, step 1).
///
/// Shape: a square of shifts from -search to +search in bins of `kShiftBin`.
/// Units: um.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/tracing/blur_pairs.h"
#include "engine/tracing/registration.h"

namespace yieldloop::tracing {

inline constexpr double kShiftBin = 0.2;

struct ShiftPeak {
  std::uint32_t feature = 0;
  PointUm shift;
  double width = 0.0;  ///< Of the smoothing it showed best with.
  double gain = 0.0;   ///< Poisson log-likelihood ratio over dispersion.
};

/// The peaks of all classes, largest gain first, at most `most`, at most three of one class. With
/// `near_zero` only no shift at all is looked at.
std::vector<ShiftPeak> find_peaks(const RegistrationInput& input, std::span<const PointUm> defects,
                                  double search, bool near_zero, std::size_t most);

/// How many independent looks the search takes per class.
double looks_per_class(double search);

}  // namespace yieldloop::tracing
