#include "ingest/service/service.h"

#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>
#include <signal.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>

#include "engine/core/log.h"
#include "ingest/service/drop_watch.h"
#include "ingest/service/http_handlers.h"

namespace yieldloop::ingest::service {
namespace {

Result<Poco::Net::ServerSocket> bind(const Config& config) {
  try {
    Poco::Net::ServerSocket socket;
    // Without SO_REUSEPORT, which the library sets by default: two services must not share a port.
    socket.bind(Poco::Net::SocketAddress(config.host, config.port), true, false);
    socket.listen(64);
    return socket;
  } catch (const Poco::Exception& e) {
    if (e.code() == EADDRINUSE || e.message().find("already in use") != std::string::npos) {
      return Error{Errc::kBusy, "SERV-0003",
                   fmt::format("Port {} of {} is in use by another program: stop it or change "
                               "service.listen.",
                               config.port, config.host)};
    }
    return Error{
        Errc::kIo, "SERV-0004",
        fmt::format("Cannot listen on {}:{}: {}.", config.host, config.port, e.displayText())};
  }
}

class RunningService final : public Service {
 public:
  RunningService(Config config, Backend backend, FileSystem& files, fs::path staging,
                 const Poco::Net::ServerSocket& socket)
      : config_(std::move(config)),
        backend_(std::move(backend)),
        files_(files),
        queue_(backend_),
        http_{config_, backend_, queue_, files, std::move(staging)},
        pool_(2, config_.max_connections),
        server_(new HandlerFactory(http_), pool_, socket, parameters(config_)) {
    server_.start();
    watcher_ = std::thread([this] { watch(); });
  }
  ~RunningService() override { RunningService::stop(); }

  std::uint16_t port() const override { return server_.port(); }

  void stop() override {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(stopping_, true)) return;
    }
    wake_.notify_all();
    watcher_.join();
    queue_.stop();
    server_.stopAll(true);
  }

 private:
  static Poco::Net::HTTPServerParams* parameters(const Config& config) {
    auto* p = new Poco::Net::HTTPServerParams;  // The server takes it over.
    p->setMaxThreads(config.max_connections);
    p->setMaxQueued(2 * config.max_connections);
    p->setTimeout(Poco::Timespan(static_cast<long>(config.header_seconds), 0));
    p->setKeepAliveTimeout(Poco::Timespan(5, 0));
    return p;
  }

  bool wait_for_next_look() {
    std::unique_lock lock(mutex_);
    return wake_.wait_for(lock, std::chrono::duration<double>(config_.poll_seconds),
                          [this] { return stopping_; });
  }

  void watch() {
    std::vector<DropWatch> watches;
    for (const DropFolder& drop : config_.drops) watches.emplace_back(files_, drop);
    do {
      for (DropWatch& watch : watches) look(watch);
    } while (!wait_for_next_look());
  }

  void look(DropWatch& watch) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const auto complete =
        watch.complete_files(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
    if (!complete) return log::error(complete.error().id, complete.error().message);
    for (const fs::path& file : *complete) {
      const auto outcome = queue_.submit(file, file.filename().string()).get();
      if (!outcome) {
        // The file stays where it is and is tried again at the next look.
        log::error(outcome.error().id, outcome.error().message, {{"file", file.string()}});
        continue;
      }
      log::info("SERV-0014", "A file was taken from the drop folder",
                {{"file", file.string()}, {"kind", outcome->kind}, {"message", outcome->message}});
      if (auto moved = watch.move_away(file, outcome->refused); !moved) {
        log::error(moved.error().id, moved.error().message);
      }
    }
  }

  Config config_;
  Backend backend_;
  FileSystem& files_;
  IngestQueue queue_;
  HttpContext http_;
  Poco::ThreadPool pool_;
  Poco::Net::HTTPServer server_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread watcher_;
};

/// Bodies that a service left behind when it was killed: "body-PID-N" of a process that is gone.
void sweep_bodies(FileSystem& files, const fs::path& staging) {
  const auto entries = files.list(staging);
  if (!entries) return;
  for (const FileInfo& entry : *entries) {
    const std::string name = entry.path.filename().string();
    int pid = 0;
    if (std::sscanf(name.c_str(), "body-%d-", &pid) != 1 || pid <= 0) continue;
    if (::kill(pid, 0) != 0 && errno == ESRCH) (void)files.remove(entry.path);
  }
}

}  // namespace

Result<std::unique_ptr<Service>> Service::start(Config config, Backend backend, FileSystem& files,
                                                const fs::path& staging) {
  YL_TRY(files.create_folders(staging));
  sweep_bodies(files, staging);
  for (const DropFolder& drop : config.drops) YL_TRY(files.create_folders(drop.folder));
  YL_ASSIGN(const auto socket, bind(config));
  return std::unique_ptr<Service>(std::make_unique<RunningService>(
      std::move(config), std::move(backend), files, staging, socket));
}

}  // namespace yieldloop::ingest::service
