/// \file
/// A plugin's C table as one of our readers; private to plugins/host.
#pragma once

#include <memory>

#include "ingest/readers/reader.h"
#include "plugins/host/library.h"

namespace yieldloop::plugins {

/// The reader keeps the library loaded. Die become rows of `die_results`, in batches; a die that
/// comes before any lot has the empty lot. Errors of read: kFormat (PLUG-0012) with the plugin's
/// sentence; kInternal (PLUG-0013) when it lets an exception out; kCancelled (PLUG-0014).
ingest::ReaderDeclaration adapt(const std::shared_ptr<const Library>& library);

}  // namespace yieldloop::plugins
