#include "plugins/host/library.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "engine/core/sha256.h"

namespace yieldloop::plugins {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kVersion1Size = sizeof(yieldloop_reader_v1);
constexpr std::size_t kMaxText = 256;
constexpr off_t kMaxSize = 256 << 20;

Error refused(std::string_view id, const fs::path& path, std::string_view why,
              Errc code = Errc::kDenied) {
  return {code, std::string(id),
          fmt::format("Plugin {} was not loaded: {}.", path.filename().string(), why)};
}

#if defined(__x86_64__)
constexpr std::uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t kMachine = EM_AARCH64;
#else
constexpr std::uint16_t kMachine = EM_NONE;
#endif

bool is_library_of_this_machine(const Elf64_Ehdr& header, std::uint64_t file_size) {
  const unsigned char order =
      std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
         header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == order &&
         header.e_type == ET_DYN && header.e_machine == kMachine &&
         header.e_phentsize == sizeof(Elf64_Phdr) && header.e_phnum > 0 &&
         header.e_phoff <= file_size &&
         header.e_phnum * sizeof(Elf64_Phdr) <= file_size - header.e_phoff;
}

/// Every loadable piece lies within the file: a truncated library would otherwise end the process
/// that maps it with SIGBUS.
bool has_all_segments(std::span<const std::byte> bytes, const Elf64_Ehdr& header) {
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, bytes.data() + header.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type != PT_LOAD && segment.p_type != PT_DYNAMIC) continue;
    if (segment.p_offset > bytes.size() || segment.p_filesz > bytes.size() - segment.p_offset) {
      return false;
    }
  }
  // The section table is written last, so a file cut anywhere lacks a part of it.
  return header.e_shoff <= bytes.size() &&
         std::uint64_t{header.e_shnum} * header.e_shentsize <= bytes.size() - header.e_shoff;
}

