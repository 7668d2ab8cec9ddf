#include "ingest/readers/klarf/klarf_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/text.h"
#include "ingest/readers/klarf/facts.h"

namespace yieldloop::ingest::klarf {

std::string in_quotes(std::string_view text) {
  std::string safe = one_line(text);
  std::ranges::replace(safe, '"', '\'');
  return fmt::format("\"{}\"", safe);
}

std::pair<std::string, std::string> klarf_time(UtcMicros time) {
  const std::string iso = to_iso8601(time);
  if (iso.size() < 19) return {};
  return {fmt::format("{}-{}-{}", iso.substr(5, 2), iso.substr(8, 2), iso.substr(0, 4)),
          iso.substr(11, 8)};
}

std::vector<std::pair<std::string, bool>> parts_of(std::string_view value) {
  std::vector<std::pair<std::string, bool>> parts;
  if (value.find('"') == std::string_view::npos) {
    const bool word = value.find(' ') == std::string_view::npos && number(value).has_value();
    const auto words = split(value, ' ');
    const bool all_plain = std::ranges::all_of(words, [](std::string_view w) {
      return number(w).has_value() || w.find_first_of("-:") != std::string_view::npos;
    });
    if (!word && !all_plain) {
      parts.emplace_back(value, true);
      return parts;
    }
    for (const std::string_view w : words) {
      if (!w.empty()) parts.emplace_back(std::string(w), false);
    }
    return parts;
  }
  for (std::size_t at = 0; at < value.size();) {
    if (value[at] == ' ') {
      ++at;
      continue;
    }
    const bool text = value[at] == '"';
    const std::size_t end = std::min(value.find(text ? '"' : ' ', at + 1), value.size());
    parts.emplace_back(std::string(value.substr(at + (text ? 1 : 0), end - at - (text ? 1 : 0))),
                       text);
    at = end + 1;
  }
  return parts;
}

}  // namespace yieldloop::ingest::klarf
