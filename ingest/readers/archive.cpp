#include "ingest/readers/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "engine/core/text.h"
#include "ingest/readers/unpack.h"

namespace yieldloop::ingest {
namespace {

constexpr std::size_t kTarBlock = 512;
constexpr std::size_t kEmptyZip = 22;  // Nothing but the end of the directory.
constexpr std::size_t kPiece = std::size_t{256} << 10;

struct Close {
  void operator()(struct archive* handle) const { archive_read_free(handle); }
};
using Handle = std::unique_ptr<struct archive, Close>;

/// A header block whose checksum holds: also of tars older than the "ustar" mark.
bool is_tar(Bytes head) {
  constexpr std::size_t kSum = 148;
  if (head.size() < kTarBlock || head[0] == std::byte{0}) return false;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kTarBlock; ++i) {
    sum += i >= kSum && i < kSum + 8 ? ' ' : std::to_integer<std::uint64_t>(head[i]);
  }
  std::uint64_t stated = 0;
  bool any = false;
  for (std::size_t i = kSum; i < kSum + 8; ++i) {
    const char c = std::to_integer<char>(head[i]);
    if (c == ' ' && !any) continue;
    if (c < '0' || c > '7') break;
    stated = stated * 8 + static_cast<std::uint64_t>(c - '0');
    any = true;
  }
  return any && stated == sum;
}

/// Feeds libarchive from a pass over the input.
struct Feed {
  std::unique_ptr<ByteSource> source;
  std::vector<std::byte> buffer = std::vector<std::byte>(kPiece);
  std::optional<Error> failure;
  bool ended = false;

  static la_ssize_t read(struct archive*, void* self, const void** piece) {
    auto& feed = *static_cast<Feed*>(self);
    *piece = feed.buffer.data();
    if (feed.ended) return 0;
    const auto n = feed.source->read(feed.buffer);
    if (!n) {
      feed.failure = n.error();
      return ARCHIVE_FATAL;
    }
    feed.ended = *n < feed.buffer.size();
    return static_cast<la_ssize_t>(*n);
  }
};

class Walk {
 public:
  Walk(SentInput& input, const UnpackLimits& limits)
      : input_(input),
        limits_(limits),
        kind_(archive_of(input.head())),
        left_(allowance(input.sent_bytes(), limits)),
        handle_(archive_read_new()) {}

  Status run(const TakeMember& take) {
    YL_TRY(open());
    std::uint64_t members = 0;
    for (;;) {
      struct archive_entry* entry = nullptr;
      const int code = archive_read_next_header(handle_.get(), &entry);
      if (code == ARCHIVE_EOF) break;
      if (code < ARCHIVE_WARN) return damaged(members);
      if (is_folder(entry)) continue;
      if (++members > limits_.members) return too_many();
      const Member member{name_of(entry, members), archive_entry_filetype(entry) == AE_IFREG &&
                                                       archive_entry_hardlink(entry) == nullptr};
      auto content = member.regular ? content_of(entry, member.name) : std::string();
      // A bomb ends the walk: nothing behind it is worth the risk.
      if (!content && content.error().id == "READ-0004") return content.error();
      if (feed_.failure) return *feed_.failure;
      YL_TRY(take(member, std::move(content)));
    }
    return members > 0 ? Status(Ok{}) : Status(none());
  }

 private:
  static std::string shown(std::string_view name) { return escape_controls(name); }

  Error damaged(std::uint64_t members) const {
    if (feed_.failure) return *feed_.failure;
    return {Errc::kFormat, "READ-0005",
            fmt::format("The {} archive {} is damaged or cut short after {} members; what came "
                        "before is kept, send it again.",
                        to_word(kind_), shown(input_.name()), members)};
  }

  Error none() const {
    return {Errc::kNoData, "READ-0010",
            fmt::format("The archive {} holds no file.", shown(input_.name()))};
  }

  Error too_many() const {
    return {Errc::kFormat, "READ-0007",
            fmt::format("The archive {} holds more than {} files; send them in several archives.",
                        shown(input_.name()), limits_.members)};
  }

