/// \file
/// CBLOCKs and the signature at the end of an OASIS file.
///
/// Source: SEMI P39 (OASIS), CBLOCK (record 34), END (record 2) and annex on validation;
/// RFC 1951 (DEFLATE); CRC-32 of ISO/IEC 8802-3.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest::oasis {

enum class UnpackedBlock : std::uint8_t { kDone, kDamaged, kTooLarge };

/// Unpacks raw DEFLATE into `out`, which becomes `size` bytes long. `total` counts what all blocks
/// of the file came to: a file may unpack to 64 MiB or 250 times its size, whichever is more.
UnpackedBlock unpack_block(Bytes packed, std::uint64_t size, std::uint64_t file_size,
                           std::uint64_t& total, std::vector<std::byte>& out);

/// Raw DEFLATE. `packed` is empty when it would not become shorter.
void pack_block(Bytes bytes, std::vector<std::byte>& packed);

/// CRC-32 of more bytes; 0 to begin with.
std::uint32_t crc32(std::uint32_t crc, Bytes bytes);

struct EndRecord {
  bool found = false;      ///< The last 256 bytes are an END record.
  std::string validation;  ///< "none", "crc32", "checksum32".
};

/// Looks at the last 256 bytes and checks the signature they give.
/// Errors: kFormat OASI-0013 when it does not match.
Result<EndRecord> check_end(Bytes file, bool tables_at_end);

}  // namespace yieldloop::ingest::oasis
