#include "fab_folder.h"

#include <zlib.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace yieldloop::test {
namespace {

class MemoryFile final : public WritableFile {
 public:
  MemoryFile(std::string& content, std::uint64_t& left) : content_(content), left_(left) {}
  Status write(std::span<const std::byte> bytes) override {
    if (bytes.size() > left_) return Error{Errc::kNoSpace, "FILE-0003", "The disk is full."};
    left_ -= bytes.size();
    content_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return Ok{};
  }
  Status sync() override { return Ok{}; }
  Status close() override { return Ok{}; }

 private:
  std::string& content_;
  std::uint64_t& left_;
};

Error missing(const fs::path& path) {
  return {Errc::kNotFound, "FILE-0001", path.string() + " does not exist."};
}

}  // namespace

Result<std::unique_ptr<WritableFile>> MemoryFiles::create(const fs::path& path) {
  std::string& file = content[path.string()];
  file.clear();
  return std::unique_ptr<WritableFile>(std::make_unique<MemoryFile>(file, full_after));
}

Result<std::unique_ptr<MappedFile>> MemoryFiles::map(const fs::path& path) { return missing(path); }
Result<FileInfo> MemoryFiles::info(const fs::path& path) { return missing(path); }

Result<std::vector<FileInfo>> MemoryFiles::list(const fs::path& folder) {
  std::vector<FileInfo> found;
  for (const auto& [name, text] : content) {
    if (name.starts_with(folder.string() + "/")) {
      found.push_back({.path = name, .is_regular = true, .size = text.size()});
    }
  }
  return found;
}

Status MemoryFiles::rename(const fs::path& from, const fs::path& to) {
  content[to.string()] = std::move(content[from.string()]);
  return remove(from);
}

Status MemoryFiles::remove(const fs::path& path) {
  content.erase(path.string());
  return Ok{};
}

bool MemoryFiles::exists(const fs::path& path) { return !list(path)->empty(); }

std::vector<std::string> FabFolder::names(const std::string& folder) const {
  std::vector<std::string> found;
  for (const auto& [name, text] : files) {
    if (name.starts_with(folder + "/")) found.push_back(name);
  }
  return found;
}

const FabFolder& fab(const std::string& scenario, std::uint64_t seed) {
  static std::map<std::pair<std::string, std::uint64_t>, FabFolder> done;
  const auto key = std::pair{scenario, seed};
  if (const auto known = done.find(key); known != done.end()) return known->second;
  MemoryFiles disk;
  NoProgress progress;
  const auto summary =
      simulator::simulate({.scenario = scenario, .seed = seed}, disk, "fab", progress);
  if (!summary) throw std::runtime_error(summary.error().message);
  FabFolder folder;
  folder.summary = *summary;
  for (auto& [name, text] : disk.content) folder.files[name.substr(4)] = std::move(text);
  folder.truth = nlohmann::json::parse(folder.files.at("truth.json"));
  return done.emplace(key, std::move(folder)).first->second;
}

std::string gunzip(const std::string& packed) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return {};
  std::string input = packed;
  std::string out(64U << 20U, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool whole = inflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(whole ? stream.total_out : 0);
  inflateEnd(&stream);
  return out;
}

bool Csv::has(const std::string& column) const {
  return std::ranges::find(columns, column) != columns.end();
}

const std::string& Csv::at(std::size_t row, const std::string& column) const {
  const auto found = std::ranges::find(columns, column);
  if (found == columns.end()) throw std::runtime_error("no column " + column);
  return rows.at(row).at(static_cast<std::size_t>(found - columns.begin()));
}

Csv read_csv(const FabFolder& folder, const std::string& name) {
  const std::string& stored = folder.files.at(name);
  std::istringstream text(name.ends_with(".gz") ? gunzip(stored) : stored);
  Csv csv;
  for (std::string line; std::getline(text, line);) {
    std::vector<std::string> cells(1);
    for (const char c : line) {
      if (c == ',') {
        cells.emplace_back();
      } else {
        cells.back().push_back(c);
      }
    }
    if (csv.columns.empty()) {
      csv.columns = std::move(cells);
    } else {
      csv.rows.push_back(std::move(cells));
    }
  }
  return csv;
}

}  // namespace yieldloop::test
