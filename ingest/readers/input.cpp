#include "ingest/readers/input.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "ingest/readers/gzip_source.h"

namespace yieldloop::ingest {
namespace {

constexpr std::size_t kHead = 65'536;

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(Bytes rest) : rest_(rest) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    const std::size_t n = std::min(out.size(), rest_.size());
    if (n > 0) std::memcpy(out.data(), rest_.data(), n);
    rest_ = rest_.subspan(n);
    return n;
  }

 private:
  Bytes rest_;
};

/// The bytes as they were sent, and what keeps them alive.
struct Sent {
  Bytes bytes;
  std::unique_ptr<MappedFile> file;
  std::unique_ptr<std::string> text;
};

std::string name_without_packing(std::string name, bool packed) {
  constexpr std::string_view kSuffix = ".gz";
  if (packed && name.size() > kSuffix.size() && name.ends_with(kSuffix)) {
    name.resize(name.size() - kSuffix.size());
  }
  return name;
}

class SentInput final : public Input {
 public:
  SentInput(std::string name, Sent sent, const UnpackLimits& limits)
      : packed_(is_gzip(sent.bytes)),
        name_(name_without_packing(std::move(name), packed_)),
        sent_(std::move(sent)),
        limits_(limits),
        digest_(Sha256::of(sent_.bytes)) {}

  Status read_head() {
    head_.resize(kHead);
    YL_ASSIGN(const auto source, stream());
    YL_ASSIGN(const std::size_t n, source->read(head_));
    head_.resize(n);
    if (n > 0) return Ok{};
    return Error{Errc::kNoData, "READ-0002",
                 fmt::format("{} is empty; nothing was read from it.", name_)};
  }

  const std::string& name() const override { return name_; }
  const Sha256Digest& digest() const override { return digest_; }
  Bytes head() const override { return head_; }

  Result<Bytes> bytes() override {
    if (!packed_) return sent_.bytes;
    if (!unpacked_) {
      YL_ASSIGN(unpacked_, gunzip(sent_.bytes, name_, limits_));
    }
    return Bytes(unpacked_->data.get(), unpacked_->size);
  }

  Result<std::unique_ptr<ByteSource>> stream() override {
    if (packed_) return gzip_source(sent_.bytes, name_, limits_);
    return std::unique_ptr<ByteSource>(std::make_unique<MemorySource>(sent_.bytes));
  }

 private:
  bool packed_;
  std::string name_;
  Sent sent_;
  UnpackLimits limits_;
  Sha256Digest digest_;
  std::vector<std::byte> head_;
  std::optional<UnpackedBytes> unpacked_;
};

Result<std::unique_ptr<Input>> open(std::string name, Sent sent, const UnpackLimits& limits) {
  auto input = std::make_unique<SentInput>(std::move(name), std::move(sent), limits);
  YL_TRY(input->read_head());
  return std::unique_ptr<Input>(std::move(input));
}

}  // namespace

Result<std::unique_ptr<Input>> open_input(FileSystem& files, const fs::path& path,
                                          const UnpackLimits& limits) {
  YL_ASSIGN(auto file, files.map(path));
  return input_from_mapped(path.filename().string(), std::move(file), limits);
}

Result<std::unique_ptr<Input>> input_from_mapped(std::string name, std::unique_ptr<MappedFile> file,
                                                 const UnpackLimits& limits) {
  Sent sent;
  sent.bytes = file->bytes();
  sent.file = std::move(file);
  return open(std::move(name), std::move(sent), limits);
}

Result<std::unique_ptr<Input>> input_from_memory(std::string name, std::string content,
                                                 const UnpackLimits& limits) {
  Sent sent;
  sent.text = std::make_unique<std::string>(std::move(content));
  sent.bytes = std::as_bytes(std::span(sent.text->data(), sent.text->size()));
  return open(std::move(name), std::move(sent), limits);
}

}  // namespace yieldloop::ingest
