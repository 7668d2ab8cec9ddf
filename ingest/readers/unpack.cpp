#include "ingest/readers/unpack.h"

#include <bzlib.h>
#include <fmt/format.h>
#include <libdeflate.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace yieldloop::ingest {
namespace {

constexpr std::size_t kPiece = std::size_t{128} << 10;  // Packed bytes taken at a time.

Error damaged(Packing packing, const std::string& name) {
  return {Errc::kFormat, "READ-0003",
          fmt::format("The {} packing of {} is damaged or cut short; send the file again.",
                      to_word(packing), name)};
}

bool starts_with(Bytes bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

bool is_padding(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(Bytes rest) : rest_(rest) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    const std::size_t n = std::min(out.size(), rest_.size());
    if (n > 0) std::memcpy(out.data(), rest_.data(), n);
    rest_ = rest_.subspan(n);
    return n;
  }

 private:
  Bytes rest_;
};

/// What one call of a library came to.
enum class Step : std::uint8_t { kMore, kStreamEnd, kDamaged };

/// Takes packed bytes off the front of `in`, fills the front of `out`.
class Gunzip {
 public:
  static constexpr Packing kPacking = Packing::kGzip;
  Gunzip() { ready_ = inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK; }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;
  ~Gunzip() { inflateEnd(&stream_); }

  Step step(Bytes& in, std::span<std::byte>& out) {
    constexpr std::size_t kMost = 1 << 30;  // The library counts in 32 bits.
    const auto have = static_cast<uInt>(std::min(in.size(), kMost));
    const auto room = static_cast<uInt>(std::min(out.size(), kMost));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
    stream_.avail_in = have;
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = room;
    const int code = ready_ ? inflate(&stream_, Z_NO_FLUSH) : Z_MEM_ERROR;
    in = in.subspan(have - stream_.avail_in);
    out = out.subspan(room - stream_.avail_out);
    if (code == Z_STREAM_END) return Step::kStreamEnd;
    return code == Z_OK || code == Z_BUF_ERROR ? Step::kMore : Step::kDamaged;
  }
  void restart() { inflateReset(&stream_); }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

class Bunzip {
 public:
  static constexpr Packing kPacking = Packing::kBzip2;
  Bunzip() { ready_ = BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK; }
  Bunzip(const Bunzip&) = delete;
  Bunzip& operator=(const Bunzip&) = delete;
  ~Bunzip() { BZ2_bzDecompressEnd(&stream_); }

  Step step(Bytes& in, std::span<std::byte>& out) {
    constexpr std::size_t kMost = 1 << 30;
    const auto have = static_cast<unsigned>(std::min(in.size(), kMost));
    const auto room = static_cast<unsigned>(std::min(out.size(), kMost));
    stream_.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(in.data()));
    stream_.avail_in = have;
    stream_.next_out = reinterpret_cast<char*>(out.data());
    stream_.avail_out = room;
    const int code = ready_ ? BZ2_bzDecompress(&stream_) : BZ_MEM_ERROR;
    in = in.subspan(have - stream_.avail_in);
    out = out.subspan(room - stream_.avail_out);
    if (code == BZ_STREAM_END) return Step::kStreamEnd;
    return code == BZ_OK ? Step::kMore : Step::kDamaged;
  }
  void restart() {
    BZ2_bzDecompressEnd(&stream_);
    stream_ = {};
    ready_ = BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK;
  }

 private:
  bz_stream stream_{};
  bool ready_ = false;
};

class Unzstd {
 public:
  static constexpr Packing kPacking = Packing::kZstd;
  Unzstd() : stream_(ZSTD_createDStream()) {}
  Unzstd(const Unzstd&) = delete;
  Unzstd& operator=(const Unzstd&) = delete;
  ~Unzstd() { ZSTD_freeDStream(stream_); }

