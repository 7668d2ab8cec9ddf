#include "ingest/pipeline/sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <vector>

namespace yieldloop::ingest {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;  // No filter is known for it.
#endif

/// What computing, threads and the descriptors at hand need.
constexpr long kAllowed[] = {
    __NR_read,
    __NR_readv,
    __NR_pread64,
    __NR_write,
    __NR_writev,
    __NR_recvmsg,
    __NR_recvfrom,
    __NR_sendmsg,
    __NR_close,
    __NR_fstat,
    __NR_lseek,
    __NR_munmap,
    __NR_mremap,
    __NR_madvise,
    __NR_brk,
    __NR_futex,
    __NR_set_robust_list,
    __NR_rseq,
    __NR_rt_sigprocmask,
    __NR_rt_sigreturn,
    __NR_sigaltstack,
    __NR_exit,
    __NR_exit_group,
    __NR_clock_gettime,
    __NR_clock_getres,
    __NR_gettimeofday,
    __NR_nanosleep,
    __NR_clock_nanosleep,
    __NR_sched_yield,
    __NR_sched_getaffinity,
    __NR_getpid,
    __NR_gettid,
    __NR_getrandom,
    __NR_ppoll,
    __NR_getcpu,
    __NR_membarrier,
    __NR_restart_syscall,
    __NR_set_tid_address,
    __NR_sysinfo,
    __NR_uname,
};

struct Deed {
  long system_call;
  std::string_view words;
};
constexpr std::string_view kNetwork = "open a network connection";
constexpr std::string_view kProgram = "start another program";
constexpr std::string_view kFiles = "write or change a file";
constexpr std::string_view kProcess = "touch another process";

/// What no reader does by chance: it ends the process. All else that is not allowed just fails.
constexpr Deed kForbiddenCalls[] = {
    {__NR_socket, kNetwork},
    {__NR_socketpair, kNetwork},
    {__NR_connect, kNetwork},
    {__NR_bind, kNetwork},
    {__NR_listen, kNetwork},
    {__NR_accept, kNetwork},
    {__NR_accept4, kNetwork},
    {__NR_execve, kProgram},
    {__NR_execveat, kProgram},
    {__NR_openat, kFiles},
    {__NR_unlinkat, kFiles},
    {__NR_renameat2, kFiles},
    {__NR_linkat, kFiles},
    {__NR_symlinkat, kFiles},
    {__NR_mkdirat, kFiles},
    {__NR_mknodat, kFiles},
    {__NR_fchmodat, kFiles},
    {__NR_fchownat, kFiles},
    {__NR_truncate, kFiles},
    {__NR_mount, kFiles},
    {__NR_clone, kProgram},
    {__NR_kill, kProcess},
    {__NR_tkill, kProcess},
    {__NR_tgkill, kProcess},
    {__NR_ptrace, kProcess},
    {__NR_process_vm_readv, kProcess},
    {__NR_process_vm_writev, kProcess},
#if defined(__x86_64__)
    {__NR_fork, kProgram},
    {__NR_vfork, kProgram},
    {__NR_open, kFiles},
    {__NR_creat, kFiles},
    {__NR_unlink, kFiles},
    {__NR_rename, kFiles},
    {__NR_link, kFiles},
    {__NR_symlink, kFiles},
    {__NR_mkdir, kFiles},
    {__NR_rmdir, kFiles},
    {__NR_mknod, kFiles},
    {__NR_chmod, kFiles},
    {__NR_chown, kFiles},
#endif
};

/// A classic BPF program over struct seccomp_data.
class Filter {
 public:
  void load(std::size_t offset) {
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset));
  }
  void load_number() { load(offsetof(seccomp_data, nr)); }
  void load_argument(std::size_t i) {
    load(offsetof(seccomp_data, args) + i * sizeof(std::uint64_t));  // Its low half.
  }
  void answer(std::uint32_t action) { add(BPF_RET | BPF_K, 0, 0, action); }
  void answer_if_equal(std::uint32_t value, std::uint32_t action) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
    answer(action);
  }
  void answer_if_any_bit(std::uint32_t bits, std::uint32_t action) {
    add(BPF_JMP | BPF_JSET | BPF_K, 0, 1, bits);
    answer(action);
  }
  /// The next `count` instructions are for this call only.
  void for_call(long system_call, std::uint8_t count) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, count, static_cast<std::uint32_t>(system_call));
  }
  void add(std::uint16_t code, std::uint8_t yes, std::uint8_t no, std::uint32_t k) {
    code_.push_back({code, yes, no, k});
  }
  std::vector<sock_filter>& code() { return code_; }

 private:
  std::vector<sock_filter> code_;
};