  Status open() {
    struct archive* a = handle_.get();
    int code = ARCHIVE_FATAL;
    if (kind_ == Archive::kZip) {
      // The directory at the end of a zip is what counts, so it is read from memory.
      YL_ASSIGN(const Bytes bytes, input_.bytes());
      if (bytes.size() == kEmptyZip) return none();
      archive_read_support_format_zip_seekable(a);
      code = archive_read_open_memory(a, bytes.data(), bytes.size());
    } else {
      YL_ASSIGN(feed_.source, input_.stream());
      archive_read_support_format_tar(a);
      code = archive_read_open(a, &feed_, nullptr, Feed::read, nullptr);
    }
    if (code < ARCHIVE_WARN) return damaged(0);
    return Ok{};
  }

  /// By its name too: a damaged mark must not make a file vanish.
  static bool is_folder(struct archive_entry* entry) {
    return archive_entry_filetype(entry) == AE_IFDIR && archive_entry_size(entry) == 0 &&
           name_of(entry, 0).ends_with('/');
  }

  static std::string name_of(struct archive_entry* entry, std::uint64_t ordinal) {
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr) name = archive_entry_pathname_utf8(entry);
    return name == nullptr ? fmt::format("member {}", ordinal) : std::string(name);
  }

  Result<std::string> content_of(struct archive_entry* entry, const std::string& name) {
    const std::uint64_t limit = allowance(input_.sent_bytes(), limits_);
    const auto stated = static_cast<std::uint64_t>(
        archive_entry_size_is_set(entry) != 0 ? std::max<la_int64_t>(0, archive_entry_size(entry))
                                              : 0);
    if (stated > left_) return bomb_error(shown(input_.name()), limit);
    if (archive_entry_is_encrypted(entry) != 0) {
      return Error{Errc::kUnsupported, "READ-0008",
                   fmt::format("{} is encrypted; send it without a password.", shown(name))};
    }
    std::string content;
    content.reserve(std::min<std::uint64_t>(stated, 64 << 20));
    for (;;) {
      const std::size_t had = content.size();
      content.resize(had + std::min<std::size_t>(kPiece, std::max<std::size_t>(stated - had, 512)));
      const la_ssize_t n =
          archive_read_data(handle_.get(), content.data() + had, content.size() - had);
      content.resize(had + static_cast<std::size_t>(std::max<la_ssize_t>(n, 0)));
      if (n == 0) return content;
      if (n < 0) {
        return Error{Errc::kFormat, "READ-0009",
                     fmt::format("{} is damaged in its archive; send it again.", shown(name))};
      }
      if (static_cast<std::uint64_t>(n) > left_) return bomb_error(shown(input_.name()), limit);
      left_ -= static_cast<std::uint64_t>(n);
    }
  }

  SentInput& input_;
  const UnpackLimits& limits_;
  Archive kind_;
  std::uint64_t left_;  ///< Bytes that members may still unpack to.
  Feed feed_;
  Handle handle_;  ///< Last: it reads from `feed_` until it is closed.
};

}  // namespace

Archive archive_of(Bytes head) {
  const auto starts = [&](std::string_view magic) {
    return head.size() >= magic.size() && std::memcmp(head.data(), magic.data(), magic.size()) == 0;
  };
  if (starts({"PK\3\4", 4}) || starts({"PK\5\6", 4})) return Archive::kZip;
  return is_tar(head) ? Archive::kTar : Archive::kNone;
}

std::string_view to_word(Archive archive) {
  switch (archive) {
    case Archive::kZip: return "zip";
    case Archive::kTar: return "tar";
    case Archive::kNone: break;
  }
  return "none";
}

Status walk_archive(SentInput& input, const UnpackLimits& limits, const TakeMember& take) {
  return Walk(input, limits).run(take);
}

Error wrapped_too_often(std::string_view name) {
  return {Errc::kUnsupported, "READ-0006",
          fmt::format("{} is wrapped more often than is looked into; unpack it and send what is "
                      "inside.",
                      escape_controls(name))};
}

unsigned wrappers_of(const SentInput& input, Archive archive) {
  if (archive == Archive::kNone) return input.packings();
  return std::max(1U, input.packings() + (archive == Archive::kTar ? 0 : 1));
}

}  // namespace yieldloop::ingest