  Step step(Bytes& in, std::span<std::byte>& out) {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const std::size_t code =
        stream_ == nullptr ? SIZE_MAX : ZSTD_decompressStream(stream_, &to, &from);
    in = in.subspan(from.pos);
    out = out.subspan(to.pos);
    if (ZSTD_isError(code) != 0) return Step::kDamaged;
    return code == 0 ? Step::kStreamEnd : Step::kMore;
  }
  void restart() { ZSTD_DCtx_reset(stream_, ZSTD_reset_session_only); }

 private:
  ZSTD_DStream* stream_;
};

/// A file may hold several streams one after the other, and end in zeros.
template <class Unpacker>
class UnpackingSource final : public ByteSource {
 public:
  UnpackingSource(std::unique_ptr<ByteSource> packed, std::string name, std::uint64_t limit)
      : packed_(std::move(packed)), name_(std::move(name)), limit_(limit), buffer_(kPiece) {}

  Result<std::size_t> read(std::span<std::byte> out) override {
    const std::size_t wanted = out.size();
    while (!out.empty() && !ended_) {
      YL_TRY(refill());
      if (in_stream_) {
        YL_TRY(unpack_some(out));
      } else {
        YL_TRY(next_stream());
      }
      if (unpacked_ > limit_) return bomb_error(name_, limit_);
    }
    return wanted - out.size();
  }

 private:
  Status unpack_some(std::span<std::byte>& out) {
    const std::size_t had = rest_.size();
    const std::size_t room = out.size();
    const Step step = unpacker_.step(rest_, out);
    unpacked_ += room - out.size();
    if (step == Step::kStreamEnd) {
      in_stream_ = false;
    } else if (step == Step::kDamaged || (had == rest_.size() && room == out.size())) {
      // No byte went in or came out: the data are cut short.
      return damaged(Unpacker::kPacking, name_);
    }
    return Ok{};
  }

  /// At the border of two streams, where ten bytes tell whether another one follows.
  Status next_stream() {
    if (packing_of(rest_) == Unpacker::kPacking) {
      unpacker_.restart();
      in_stream_ = true;
      return Ok{};
    }
    ended_ = true;
    for (;;) {
      if (!is_padding(rest_)) return damaged(Unpacker::kPacking, name_);
      rest_ = {};
      YL_TRY(refill());
      if (rest_.empty()) return Ok{};
    }
  }

  Status refill() {
    constexpr std::size_t kEnough = 64;
    if (rest_.size() >= kEnough || upstream_ended_) return Ok{};
    std::memmove(buffer_.data(), rest_.data(), rest_.size());
    const std::size_t kept = rest_.size();
    YL_ASSIGN(const std::size_t n, packed_->read(std::span(buffer_).subspan(kept)));
    upstream_ended_ = n < buffer_.size() - kept;
    rest_ = Bytes(buffer_).first(kept + n);
    return Ok{};
  }

  std::unique_ptr<ByteSource> packed_;
  std::string name_;
  std::uint64_t limit_;
  std::vector<std::byte> buffer_;
  Bytes rest_;
  Unpacker unpacker_;
  std::uint64_t unpacked_ = 0;
  bool in_stream_ = true;
  bool upstream_ended_ = false;
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
  if (packed.size() >= 8) std::memcpy(&size, packed.data() + packed.size() - 4, 4);
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

Packing packing_of(Bytes head) {
  if (starts_with(head, "\x1F\x8B\x08")) return Packing::kGzip;
  if (starts_with(head, "\x28\xB5\x2F\xFD")) return Packing::kZstd;
  const bool bzip2 = head.size() >= 10 && starts_with(head, "BZh") && head[3] >= std::byte{'1'} &&
                     head[3] <= std::byte{'9'};
  // The first block's mark, or the end's of an empty stream.
  if (bzip2 && (starts_with(head.subspan(4), "\x31\x41\x59\x26\x53\x59") ||
                starts_with(head.subspan(4), "\x17\x72\x45\x38\x50\x90"))) {
    return Packing::kBzip2;
  }
  return Packing::kNone;
}

std::string_view to_word(Packing packing) {
  switch (packing) {
    case Packing::kGzip: return "gzip";
    case Packing::kBzip2: return "bzip2";
    case Packing::kZstd: return "zstd";
    case Packing::kNone: break;
  }
  return "none";
}

std::string name_without(Packing packing, std::string name) {
  struct Suffix {
    Packing packing;
    std::string_view text, instead;
  };
  constexpr std::array<Suffix, 8> kSuffixes{{{Packing::kGzip, ".gz", ""},
                                             {Packing::kGzip, ".tgz", ".tar"},
                                             {Packing::kBzip2, ".bz2", ""},
                                             {Packing::kBzip2, ".tbz2", ".tar"},
                                             {Packing::kBzip2, ".tbz", ".tar"},
                                             {Packing::kZstd, ".zst", ""},
                                             {Packing::kZstd, ".zstd", ""},
                                             {Packing::kZstd, ".tzst", ".tar"}}};
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.packing != packing || name.size() <= suffix.text.size() ||
        !name.ends_with(suffix.text)) {
      continue;
    }
    name.resize(name.size() - suffix.text.size());
    name += suffix.instead;
    break;
  }
  return name;
}

