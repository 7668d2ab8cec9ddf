#include "ingest/readers/oasis/block_codec.h"

#include <libdeflate.h>

#include <algorithm>
#include <memory>

#include "ingest/readers/oasis/oasis_cursor.h"
#include "ingest/readers/oasis/oasis_records.h"

namespace yieldloop::ingest::oasis {
namespace {

constexpr std::uint64_t kFreeBytes = 64 << 20;
constexpr std::uint64_t kRatio = 250;
constexpr std::uint64_t kBestDeflate = 1'040;  ///< No DEFLATE stream unpacks further.

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
};
struct FreeCompressor {
  void operator()(libdeflate_compressor* c) const { libdeflate_free_compressor(c); }
};

std::uint32_t checksum32(Bytes bytes) {
  std::uint32_t sum = 0;
  for (const std::byte b : bytes) sum += std::to_integer<std::uint32_t>(b);
  return sum;
}

}  // namespace

UnpackedBlock unpack_block(Bytes packed, std::uint64_t size, std::uint64_t file_size,
                           std::uint64_t& total, std::vector<std::byte>& out) {
  if (size / kBestDeflate > packed.size()) return UnpackedBlock::kDamaged;
  const std::uint64_t limit = std::max(kFreeBytes, file_size * kRatio);
  if (size > limit || total > limit - size) return UnpackedBlock::kTooLarge;
  thread_local const std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(
      libdeflate_alloc_decompressor());
  out.resize(static_cast<std::size_t>(size));
  const auto code = libdeflate_deflate_decompress(decompressor.get(), packed.data(), packed.size(),
                                                  out.data(), out.size(), nullptr);
  if (code != LIBDEFLATE_SUCCESS) return UnpackedBlock::kDamaged;
  total += size;
  return UnpackedBlock::kDone;
}

void pack_block(Bytes bytes, std::vector<std::byte>& packed) {
  constexpr int kLevel = 6;
  thread_local const std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor(
      libdeflate_alloc_compressor(kLevel));
  packed.resize(bytes.size());
  packed.resize(libdeflate_deflate_compress(compressor.get(), bytes.data(), bytes.size(),
                                            packed.data(), packed.size()));
}

std::uint32_t crc32(std::uint32_t crc, Bytes bytes) {
  return libdeflate_crc32(crc, bytes.data(), bytes.size());
}

Result<EndRecord> check_end(Bytes file, bool tables_at_end) {
  EndRecord end;
  if (file.size() < kEndBytes + kMagic.size()) return end;
  OasisCursor cursor(file.last(kEndBytes));
  if (cursor.byte() != static_cast<std::uint8_t>(RecordId::kEnd)) return end;
  if (tables_at_end)
    for (int i = 0; i < 12; ++i) (void)cursor.unsigned_int();
  (void)cursor.string();
  const std::uint64_t scheme = cursor.unsigned_int();
  if (cursor.bad() || scheme > 2 || cursor.left() != (scheme == 0 ? 0U : 4U)) return end;
  end.found = true;
  end.validation = scheme == 0 ? "none" : scheme == 1 ? "crc32" : "checksum32";
  if (scheme == 0) return end;
  std::uint32_t stated = 0;
  for (unsigned i = 0; i < 4; ++i) stated |= std::uint32_t{cursor.byte()} << (8 * i);
  const Bytes signed_part = file.first(file.size() - 4);
  const std::uint32_t found = scheme == 1 ? crc32(0, signed_part) : checksum32(signed_part);
  if (found != stated)
    return Error{
        Errc::kFormat, "OASI-0013",
        "The OASIS file does not match the signature at its end: it was damaged or changed "
        "after it was written; send it again."};
  return end;
}

}  // namespace yieldloop::ingest::oasis
