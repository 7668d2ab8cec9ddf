/// \file
/// What one sent file holds: itself, or the files of an archive, each a source of its own.
///
/// A member's path is `ARCHIVE!MEMBER`; both are data and never opened. A member that cannot be
/// read costs that member only. The outermost archive itself comes last, as a document without
/// rows, so that it is known when it is sent again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/core/result.h"
#include "engine/store/table.h"
#include "ingest/pipeline/check.h"
#include "ingest/readers/input.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest {

/// A file as it was sent, or one in an archive.
struct Document {
  std::string path;
  Sha256Digest digest;
  std::uint64_t bytes = 0;
  bool is_member = false;
  bool has_digest = true;  ///< False when its bytes could not be had.
};

/// Gets documents one after the other: begin, any number of batches, end.
class Receiver : public store::RowSink {
 public:
  enum class Answer : std::uint8_t { kRead, kSkip, kStop };
  /// The n-th file of the archive is about to be unpacked, those in inner archives counted too.
  virtual void at_member(std::uint64_t /*ordinal*/) {}
  /// kSkip: it is known already, neither rows nor end follow. kStop: nothing follows at all.
  virtual Answer begin(const Document& document) = 0;
  /// The bytes of a member that holds a layout: the store keeps them, and only the archive has
  /// them otherwise. Before `end`. False: stop.
  virtual bool keep(Bytes content) = 0;
  /// False: stop.
  virtual bool end(CheckReport report) = 0;
};

struct DocumentOptions {
  ReadOptions read;
  UnpackLimits unpack;
  /// Members before this one were dealt with; they are passed over.
  std::uint64_t first_member = 0;
};

/// Reads one sent file, or each file in it, into `receiver`. `input` may be the reason why it
/// could not be opened. Never fails: what is wrong is in the reports. READ-0006 for what is wrapped
/// too often.
void read_documents(const ReaderRegistry& readers, const Document& whole,
                    Result<std::unique_ptr<SentInput>> input, const DocumentOptions& options,
                    Receiver& receiver);

/// A report that says why nothing was taken.
CheckReport refused_report(std::string path, const Error& error);

}  // namespace yieldloop::ingest
