/// \file
/// What a reader could not use, as data.
///
/// A damaged log is normal in a fab, so a reader never stops at the first bad record: it
/// drops the record, says so here, and resumes at the next one it can trust. The desktop and
/// the reports show these rows beside the results they affect.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace yieldloop::ingest {

/// One dropped or repaired piece of input.
struct Reject {
  std::uint64_t byte_offset = 0;      ///< Of the record, from the start of the (unpacked) file.
  std::optional<std::uint64_t> line;  ///< 1-based, for text formats.
  std::size_t record = 0;             ///< 0-based ordinal of the record.
  std::size_t bytes_dropped = 0;
  std::string id;  ///< Catalogue id, e.g. STDF-0002.
  std::string message;
  friend bool operator==(const Reject&, const Reject&) = default;
};

/// Keeps the first `kKept` rejects whole and counts the rest, so that a hostile file cannot
/// fill the memory with complaints.
class Rejects {
 public:
  static constexpr std::size_t kKept = 1000;
  void push_back(Reject reject) {
    ++total_;
    if (kept_.size() < kKept) kept_.push_back(std::move(reject));
  }
  std::size_t total() const { return total_; }
  bool empty() const { return total_ == 0; }
  const std::vector<Reject>& kept() const { return kept_; }

 private:
  std::vector<Reject> kept_;
  std::size_t total_ = 0;
};

}  // namespace yieldloop::ingest
