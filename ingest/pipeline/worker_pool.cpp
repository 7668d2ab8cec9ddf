#include "ingest/pipeline/worker_pool.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "engine/core/log.h"
#include "engine/core/text.h"
#include "ingest/pipeline/wire.h"
#include "ingest/pipeline/worker_process.h"
#include "ingest/readers/archive.h"
#include "ingest/readers/unpack.h"

namespace yieldloop::ingest {
namespace {

using Answer = Receiver::Answer;
using wire::Type;

Error cancelled() {
  return {Errc::kCancelled, "PIPE-0004", "Stopped; what was committed before stays."};
}

/// A descriptor of a file's bytes: the file's own, or a copy where it has none.
class Handed {
 public:
  explicit Handed(const MappedFile& file) : fd_(file.descriptor()) {
    if (fd_ >= 0) return;
    owned_ = fd_ = ::memfd_create("yieldloop-file", MFD_CLOEXEC);
    auto rest = file.bytes();
    while (fd_ >= 0 && !rest.empty()) {
      const ssize_t n = ::write(fd_, rest.data(), rest.size());
      if (n <= 0) break;
      rest = rest.subspan(static_cast<std::size_t>(n));
    }
  }
  Handed(const Handed&) = delete;
  Handed& operator=(const Handed&) = delete;
  ~Handed() {
    if (owned_ >= 0) ::close(owned_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
  int owned_ = -1;
};

/// One request to one process, and what comes of it.
class Exchange {
 public:
  enum class End : std::uint8_t { kDone, kStopped, kCancelled, kFailed };

  Exchange(WorkerProcess& process, const WorkerSettings& settings, const Document& whole,
           Receiver& receiver, const Progress& progress)
      : process_(process),
        settings_(settings),
        whole_(whole),
        receiver_(receiver),
        progress_(progress) {}

  End run(const wire::ReadRequest& request, int descriptor, bool packed) {
    std::string payload;
    wire::Writer out(payload);
    put(out, request);
    process_.clear_state();
    process_.set_limits(settings_, whole_.bytes, packed);
    if (!process_.send(Type::kRead, payload, descriptor)) return End::kFailed;
    for (;;) {
      Type type{};
      std::string_view frame;
      switch (process_.receive(type, frame)) {
        case WorkerProcess::Wait::kTick:
          if (progress_.cancelled()) return End::kCancelled;
          continue;
        case WorkerProcess::Wait::kTooSlow: too_slow_ = true; return End::kFailed;
        case WorkerProcess::Wait::kLost: return End::kFailed;
        case WorkerProcess::Wait::kNonsense:
          return (void)breach("an unknown message"), End::kFailed;
        case WorkerProcess::Wait::kFrame: break;
      }
      if (type == Type::kDone && !open_) return End::kDone;
      if (!handle(type, frame)) return stopped_ ? End::kStopped : End::kFailed;
    }
  }

  /// The document at work when the process failed, if one was.
  const std::optional<Document>& open() const { return open_; }
  bool saw_member() const { return saw_member_; }
  /// Why the exchange failed; ends the process.
  Error failure(const std::string& path) {
    const std::string kind = process_.kind();
    if (!breach_.empty()) {
      return {
          Errc::kFormat, "PIPE-0011",
          fmt::format("The {} reader handed back what is no data ({}) for {}; nothing of it was "
                      "stored.",
                      kind.empty() ? "unknown" : kind, breach_, escape_controls(path))};
    }
    return process_.post_mortem(path, too_slow_);
  }

 private:
  bool handle(Type type, std::string_view frame) {
    switch (type) {
      case Type::kBegin: return begin(frame);
      case Type::kRows: return rows(std::as_bytes(std::span(frame.data(), frame.size())));
      case Type::kSlotRows:
      case Type::kSlotKeep: return slot(type, frame);
      case Type::kEnd: return end(frame);
      default: return breach("an unknown message");
    }
  }

  bool breach(std::string_view what) {
    breach_ = what;
    return false;
  }

  bool begin(std::string_view frame) {
    auto document = wire::document_in(frame);
    if (!document || open_) return breach("a document out of turn");
    if (!document->is_member) {
      document = whole_;  // Its digest and size are ours to say.
    } else if (!document->path.starts_with(whole_.path + "!")) {
      return breach("a member of another archive");
    }
    saw_member_ = saw_member_ || document->is_member;
    rows_ = 0;
    kept_.clear();
    const Answer answer = receiver_.begin(*document);
    stopped_ = answer == Answer::kStop;
    if (stopped_) return false;
    if (document->is_member) {
      process_.set_limits(settings_, document->bytes, true);
      const char byte = static_cast<char>(answer);
      if (!process_.send(Type::kAnswer, {&byte, 1})) return false;
    }
    if (answer == Answer::kRead) open_ = std::move(*document);
    return true;
  }

  bool rows(std::span<const std::byte> bytes) {
    if (!open_) return breach("rows of nothing");
    auto batch = wire::decode_rows(bytes);
    if (!batch) return breach("rows of no table");
    rows_ += batch->rows();
    stopped_ = !receiver_.put(std::move(*batch));
    return !stopped_;
  }

  bool slot(Type type, std::string_view frame) {
    constexpr std::size_t kLargestLayout = std::size_t{1} << 30;
    wire::Reader in(frame);
    const auto number = in.number<std::uint64_t>();
    const auto size = in.number<std::uint64_t>();
    const auto bytes = process_.slot(static_cast<std::size_t>(number), size);
    if (!in.finished() || bytes.empty()) return breach("a slot that is none");
    if (type == Type::kSlotRows) {
      if (!rows(bytes)) return false;
    } else {
      if (!open_ || kept_.size() + bytes.size() > kLargestLayout) {
        return breach("a layout of more than 1 GB in an archive");
      }
      kept_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    const char byte = static_cast<char>(number);
    return process_.send(Type::kFree, {&byte, 1});
  }

  bool end(std::string_view frame) {
    auto report = wire::report_in(frame);
    if (!report || !open_) return breach("a report out of turn");
    if (report->status != FileStatus::kRefused && report->summary.rows != rows_) {
      return breach(fmt::format("{} rows counted, {} handed over", report->summary.rows, rows_));
    }
    report->path = open_->path;
    if (!kept_.empty() && report->status != FileStatus::kRefused) {
      stopped_ = !receiver_.keep(std::as_bytes(std::span(kept_.data(), kept_.size())));
    }
    open_.reset();
    stopped_ = stopped_ || !receiver_.end(std::move(*report));
    return !stopped_;
  }

  WorkerProcess& process_;
  const WorkerSettings& settings_;
  const Document& whole_;
  Receiver& receiver_;
  const Progress& progress_;
  std::optional<Document> open_;
  std::string kept_;
  std::string breach_;
  std::uint64_t rows_ = 0;
  bool saw_member_ = false;
  bool too_slow_ = false;
  bool stopped_ = false;
};

}  // namespace

struct WorkerPool::Impl {
  explicit Impl(WorkerSettings wanted) : settings(std::move(wanted)) {
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    size = places = settings.processes == 0 ? cores : settings.processes;
  }

  /// A free process, started if need be; the place is given back with `release`.
  Result<std::unique_ptr<WorkerProcess>> acquire() {
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return places > 0; });
      --places;
      if (!idle.empty()) {
        auto process = std::move(idle.back());
        idle.pop_back();
        return process;
      }
    }
    auto process = WorkerProcess::start(settings);
    if (!process) {
      release(nullptr);
    } else if (!(*process)->sandboxed()) {
      std::call_once(warned, [] {
        log::warning("PIPE-0014",
                     "This system has no seccomp: reading processes run with limits on memory and "
                     "time, but without a sandbox.");
      });
    }
    return process;
  }

