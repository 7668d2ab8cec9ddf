/// \file
/// Configuration of `yieldloop serve`, a TOML file; see docs/operations.md.
///
///   [service]
///   listen = "127.0.0.1:8765"        # loopback only unless tls is terminated in front
///   token_file = "/etc/yieldloop/token"
///   max_body_mb = 4096
///   [[drop]]
///   folder = "/fab/drop"
///   complete_when = "any"            # or "stable", "done", "renamed"; see drop_watch.h
///   stable_seconds = 5               # how long a file must be unchanged
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/file_system.h"
#include "engine/core/result.h"

namespace yieldloop::ingest::service {

/// By which sign a file in a drop folder is complete.
enum class CompleteWhen : std::uint8_t {
  kAny,      ///< The first of the three below.
  kStable,   ///< Size and time of change stayed the same for `stable_seconds`.
  kDone,     ///< FILE.done stands beside it.
  kRenamed,  ///< It is there under its own name: senders write .FILE, FILE.tmp or FILE.part first.
};

struct DropFolder {
  fs::path folder;
  double stable_seconds = 5.0;
  CompleteWhen complete_when = CompleteWhen::kAny;
  friend bool operator==(const DropFolder&, const DropFolder&) = default;
};

struct Config {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8765;  ///< 0 lets the system choose.
  std::string token;          ///< Required for writes; from token_file, never from the file itself.
  std::uint64_t max_body_bytes = std::uint64_t{4096} << 20;
  int max_connections = 32;
  double header_seconds = 10.0;           ///< Whole request head.
  double body_bytes_per_second = 1000.0;  ///< Slower bodies are cut off after 20 s.
  double poll_seconds = 1.0;
  std::vector<DropFolder> drops;
  friend bool operator==(const Config&, const Config&) = default;
};

/// Errors: kFormat (SERV-0001) for TOML errors and values out of range, with the line or key;
/// kInvalidOptions (SERV-0002) when the token file is missing, empty or readable by everyone.
Result<Config> load_config(FileSystem& files, const fs::path& path);

}  // namespace yieldloop::ingest::service
