/// \file
/// The formats this program reads, listed by hand.
#pragma once

#include "ingest/readers/reader.h"

namespace yieldloop::ingest {

/// A fresh registry; add plug-in readers to it as needed.
ReaderRegistry builtin_readers();

}  // namespace yieldloop::ingest
