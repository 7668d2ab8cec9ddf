#include "engine/core/file_system.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace yieldloop {
namespace {

Error system_error(int code, std::string_view what, const fs::path& path) {
  const std::string reason = std::generic_category().message(code);
  const std::string sentence = fmt::format("Cannot {} {}: {}.", what, path.string(), reason);
  switch (code) {
    case ENOENT: return {Errc::kNotFound, "FILE-0001", sentence};
    case ENOSPC:
    case EDQUOT: return {Errc::kNoSpace, "FILE-0003", sentence + " Free some space and try again."};
    case EACCES:
    case EPERM:
    case EROFS: return {Errc::kDenied, "FILE-0004", sentence};
    default: return {Errc::kIo, "FILE-0002", sentence};
  }
}

/// An owned file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

class RealWritableFile final : public WritableFile {
 public:
  RealWritableFile(int fd, fs::path path) : fd_(fd), path_(std::move(path)) {}

  Status write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_.get(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_error(errno, "write", path_);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return Ok{};
  }
  Status sync() override {
    if (::fsync(fd_.get()) != 0) return system_error(errno, "sync", path_);
    return Ok{};
  }
  Status close() override {
    const int fd = fd_.release();
    if (fd >= 0 && ::close(fd) != 0) return system_error(errno, "close", path_);
    return Ok{};
  }

 private:
  Descriptor fd_;
  fs::path path_;
};

class RealMappedFile final : public MappedFile {
 public:
  RealMappedFile(int fd, void* data, std::size_t size) : fd_(fd), data_(data), size_(size) {}
  RealMappedFile(const RealMappedFile&) = delete;
  RealMappedFile& operator=(const RealMappedFile&) = delete;
  ~RealMappedFile() override {
    if (data_ != nullptr) ::munmap(data_, size_);
  }
  std::span<const std::byte> bytes() const override {
    return {static_cast<const std::byte*>(data_), size_};
  }
  int descriptor() const override { return fd_.get(); }
  void copy(std::size_t from, std::span<std::byte> out) const override {
    while (!out.empty()) {
      const ssize_t got = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(from));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return MappedFile::copy(from, out);  // The mapping says what is wrong.
      from += static_cast<std::size_t>(got);
      out = out.subspan(static_cast<std::size_t>(got));
    }
  }

 private:
  Descriptor fd_;
  void* data_;
  std::size_t size_;
};

FileInfo to_info(const fs::path& path, const struct stat& s) {
  return {.path = path,
          .is_folder = S_ISDIR(s.st_mode),
          .is_regular = S_ISREG(s.st_mode),
          .size = static_cast<std::uint64_t>(s.st_size),
          .modified_ns = s.st_mtim.tv_sec * 1'000'000'000LL + s.st_mtim.tv_nsec};
}

class RealFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<WritableFile>> create(const fs::path& path) override {
    const int fd =
        ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) return system_error(errno, "create", path);
    return std::unique_ptr<WritableFile>(std::make_unique<RealWritableFile>(fd, path));
  }

  Result<std::unique_ptr<MappedFile>> map(const fs::path& path) override {
    // O_NONBLOCK: a pipe in a drop folder must not hang the reader.
    Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (fd.get() < 0) return system_error(errno, "open", path);
    struct stat s {};
    if (::fstat(fd.get(), &s) != 0) return system_error(errno, "look at", path);
    if (!S_ISREG(s.st_mode)) {
      return Error{Errc::kUnsupported, "FILE-0005",
                   fmt::format("{} is not a regular file and is not read.", path.string())};
    }
    if (s.st_size == 0) {
      return std::unique_ptr<MappedFile>(std::make_unique<RealMappedFile>(-1, nullptr, 0));
    }
    const auto size = static_cast<std::size_t>(s.st_size);
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (data == MAP_FAILED) return system_error(errno, "map", path);
    ::madvise(data, size, MADV_SEQUENTIAL);
    return std::unique_ptr<MappedFile>(std::make_unique<RealMappedFile>(fd.release(), data, size));
  }

  Result<FileInfo> info(const fs::path& path) override {
    struct stat s {};
    if (::lstat(path.c_str(), &s) != 0) return system_error(errno, "look at", path);
    return to_info(path, s);
  }

  Result<std::vector<FileInfo>> list(const fs::path& folder) override {
    std::error_code code;
    std::vector<FileInfo> found;
    for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
      // A file may vanish between the listing and the look: that is not an error.
      if (auto entry = info(it->path())) found.push_back(std::move(entry).value());
    }
    if (code) return system_error(code.value(), "list", folder);
    std::ranges::sort(found, {}, &FileInfo::path);
    return found;
  }

  Status create_folders(const fs::path& path) override {
    std::error_code code;
    fs::create_directories(path, code);
    if (code) return system_error(code.value(), "create the folder", path);
    return Ok{};
  }

  Status rename(const fs::path& from, const fs::path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error(errno, "rename", from);
    return Ok{};
  }

  Status remove(const fs::path& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_error(errno, "remove", path);
    return Ok{};
  }

  Status sync_folder(const fs::path& folder) override {
    const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return system_error(errno, "open the folder", folder);
    if (::fsync(fd.get()) != 0) return system_error(errno, "sync the folder", folder);
    return Ok{};
  }

  bool exists(const fs::path& path) override {
    struct stat s {};
    return ::lstat(path.c_str(), &s) == 0;
  }
};

}  // namespace

Sha256Digest digest_of(const MappedFile& file) {
  std::vector<std::byte> piece(std::min<std::size_t>(file.bytes().size(), std::size_t{1} << 18U));
  Sha256 hash;
  for (std::size_t at = 0; at < file.bytes().size(); at += piece.size()) {
    const auto part = std::span(piece).first(std::min(piece.size(), file.bytes().size() - at));
    file.copy(at, part);
    hash.update(part);
  }
  return hash.finish();
}

FileSystem& real_file_system() {
  static RealFileSystem files;
  return files;
}

Status write_file_atomically(FileSystem& files, const fs::path& path, std::string_view content) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  fs::path temporary = path;
  temporary += fmt::format(".{}.tmp", ::getpid());
  auto write_all = [&]() -> Status {
    YL_ASSIGN(auto file, files.create(temporary));
    YL_TRY(file->write(std::as_bytes(std::span(content.data(), content.size()))));
    YL_TRY(file->sync());
    YL_TRY(file->close());
    YL_TRY(files.rename(temporary, path));
    return files.sync_folder(folder);
  };
  auto status = write_all();
  if (!status) (void)files.remove(temporary);
  return status;
}

Result<std::string> read_text_file(FileSystem& files, const fs::path& path) {
  YL_ASSIGN(const auto file, files.map(path));
  const auto bytes = file->bytes();
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace yieldloop
