#include "ingest/pipeline/documents.h"

#include <fmt/format.h>

#include "engine/core/text.h"
#include "ingest/readers/archive.h"

namespace yieldloop::ingest {
namespace {

using Answer = Receiver::Answer;

/// What comes after the last '/' or '\', for file-name conventions.
std::string base_name(const std::string& name) {
  const std::size_t slash = name.find_last_of("/\\");
  return slash == std::string::npos ? name : name.substr(slash + 1);
}

/// Passes rows on and notes whether they describe a layout.
class LayoutWatch final : public store::RowSink {
 public:
  explicit LayoutWatch(store::RowSink& sink) : sink_(sink) {}
  bool put(store::Table batch) override {
    seen_ = seen_ || (batch.name() == "layouts" && batch.rows() > 0);
    return sink_.put(std::move(batch));
  }
  bool seen() const { return seen_; }

 private:
  store::RowSink& sink_;
  bool seen_ = false;
};

class Walker {
 public:
  Walker(const ReaderRegistry& readers, const DocumentOptions& options, Receiver& receiver)
      : readers_(readers), options_(options), receiver_(receiver) {}

  void whole(const Document& document, Result<std::unique_ptr<SentInput>> input) {
    const Archive kind = input ? archive_of((*input)->head()) : Archive::kNone;
    if (kind == Archive::kNone) {
      read(document, input ? &**input : nullptr, input ? Error{} : input.error());
      return;
    }
    members_of(document, **input, kind, options_.unpack.wrappers);
  }

 private:
  /// One document that is no archive. False: stop.
  bool read(const Document& document, SentInput* input, const Error& error) {
    const Answer answer = receiver_.begin(document);
    if (answer != Answer::kRead) return answer == Answer::kSkip;
    if (input == nullptr) return receiver_.end(refused_report(document.path, error));
    LayoutWatch watch(receiver_);
    CheckReport report = read_input(readers_, *input, document.path, options_.read, watch);
    if (watch.seen() && document.is_member && report.status != FileStatus::kRefused) {
      if (!receiver_.keep(input->sent())) return false;
    }
    return receiver_.end(std::move(report));
  }

  /// An archive, on the outside or in another one. False: stop.
  bool members_of(const Document& archive, SentInput& input, Archive kind, unsigned wrappers) {
    const unsigned used = wrappers_of(input, kind);
    if (used > wrappers) return refuse(archive, wrapped_too_often(archive.path));
    std::uint64_t members = 0;
    bool stopped = false;
    const auto status = walk_archive(
        input, options_.unpack, [&](const Member& member, Result<std::string> content) -> Status {
          ++members;
          stopped = !take(archive, member, std::move(content), wrappers - used);
          if (stopped) return Error{Errc::kCancelled, "PIPE-0004", "Stopped."};
          return Ok{};
        });
    if (stopped) return false;
    if (!status) return refuse(archive, status.error());
    if (archive.is_member) return true;
    const Answer answer = receiver_.begin(archive);
    if (answer != Answer::kRead) return answer == Answer::kSkip;
    CheckReport report;
    report.path = archive.path;
    report.kind = to_word(kind);
    report.status = FileStatus::kOk;
    report.summary.counts["members"] = static_cast<double>(members);
    return receiver_.end(std::move(report));
  }

  bool take(const Document& archive, const Member& member, Result<std::string> content,
            unsigned wrappers) {
    receiver_.at_member(ordinal_);
    const bool passed_over = ordinal_++ < options_.first_member;
    Document document{archive.path + "!" + to_valid_utf8(member.name), {}, 0, true, false};
    if (passed_over && (!member.regular || !content)) return true;
    if (!member.regular) {
      return refuse(document, {Errc::kUnsupported, "PIPE-0006",
                               fmt::format("{} is a link or no regular file and is not read.",
                                           escape_controls(member.name))});
    }
    if (!content) return refuse(document, content.error());
    UnpackLimits limits = options_.unpack;
    limits.wrappers = wrappers;
    document.bytes = content->size();
    document.has_digest = true;
    document.digest = Sha256::of(*content);
    auto input = input_from_memory(base_name(member.name), std::move(*content), limits);
    const Archive kind = input ? archive_of((*input)->head()) : Archive::kNone;
    if (kind != Archive::kNone) return members_of(document, **input, kind, wrappers);
    if (passed_over) return true;
    return read(document, input ? &**input : nullptr, input ? Error{} : input.error());
  }

  bool refuse(const Document& document, const Error& error) {
    const Answer answer = receiver_.begin(document);
    if (answer != Answer::kRead) return answer == Answer::kSkip;
    return receiver_.end(refused_report(document.path, error));
  }

  const ReaderRegistry& readers_;
  const DocumentOptions& options_;
  Receiver& receiver_;
  std::uint64_t ordinal_ = 0;
};

}  // namespace

CheckReport refused_report(std::string path, const Error& error) {
  CheckReport report;
  report.path = std::move(path);
  report.code = error.code;
  report.id = error.id;
  report.message = error.message;
  return report;
}

void read_documents(const ReaderRegistry& readers, const Document& whole,
                    Result<std::unique_ptr<SentInput>> input, const DocumentOptions& options,
                    Receiver& receiver) {
  Walker(readers, options, receiver).whole(whole, std::move(input));
}

}  // namespace yieldloop::ingest
