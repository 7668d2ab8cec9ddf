#include "engine/store/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "engine/core/text.h"

namespace yieldloop::store {
namespace {

Error lock_error(int code, const fs::path& path) {
  const Errc kind = code == EACCES || code == EPERM || code == EROFS ? Errc::kDenied
                    : code == ENOSPC || code == EDQUOT               ? Errc::kNoSpace
                                                                     : Errc::kIo;
  return {kind, "STOR-0008",
          fmt::format("Cannot lock {}: {}.", path.string(), std::generic_category().message(code))};
}

int open_lock(const fs::path& path) {
  return ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0644);
}

bool lock(int fd, int how) {
  int code = 0;
  do {
    code = ::flock(fd, how);
  } while (code != 0 && errno == EINTR);
  return code == 0;
}

}  // namespace

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::optional<FileLock>> FileLock::try_exclusive(const fs::path& path) {
  FileLock held(open_lock(path));
  if (held.fd_ < 0) return lock_error(errno, path);
  if (!lock(held.fd_, LOCK_EX | LOCK_NB)) {
    if (errno == EWOULDBLOCK) return std::optional<FileLock>();
    return lock_error(errno, path);
  }
  // The id only serves the message of those who wait, so a full disk does not matter here.
  const std::string id = std::to_string(::getpid());
  if (::ftruncate(held.fd_, 0) == 0) (void)!::pwrite(held.fd_, id.data(), id.size(), 0);
  return std::optional<FileLock>(std::move(held));
}

Result<FileLock> FileLock::shared(const fs::path& path) {
  FileLock held(open_lock(path));
  if (held.fd_ < 0) held.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (held.fd_ < 0) return FileLock(-1);
  if (!lock(held.fd_, LOCK_SH)) return lock_error(errno, path);
  return held;
}

std::string FileLock::holder(const fs::path& path) {
  std::array<char, 32> text{};
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t n = fd < 0 ? 0 : ::read(fd, text.data(), text.size());
  if (fd >= 0) ::close(fd);
  const auto id = parse_int(std::string_view(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0));
  return id ? std::to_string(*id) : "unknown";
}

}  // namespace yieldloop::store
