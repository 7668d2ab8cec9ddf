/// \file
/// The backend of a real store: one writer that stays open, readers by snapshot.
#pragma once

#include "ingest/service/backend.h"

namespace yieldloop::ingest::service {

/// Opens (or makes) the store for writing and holds it as long as the backend lives.
/// Errors: those of store::Store::open_or_create.
Result<Backend> store_backend(FileSystem& files, const fs::path& store);

}  // namespace yieldloop::ingest::service
