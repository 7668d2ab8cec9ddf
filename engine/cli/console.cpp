#include "engine/cli/console.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>

#include "engine/core/text.h"
#include "engine/core/time.h"

namespace yieldloop::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

/// The first Ctrl-C asks the work to stop at a safe place; the second ends the program.
void on_interrupt(int) {
  interrupted = 1;
  std::signal(SIGINT, SIG_DFL);
}

std::string clock_text(double seconds) {
  const auto whole = std::lround(seconds);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

/// Width on a terminal: code points, continuation bytes do not count.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool is_number(std::string_view cell) {
  return !cell.empty() && (std::isdigit(static_cast<unsigned char>(cell.front())) != 0 ||
                           ((cell.front() == '-' || cell.front() == '+') && cell.size() > 1 &&
                            std::isdigit(static_cast<unsigned char>(cell[1])) != 0));
}

}  // namespace

ConsoleProgress::ConsoleProgress(bool quiet) : quiet_(quiet), terminal_(::isatty(2) == 1) {
  std::signal(SIGINT, on_interrupt);
}

ConsoleProgress::~ConsoleProgress() { end_stage(); }

bool ConsoleProgress::cancelled() const { return interrupted != 0; }

void ConsoleProgress::end_stage() {
  if (line_open_) std::fputs("\n", stderr);
  line_open_ = false;
}

void ConsoleProgress::report(std::string_view stage, std::uint64_t done, std::uint64_t total) {
  if (quiet_) return;
  const std::lock_guard lock(mutex_);
  const std::int64_t now = now_utc().count;
  if (stage != stage_) {
    end_stage();
    stage_ = stage;
    stage_started_us_ = now;
    drawn_us_ = 0;
    if (!terminal_) std::fputs((stage_ + "\n").c_str(), stderr);
  }
  if (!terminal_) return;
  const bool finished = total > 0 && done >= total;
  if (!finished && now - drawn_us_ < 100'000) return;
  drawn_us_ = now;
  draw(done, total);
}

void ConsoleProgress::draw(std::uint64_t done, std::uint64_t total) {
  const double seconds = static_cast<double>(now_utc().count - stage_started_us_) * 1e-6;
  std::string line = "\r\x1b[K" + stage_;
  if (total > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const auto full = static_cast<std::size_t>(share * 24);
    line += fmt::format(" [{}{}] {}/{}", std::string(full, '#'), std::string(24 - full, '.'), done,
                        total);
    if (done > 0 && seconds > 0.5) {
      line += fmt::format("  {:.0f}/s  {} left", static_cast<double>(done) / seconds,
                          clock_text(seconds * (1.0 - share) / std::max(share, 1e-9)));
    }
  }
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  line_open_ = true;
}

ExitStatus fail(const Error& error) {
  std::fputs(fmt::format("yieldloop: {} ({})\n", one_line(error.message), error.id).c_str(),
             stderr);
  return exit_status_of(error.code);
}

ExitStatus print(std::string_view text) {
  errno = 0;
  bool fine = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!text.ends_with('\n')) fine = std::fputc('\n', stdout) != EOF && fine;
  fine = std::fflush(stdout) == 0 && fine;
  if (fine) return ExitStatus::kDone;
  return fail({errno == ENOSPC ? Errc::kNoSpace : Errc::kIo, "CLIC-0019",
               fmt::format("The result could not be written to standard output: {}.",
                           std::strerror(errno))});
}

std::string text_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& h : header) widths.push_back(width_of(h));
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
  }
  std::string out;
  const auto add_row = [&](const std::vector<std::string>& row, bool numbers_right) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string pad(widths[c] - width_of(row[c]), ' ');
      line += numbers_right && is_number(row[c]) ? pad + row[c] : row[c] + pad;
      line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  add_row(header, false);
  for (const auto& row : rows) add_row(row, true);
  return out;
}

}  // namespace yieldloop::cli
