/// \file
/// Packs what is written into one gzip member.
///
/// The header names no time and no file, so that the same bytes always pack to the same bytes.
/// Source: RFC 1952 (gzip).
#pragma once

#include <memory>

#include "ingest/readers/byte_sink.h"

namespace yieldloop::ingest {

class GzipSink {
 public:
  /// `to` must outlive the sink.
  explicit GzipSink(ByteSink to);
  GzipSink(const GzipSink&) = delete;
  GzipSink& operator=(const GzipSink&) = delete;
  ~GzipSink();

  /// Errors: those of the sink behind.
  Status write(Bytes bytes);
  /// Writes the trailer; nothing may follow.
  Status finish();

 private:
  struct Packer;
  Status pack(Bytes bytes, bool last);
  ByteSink to_;
  std::unique_ptr<Packer> packer_;
};

}  // namespace yieldloop::ingest
