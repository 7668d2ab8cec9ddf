/// \file
/// The command line of `yieldloop`.
#pragma once

#include "engine/cli/commands.h"

namespace yieldloop::cli {

/// Parses and runs; returns the process's exit status. Never throws.
int run(int argc, char** argv, Surfaces surfaces);

}  // namespace yieldloop::cli
