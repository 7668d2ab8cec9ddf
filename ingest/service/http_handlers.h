/// \file
/// The routes of the HTTP API. Used by service.cpp only.
#pragma once

#include <Poco/Net/HTTPRequestHandlerFactory.h>

#include <atomic>

#include "ingest/service/config.h"
#include "ingest/service/ingest_queue.h"

namespace yieldloop::ingest::service {

/// What handlers share; outlives the server.
struct HttpContext {
  const Config& config;
  Backend& backend;
  IngestQueue& queue;
  FileSystem& files;
  fs::path staging;
  std::atomic<std::uint64_t> next_body{0};
};

class HandlerFactory final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  explicit HandlerFactory(HttpContext& context) : context_(context) {}
  Poco::Net::HTTPRequestHandler* createRequestHandler(
      const Poco::Net::HTTPServerRequest& request) override;

 private:
  HttpContext& context_;
};

}  // namespace yieldloop::ingest::service