constexpr std::uint32_t failing(int code) {
  return SECCOMP_RET_ERRNO | (static_cast<std::uint32_t>(code) & SECCOMP_RET_DATA);
}

void add_open(Filter& filter, long system_call, std::size_t flags_argument) {
  constexpr std::uint32_t kWriting = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
  filter.for_call(system_call, 4);
  filter.load_argument(flags_argument);
  filter.answer_if_any_bit(kWriting, SECCOMP_RET_TRAP);
  filter.answer(failing(EACCES));
}

Filter make_filter() {
  Filter filter;
  filter.load(offsetof(seccomp_data, arch));
  filter.add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, kArchitecture);
  filter.answer(SECCOMP_RET_KILL_PROCESS);
  filter.load_number();
  for (const long call : kAllowed) {
    filter.answer_if_equal(static_cast<std::uint32_t>(call), SECCOMP_RET_ALLOW);
  }
  // Memory yes, code no.
  for (const long call : {__NR_mmap, __NR_mprotect}) {
    filter.for_call(call, 4);
    filter.load_argument(2);
    filter.answer_if_any_bit(PROT_EXEC, failing(EPERM));
    filter.answer(SECCOMP_RET_ALLOW);
  }
  // The C library asks for the size of an open file in this way.
  filter.for_call(__NR_newfstatat, 4);
  filter.load_argument(3);
  filter.answer_if_any_bit(AT_EMPTY_PATH, SECCOMP_RET_ALLOW);
  filter.answer(failing(EACCES));
  // Threads yes, processes no. clone3 hides its flags; the C library then falls back to clone.
  filter.answer_if_equal(__NR_clone3, failing(ENOSYS));
  filter.for_call(__NR_clone, 4);
  filter.load_argument(0);
  filter.answer_if_any_bit(CLONE_THREAD, SECCOMP_RET_ALLOW);
  filter.answer(SECCOMP_RET_TRAP);
  // abort() signals its own process.
  filter.for_call(__NR_tgkill, 4);
  filter.load_argument(0);
  filter.answer_if_equal(static_cast<std::uint32_t>(::getpid()), SECCOMP_RET_ALLOW);
  filter.answer(SECCOMP_RET_TRAP);
  add_open(filter, __NR_openat, 2);
#if defined(__x86_64__)
  add_open(filter, __NR_open, 1);
#endif
  for (const Deed& deed : kForbiddenCalls) {
    filter.answer_if_equal(static_cast<std::uint32_t>(deed.system_call), SECCOMP_RET_TRAP);
  }
  filter.answer(failing(EPERM));
  return filter;
}

volatile std::int64_t* noted_call = nullptr;

void on_forbidden_call(int, siginfo_t* info, void*) {
  *noted_call = info->si_syscall;
  ::_exit(kForbidden);
}

}  // namespace

bool close_sandbox(volatile std::int64_t& system_call) {
  if (kArchitecture == 0) return false;
  noted_call = &system_call;
  struct sigaction action {};
  action.sa_sigaction = on_forbidden_call;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGSYS, &action, nullptr);
  Filter filter = make_filter();
  const sock_fprog program{static_cast<unsigned short>(filter.code().size()), filter.code().data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

std::string what_it_does(std::int64_t system_call) {
  for (const Deed& deed : kForbiddenCalls) {
    if (deed.system_call == system_call) return std::string(deed.words);
  }
  return fmt::format("use system call {}", system_call);
}

}  // namespace yieldloop::ingest
