#include "ingest/pipeline/worker_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "engine/core/text.h"
#include "ingest/pipeline/sandbox.h"
#include "ingest/pipeline/worker.h"

namespace yieldloop::ingest {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define YIELDLOOP_SHADOW_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define YIELDLOOP_SHADOW_MEMORY 1
#endif
#endif

/// The sanitizers' shadow memory takes terabytes of address space: no limit makes sense then.
#ifdef YIELDLOOP_SHADOW_MEMORY
constexpr bool kLimitMemory = false;
#else
constexpr bool kLimitMemory = true;
#endif

Error cannot_start(const fs::path& program, std::string_view why) {
  return {Errc::kInternal, "PIPE-0012",
          fmt::format("The reading process {} could not be started ({}); install it beside this "
                      "program again.",
                      program.string(), why)};
}

/// An owned descriptor.
struct Owned {
  explicit Owned(int number) : fd(number) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    if (fd >= 0) ::close(fd);
  }
  int release() { return std::exchange(fd, -1); }
  int fd;
};

/// Shared memory that neither side can shrink under the other.
int make_shared_area() {
  const int fd = ::memfd_create("yieldloop-rows", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return -1;
  if (::ftruncate(fd, static_cast<off_t>(wire::kSharedBytes)) != 0 ||
      ::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

/// The environment of a reading process: what the loader and the sanitizers look at.
std::vector<std::string> environment() {
  std::vector<std::string> kept{"LANG=C"};
  for (const char* name : {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) kept.push_back(fmt::format("{}={}", name, value));
  }
  return kept;
}

int spawn(const fs::path& program, int socket, int shared, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (const int standard : {0, 1, 2}) {
    ::posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_RDWR, 0);
  }
  // Out of the way first: the two may have each other's number.
  constexpr int kAside = 100;
  ::posix_spawn_file_actions_adddup2(&actions, socket, kAside);
  ::posix_spawn_file_actions_adddup2(&actions, shared, kWorkerShared);
  ::posix_spawn_file_actions_adddup2(&actions, kAside, kWorkerSocket);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, kWorkerShared + 1);
  // Signals that this program blocks (the service does) must work there.
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  // Ctrl-C is for the program, which then ends its processes in order.
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  auto variables = environment();
  std::vector<char*> variable_pointers;
  for (std::string& variable : variables) variable_pointers.push_back(variable.data());
  variable_pointers.push_back(nullptr);
  std::string name = program.string();
  std::string argument = kWorkerArgument;
  char* arguments[] = {name.data(), argument.data(), nullptr};
  const int code = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments,
                                 variable_pointers.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return code;
}

double processor_seconds(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0.0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// Raises or lowers the soft limit of another process of ours.
void limit(pid_t pid, __rlimit_resource what, std::uint64_t value) {
  rlimit now{};
  if (::prlimit(pid, what, nullptr, &now) != 0) return;
  now.rlim_cur = std::min<rlim_t>(value, now.rlim_max);
  (void)::prlimit(pid, what, &now, nullptr);
}

std::string_view signal_word(int signal) {
  switch (signal) {
    case SIGSEGV: return "memory access out of bounds";
    case SIGBUS: return "the file shrank while it was read, or memory access out of bounds";
    case SIGABRT: return "it gave up";
    case SIGFPE: return "arithmetic fault";
    case SIGILL: return "illegal instruction";
    case SIGKILL: return "the system ended it";
    default: return "unknown reason";
  }
}

}  // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(const WorkerSettings& settings) {
  int pair[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return cannot_start(settings.program, std::strerror(errno));
  }
  Owned ours(pair[0]);
  const Owned theirs(pair[1]);
  const Owned shared(make_shared_area());
  if (shared.fd < 0) return cannot_start(settings.program, std::strerror(errno));
  void* area =
      ::mmap(nullptr, wire::kSharedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, shared.fd, 0);
  if (area == MAP_FAILED) return cannot_start(settings.program, std::strerror(errno));
  pid_t pid = -1;
  const int code = spawn(settings.program, theirs.fd, shared.fd, pid);
  if (code != 0) {
    ::munmap(area, wire::kSharedBytes);
    return cannot_start(settings.program, std::strerror(code));
  }
  std::unique_ptr<WorkerProcess> process(new WorkerProcess(pid, ours.release(), area));
  if (process->greet(settings.mapping_toml)) return process;
  return cannot_start(settings.program, "it is damaged or of another version");
}

WorkerProcess::~WorkerProcess() {
  (void)end();
  ::munmap(shared_, wire::kSharedBytes);
}

