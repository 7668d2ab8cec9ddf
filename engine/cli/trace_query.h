/// \file
/// `trace` asked about a piece of the design, or for the pieces that suffer; for this folder.
#pragma once

#include <string>

#include "engine/cli/commands.h"
#include "engine/core/progress.h"
#include "engine/session/analysis.h"

namespace yieldloop::cli {

/// Whether --cell, --net, --pattern, --region, --box or --rank was given.
bool asks_for_design(const TraceArguments& arguments);

/// What to print. Errors: kInvalidOptions (CLIC-0047) for a box that cannot be read; those of
/// engine/session/design_query.h.
Result<std::string> design_answer(const Context& context, const TraceArguments& arguments,
                                  const session::Analysis& analysis, Progress& progress);

}  // namespace yieldloop::cli
