/// \file
/// Exit statuses of `yieldloop`, a contract with scripts and schedulers (docs/cli.md).
#pragma once

#include "engine/core/result.h"

namespace yieldloop::cli {

enum class ExitStatus : int {
  kDone = 0,
  kSomeRefused = 1,  ///< Done, but some input was refused; the output names it.
  kUsage = 2,
  kNothing = 3,  ///< No such thing, or nothing to work on.
  kStore = 4,    ///< Store busy or damaged, disk full.
  kDenied = 5,
  kInternal = 70,
};

constexpr ExitStatus exit_status_of(Errc code) {
  switch (code) {
    case Errc::kInvalidOptions: return ExitStatus::kUsage;
    case Errc::kNotFound:
    case Errc::kNoData:
    case Errc::kFormat:
    case Errc::kUnsupported: return ExitStatus::kNothing;
    case Errc::kBusy:
    case Errc::kDamaged:
    case Errc::kNoSpace:
    case Errc::kIo: return ExitStatus::kStore;
    case Errc::kDenied: return ExitStatus::kDenied;
    case Errc::kCancelled: return ExitStatus::kSomeRefused;
    case Errc::kInternal: break;
  }
  return ExitStatus::kInternal;
}

}  // namespace yieldloop::cli