Result<std::vector<std::byte>> read_all(const OpenFile& file, const fs::path& path) {
  struct stat info {};
  if (fstat(file.fd(), &info) != 0 || info.st_size > kMaxSize) {
    return refused("PLUG-0005", path, "it is larger than any plugin may be", Errc::kFormat);
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(info.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got =
        pread(file.fd(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return refused("PLUG-0005", path, "it could not be read", Errc::kIo);
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

bool is_text(const char* text) {
  return text && text[0] != '\0' && strnlen(text, kMaxText) < kMaxText;
}

bool is_id(const char* id) {
  if (!is_text(id)) return false;
  for (const char* c = id; *c; ++c) {
    const bool fine =
        (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_' || *c == '-';
    if (!fine) return false;
  }
  return true;
}

/// What the child (and afterwards the program) finds; the value travels through a pipe.
enum class Verdict : unsigned char { kGood = 1, kNotLoadable, kNoEntry, kOtherAbi, kBadTable };

/// Loads the library of an open file; fills `library` as far as it comes.
Verdict look(int fd, Library& library) {
  const std::string path = fmt::format("/proc/self/fd/{}", fd);
  library.handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library.handle) return Verdict::kNotLoadable;
  using Entry = const yieldloop_reader_v1* (*)(std::uint32_t);
  const auto entry = reinterpret_cast<Entry>(dlsym(library.handle, "yieldloop_plugin_reader"));
  if (!entry) return Verdict::kNoEntry;
  const yieldloop_reader_v1* reader = entry(YIELDLOOP_PLUGIN_ABI);
  if (!reader) return Verdict::kOtherAbi;
  const bool complete = reader->struct_size >= kVersion1Size && is_id(reader->id) &&
                        is_text(reader->title) && is_text(reader->patterns) && reader->sniff &&
                        reader->read;
  if (!complete) return Verdict::kBadTable;
  library.reader = reader;
  return Verdict::kGood;
}

Status explain(Verdict verdict, const fs::path& path) {
  switch (verdict) {
    case Verdict::kGood: return Ok{};
    case Verdict::kNotLoadable:
      return refused("PLUG-0008", path,
                     "the system cannot load it; a library it needs may be missing");
    case Verdict::kNoEntry:
      return refused("PLUG-0008", path, "it does not export yieldloop_plugin_reader");
    case Verdict::kOtherAbi:
      return refused(
          "PLUG-0009", path,
          fmt::format("it does not serve plugin ABI {}; build it with this program's SDK",
                      YIELDLOOP_PLUGIN_ABI),
          Errc::kUnsupported);
    case Verdict::kBadTable: break;
  }
  return refused(
      "PLUG-0010", path,
      "its table is incomplete or its id is not made of lower case letters, digits, _ and -",
      Errc::kFormat);
}

[[noreturn]] void probe_in_child(int fd, int report) {
  // No core files, no endless loops, no text among ours.
  const rlimit none{0, 0}, seconds{30, 30};
  setrlimit(RLIMIT_CORE, &none);
  setrlimit(RLIMIT_CPU, &seconds);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {0, 1, 2}) dup2(null, stream);
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE}) signal(number, SIG_DFL);
  auto library = std::make_unique<Library>();
  const Verdict verdict = look(fd, *library);
  if (verdict == Verdict::kGood) {
    const std::array<unsigned char, 1> head{};
    library->reader->sniff("", head.data(), 0);
  }
  library.reset();  // Unloading runs the library's own code too, and may end the process.
  const auto byte = static_cast<unsigned char>(verdict);
  _exit(write(report, &byte, 1) == 1 ? 0 : 1);
}

/// The child's one byte, or 0 when it ended or hung without saying anything.
unsigned char wait_for_report(int fd, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return 0;
    pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = poll(&wanted, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return 0;
    unsigned char byte = 0;
    return read(fd, &byte, 1) == 1 ? byte : 0;
  }
}

}  // namespace

OpenFile::~OpenFile() {
  if (fd_ >= 0) close(fd_);
}

Library::~Library() {
  if (handle) dlclose(handle);
}

Result<OpenFile> open_checked(const fs::path& path) {
  OpenFile file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (file.fd() < 0) {
    return refused("PLUG-0004", path, errno == ELOOP ? "it is a link" : "it cannot be opened");
  }
  struct stat info {};
  if (fstat(file.fd(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return refused("PLUG-0004", path, "it is no regular file");
  }
  if (info.st_uid != 0 && info.st_uid != geteuid()) {
    return refused("PLUG-0004", path, "it belongs to another user");
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return refused("PLUG-0004", path,
                   "others may write to it; remove write permission (chmod go-w)");
  }
  return file;
}

Result<std::string> check_elf_and_hash(const OpenFile& file, const fs::path& path) {
  YL_ASSIGN(const auto bytes, read_all(file, path));
  Elf64_Ehdr header{};
  if (bytes.size() >= sizeof header) std::memcpy(&header, bytes.data(), sizeof header);
  if (bytes.size() < sizeof header || !is_library_of_this_machine(header, bytes.size()) ||
      !has_all_segments(bytes, header)) {
    return refused("PLUG-0005", path, "it is not a whole shared library for this machine",
                   Errc::kFormat);
  }
  return Sha256::of(bytes).hex();
}

Status probe(const OpenFile& file, const fs::path& path, std::chrono::milliseconds timeout) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return refused("PLUG-0007", path, "no pipe could be made to test it", Errc::kIo);
  }
  OpenFile reading(ends[0]), writing(ends[1]);
  const pid_t child = fork();
  if (child < 0)
    return refused("PLUG-0007", path, "no process could be made to test it", Errc::kIo);
  if (child == 0) probe_in_child(file.fd(), writing.fd());
  writing = OpenFile();  // Else the end of the child would not end the pipe.

  const unsigned char byte = wait_for_report(reading.fd(), timeout);
  kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (byte < static_cast<unsigned char>(Verdict::kGood) ||
      byte > static_cast<unsigned char>(Verdict::kBadTable)) {
    return refused("PLUG-0007", path, "it crashed, ended the process or hung when it was tried");
  }
  return explain(static_cast<Verdict>(byte), path);
}

Result<std::shared_ptr<Library>> load(const OpenFile& file, const fs::path& path) {
  auto library = std::make_shared<Library>();
  YL_TRY(explain(look(file.fd(), *library), path));
  return library;
}

}  // namespace yieldloop::plugins
