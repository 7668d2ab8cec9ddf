/// \file
/// The reading process: `yieldloop-worker`. Reads files that the program hands it by descriptor
/// and hands rows back; it has no other rights. See worker_pool.h for the other end.
#pragma once

#include "ingest/readers/reader.h"

namespace yieldloop::ingest {

/// Descriptors that the program leaves to a reading process.
inline constexpr int kWorkerSocket = 3;
inline constexpr int kWorkerShared = 4;
/// Says that the program has started it, and no user.
inline constexpr const char* kWorkerArgument = "--from-yieldloop";

/// Serves requests until the program closes its end; returns the exit status of the process.
/// `argc` and `argv` are main's.
int run_worker(const ReaderRegistry& readers, int argc, const char* const* argv);

/// Both ends must agree on it: the protocol's number and the tables of the store.
std::uint64_t worker_fingerprint();

}  // namespace yieldloop::ingest
