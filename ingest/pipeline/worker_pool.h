/// \file
/// Reads files in processes of their own, so that a file that defeats a reader costs that file
/// only.
///
/// A pool holds some `yieldloop-worker` processes, started when they are first needed and kept for
/// the next file. Each has limits on memory and processor time, and no right to the network, to
/// files or to other processes (sandbox.h). A process that crashes, hangs or breaks a rule is
/// replaced; its file is refused with a sentence that says what happened:
///
///   PIPE-0008 it crashed; PIPE-0009 it took too long; PIPE-0010 it asked for what is forbidden;
///   PIPE-0011 it handed back what is no row of the store, or not the rows it counted.
///
/// What comes back is checked against the tables of the store before it reaches the receiver.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/core/file_system.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "ingest/pipeline/documents.h"

namespace yieldloop::ingest {

struct WorkerSettings {
  fs::path program;          ///< yieldloop-worker.
  std::string mapping_toml;  ///< The text of mapping.toml; empty for none.
  unsigned processes = 0;    ///< 0: as many as cores.

  /// Address space for one document: `memory_bytes` and so much more for each of its bytes. Packed
  /// files get it for eight times their size.
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;
  std::uint64_t memory_per_byte = 8;
  /// Processor seconds for one document, and for each megabyte more of it. A process that neither
  /// computes nor answers is given four times as long.
  double seconds = 60.0;
  double seconds_per_megabyte = 1.0;
};

/// Thread-safe; one pool may serve any number of ingests, one after the other or at once.
class WorkerPool {
 public:
  explicit WorkerPool(WorkerSettings settings);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// As read_documents; waits for a process that is free.
  /// Errors: kIo, kInternal (PIPE-0012) when no reading process can be started; kCancelled
  /// (PIPE-0004). A receiver that says stop is no error.
  Status read(const MappedFile& file, const Document& whole, const std::string& name,
              const UnpackLimits& unpack, Receiver& receiver, const Progress& progress);

  /// How many processes there are at most.
  unsigned size() const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

/// $YIELDLOOP_WORKER, or yieldloop-worker beside the running program; nothing when there is none.
std::optional<fs::path> find_worker_program();

/// A pool with the program found beside this one, or nullptr, noted in the log (PIPE-0013), when
/// there is none: files are then read in this process.
std::unique_ptr<WorkerPool> default_worker_pool(std::string mapping_toml = {},
                                                unsigned processes = 0);

}  // namespace yieldloop::ingest
