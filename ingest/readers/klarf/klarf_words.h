/// \file
/// Texts, times and statement values as KLARF writes them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/time.h"

namespace yieldloop::ingest::klarf {

/// In quotes, on one line; the format knows no escape, so quotes within become apostrophes.
std::string in_quotes(std::string_view text);

/// Date and time of day: "10-19-2021", "10:04:09"; empty for an unknown time.
std::pair<std::string, std::string> klarf_time(UtcMicros time);

/// The values of a statement that `inspection_facts` keeps: each with whether it is a text.
std::vector<std::pair<std::string, bool>> parts_of(std::string_view value);

}  // namespace yieldloop::ingest::klarf
