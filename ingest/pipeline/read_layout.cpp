#include "ingest/pipeline/read_layout.h"

#include <sys/mman.h>
#include <unistd.h>

#include "ingest/readers/gdsii/gdsii_layout.h"
#include "ingest/readers/input.h"
#include "ingest/readers/oasis/oasis_layout.h"

namespace yieldloop::ingest {
namespace {

/// Gives whole pages of a file's map back to the system; they are read again when needed.
class PageReleaser {
 public:
  explicit PageReleaser(Bytes map) : map_(map) {}
  void operator()(std::uint64_t done) {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t end = done / page * page;
    if (end <= released_) return;
    ::madvise(const_cast<std::byte*>(map_.data()) + released_, end - released_, MADV_DONTNEED);
    released_ = end;
  }

 private:
  Bytes map_;
  std::uint64_t released_ = 0;
};

Result<layout::Layout> read(Bytes bytes, Rejects& rejects, const gdsii::GdsiiOptions& options) {
  if (oasis::looks_like_oasis(bytes)) return oasis::read_oasis(bytes, rejects);
  if (gdsii::may_be_gdsii(bytes)) return gdsii::read_gdsii(bytes, rejects, options);
  return Error{Errc::kFormat, "INGE-0020",
               "The file is not a layout this version reads; give GDSII or OASIS."};
}

}  // namespace

Result<layout::Layout> read_layout(Bytes bytes, Rejects& rejects) {
  return read(bytes, rejects, {});
}

Result<layout::Layout> read_layout(Bytes bytes) {
  Rejects rejects;
  return read(bytes, rejects, {});
}

Result<layout::Layout> read_layout(FileSystem& files, const fs::path& path, Rejects& rejects) {
  YL_ASSIGN(auto file, files.map(path));
  const Bytes map = file->bytes();
  const Sha256Digest not_needed{};
  YL_ASSIGN(const auto input,
            input_from_mapped(path.filename().string(), std::move(file), {}, &not_needed));
  YL_ASSIGN(const Bytes bytes, input->bytes());
  gdsii::GdsiiOptions options;
  if (bytes.data() == map.data()) options.done = PageReleaser(map);
  return read(bytes, rejects, options);
}

}  // namespace yieldloop::ingest
