#include "engine/cli/commands.h"
#include "engine/core/text.h"

namespace yieldloop::cli {
namespace {

Status read_time(std::string_view name, const std::string& text, UtcMicros& target) {
  if (text.empty()) return Ok{};
  const auto time = parse_iso8601(text);
  if (!time) {
    return Error{Errc::kInvalidOptions, "CLIC-0001",
                 fmt::format("{} \"{}\" is not a date or time; write it as 2026-03-14 or "
                             "2026-03-14T02:10:00Z.",
                             name, text)};
  }
  target = *time;
  return Ok{};
}

}  // namespace

Result<session::Scope> to_scope(const ScopeArguments& arguments) {
  session::Scope scope{.product = arguments.product};
  if (!arguments.lots.empty()) {
    for (const std::string_view lot : split(arguments.lots, ',')) {
      if (!trim(lot).empty()) scope.lots.emplace_back(trim(lot));
    }
  }
  YL_TRY(read_time("--from", arguments.from, scope.from));
  YL_TRY(read_time("--to", arguments.to, scope.to));
  if (scope.from.known() && scope.to.known() && scope.from >= scope.to) {
    return Error{Errc::kInvalidOptions, "CLIC-0024",
                 fmt::format("--from {} is not before --to {}: no wafer can be in that scope.",
                             arguments.from, arguments.to)};
  }
  return scope;
}

}  // namespace yieldloop::cli
