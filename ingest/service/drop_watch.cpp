#include "ingest/service/drop_watch.h"

#include <set>

namespace yieldloop::ingest::service {
namespace {

bool is_candidate(const FileInfo& info) {
  const std::string name = info.path.filename().string();
  return info.is_regular && !name.starts_with('.') && !name.ends_with(".tmp") &&
         !name.ends_with(".part") && !name.ends_with(".done");
}

fs::path with_suffix(const fs::path& path, std::string_view suffix) {
  fs::path result = path;
  result += suffix;
  return result;
}

}  // namespace

bool DropWatch::is_complete(const Seen& seen, std::int64_t now_ns, bool marked) const {
  const bool stable =
      now_ns - seen.since_ns >= static_cast<std::int64_t>(drop_.stable_seconds * 1e9);
  switch (drop_.complete_when) {
    case CompleteWhen::kDone: return marked;
    case CompleteWhen::kStable: return stable;
    case CompleteWhen::kRenamed: return true;
    case CompleteWhen::kAny: break;
  }
  return marked || stable || seen.renamed;
}

bool DropWatch::was_renamed(const fs::path& path, const Seen& seen) const {
  const std::string name = path.filename().string();
  for (const std::string& before :
       {"." + name, name + ".tmp", name + ".part", "." + name + ".tmp", "." + name + ".part"}) {
    const auto it = unfinished_.find(path.parent_path() / before);
    if (it != unfinished_.end() && it->second.size == seen.size &&
        it->second.modified_ns == seen.modified_ns) {
      return true;
    }
  }
  return false;
}

Result<std::vector<fs::path>> DropWatch::complete_files(std::int64_t now_ns) {
  YL_ASSIGN(const auto entries, files_.list(drop_.folder));
  std::set<fs::path> present;
  for (const FileInfo& info : entries) present.insert(info.path);

  std::vector<fs::path> complete;
  std::map<fs::path, Seen> still;
  std::map<fs::path, Seen> unfinished;
  for (const FileInfo& info : entries) {
    Seen seen{info.size, info.modified_ns, now_ns, false};
    if (!is_candidate(info)) {
      if (info.is_regular) unfinished.emplace(info.path, seen);
      continue;
    }
    const auto it = seen_.find(info.path);
    if (it == seen_.end()) {
      seen.renamed = was_renamed(info.path, seen);
    } else if (it->second.size == info.size && it->second.modified_ns == info.modified_ns) {
      seen.since_ns = it->second.since_ns;
      seen.renamed = it->second.renamed;
    }
    const bool marked = present.contains(with_suffix(info.path, ".done"));
    if (is_complete(seen, now_ns, marked)) complete.push_back(info.path);
    still.emplace(info.path, seen);
  }
  seen_ = std::move(still);
  unfinished_ = std::move(unfinished);
  return complete;
}

Status DropWatch::move_away(const fs::path& file, bool refused) {
  const fs::path folder = drop_.folder / (refused ? "refused" : "taken");
  YL_TRY(files_.create_folders(folder));
  fs::path target = folder / file.filename();
  for (int n = 1; files_.exists(target); ++n) {
    target = folder / with_suffix(file.filename(), fmt::format(".{}", n));
  }
  YL_TRY(files_.rename(file, target));
  YL_TRY(files_.sync_folder(folder));
  seen_.erase(file);
  return files_.remove(with_suffix(file, ".done"));
}

}  // namespace yieldloop::ingest::service
