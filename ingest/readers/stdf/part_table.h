/// \file
/// Which part a record belongs to: PIR..PRR of one (HEAD, SITE), whatever the order in which the
/// sites of a touchdown come. Shared by the row reader and the column reader.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

namespace yieldloop::ingest::stdf {

struct OpenPart {
  std::int32_t sequence = -1;  ///< -1: none is open.
  std::uint32_t run = 0;
  std::uint64_t opened_at = 0;  ///< Offset of the record that opened it.
  std::uint32_t tests = 0;      ///< Records of results since.
};

/// Not thread-safe. A part of a head that was never seen is not open.
class PartTable {
 public:
  using Sites = std::array<OpenPart, 256>;

  OpenPart& operator()(std::uint8_t head, std::uint8_t site) {
    auto& sites = heads_[head];
    if (sites == nullptr) sites = std::make_unique<Sites>();
    return (*sites)[site];
  }
  /// Calls f(head, site, part) for every open part.
  template <class F>
  void for_each_open(F f) {
    for (unsigned head = 0; head < heads_.size(); ++head) {
      if (heads_[head] == nullptr) continue;
      for (unsigned site = 0; site < 256; ++site) {
        if ((*heads_[head])[site].sequence >= 0) f(head, site, (*heads_[head])[site]);
      }
    }
  }

 private:
  std::array<std::unique_ptr<Sites>, 256> heads_;
};

}  // namespace yieldloop::ingest::stdf
