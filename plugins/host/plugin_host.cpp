#include "plugins/host/plugin_host.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>

#include "engine/core/file_system.h"
#include "engine/core/text.h"
#include "plugins/host/library.h"
#include "plugins/host/reader_adapter.h"

namespace yieldloop::plugins {
namespace {

constexpr std::string_view kManifest = "MANIFEST.sha256";

using Manifest = std::map<std::string, std::string>;  ///< File name to SHA-256.

Status check_folder(const fs::path& folder) {
  struct stat info {};
  if (lstat(folder.c_str(), &info) != 0) {
    return Error{Errc::kNotFound, "PLUG-0001",
                 fmt::format("The plugin folder {} is not there.", folder.string())};
  }
  std::string_view why;
  if (S_ISLNK(info.st_mode))
    why = "it is a link";
  else if (!S_ISDIR(info.st_mode))
    why = "it is no folder";
  else if (info.st_uid != 0 && info.st_uid != geteuid())
    why = "it belongs to another user";
  else if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    why = "others may write to it (chmod go-w)";
  if (why.empty()) return Ok{};
  return Error{Errc::kDenied, "PLUG-0002",
               fmt::format("No plugin was loaded from {}: {}.", folder.string(), why)};
}

/// Lines "<64 hex digits>  <file name>", as sha256sum writes them.
Result<std::optional<Manifest>> read_manifest(const fs::path& folder) {
  const fs::path path = folder / kManifest;
  if (!real_file_system().exists(path)) return std::optional<Manifest>();
  YL_TRY(open_checked(path));
  YL_ASSIGN(const std::string text, read_text_file(real_file_system(), path));
  Manifest manifest;
  for (const std::string_view line : split(text, '\n')) {
    const std::string_view entry = trim(line);
    if (entry.empty()) continue;
    const std::string_view name = entry.size() > 66 ? trim(entry.substr(64)) : std::string_view();
    const bool is_hash = entry.size() > 66 && std::ranges::all_of(entry.substr(0, 64), [](char c) {
                           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                         });
    if (!is_hash || name.empty()) {
      return Error{Errc::kDamaged, "PLUG-0003",
                   fmt::format("{} has a line that is not a SHA-256 and a file name; write it with "
                               "sha256sum.",
                               path.string())};
    }
    manifest[std::string(name)] = std::string(entry.substr(0, 64));
  }
  return std::optional(std::move(manifest));
}

struct Candidate {
  std::shared_ptr<Library> library;
  std::string sha256;
};

Result<Candidate> try_plugin(const fs::path& path, const std::optional<Manifest>& manifest,
                             const HostOptions& options) {
  YL_ASSIGN(const OpenFile file, open_checked(path));
  YL_ASSIGN(const std::string hash, check_elf_and_hash(file, path));
  if (manifest) {
    const auto listed = manifest->find(path.filename().string());
    if (listed == manifest->end() || listed->second != hash) {
      return Error{
          Errc::kDenied, "PLUG-0006",
          fmt::format("Plugin {} was not loaded: {} in {}.", path.filename().string(),
                      listed == manifest->end() ? "it is not listed" : "it has another hash than",
                      kManifest)};
    }
  }
  YL_TRY(probe(file, path, options.probe_timeout));
  YL_ASSIGN(auto library, load(file, path));
  return Candidate{std::move(library), hash};
}

}  // namespace

Result<PluginSet> load_plugins(const HostOptions& options) {
  YL_TRY(check_folder(options.folder));
  YL_ASSIGN(const auto manifest, read_manifest(options.folder));
  YL_ASSIGN(const auto files, real_file_system().list(options.folder));
  PluginSet set;
  for (const FileInfo& file : files) {
    if (file.path.extension() != ".so") continue;
    auto candidate = try_plugin(file.path, manifest, options);
    if (!candidate) {
      set.refused.push_back({file.path, candidate.error()});
      continue;
    }
    ingest::ReaderDeclaration reader = adapt(candidate->library);
    if (std::ranges::find(set.loaded, reader.id, &LoadedPlugin::id) != set.loaded.end()) {
      set.refused.push_back(
          {file.path,
           {Errc::kInvalidOptions, "PLUG-0011",
            fmt::format("Plugin {} was not loaded: its id \"{}\" is taken by another plugin.",
                        file.path.filename().string(), reader.id)}});
      continue;
    }
    set.loaded.push_back({file.path, reader.id, reader.title, candidate->sha256});
    set.readers.push_back(std::move(reader));
  }
  return set;
}

}  // namespace yieldloop::plugins
