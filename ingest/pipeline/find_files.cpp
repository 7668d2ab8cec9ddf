#include "ingest/pipeline/find_files.h"

#include <fmt/format.h>

#include <map>
#include <system_error>

#include "engine/core/text.h"

namespace yieldloop::ingest {
namespace {

class Search {
 public:
  Search(FileSystem& files, fs::path excluded) : files_(files), excluded_(std::move(excluded)) {}

  void start(const fs::path& path) {
    // A link that the user names is followed, one that lies in a folder is not.
    std::error_code ignored;
    const fs::path target = fs::is_symlink(path, ignored) ? fs::canonical(path, ignored) : path;
    const auto info = files_.info(target.empty() ? path : target);
    if (!info) return keep_problem(path, true, info.error());
    if (info->is_folder) return visit(target);
    add(*info, path, true);
  }

  std::vector<FoundFile> take() {
    std::vector<FoundFile> all;
    for (auto& [path, file] : found_) all.push_back(std::move(file));
    return all;
  }

 private:
  void visit(const fs::path& folder) {
    if (!excluded_.empty() && fs::absolute(folder).lexically_normal() == excluded_) return;
    const auto entries = files_.list(folder);
    if (!entries) return keep_problem(folder, true, entries.error());
    for (const FileInfo& entry : *entries) {
      entry.is_folder ? visit(entry.path) : add(entry, entry.path, false);
    }
  }

  void add(const FileInfo& info, const fs::path& path, bool named) {
    if (!info.is_regular) {
      return keep_problem(path, named,
                          {Errc::kUnsupported, "PIPE-0006",
                           fmt::format("{} is a link or no regular file and is not read.",
                                       escape_controls(path.filename().string()))});
    }
    FoundFile& file = found_[path.lexically_normal().string()];
    file.path = path;
    file.bytes = info.size;
    file.named = file.named || named;
  }

  void keep_problem(const fs::path& path, bool named, const Error& error) {
    found_[path.lexically_normal().string()] =
        FoundFile{path, 0, named, error.message, error.id, error.code};
  }

  FileSystem& files_;
  fs::path excluded_;
  std::map<std::string, FoundFile> found_;
};

}  // namespace

std::vector<FoundFile> find_files(FileSystem& files, const std::vector<fs::path>& paths,
                                  const fs::path& excluded) {
  Search search(files, excluded.empty() ? excluded : fs::absolute(excluded).lexically_normal());
  for (const fs::path& path : paths) search.start(path);
  return search.take();
}

}  // namespace yieldloop::ingest