int WorkerProcess::end() {
  int status = 0;
  if (pid_ < 0) return status;
  ::close(std::exchange(socket_, -1));
  ::kill(pid_, SIGKILL);  // Harmless to one that has died already: it is still to be waited for.
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

bool WorkerProcess::greet(const std::string& mapping_toml) {
  constexpr double kStartSeconds = 20.0;
  patience_ = kStartSeconds;
  if (!send(wire::Type::kStart, mapping_toml)) return false;
  for (;;) {
    wire::Type type{};
    std::string_view payload;
    const Wait wait = receive(type, payload);
    if (wait == Wait::kTick) continue;
    if (wait != Wait::kFrame || type != wire::Type::kReady) return false;
    wire::Reader in(payload);
    const bool same = in.number<std::uint64_t>() == worker_fingerprint();
    sandboxed_ = in.number<std::uint8_t>() != 0;
    return same && in.finished();
  }
}

void WorkerProcess::set_limits(const WorkerSettings& settings, std::uint64_t bytes, bool packed) {
  const std::uint64_t grown = packed ? bytes * 8 : bytes;
  const std::uint64_t memory =
      settings.memory_bytes + wire::kSharedBytes + bytes + grown * settings.memory_per_byte;
  if (kLimitMemory && memory != memory_) limit(pid_, RLIMIT_AS, memory);
  memory_ = memory;
  const double seconds =
      settings.seconds + static_cast<double>(grown) * 1e-6 * settings.seconds_per_megabyte;
  // The kernel counts whole seconds of the process's life; a small surplus spares a call a file.
  const double used = processor_seconds(pid_);
  const double left = processor_until_ - used;
  if (left < seconds || left > seconds * 1.5 + 1.0) {
    processor_until_ = std::ceil(used + seconds * 1.25);
    limit(pid_, RLIMIT_CPU, static_cast<std::uint64_t>(processor_until_));
  }
  patience_ = 4.0 * seconds;
  waited_ = 0.0;
}

bool WorkerProcess::send(wire::Type type, std::string_view payload, int descriptor) {
  const wire::Header header{static_cast<std::uint32_t>(type),
                            static_cast<std::uint32_t>(payload.size())};
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += payload;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    iovec piece{const_cast<char*>(rest.data()), rest.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    if (descriptor >= 0) {
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      cmsghdr* attached = CMSG_FIRSTHDR(&message);
      attached->cmsg_level = SOL_SOCKET;
      attached->cmsg_type = SCM_RIGHTS;
      attached->cmsg_len = CMSG_LEN(sizeof descriptor);
      std::memcpy(CMSG_DATA(attached), &descriptor, sizeof descriptor);
    }
    const ssize_t n = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    descriptor = -1;
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

WorkerProcess::Wait WorkerProcess::receive(wire::Type& type, std::string_view& payload) {
  constexpr std::size_t kPiece = 64 << 10;
  constexpr int kTickMilliseconds = 100;
  for (;;) {
    const std::size_t have = buffer_.size() - taken_;
    wire::Header header;
    if (have >= sizeof header) {
      std::memcpy(&header, buffer_.data() + taken_, sizeof header);
      if (header.size > wire::kLargestFrame) return Wait::kNonsense;
      if (have >= sizeof header + header.size) {
        type = static_cast<wire::Type>(header.type);
        payload = std::string_view(buffer_).substr(taken_ + sizeof header, header.size);
        taken_ += sizeof header + header.size;
        return Wait::kFrame;
      }
    }
    if (taken_ > 0) {
      buffer_.erase(0, taken_);
      taken_ = 0;
    }
    pollfd ready{socket_, POLLIN, 0};
    const auto before = std::chrono::steady_clock::now();
    const int n = ::poll(&ready, 1, kTickMilliseconds);
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - before;
    waited_ += waited.count();
    if (n <= 0) return waited_ > patience_ ? Wait::kTooSlow : Wait::kTick;
    const std::size_t old = buffer_.size();
    buffer_.resize(old + kPiece);
    const ssize_t got = ::recv(socket_, buffer_.data() + old, kPiece, 0);
    buffer_.resize(old + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Wait::kLost;
  }
}

std::span<const std::byte> WorkerProcess::slot(std::size_t i, std::uint64_t bytes) const {
  if (i >= wire::kSlots || bytes > wire::kSlotBytes) return {};
  return {static_cast<const std::byte*>(shared_) + wire::kStateBytes + i * wire::kSlotBytes,
          static_cast<std::size_t>(bytes)};
}

void WorkerProcess::clear_state() {
  std::memset(state().kind, 0, sizeof state().kind);
  state().member = 0;
  state().system_call = -1;
}

std::string WorkerProcess::kind() const {
  std::array<char, sizeof(wire::State::kind)> copy{};
  std::memcpy(copy.data(), state().kind, copy.size() - 1);
  return to_valid_utf8(copy.data());
}

std::uint64_t WorkerProcess::member() const { return state().member; }

Error WorkerProcess::post_mortem(const std::string& path, bool too_slow) {
  const std::string reader = kind().empty() ? "reading process" : kind() + " reader";
  const std::int64_t call = state().system_call;
  const std::string file = escape_controls(path);
  const int status = end();
  if (too_slow || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)) {
    return {Errc::kFormat, "PIPE-0009",
            fmt::format("The {} took too long over {} and was stopped; nothing of it was stored.",
                        reader, file)};
  }
  if ((WIFEXITED(status) && WEXITSTATUS(status) == kForbidden) ||
      (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)) {
    return {Errc::kFormat, "PIPE-0010",
            fmt::format("The {} tried to {} over {} and was stopped; nothing of it was stored.",
                        reader, what_it_does(call), file)};
  }
  const std::string why =
      WIFSIGNALED(status)
          ? fmt::format("signal {}: {}", WTERMSIG(status), signal_word(WTERMSIG(status)))
          : fmt::format("it ended with status {}", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  return {Errc::kFormat, "PIPE-0008",
          fmt::format("The {} crashed on {} ({}); nothing of it was stored.", reader, file, why)};
}

}  // namespace yieldloop::ingest
