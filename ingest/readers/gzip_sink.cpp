#include "ingest/readers/gzip_sink.h"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace yieldloop::ingest {

struct GzipSink::Packer {
  z_stream stream{};
  bool ready = false;
  std::array<std::byte, 65'536> out;
};

GzipSink::GzipSink(ByteSink to) : to_(to), packer_(std::make_unique<Packer>()) {
  constexpr int kGzip = 16 + MAX_WBITS;
  constexpr int kMemory = 8;
  packer_->ready = deflateInit2(&packer_->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, kMemory,
                                Z_DEFAULT_STRATEGY) == Z_OK;
}

GzipSink::~GzipSink() {
  if (packer_->ready) deflateEnd(&packer_->stream);
}

Status GzipSink::write(Bytes bytes) {
  constexpr std::size_t kPiece = 1 << 30;  // zlib counts in 32 bits.
  while (!bytes.empty()) {
    const std::size_t n = std::min(bytes.size(), kPiece);
    YL_TRY(pack(bytes.first(n), false));
    bytes = bytes.subspan(n);
  }
  return Ok{};
}

Status GzipSink::finish() { return pack({}, true); }

Status GzipSink::pack(Bytes bytes, bool last) {
  z_stream& z = packer_->stream;
  if (!packer_->ready)
    return Error{Errc::kInternal, "READ-0005", "There is no memory to pack the output as gzip."};
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  int code = Z_OK;
  do {
    z.next_out = reinterpret_cast<Bytef*>(packer_->out.data());
    z.avail_out = static_cast<uInt>(packer_->out.size());
    code = deflate(&z, last ? Z_FINISH : Z_NO_FLUSH);
    const Bytes made(packer_->out.data(), packer_->out.size() - z.avail_out);
    if (!made.empty()) YL_TRY(to_(made));
  } while (z.avail_out == 0 || (last && code != Z_STREAM_END));
  return Ok{};
}

}  // namespace yieldloop::ingest
