#include "ingest/readers/gzip_source.h"

#include <fmt/format.h>
#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

namespace yieldloop::ingest {
namespace {

constexpr std::size_t kTrailer = 8;  // CRC32 and ISIZE.

Error damaged(const std::string& name) {
  return {
      Errc::kFormat, "READ-0003",
      fmt::format("The gzip packing of {} is damaged or cut short; send the file again.", name)};
}

Error bomb(const std::string& name, std::uint64_t limit) {
  return {Errc::kFormat, "READ-0004",
          fmt::format(
              "{} unpacks to more than {} bytes, which no log of its size does; it is not read.",
              name, limit)};
}

/// The most that `packed` bytes may become.
std::uint64_t allowance(std::uint64_t packed, const UnpackLimits& limits) {
  return std::min(limits.bytes, std::max(limits.free_bytes, packed * limits.ratio));
}

bool is_padding(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

class GzipSource final : public ByteSource {
 public:
  GzipSource(Bytes packed, std::string name, const UnpackLimits& limits)
      : rest_(packed), name_(std::move(name)), limit_(allowance(packed.size(), limits)) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    ready_ = inflateInit2(&stream_, kGzipOnly) == Z_OK;
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  ~GzipSource() override { inflateEnd(&stream_); }

  Result<std::size_t> read(std::span<std::byte> out) override {
    std::size_t done = 0;
    while (done < out.size() && !ended_) {
      YL_ASSIGN(const std::size_t n, inflate_some(out.subspan(done)));
      done += n;
      unpacked_ += n;
      if (unpacked_ > limit_) return bomb(name_, limit_);
    }
    return done;
  }

 private:
  Result<std::size_t> inflate_some(std::span<std::byte> out) {
    constexpr std::size_t kPiece = 1 << 30;  // zlib counts in 32 bits.
    const auto in = static_cast<uInt>(std::min(rest_.size(), kPiece));
    const auto room = static_cast<uInt>(std::min(out.size(), kPiece));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(rest_.data()));
    stream_.avail_in = in;
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = room;
    const int code = ready_ ? inflate(&stream_, Z_NO_FLUSH) : Z_MEM_ERROR;
    rest_ = rest_.subspan(in - stream_.avail_in);
    if (code == Z_STREAM_END) {
      YL_TRY(next_member());
    } else if (code != Z_OK || (stream_.avail_out > 0 && rest_.empty())) {
      return damaged(name_);
    }
    return room - stream_.avail_out;
  }

  Status next_member() {
    if (is_gzip(rest_)) {
      inflateReset(&stream_);
      return Ok{};
    }
    ended_ = true;
    return is_padding(rest_) ? Status(Ok{}) : Status(damaged(name_));
  }

  Bytes rest_;
  std::string name_;
  std::uint64_t limit_;
  std::uint64_t unpacked_ = 0;
  z_stream stream_{};
  bool ready_ = false;
  bool ended_ = false;
};

struct Decompressor {
  libdeflate_decompressor* handle = libdeflate_alloc_decompressor();
  Decompressor() = default;
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { libdeflate_free_decompressor(handle); }
};

/// What the last member says it unpacks to, as a first guess: it may lie.
std::uint64_t stated_size(Bytes packed) {
  std::uint32_t size = 0;
  if (packed.size() >= kTrailer) std::memcpy(&size, packed.data() + packed.size() - 4, 4);
  return size;
}

/// Makes room for `size` bytes, keeping the first `kept`.
void grow(UnpackedBytes& bytes, std::uint64_t& room, std::uint64_t size, std::size_t kept) {
  auto larger = std::make_unique_for_overwrite<std::byte[]>(size);
  if (kept > 0) std::memcpy(larger.get(), bytes.data.get(), kept);
  bytes.data = std::move(larger);
  room = size;
}

}  // namespace

bool is_gzip(Bytes bytes) {
  return bytes.size() >= 3 && bytes[0] == std::byte{0x1F} && bytes[1] == std::byte{0x8B} &&
         bytes[2] == std::byte{8};
}

std::unique_ptr<ByteSource> gzip_source(Bytes packed, std::string name,
                                        const UnpackLimits& limits) {
  return std::make_unique<GzipSource>(packed, std::move(name), limits);
}

Result<UnpackedBytes> gunzip(Bytes packed, const std::string& name, const UnpackLimits& limits) {
  const std::uint64_t limit = allowance(packed.size(), limits);
  const Decompressor decompressor;
  UnpackedBytes out;
  std::uint64_t room = 0;
  const std::uint64_t guess = stated_size(packed);
  grow(out, room, std::clamp(guess, std::min<std::uint64_t>(packed.size() * 2, limit), limit), 0);
  while (is_gzip(packed)) {
    std::size_t used = 0;
    std::size_t made = 0;
    const auto code =
        libdeflate_gzip_decompress_ex(decompressor.handle, packed.data(), packed.size(),
                                      out.data.get() + out.size, room - out.size, &used, &made);
    if (code == LIBDEFLATE_INSUFFICIENT_SPACE) {
      if (room >= limit) return bomb(name, limit);
      grow(out, room, std::min(limit, std::max<std::uint64_t>(room * 2, 65'536)), out.size);
      continue;
    }
    if (code != LIBDEFLATE_SUCCESS) return damaged(name);
    out.size += made;
    packed = packed.subspan(used);
  }
  if (!is_padding(packed)) return damaged(name);
  return out;
}

}  // namespace yieldloop::ingest
