#include "ingest/readers/input.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/core/text.h"
#include "ingest/readers/archive.h"
#include "ingest/readers/unpack.h"

namespace yieldloop::ingest {
namespace {

constexpr std::size_t kHead = 65'536;

/// The bytes as they were sent, and what keeps them alive.
struct Sent {
  Bytes bytes;
  std::unique_ptr<MappedFile> file;
  std::unique_ptr<std::string> text;
};

/// The bytes of a mapped file, copied out in turn: none of them stays in memory.
class MappedSource final : public ByteSource {
 public:
  explicit MappedSource(const MappedFile& file) : file_(file) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    const std::size_t n = std::min(out.size(), file_.bytes().size() - at_);
    file_.copy(at_, out.first(n));
    at_ += n;
    return n;
  }

 private:
  const MappedFile& file_;
  std::size_t at_ = 0;
};

class LayeredInput final : public SentInput {
 public:
  LayeredInput(std::string name, Sent sent, const UnpackLimits& limits, const Sha256Digest* digest)
      : name_(std::move(name)),
        sent_(std::move(sent)),
        limits_(limits),
        digest_(digest != nullptr       ? *digest
                : sent_.file != nullptr ? digest_of(*sent_.file)
                                        : Sha256::of(sent_.bytes)) {}

  Status open() {
    if (sent_.bytes.empty()) return nothing();
    while (true) {
      YL_TRY(read_head());
      const Packing packing = packing_of(head());
      if (packing == Packing::kNone) break;
      if (layers_.size() == limits_.wrappers) return wrapped_too_often(name_);
      layers_.push_back(packing);
      name_ = name_without(packing, std::move(name_));
    }
    return Ok{};
  }

  const std::string& name() const override { return name_; }
  const Sha256Digest& digest() const override { return digest_; }
  Bytes head() const override {
    return layers_.empty() ? sent_.bytes.first(std::min(kHead, sent_.bytes.size())) : Bytes(head_);
  }
  Bytes sent() const override { return sent_.bytes; }
  unsigned packings() const override { return static_cast<unsigned>(layers_.size()); }

  Result<Bytes> bytes() override {
    if (layers_.empty()) return sent_.bytes;
    if (!unpacked_) {
      if (layers_.size() == 1 && layers_[0] == Packing::kGzip) {
        YL_ASSIGN(unpacked_, gunzip(sent_.bytes, name_, limit()));
      } else {
        YL_ASSIGN(const auto source, stream());
        YL_ASSIGN(unpacked_, drain(*source, std::min<std::uint64_t>(limit(), sent_bytes() * 4)));
      }
    }
    return Bytes(unpacked_->data.get(), unpacked_->size);
  }

  Result<std::unique_ptr<ByteSource>> stream() override {
    std::unique_ptr<ByteSource> source;
    if (sent_.file != nullptr) {
      source = std::make_unique<MappedSource>(*sent_.file);
    } else {
      source = memory_source(sent_.bytes);
    }
    for (const Packing layer : layers_) {
      source = unpacking_source(layer, std::move(source), name_, limit());
    }
    return source;
  }

 private:
  std::uint64_t limit() const { return allowance(sent_bytes(), limits_); }

  Error nothing() const {
    return {Errc::kNoData, "READ-0002",
            fmt::format("{} is empty; nothing was read from it.", escape_controls(name_))};
  }

  Status read_head() {
    if (layers_.empty()) return Ok{};
    head_.resize(kHead);
    YL_ASSIGN(const auto source, stream());
    YL_ASSIGN(const std::size_t n, source->read(head_));
    head_.resize(n);
    if (n > 0) return Ok{};
    return nothing();
  }

  std::string name_;
  Sent sent_;
  UnpackLimits limits_;
  Sha256Digest digest_;
  std::vector<Packing> layers_;  ///< Outermost first.
  std::vector<std::byte> head_;  ///< Of packed content.
  std::optional<UnpackedBytes> unpacked_;
};

Result<std::unique_ptr<SentInput>> open(std::string name, Sent sent, const UnpackLimits& limits,
                                        const Sha256Digest* digest = nullptr) {
  auto input = std::make_unique<LayeredInput>(std::move(name), std::move(sent), limits, digest);
  YL_TRY(input->open());
  return std::unique_ptr<SentInput>(std::move(input));
}

}  // namespace

Result<std::unique_ptr<SentInput>> open_input(FileSystem& files, const fs::path& path,
                                              const UnpackLimits& limits) {
  YL_ASSIGN(auto file, files.map(path));
  return input_from_mapped(path.filename().string(), std::move(file), limits);
}

Result<std::unique_ptr<SentInput>> input_from_mapped(std::string name,
                                                     std::unique_ptr<MappedFile> file,
                                                     const UnpackLimits& limits,
                                                     const Sha256Digest* digest) {
  Sent sent;
  sent.bytes = file->bytes();
  sent.file = std::move(file);
  return open(std::move(name), std::move(sent), limits, digest);
}

Result<std::unique_ptr<SentInput>> input_from_memory(std::string name, std::string content,
                                                     const UnpackLimits& limits) {
  Sent sent;
  sent.text = std::make_unique<std::string>(std::move(content));
  sent.bytes = std::as_bytes(std::span(sent.text->data(), sent.text->size()));
  return open(std::move(name), std::move(sent), limits);
}

}  // namespace yieldloop::ingest
