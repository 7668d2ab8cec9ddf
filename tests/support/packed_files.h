/// \file
/// Packed streams and archives for tests, made with the libraries themselves.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <bzlib.h>
#include <zlib.h>
#include <zstd.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace yieldloop::test {

inline std::string gzip(std::string_view content) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK)
    return {};
  std::string packed(deflateBound(&stream, content.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline std::string bzip2(std::string_view content) {
  std::string packed(content.size() + content.size() / 50 + 1000, '\0');
  auto size = static_cast<unsigned>(packed.size());
  BZ2_bzBuffToBuffCompress(packed.data(), &size, const_cast<char*>(content.data()),
                           static_cast<unsigned>(content.size()), 9, 0, 0);
  packed.resize(size);
  return packed;
}

inline std::string zstd(std::string_view content) {
  std::string packed(ZSTD_compressBound(content.size()), '\0');
  // With a checksum, as the program `zstd` writes it.
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  packed.resize(
      ZSTD_compress2(context, packed.data(), packed.size(), content.data(), content.size()));
  ZSTD_freeCCtx(context);
  return packed;
}

using Members = std::vector<std::pair<std::string, std::string>>;

namespace detail {
inline std::string archive_of(struct archive* a, const Members& members) {
  std::string room;
  std::size_t size = 4096;
  for (const auto& [name, content] : members) size += content.size() + name.size() * 3 + 4096;
  room.resize(size + 65'536);
  std::size_t used = 0;
  archive_write_set_bytes_in_last_block(a, 1);
  archive_write_open_memory(a, room.data(), room.size(), &used);
  for (const auto& [name, content] : members) {
    struct archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_perm(entry, 0644);
    const bool folder = name.ends_with('/');
    // "name -> target" is a link.
    const std::size_t arrow = name.find(" -> ");
    if (arrow != std::string::npos) {
      archive_entry_set_pathname(entry, name.substr(0, arrow).c_str());
      archive_entry_set_symlink(entry, name.substr(arrow + 4).c_str());
      archive_entry_set_filetype(entry, AE_IFLNK);
      archive_entry_set_size(entry, 0);
    } else {
      archive_entry_set_filetype(entry, folder ? AE_IFDIR : AE_IFREG);
      archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    }
    archive_write_header(a, entry);
    if (!content.empty()) archive_write_data(a, content.data(), content.size());
    archive_entry_free(entry);
  }
  archive_write_close(a);
  archive_write_free(a);
  room.resize(used);
  return room;
}
}  // namespace detail

inline std::string tar(const Members& members) {
  struct archive* a = archive_write_new();
  archive_write_set_format_pax_restricted(a);
  archive_write_add_filter_none(a);
  return detail::archive_of(a, members);
}

inline std::string zip(const Members& members) {
  struct archive* a = archive_write_new();
  archive_write_set_format_zip(a);
  return detail::archive_of(a, members);
}

}  // namespace yieldloop::test
