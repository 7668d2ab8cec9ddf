/// \file
/// A model as one file: its manifest and its trees, bound by a checksum.
///
///   package := "yieldloop-model/1 " sha256 "\n" body
///   body    := {"manifest": {...}, "model": "<XGBoost JSON as text>"}
///
/// The checksum is that of the body, so that any changed bit is refused before anything is
/// parsed, wherever the file has been. Nothing in it depends on clock, machine or threads: same
/// data, options and seed give the same bytes.
#pragma once

#include <string>
#include <string_view>

#include "engine/core/result.h"
#include "models/validation/training.h"

namespace yieldloop::models {

std::string to_package(const TrainedModel& model);

/// Errors, all kDamaged: MODL-0009 no package or a changed byte; MODL-0010 the manifest lacks
/// something or contradicts itself; MODL-0001..0008 as check_model_json. kUnsupported
/// MODL-0011 for a package of another version.
Result<TrainedModel> from_package(std::string_view bytes);

/// The manifest alone, for the store's table and for people with a JSON viewer.
std::string manifest_json(const Manifest& manifest);

}  // namespace yieldloop::models
