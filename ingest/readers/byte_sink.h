/// \file
/// Where a writer of a file format puts its bytes, in order, in pieces of its own choosing.
#pragma once

#include "engine/core/function_ref.h"
#include "engine/core/result.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest {

/// An error (disk full, ...) ends the writing and is handed on.
using ByteSink = FunctionRef<Status(Bytes)>;

}  // namespace yieldloop::ingest
