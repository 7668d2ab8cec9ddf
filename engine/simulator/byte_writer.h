/// \file
/// Numbers as bytes, for the binary files the virtual fab writes.
#pragma once

#include <bit>
#include <cstdint>
#include <string>

namespace yieldloop::simulator {

template <class Unsigned>
void append_big_endian(std::string& out, Unsigned value) {
  for (int shift = static_cast<int>(sizeof(Unsigned)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift & 0xff));
  }
}

template <class Unsigned>
void append_little_endian(std::string& out, Unsigned value) {
  for (std::size_t byte = 0; byte < sizeof(Unsigned); ++byte) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * byte) & 0xff));
  }
}

}  // namespace yieldloop::simulator
