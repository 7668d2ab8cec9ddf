/// \file
/// What the command line prints and where: results to stdout, progress and errors to stderr.
#pragma once

#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cli/exit_status.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"

namespace yieldloop::cli {

/// A bar with rate and remaining time on a terminal, one plain line a stage elsewhere, nothing
/// when quiet. Ctrl-C makes `cancelled` true. Thread-safe.
class ConsoleProgress final : public Progress {
 public:
  explicit ConsoleProgress(bool quiet);
  ~ConsoleProgress() override;
  void report(std::string_view stage, std::uint64_t done, std::uint64_t total) override;
  bool cancelled() const override;

 private:
  void draw(std::uint64_t done, std::uint64_t total);
  void end_stage();

  bool quiet_;
  bool terminal_;
  std::mutex mutex_;
  std::string stage_;
  std::int64_t stage_started_us_ = 0;
  std::int64_t drawn_us_ = 0;
  bool line_open_ = false;
};

/// Prints "yieldloop: MESSAGE (ID)" to stderr and returns the matching status.
ExitStatus fail(const Error& error);

/// Prints to stdout; a final newline is added where there is none. Returns kDone, or kStore when
/// stdout refused (CLIC-0019: disk full, closed).
ExitStatus print(std::string_view text);

/// Columns padded to their widest cell, numbers (cells that start with a digit, sign or dot)
/// to the right.
std::string text_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows);

}  // namespace yieldloop::cli
