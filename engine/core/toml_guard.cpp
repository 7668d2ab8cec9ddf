#include "engine/core/toml_guard.h"

#include <algorithm>

#include "engine/core/text.h"

namespace yieldloop {

std::optional<std::size_t> line_nested_too_deep(std::string_view toml) {
  // Lists may run over lines, so their brackets are counted through the whole text.
  std::ptrdiff_t open = 0;
  std::size_t number = 0;
  for (const std::string_view line : split(toml, '\n')) {
    ++number;
    if (std::ranges::count(line, '.') > kMostNested) return number;
    for (const char c : line) {
      open += (c == '[' || c == '{') ? 1 : (c == ']' || c == '}') ? -1 : 0;
      if (open > kMostNested) return number;
    }
    open = std::max<std::ptrdiff_t>(open, 0);
  }
  return std::nullopt;
}

}  // namespace yieldloop
