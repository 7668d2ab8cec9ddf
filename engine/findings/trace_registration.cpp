#include "engine/findings/trace_registration.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace yieldloop::findings {

using tracing::RegistrationVerdict;

void RegistrationFeatures::add(const tracing::PatternCensus& census) {
  const auto offset = static_cast<std::uint32_t>(places_.size());
  for (const tracing::Anchor& a : census.anchors) {
    places_.push_back(tracing::to_um(a.gap, census.dbu_um));
  }
  for (const tracing::PatternClass& c : census.classes) {
    auto& of = classes_.emplace_back(c.anchors);
    for (std::uint32_t& a : of) a += offset;
  }
}

void RegistrationFeatures::add(const layout::ViaCensus& vias, double dbu_um) {
  std::vector<std::uint32_t> single, doubled;
  for (const layout::ViaCut& cut : vias.cuts) {
    (cut.single() ? single : doubled).push_back(static_cast<std::uint32_t>(places_.size()));
    places_.push_back(tracing::to_um(cut.box, dbu_um));
  }
  for (auto* of : {&single, &doubled}) {
    if (!of->empty()) classes_.push_back(std::move(*of));
  }
}

std::vector<StepRegistration> register_step(const FabData& data,
                                            const RegistrationFeatures& features,
                                            std::uint64_t seed, tracing::StepExposure& exposure) {
  std::map<std::string, std::vector<std::size_t>> by_tool;
  for (std::size_t i = 0; i < exposure.defects.size(); ++i) {
    const Defect& d = data.defects[exposure.defects[i].defect];
    by_tool[data.names[data.inspections[d.inspection].tool]].push_back(i);
  }
  std::vector<StepRegistration> registrations;
  tracing::RegistrationInput input;
  input.places = features.places();
  for (const auto& of : features.classes()) input.classes.emplace_back(of);
  input.window = exposure.window;
  for (const auto& [tool, members] : by_tool) {
    input.defects.clear();
    for (const std::size_t i : members) input.defects.push_back(exposure.defects[i].at);
    auto registration = tracing::register_defects(input, {.seed = seed});
    registrations.push_back({exposure.step, tool, std::move(registration)});
  }
  move_registered(data, registrations, exposure);
  return registrations;
}

void move_registered(const FabData& data, const std::vector<StepRegistration>& registrations,
                     tracing::StepExposure& exposure) {
  std::map<std::string, tracing::Alignment> moved;
  for (const StepRegistration& r : registrations) {
    if (r.step != exposure.step || r.registration.verdict != RegistrationVerdict::kMoved) continue;
    moved.emplace(r.tool, r.registration.alignment());
  }
  if (moved.empty()) return;
  for (tracing::LocatedDefect& d : exposure.defects) {
    const Inspection& inspection = data.inspections[data.defects[d.defect].inspection];
    const auto it = moved.find(data.names[inspection.tool]);
    if (it != moved.end()) d.at = it->second(d.at);
  }
  exposure.outside += static_cast<std::int64_t>(std::erase_if(
      exposure.defects,
      [&](const tracing::LocatedDefect& d) { return !exposure.window.contains(d.at); }));
}

std::vector<std::string> registration_caveats(const std::vector<StepRegistration>& registrations) {
  std::vector<std::string> caveats;
  std::string undetermined;
  for (const StepRegistration& r : registrations) {
    const std::string tool = r.tool.empty() ? "the unnamed tool" : r.tool;
    switch (r.registration.verdict) {
      case RegistrationVerdict::kMoved:
        caveats.push_back(fmt::format(
            "The frame of {} at {} is off the layout and was put right before tracing: {}.", tool,
            r.step, describe(r.registration)));
        break;
      case RegistrationVerdict::kAmbiguous:
        caveats.push_back(fmt::format("The frame of {} at {} against the layout is {}.", tool,
                                      r.step, describe(r.registration)));
        break;
      case RegistrationVerdict::kUndetermined:
        undetermined += (undetermined.empty() ? "" : ", ") + tool;
        break;
      case RegistrationVerdict::kConfirmed: break;
    }
  }
  if (!undetermined.empty()) {
    caveats.push_back(fmt::format(
        "Defects do not tell how the frame of {} at {} lies against the layout; the offset of "
        "product.toml and the KLARF header is taken.",
        undetermined, registrations.front().step));
  }
  return caveats;
}

}  // namespace yieldloop::findings
