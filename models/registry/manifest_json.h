/// \file
/// Manifests to JSON and back; private to models/registry.
#pragma once

#include <nlohmann/json.hpp>

#include "models/validation/training.h"

namespace yieldloop::models {

nlohmann::json to_json(const Manifest& manifest);
/// Throws std::exception when a member is missing, of the wrong type or unknown by name.
Manifest manifest_from_json(const nlohmann::json& json);

/// Metrics, baselines, gain, calibration, shuffled check, verdict.
nlohmann::json to_json(const Assessment& assessment);

}  // namespace yieldloop::models
