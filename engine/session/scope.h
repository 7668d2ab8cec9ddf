/// \file
/// Which part of the store a job looks at.
#pragma once

#include <string>
#include <vector>

#include "engine/core/time.h"

namespace yieldloop::session {

struct Scope {
  std::string product;            ///< Empty: the store's only product.
  std::vector<std::string> lots;  ///< Globs on lot ids; empty: all lots.
  UtcMicros from, to;             ///< Last event of a wafer in [from, to); unknown: open.
};

}  // namespace yieldloop::session
