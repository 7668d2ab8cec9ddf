#include "engine/simulator/output_folder.h"

#include <fmt/format.h>
#include <zlib.h>

namespace yieldloop::simulator {
namespace {

/// Without name and time in the header, so that the same text gives the same bytes. Empty when
/// zlib refuses.
std::string gzip(std::string_view text) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  if (deflateInit2(&stream, 6, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  std::string input(text);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(whole ? stream.total_out : 0);
  deflateEnd(&stream);
  return out;
}

}  // namespace

Result<OutputFolder> OutputFolder::open(FileSystem& files, fs::path folder) {
  if (files.exists(folder)) {
    YL_ASSIGN(const auto entries, files.list(folder));
    if (!entries.empty()) {
      return Error{Errc::kInvalidOptions, "SIMU-0002",
                   fmt::format("The folder {} is not empty; name a new one for the virtual fab.",
                               folder.string())};
    }
  }
  YL_TRY(files.create_folders(folder));
  return OutputFolder(files, std::move(folder));
}

Status OutputFolder::write(const std::string& name, std::string_view content) {
  const fs::path path = folder_ / name;
  YL_TRY(files_->create_folders(path.parent_path()));
  YL_ASSIGN(auto file, files_->create(path));
  YL_TRY(file->write(std::as_bytes(std::span(content))));
  YL_TRY(file->close());
  ++files_written_;
  bytes_written_ += content.size();
  return Ok{};
}

Status OutputFolder::write_gzip(const std::string& name, std::string_view content) {
  const std::string packed = gzip(content);
  if (packed.empty()) {
    return Error{Errc::kInternal, "SIMU-0004",
                 fmt::format("{} could not be compressed; report this with the seed.", name)};
  }
  return write(name + ".gz", packed);
}

}  // namespace yieldloop::simulator
