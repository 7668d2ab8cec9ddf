/// \file
/// The ingest service: watched drop folders and an HTTP API, both in front of one writer.
///
///   PUT or POST /v1/files/NAME   body = the file; needs "Authorization: Bearer TOKEN" and a
///                                Content-Length; "X-Content-SHA256" is checked when given.
///                                201 stored, 200 known already, 422 refused (quarantine),
///                                401 no or wrong token, 411 no length, 413 too large,
///                                400 cut short or checksum wrong, 507 disk full, 503 busy.
///   GET /v1/findings[?product=P] the findings document
///   GET /livez /readyz /metrics  for orchestration and Prometheus
///
/// A file is acknowledged only after its commit is on disk. Names in requests never become
/// paths: bodies are staged under their number.
#pragma once

#include <memory>

#include "engine/core/result.h"
#include "ingest/service/backend.h"
#include "ingest/service/config.h"

namespace yieldloop::ingest::service {

class Service {
 public:
  /// Binds the port and starts the threads. `staging` is a folder on the store's disk that
  /// nobody else sweeps; what a killed service left there is removed.
  /// Errors: kBusy (SERV-0003) when the port is in use; kIo (SERV-0004) for a host that cannot
  /// be bound; kIo, kDenied for folders.
  static Result<std::unique_ptr<Service>> start(Config config, Backend backend, FileSystem& files,
                                                const fs::path& staging);
  virtual ~Service() = default;
  virtual std::uint16_t port() const = 0;
  /// Ends open requests and the current file, then returns. Called by the destructor too.
  virtual void stop() = 0;
};

}  // namespace yieldloop::ingest::service
