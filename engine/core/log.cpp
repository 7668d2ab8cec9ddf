#include "engine/core/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "engine/core/text.h"

namespace yieldloop::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarning: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
    case Level::kOff: break;
  }
  return spdlog::level::off;
}

std::shared_ptr<spdlog::logger>& logger() {
  static std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("yieldloop",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::warn);
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    return made;
  }();
  return instance;
}

}  // namespace

void configure(Level level, const std::string& file) {
  std::vector<spdlog::sink_ptr> sinks{std::make_shared<spdlog::sinks::stderr_sink_mt>()};
  if (!file.empty()) {
    try {
      sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(file));
    } catch (const spdlog::spdlog_ex&) {
      // Logging must never stop the work; stderr stays.
    }
  }
  auto made = std::make_shared<spdlog::logger>("yieldloop", sinks.begin(), sinks.end());
  made->set_level(to_spdlog(level));
  made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  made->flush_on(spdlog::level::info);
  logger() = std::move(made);
}

void write(Level level, std::string_view id, std::string_view message,
           std::initializer_list<Field> fields) {
  std::string line = fmt::format("{} {}", id, escape_controls(message));
  for (const auto& [key, value] : fields) {
    line += fmt::format(" {}=\"{}\"", key, escape_controls(value));
  }
  logger()->log(to_spdlog(level), "{}", line);
}

}  // namespace yieldloop::log