  void release(std::unique_ptr<WorkerProcess> process) {
    const std::lock_guard lock(mutex);
    ++places;
    if (process) idle.push_back(std::move(process));
    changed.notify_one();
  }

  Status read(const MappedFile& file, const Document& whole, wire::ReadRequest request,
              Receiver& receiver, const Progress& progress) {
    const Handed handed(file);
    const bool packed =
        packing_of(file.bytes()) != Packing::kNone || archive_of(file.bytes()) != Archive::kNone;
    for (;;) {
      YL_ASSIGN(auto process, acquire());
      Exchange exchange(*process, settings, whole, receiver, progress);
      const auto how = exchange.run(request, handed.fd(), packed);
      if (how == Exchange::End::kDone) {
        release(std::move(process));
        return Ok{};
      }
      const std::uint64_t member = process->member();
      const auto open = exchange.open();
      const std::string path = open ? open->path : whole.path;
      const Error error =
          how == Exchange::End::kFailed ? exchange.failure(path) : Error{cancelled()};
      process.reset();
      release(nullptr);
      if (how == Exchange::End::kStopped) return Ok{};
      if (how == Exchange::End::kCancelled) return cancelled();
      if (!open && receiver.begin(whole) != Answer::kRead) return Ok{};
      if (!receiver.end(refused_report(path, error))) return Ok{};
      // The rest of an archive is read by a fresh process, from behind the member.
      if (!open || !open->is_member || member < request.first_member) return Ok{};
      request.first_member = member + 1;
    }
  }

  WorkerSettings settings;
  std::mutex mutex;
  std::condition_variable changed;
  std::once_flag warned;
  unsigned size = 1;
  unsigned places = 1;  ///< Of them not at work.
  std::vector<std::unique_ptr<WorkerProcess>> idle;
};

WorkerPool::WorkerPool(WorkerSettings settings)
    : impl_(std::make_unique<Impl>(std::move(settings))) {}
WorkerPool::~WorkerPool() = default;

unsigned WorkerPool::size() const { return impl_->size; }

Status WorkerPool::read(const MappedFile& file, const Document& whole, const std::string& name,
                        const UnpackLimits& unpack, Receiver& receiver, const Progress& progress) {
  return impl_->read(file, whole, {whole, name, unpack, 0}, receiver, progress);
}

std::optional<fs::path> find_worker_program() {
  std::error_code ignored;
  if (const char* named = std::getenv("YIELDLOOP_WORKER"); named != nullptr && *named != '\0') {
    return fs::path(named);
  }
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored);
  const fs::path beside = self.parent_path() / "yieldloop-worker";
  if (!self.empty() && ::access(beside.c_str(), X_OK) == 0) return beside;
  return std::nullopt;
}

std::unique_ptr<WorkerPool> default_worker_pool(std::string mapping_toml, unsigned processes) {
  const auto program = find_worker_program();
  if (program) {
    return std::make_unique<WorkerPool>(WorkerSettings{
        .program = *program, .mapping_toml = std::move(mapping_toml), .processes = processes});
  }
  log::warning("PIPE-0013",
               "There is no yieldloop-worker beside this program: files are read in this process, "
               "without a sandbox.");
  return nullptr;
}

}  // namespace yieldloop::ingest
