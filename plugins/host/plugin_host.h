/// \file
/// Loads reader plugins without trusting them more than needed.
///
/// A plugin is loaded only when
///   1. its folder is named by the administrator, is a real folder, belongs to root or to this
///      user, and nobody else may write to it; the same holds of the file, which is no link;
///   2. it is a shared library for this kind of machine, and its hash is the one that the
///      folder's `MANIFEST.sha256` names for it, where there is such a file;
///   3. a child process could load it, ask it for its table and sniff with it, within the time
///      limit: a library that crashes, exits, hangs or throws is refused and the program lives;
///   4. its table is complete, its size at least that of version 1, its id well formed and free.
///
/// The child and the program load the very same opened file, so it cannot be exchanged in
/// between. What a plugin does later, in `read`, it does inside the program: in-process plugins
/// are trusted code, and this guards against mistakes and strangers, not against their authors.
///
/// Call it early, from one thread: it forks.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/core/result.h"
#include "ingest/readers/reader.h"

namespace yieldloop::plugins {

struct HostOptions {
  std::filesystem::path folder;                   ///< Files "*.so" directly in it.
  std::chrono::milliseconds probe_timeout{5000};  ///< For one plugin's child.
};

struct LoadedPlugin {
  std::filesystem::path path;
  std::string id;  ///< Of its reader.
  std::string title;
  std::string sha256;  ///< Of the file.
};

struct RefusedPlugin {
  std::filesystem::path path;
  Error error;
};

/// Readers hold their library open for as long as they (or copies) live.
struct PluginSet {
  std::vector<ingest::ReaderDeclaration> readers;  ///< In the order of `loaded`.
  std::vector<LoadedPlugin> loaded;                ///< By file name.
  std::vector<RefusedPlugin> refused;              ///< By file name; the rest was loaded.
};

/// Errors of the folder: kNotFound (PLUG-0001) when it is not there; kDenied (PLUG-0002) when
/// others may write to it, it belongs to someone else or is a link; kDamaged (PLUG-0003) for a
/// MANIFEST.sha256 that cannot be read.
/// Errors of one plugin, in `refused`: PLUG-0004 link, foreign or writable by others; PLUG-0005
/// no shared library of this machine; PLUG-0006 not in the manifest or another hash; PLUG-0007 it
/// crashed, exited or hung in the child; PLUG-0008 cannot be loaded or lacks the entry function;
/// PLUG-0009 does not serve this program's ABI; PLUG-0010 its table is incomplete or its id not
/// well formed; PLUG-0011 its id is taken by another plugin.
Result<PluginSet> load_plugins(const HostOptions& options);

}  // namespace yieldloop::plugins
