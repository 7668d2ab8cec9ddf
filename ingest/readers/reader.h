/// \file
/// How a file format joins the program.
///
/// A reader is declared by value: who it is, how sure it is that a file is its own, and how
/// to read one. Built-in formats are listed by hand in ingest/pipeline/builtin_readers.cpp and
/// out-of-tree ones are adapted from the C table in plugins/sdk; nothing registers itself from
/// a static initialiser, so what is listed is what runs and a registry in a test holds only
/// what the test put there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"
#include "engine/core/sha256.h"
#include "engine/store/table.h"
#include "ingest/readers/diagnostics.h"

namespace yieldloop::ingest {

using Bytes = std::span<const std::byte>;

/// A file's (unpacked) bytes, in order, in pieces of the caller's choosing.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills `out` as far as the data reach; fewer bytes than asked means the end.
  /// Errors: kFormat when the packing is damaged (READ-0003) or a bomb (READ-0004), kIo.
  virtual Result<std::size_t> read(std::span<std::byte> out) = 0;
};

/// One file as a reader sees it: already unpacked from .gz and the like.
class Input {
 public:
  virtual ~Input() = default;
  /// The file's own name without folder and without ".gz", for file-name conventions only.
  virtual const std::string& name() const = 0;
  /// SHA-256 of the file as it was sent (packed); ids of rows derive from it.
  virtual const Sha256Digest& digest() const = 0;
  /// The first bytes (up to 64 KiB), for sniffing.
  virtual Bytes head() const = 0;
  /// The whole content in memory: mapped for plain files, unpacked (bounded) otherwise. Lives as
  /// long as the input. Errors: as ByteSource::read.
  virtual Result<Bytes> bytes() = 0;
  /// A fresh pass over the content in bounded memory, for readers that stream.
  virtual Result<std::unique_ptr<ByteSource>> stream() = 0;
};

/// How sure a reader is; every reader is asked and the surest one reads.
enum class Confidence : std::uint8_t { kNo, kMaybe, kCertain };

/// What a site says about its log files (mapping.toml); see ingest/readers/logs/mapping.h.
struct Mapping;

struct ReadOptions {
  const Mapping* mapping = nullptr;  ///< May be null.
};

/// What reading a file came to, besides the rows.
struct ReadSummary {
  std::string version;                   ///< "V4", "1.2", ...
  std::uint64_t rows = 0;                ///< Rows put into the sink.
  std::map<std::string, double> counts;  ///< Flat counts of the check document.
  std::map<std::string, std::map<std::string, double>> grouped_counts;  ///< "records", "hard_bins".
  std::map<std::string, std::string> texts;  ///< Texts of the check document: "table".
  std::vector<std::string> warnings;         ///< One sentence each.
};

struct ReaderDeclaration {
  std::string id;        ///< Stable, lower case, e.g. "stdf"; stored with the data it read.
  std::string title;     ///< For menus and reports, e.g. "STDF V4 test data".
  std::string patterns;  ///< For file dialogs, e.g. "*.stdf *.std".

  /// Looks at the name and the head; keeps neither, never fails.
  std::function<Confidence(std::string_view name, Bytes head)> sniff;

  /// Reads the input into sink, says what it could not use in rejects.
  /// Errors: what makes the whole file unreadable; never one bad record. After an error nothing
  /// of the file is kept.
  std::function<Result<ReadSummary>(Input& input, const ReadOptions& options, store::RowSink& sink,
                                    Rejects& rejects)>
      read;
};

/// The readers of one session, in the order they were added.
class ReaderRegistry {
 public:
  /// Returns the position in all().
  /// Errors: kInvalidOptions (READ-0001) when the id is empty or already taken.
  Result<std::size_t> add(ReaderDeclaration reader);

  /// The surest reader, the first added on a tie; nullptr when every one says kNo. The
  /// pointer holds until the next add().
  const ReaderDeclaration* find(std::string_view name, Bytes head) const;

  std::span<const ReaderDeclaration> all() const { return readers_; }

 private:
  std::vector<ReaderDeclaration> readers_;
};

}  // namespace yieldloop::ingest
