/// \file
/// The program under test as a child process: its exit status, what it printed, and a time limit.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "temporary_folder.h"

namespace yieldloop::test {

struct Finished {
  int status = -1;  ///< Exit status; -1 when a signal or the time limit ended it.
  int signal = 0;
  bool timed_out = false;
  std::string out, err;
};

struct ChildOptions {
  std::filesystem::path folder;  ///< Working folder; empty: the test's.
  std::filesystem::path out;     ///< Where stdout goes instead, e.g. /dev/full.
  std::chrono::seconds limit{60};
};

inline std::string content_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// A started program; ends with the object.
class Child {
 public:
  Child(const std::filesystem::path& program, std::vector<std::string> arguments,
        const ChildOptions& options = {})
      : out_(options.out.empty() ? files_ / "out" : options.out), options_(options) {
    arguments.insert(arguments.begin(), program.string());
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const std::string err = (files_ / "err").string();
    ::unsetenv("YIELDLOOP_STORE");
    pid_ = ::fork();
    if (pid_ != 0) return;
    // Only calls that are safe after fork in a program with threads.
    const int in_fd = ::open("/dev/null", O_RDONLY);
    const int out_fd = ::open(out_.c_str(), O_WRONLY | O_CREAT, 0600);
    const int err_fd = ::open(err.c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(in_fd, 0);
    ::dup2(out_fd, 1);
    ::dup2(err_fd, 2);
    if (!options.folder.empty() && ::chdir(options.folder.c_str()) != 0) ::_exit(126);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  void send(int signal) const { ::kill(pid_, signal); }
  std::string printed_errors() const { return content_of(files_ / "err"); }

  Finished wait() {
    Finished f;
    const auto end = std::chrono::steady_clock::now() + options_.limit;
    int state = 0;
    while (::waitpid(pid_, &state, WNOHANG) == 0) {
      if (!f.timed_out && std::chrono::steady_clock::now() > end) {
        f.timed_out = true;
        ::kill(pid_, SIGKILL);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(3));
    }
    pid_ = -1;
    if (WIFEXITED(state)) f.status = WEXITSTATUS(state);
    if (WIFSIGNALED(state)) f.signal = WTERMSIG(state);
    if (options_.out.empty()) f.out = content_of(out_);
    f.err = content_of(files_ / "err");
    return f;
  }

 private:
  TemporaryFolder files_;
  std::filesystem::path out_;
  ChildOptions options_;
  pid_t pid_ = -1;
};

}  // namespace yieldloop::test