std::uint64_t allowance(std::uint64_t packed, const UnpackLimits& limits) {
  return std::min(limits.bytes, std::max(limits.free_bytes, packed * limits.ratio));
}

Error bomb_error(const std::string& name, std::uint64_t limit) {
  return {Errc::kFormat, "READ-0004",
          fmt::format(
              "{} unpacks to more than {} bytes, which no log of its size does; it is not read.",
              name, limit)};
}

std::unique_ptr<ByteSource> memory_source(Bytes bytes) {
  return std::make_unique<MemorySource>(bytes);
}

std::unique_ptr<ByteSource> unpacking_source(Packing packing, std::unique_ptr<ByteSource> packed,
                                             std::string name, std::uint64_t limit) {
  switch (packing) {
    case Packing::kBzip2:
      return std::make_unique<UnpackingSource<Bunzip>>(std::move(packed), std::move(name), limit);
    case Packing::kZstd:
      return std::make_unique<UnpackingSource<Unzstd>>(std::move(packed), std::move(name), limit);
    case Packing::kGzip:
    case Packing::kNone: break;
  }
  return std::make_unique<UnpackingSource<Gunzip>>(std::move(packed), std::move(name), limit);
}

Result<UnpackedBytes> gunzip(Bytes packed, const std::string& name, std::uint64_t limit) {
  const Decompressor decompressor;
  UnpackedBytes out;
  std::uint64_t room = 0;
  const std::uint64_t guess = stated_size(packed);
  grow(out, room, std::clamp(guess, std::min<std::uint64_t>(packed.size() * 2, limit), limit), 0);
  while (packing_of(packed) == Packing::kGzip) {
    std::size_t used = 0;
    std::size_t made = 0;
    const auto code =
        libdeflate_gzip_decompress_ex(decompressor.handle, packed.data(), packed.size(),
                                      out.data.get() + out.size, room - out.size, &used, &made);
    if (code == LIBDEFLATE_INSUFFICIENT_SPACE) {
      if (room >= limit) return bomb_error(name, limit);
      grow(out, room, std::min(limit, std::max<std::uint64_t>(room * 2, 65'536)), out.size);
      continue;
    }
    if (code != LIBDEFLATE_SUCCESS) return damaged(Packing::kGzip, name);
    out.size += made;
    packed = packed.subspan(used);
  }
  if (!is_padding(packed)) return damaged(Packing::kGzip, name);
  return out;
}

Result<UnpackedBytes> drain(ByteSource& source, std::uint64_t guess) {
  UnpackedBytes out;
  std::uint64_t room = 0;
  grow(out, room, std::max<std::uint64_t>(guess, 65'536), 0);
  for (;;) {
    if (out.size == room) grow(out, room, room * 2, out.size);
    const std::size_t wanted = static_cast<std::size_t>(room) - out.size;
    YL_ASSIGN(const std::size_t n, source.read({out.data.get() + out.size, wanted}));
    out.size += n;
    if (n < wanted) return out;
  }
}

}  // namespace yieldloop::ingest
