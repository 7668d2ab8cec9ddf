/// \file
/// One reading process, seen from the program. Internal to the pipeline.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "engine/core/result.h"
#include "ingest/pipeline/wire.h"
#include "ingest/pipeline/worker_pool.h"

namespace yieldloop::ingest {

/// Killed and waited for by the destructor.
class WorkerProcess {
 public:
  /// Starts one and hears that it is ready. Errors: PIPE-0012.
  static Result<std::unique_ptr<WorkerProcess>> start(const WorkerSettings& settings);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  bool sandboxed() const { return sandboxed_; }

  /// Limits for the next document of that many bytes; `packed` may become much larger.
  void set_limits(const WorkerSettings& settings, std::uint64_t bytes, bool packed);

  bool send(wire::Type type, std::string_view payload, int descriptor = -1);

  enum class Wait : std::uint8_t { kFrame, kLost, kTooSlow, kTick, kNonsense };
  /// The next frame; kTick after a tenth of a second without one. `payload` lives until the next
  /// call.
  Wait receive(wire::Type& type, std::string_view& payload);

  std::span<const std::byte> slot(std::size_t i, std::uint64_t bytes) const;
  void clear_state();
  std::string kind() const;
  std::uint64_t member() const;

  /// Ends it, and says in a sentence about `path` why it had to end or what it died of.
  Error post_mortem(const std::string& path, bool too_slow);

 private:
  WorkerProcess(pid_t pid, int socket, void* shared)
      : pid_(pid), socket_(socket), shared_(shared) {}
  bool greet(const std::string& mapping_toml);
  int end();
  wire::State& state() const { return *static_cast<wire::State*>(shared_); }

  pid_t pid_;
  int socket_;
  void* shared_;
  bool sandboxed_ = false;
  std::string buffer_;     ///< Bytes that came, frames not yet taken from it included.
  std::size_t taken_ = 0;  ///< Of the buffer.
  double waited_ = 0.0;    ///< Seconds, since the limits were set.
  double patience_ = 0.0;
  std::uint64_t memory_ = 0;  ///< The limit in force.
  double processor_until_ = 0.0;
};

}  // namespace yieldloop::ingest
