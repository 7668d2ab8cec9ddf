/// \file
/// One thread that feeds the store's single writer; HTTP requests and drop folders queue here.
#pragma once

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <string>
#include <thread>

#include "ingest/service/backend.h"

namespace yieldloop::ingest::service {

/// Figures for /metrics. Read and written under the queue's lock.
struct Counters {
  std::uint64_t files_stored = 0;
  std::uint64_t files_known = 0;
  std::uint64_t files_refused = 0;
  std::uint64_t files_failed = 0;
  std::uint64_t rows = 0;
  std::uint64_t rejects = 0;
};

class IngestQueue {
 public:
  explicit IngestQueue(Backend& backend) : backend_(backend), worker_([this] { work(); }) {}
  ~IngestQueue() { stop(); }

  /// The result arrives when the file is durable, refused or failed.
  std::future<Result<TakenFile>> submit(fs::path file, std::string name);
  std::size_t waiting() const;
  Counters counters() const;
  /// Lets the current file end; files that wait fail with kCancelled (SERV-0005).
  void stop();

 private:
  struct Job {
    fs::path file;
    std::string name;
    std::promise<Result<TakenFile>> result;
  };
  void work();
  void count(const Result<TakenFile>& outcome);

  Backend& backend_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  Counters counters_;
  bool stopping_ = false;
  std::thread worker_;  ///< Last: it starts when everything above is made.
};

}  // namespace yieldloop::ingest::service
