/// \file
/// The backend of a real store: a writer for each file, readers by snapshot, so that other jobs may
/// write between files.
#pragma once

#include "ingest/service/backend.h"

namespace yieldloop::ingest::service {

/// Makes the store where there is none. A store that another process writes is waited for, 10 s a
/// file; the sender is then told to try again (kBusy).
/// Errors: those of store::Store::open_or_create.
Result<Backend> store_backend(FileSystem& files, const fs::path& store);

}  // namespace yieldloop::ingest::service
