/// \file
/// Files as readers see them: plain or packed, bounded, with the digest of what was sent.
///
/// A file is unpacked by its first bytes, not by its name: gzip (also of several members, and
/// padded with zeros). One level only: a packed file within a packed file is not looked into.
///
/// Source: RFC 1952 (gzip).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/core/file_system.h"
#include "engine/core/result.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest {

/// How much a packed file may become. A few bytes can stand for gigabytes of nothing.
struct UnpackLimits {
  std::uint64_t bytes = std::uint64_t{4} << 30;  ///< Never more than this.
  std::uint64_t free_bytes = 16 << 20;           ///< Up to here any ratio is fine.
  std::uint64_t ratio = 250;                     ///< Unpacked to packed, beyond it.
};

/// Errors: as FileSystem::map; kNoData (READ-0002) when there is not a byte in it; kFormat,
/// READ-0003 when the packing is damaged or cut short, READ-0004 when it unpacks to more than
/// the limits.
Result<std::unique_ptr<Input>> open_input(FileSystem& files, const fs::path& path,
                                          const UnpackLimits& limits = {});

/// The same for a file that is mapped already, e.g. a blob of the store.
Result<std::unique_ptr<Input>> input_from_mapped(std::string name, std::unique_ptr<MappedFile> file,
                                                 const UnpackLimits& limits = {});

/// The same for bytes that are in memory already.
Result<std::unique_ptr<Input>> input_from_memory(std::string name, std::string content,
                                                 const UnpackLimits& limits = {});

}  // namespace yieldloop::ingest
