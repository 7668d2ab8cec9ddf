/// \file
/// A look at a TOML text before it is parsed.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace yieldloop {

/// The most dots or opening brackets that a line of a settings file may have.
inline constexpr std::ptrdiff_t kMostNested = 1000;

/// The first line (1-based) on which names or lists are nested deeper than any settings file has
/// them. Each dot of a key and each bracket opens one more level, and what is nested without end
/// would end the program when the parser takes it apart again.
std::optional<std::size_t> line_nested_too_deep(std::string_view toml);

}  // namespace yieldloop
