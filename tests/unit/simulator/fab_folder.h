/// \file
/// Runs the virtual fab into memory and reads back what it wrote, with decoders that share no
/// code with it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/core/file_system.h"
#include "engine/simulator/simulator.h"

namespace yieldloop::test {

/// Files in memory; `full_after` bytes the disk is full.
class MemoryFiles final : public FileSystem {
 public:
  Result<std::unique_ptr<WritableFile>> create(const fs::path& path) override;
  Result<std::unique_ptr<MappedFile>> map(const fs::path& path) override;
  Result<FileInfo> info(const fs::path& path) override;
  Result<std::vector<FileInfo>> list(const fs::path& folder) override;
  Status create_folders(const fs::path&) override { return Ok{}; }
  Status rename(const fs::path& from, const fs::path& to) override;
  Status remove(const fs::path& path) override;
  Status sync_folder(const fs::path&) override { return Ok{}; }
  bool exists(const fs::path& path) override;

  std::map<std::string, std::string> content;
  std::uint64_t full_after = UINT64_MAX;
};

/// What simulate wrote, by name relative to its folder.
struct FabFolder {
  simulator::Summary summary;
  std::map<std::string, std::string> files;
  nlohmann::json truth;

  std::vector<std::string> names(const std::string& folder) const;
};

/// Kept for the life of the process, so that each fab is simulated once.
const FabFolder& fab(const std::string& scenario, std::uint64_t seed = 1);

std::string gunzip(const std::string& packed);

struct Csv {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  const std::string& at(std::size_t row, const std::string& column) const;
  bool has(const std::string& column) const;
};
/// Of fields without quotes. Names ending in .gz are unpacked.
Csv read_csv(const FabFolder& folder, const std::string& name);

}  // namespace yieldloop::test
