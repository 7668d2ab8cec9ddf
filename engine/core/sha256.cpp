#include "engine/core/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <cassert>

namespace yieldloop {

std::string Sha256Digest::hex() const {
  std::string text;
  text.reserve(64);
  for (const std::uint8_t b : bytes) fmt::format_to(std::back_inserter(text), "{:02x}", b);
  return text;
}

std::int64_t Sha256Digest::short_id() const {
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < 8; ++i) id = id << 8 | bytes[i];
  return static_cast<std::int64_t>(id >> 1);
}

struct Sha256::Context {
  EVP_MD_CTX* handle = EVP_MD_CTX_new();
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(handle); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  [[maybe_unused]] const int ok = EVP_DigestInit_ex(context_->handle, EVP_sha256(), nullptr);
  assert(ok == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size());
}

Sha256Digest Sha256::finish() {
  Sha256Digest digest;
  unsigned size = 0;
  EVP_DigestFinal_ex(context_->handle, digest.bytes.data(), &size);
  assert(size == digest.bytes.size());
  return digest;
}

Sha256Digest Sha256::of(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Sha256Digest Sha256::of(std::string_view text) {
  return of(std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace yieldloop
