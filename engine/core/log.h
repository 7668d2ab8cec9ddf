/// \file
/// Structured log: one line an event, `time level id message key=value ...`, to stderr and,
/// when asked, to a file. Libraries return values instead of logging; the pipeline, the
/// service and the programs log.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace yieldloop::log {

enum class Level { kDebug, kInfo, kWarning, kError, kOff };

using Field = std::pair<std::string_view, std::string>;

/// Call once at start; safe to call again (tests). `file` may be empty.
void configure(Level level, const std::string& file = {});

/// Values are quoted and control characters escaped, so that a hostile file name cannot forge
/// a line. Thread-safe.
void write(Level level, std::string_view id, std::string_view message,
           std::initializer_list<Field> fields = {});

inline void info(std::string_view id, std::string_view message,
                 std::initializer_list<Field> fields = {}) {
  write(Level::kInfo, id, message, fields);
}
inline void warning(std::string_view id, std::string_view message,
                    std::initializer_list<Field> fields = {}) {
  write(Level::kWarning, id, message, fields);
}
inline void error(std::string_view id, std::string_view message,
                  std::initializer_list<Field> fields = {}) {
  write(Level::kError, id, message, fields);
}

}  // namespace yieldloop::log
