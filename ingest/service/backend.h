/// \file
/// What the service asks of the program it runs in: ingest a file, say whether the store is
/// ready, give the findings. The program joins it with engine/session.
#pragma once

#include <functional>
#include <string>

#include "engine/core/file_system.h"
#include "engine/core/result.h"

namespace yieldloop::ingest::service {

/// What became of one file.
struct TakenFile {
  bool refused = false;  ///< In quarantine: `message` says why.
  bool known = false;    ///< The same content was ingested before; nothing changed.
  std::uint64_t rows = 0;
  std::uint64_t rejects = 0;
  std::string kind;  ///< Reader id.
  std::string message;
  std::string json;  ///< The ingest report as JSON, for the reply.
};

struct Backend {
  /// Called from one thread at a time. Durable when it returns without error.
  std::function<Result<TakenFile>(const fs::path& file, const std::string& name)> ingest;
  /// May be called from several threads.
  std::function<Status()> ready;
  /// The findings document of a product ("" for the only one). Errors: kNotFound, kNoData, kBusy.
  std::function<Result<std::string>(const std::string& product)> findings;
};

}  // namespace yieldloop::ingest::service
