/// \file
/// Each tool's frame put right before its defects are traced (tracing/registration.h).
///
/// A tool's shift and rotation belong to the tool and the step, the same for every die and wafer it
/// looked at, so all its defects at a step are registered together, against every class of places
/// of the layers the step sees: tight gaps by pattern, single and doubled vias.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/layout/census.h"
#include "engine/tracing/exposure.h"
#include "engine/tracing/pattern_census.h"
#include "engine/tracing/registration.h"

namespace yieldloop::findings {

struct StepRegistration {
  std::string step;
  std::string tool;  ///< Empty when the log did not say.
  tracing::Registration registration;
  friend bool operator==(const StepRegistration&, const StepRegistration&) = default;
};

/// What defects may be drawn by, of all layers together.
class RegistrationFeatures {
 public:
  void add(const tracing::PatternCensus& census);
  void add(const layout::ViaCensus& vias, double dbu_um);

  const std::vector<tracing::RectUm>& places() const { return places_; }
  const std::vector<std::vector<std::uint32_t>>& classes() const { return classes_; }

 private:
  std::vector<tracing::RectUm> places_;
  std::vector<std::vector<std::uint32_t>> classes_;
};

/// Registers the tools of a step, by name, and moves the defects of those that are off. Defects
/// that leave the window are counted as outside.
std::vector<StepRegistration> register_step(const FabData& data,
                                            const RegistrationFeatures& features,
                                            std::uint64_t seed, tracing::StepExposure& exposure);

/// Moves the defects of the tools that these registrations moved.
void move_registered(const FabData& data, const std::vector<StepRegistration>& registrations,
                     tracing::StepExposure& exposure);

/// One sentence for each tool that was moved or is ambiguous, one for all that are undetermined.
std::vector<std::string> registration_caveats(const std::vector<StepRegistration>& registrations);

}  // namespace yieldloop::findings
