#include "ingest/service/config.h"

#include <sys/stat.h>

#include <toml++/toml.h>

#include "engine/core/text.h"
#include "engine/core/toml_guard.h"

namespace yieldloop::ingest::service {
namespace {

Error bad(const fs::path& path, std::string_view what) {
  return {Errc::kFormat, "SERV-0001", fmt::format("{}: {}", path.string(), what)};
}

Status read_listen(const fs::path& path, const std::string& listen, Config& config) {
  const auto colon = listen.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : parse_int(listen.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535 || colon == 0) {
    return bad(path, "service.listen must be HOST:PORT, e.g. \"127.0.0.1:8765\".");
  }
  config.host = listen.substr(0, colon);
  config.port = static_cast<std::uint16_t>(*port);
  return Ok{};
}

Status read_token(FileSystem& files, const fs::path& token_path, Config& config) {
  const auto refuse = [&](std::string_view why) {
    return Error{Errc::kInvalidOptions, "SERV-0002",
                 fmt::format("The token file {} {}.", token_path.string(), why)};
  };
  const auto text = read_text_file(files, token_path);
  if (!text) return refuse("cannot be read; write one line with a secret of your own into it");
  config.token = std::string(trim(*text));
  if (config.token.size() < 16) return refuse("must hold a secret of at least 16 characters");
  struct stat s {};
  if (::stat(token_path.c_str(), &s) == 0 && (s.st_mode & S_IROTH) != 0) {
    return refuse("can be read by everyone; chmod 600 it");
  }
  return Ok{};
}

std::optional<CompleteWhen> complete_when(std::string_view word) {
  if (word == "any") return CompleteWhen::kAny;
  if (word == "stable") return CompleteWhen::kStable;
  if (word == "done") return CompleteWhen::kDone;
  if (word == "renamed") return CompleteWhen::kRenamed;
  return std::nullopt;
}

Status read_drops(const fs::path& path, const toml::table& root, Config& config) {
  const auto* drops = root["drop"].as_array();
  if (drops == nullptr) return Ok{};
  for (const auto& node : *drops) {
    const auto* table = node.as_table();
    const auto folder = table ? (*table)["folder"].value<std::string>() : std::nullopt;
    if (!folder || folder->empty()) return bad(path, "every [[drop]] needs a folder.");
    const double stable = (*table)["stable_seconds"].value_or(5.0);
    if (!(stable >= 0.0) || stable > 86'400.0)
      return bad(path, "drop.stable_seconds must be 0 to 86400.");
    const std::string how = (*table)["complete_when"].value_or(std::string("any"));
    const auto when = complete_when(how);
    if (!when) {
      return bad(path, "drop.complete_when must be any, stable, done or renamed.");
    }
    const fs::path given(*folder);
    config.drops.push_back(
        {given.is_absolute() ? given : path.parent_path() / given, stable, *when});
  }
  return Ok{};
}

}  // namespace

Result<Config> load_config(FileSystem& files, const fs::path& path) {
  YL_ASSIGN(const std::string text, read_text_file(files, path));
  if (const auto line = line_nested_too_deep(text)) {
    return bad(path, fmt::format("line {}: nested deeper than {} levels.", *line, kMostNested));
  }
  toml::table root;
  try {
    root = toml::parse(text, path.string());
  } catch (const toml::parse_error& e) {
    return bad(path, fmt::format("line {}: {}.", e.source().begin.line, e.description()));
  }
  Config config;
  const auto service = root["service"];
  if (const auto listen = service["listen"].value<std::string>()) {
    YL_TRY(read_listen(path, *listen, config));
  }
  const std::int64_t body_mb = service["max_body_mb"].value_or(std::int64_t{4096});
  if (body_mb < 1 || body_mb > (std::int64_t{1} << 20)) {
    return bad(path, "service.max_body_mb must be 1 to 1048576.");
  }
  config.max_body_bytes = static_cast<std::uint64_t>(body_mb) << 20;
  YL_TRY(read_drops(path, root, config));
  const auto token_file = service["token_file"].value<std::string>();
  if (!token_file) return bad(path, "service.token_file is missing: writes need a token.");
  const fs::path given(*token_file);
  YL_TRY(read_token(files, given.is_absolute() ? given : path.parent_path() / given, config));
  return config;
}

}  // namespace yieldloop::ingest::service
