/// \file
/// Packed streams, told by their first bytes and unpacked in pieces or whole. Internal to the
/// readers' base.
///
/// Source: RFC 1952 (gzip); bzip2 and zstd (RFC 8878) through their libraries.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ingest/readers/input.h"

namespace yieldloop::ingest {

/// One stream in another form; archives are in archive.h.
enum class Packing : std::uint8_t { kNone, kGzip, kBzip2, kZstd };

/// Looks at the first ten bytes.
Packing packing_of(Bytes head);
/// "gzip", "bzip2", "zstd".
std::string_view to_word(Packing packing);
/// The name without the suffix of its packing: "a.stdf.gz" is "a.stdf", "a.tgz" is "a.tar".
std::string name_without(Packing packing, std::string name);

/// The most that `packed` bytes may become.
std::uint64_t allowance(std::uint64_t packed, const UnpackLimits& limits);

/// "NAME unpacks to more than N bytes, ..." (READ-0004).
Error bomb_error(const std::string& name, std::uint64_t limit);

/// A pass over bytes in memory, which must outlive it.
std::unique_ptr<ByteSource> memory_source(Bytes bytes);

/// A pass over what `packed` unpacks to, at most `limit` bytes of it.
/// Errors of read: READ-0003, READ-0004, those of `packed`. REQUIRES: packing is not kNone.
std::unique_ptr<ByteSource> unpacking_source(Packing packing, std::unique_ptr<ByteSource> packed,
                                             std::string name, std::uint64_t limit);

/// Unpacked bytes and how many there are; not cleared beforehand, they may be gigabytes.
struct UnpackedBytes {
  std::unique_ptr<std::byte[]> data;
  std::size_t size = 0;
};

/// Gzip all at once, several times faster than in pieces. Errors: READ-0003, READ-0004.
Result<UnpackedBytes> gunzip(Bytes packed, const std::string& name, std::uint64_t limit);

/// Everything that a source gives. `guess` is how much that may be. Errors: as ByteSource::read.
Result<UnpackedBytes> drain(ByteSource& source, std::uint64_t guess);

}  // namespace yieldloop::ingest
