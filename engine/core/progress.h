/// \file
/// How long work tells its caller where it stands, and learns that it should stop.
#pragma once

#include <cstdint>
#include <string_view>

namespace yieldloop {

/// Implemented by the command line, the service and the desktop; the engine owns the interface.
/// Calls may come from any thread.
class Progress {
 public:
  virtual ~Progress() = default;
  /// `total` is 0 when it is not known yet.
  virtual void report(std::string_view stage, std::uint64_t done, std::uint64_t total) = 0;
  /// Asked often; once true it stays true and the work returns Errc::kCancelled.
  virtual bool cancelled() const { return false; }
};

/// For callers that do not care.
class NoProgress final : public Progress {
 public:
  void report(std::string_view, std::uint64_t, std::uint64_t) override {}
};

}  // namespace yieldloop
