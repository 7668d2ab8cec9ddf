/// \file
/// The findings document as JSON, schema "yieldloop.findings/1", and back.
///
/// The text is deterministic: keys in a fixed order, numbers in the shortest form that reads
/// back to the same double.
#pragma once

#include <string>
#include <string_view>

#include "engine/core/finding.h"
#include "engine/core/result.h"

namespace yieldloop::findings {

std::string to_json(const FindingsDocument& document);
std::string to_json(const Finding& finding);

/// Errors: kFormat (FIND-0001) when the text is not a findings document of a known schema.
Result<FindingsDocument> document_from_json(std::string_view text);
/// Errors: kFormat (FIND-0002).
Result<Finding> finding_from_json(std::string_view text);

}  // namespace yieldloop::findings
