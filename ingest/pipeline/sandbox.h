/// \file
/// Takes a process's rights away: no network, no file, no other program. Internal to the pipeline.
///
/// After `close_sandbox` the process can use memory, the descriptors it holds and threads of its
/// own. Opening a file gives EACCES; asking for a network connection, opening a file for writing,
/// starting a program or touching another process ends it, and the shared state names the call.
/// There is no way back.
///
/// Source: seccomp(2), Linux 3.17 and newer; the filter is written by hand.
#pragma once

#include <cstdint>
#include <string>

namespace yieldloop::ingest {

/// Whether the filter is in force: false where the system has none. `system_call` gets the number
/// of a forbidden call before the process ends.
bool close_sandbox(volatile std::int64_t& system_call);

/// The exit status of a process that asked for what is forbidden.
inline constexpr int kForbidden = 117;

/// "open a network connection", "write a file", ...
std::string what_it_does(std::int64_t system_call);

}  // namespace yieldloop::ingest
