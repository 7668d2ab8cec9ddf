/// \file
/// SHA-256 (FIPS 180-4), the name of every file and blob in the store.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace yieldloop {

struct Sha256Digest {
  std::array<std::uint8_t, 32> bytes{};
  std::string hex() const;
  /// The first eight bytes as a non-negative integer: short, and the same in every store.
  std::int64_t short_id() const;
  friend auto operator<=>(const Sha256Digest&, const Sha256Digest&) = default;
};

/// Incremental, for files that are read once; not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::byte> bytes);
  /// Ends the computation; the object is spent.
  Sha256Digest finish();

  static Sha256Digest of(std::span<const std::byte> bytes);
  static Sha256Digest of(std::string_view text);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace yieldloop
