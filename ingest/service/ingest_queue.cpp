#include "ingest/service/ingest_queue.h"

#include <utility>

namespace yieldloop::ingest::service {

std::future<Result<TakenFile>> IngestQueue::submit(fs::path file, std::string name) {
  Job job{std::move(file), std::move(name), {}};
  auto result = job.result.get_future();
  const std::lock_guard lock(mutex_);
  if (stopping_) {
    job.result.set_value(
        Error{Errc::kCancelled, "SERV-0005", "The service is stopping; send the file again."});
  } else {
    jobs_.push_back(std::move(job));
    wake_.notify_one();
  }
  return result;
}

std::size_t IngestQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

Counters IngestQueue::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

void IngestQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Job& job : std::exchange(jobs_, {})) {
      job.result.set_value(
          Error{Errc::kCancelled, "SERV-0005", "The service is stopping; send the file again."});
    }
  }
  wake_.notify_all();
  if (worker_.joinable()) worker_.join();
}

void IngestQueue::count(const Result<TakenFile>& outcome) {
  const std::lock_guard lock(mutex_);
  if (!outcome) {
    ++counters_.files_failed;
    return;
  }
  ++(outcome->known     ? counters_.files_known
     : outcome->refused ? counters_.files_refused
                        : counters_.files_stored);
  counters_.rows += outcome->rows;
  counters_.rejects += outcome->rejects;
}

void IngestQueue::work() {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    auto outcome = backend_.ingest(job.file, job.name);
    count(outcome);
    job.result.set_value(std::move(outcome));
  }
}

}  // namespace yieldloop::ingest::service
