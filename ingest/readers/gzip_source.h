/// \file
/// Unpacks gzip, in pieces or whole. Internal to input.cpp.
#pragma once

#include <memory>
#include <string>

#include "ingest/readers/input.h"

namespace yieldloop::ingest {

bool is_gzip(Bytes bytes);

/// Unpacked bytes and how many there are; not cleared beforehand, they may be gigabytes.
struct UnpackedBytes {
  std::unique_ptr<std::byte[]> data;
  std::size_t size = 0;
};

/// A pass over `packed`, which must outlive it. Errors of read: READ-0003, READ-0004.
std::unique_ptr<ByteSource> gzip_source(Bytes packed, std::string name, const UnpackLimits& limits);

/// All at once, several times faster. Errors: READ-0003, READ-0004.
Result<UnpackedBytes> gunzip(Bytes packed, const std::string& name, const UnpackLimits& limits);

}  // namespace yieldloop::ingest
