/// \file
/// Files as readers see them: plain or packed, bounded, with the digest of what was sent.
///
/// A file is unpacked by its first bytes, not by its name: gzip, bzip2 and zstd, also of several
/// streams one after the other and padded with zeros. At most two wrappers may lie around a file;
/// a compressed tar counts as one. Archives are opened by archive.h.
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
  std::uint64_t members = 100'000;               ///< Files in one archive.
  unsigned wrappers = 2;                         ///< Around one file, archives included.
};

/// An input of these functions: also says what it was wrapped in.
class SentInput : public Input {
 public:
  std::uint64_t sent_bytes() const { return sent().size(); }
  /// Packed streams around the content: 0, 1 or 2.
  virtual unsigned packings() const = 0;
  /// As it was sent, still packed. Lives as long as the input.
  virtual Bytes sent() const = 0;
};

/// Errors: as FileSystem::map; kNoData (READ-0002) when there is not a byte in it; kFormat,
/// READ-0003 when the packing is damaged or cut short, READ-0004 when it unpacks to more than
/// the limits; kUnsupported (READ-0006) when it is packed too often.
Result<std::unique_ptr<SentInput>> open_input(FileSystem& files, const fs::path& path,
                                              const UnpackLimits& limits = {});

/// The same for a file that is mapped already, e.g. a blob of the store. `digest` spares hashing
/// it again where it is known.
Result<std::unique_ptr<SentInput>> input_from_mapped(std::string name,
                                                     std::unique_ptr<MappedFile> file,
                                                     const UnpackLimits& limits = {},
                                                     const Sha256Digest* digest = nullptr);

/// The same for bytes that are in memory already.
Result<std::unique_ptr<SentInput>> input_from_memory(std::string name, std::string content,
                                                     const UnpackLimits& limits = {});

}  // namespace yieldloop::ingest
