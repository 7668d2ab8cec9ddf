#include "ingest/service/store_backend.h"

#include <chrono>
#include <memory>
#include <thread>

#include "engine/findings/findings_json.h"
#include "engine/session/analysis.h"
#include "ingest/pipeline/builtin_readers.h"
#include "ingest/pipeline/ingest.h"
#include "ingest/pipeline/worker_pool.h"

namespace yieldloop::ingest::service {
namespace {

struct Site {
  FileSystem& files;
  fs::path folder;
  ReaderRegistry readers = builtin_readers();
  std::unique_ptr<WorkerPool> workers = default_worker_pool();
};

/// The writer's lock is held for one file only, so that a nightly job on the same store gets its
/// turn.
Result<store::Store> open_for_writing(Site& site) {
  constexpr int kTries = 100;
  constexpr std::chrono::milliseconds kPause{100};
  for (int i = 1;; ++i) {
    auto store = store::Store::open_or_create(site.files, site.folder);
    if (store || store.error().code != Errc::kBusy || i == kTries) return store;
    std::this_thread::sleep_for(kPause);
  }
}

Result<store::Snapshot> newest(const Site& site) {
  YL_ASSIGN(const auto store,
            store::Store::open(site.files, site.folder, store::Store::Mode::kRead));
  return store.snapshot();
}

Result<TakenFile> ingest_one(Site& site, const fs::path& file, const std::string& name) {
  NoProgress progress;
  YL_ASSIGN(auto store, open_for_writing(site));
  YL_ASSIGN(auto report,
            ingest::ingest(store, site.readers, {file}, {.workers = site.workers.get()}, progress));
  TakenFile outcome;
  outcome.known = true;
  for (IngestedFile& f : report.files) {
    // The sender's name, not the staging file's; what comes behind it is a member's.
    f.read.path = name + f.read.path.substr(std::min(f.read.path.size(), file.string().size()));
    const bool refused = f.outcome == Outcome::kRefused || f.outcome == Outcome::kSkipped;
    outcome.refused = outcome.refused || refused;
    outcome.known = outcome.known && f.outcome == Outcome::kAlready;
    outcome.rejects += f.read.rejects_total;
    outcome.kind = f.read.kind;
    if (outcome.message.empty()) outcome.message = f.read.message;
  }
  outcome.rows = report.rows;
  outcome.json = ingest_json(report);
  return outcome;
}

}  // namespace

Result<Backend> store_backend(FileSystem& files, const fs::path& store) {
  auto site = std::make_shared<Site>(Site{.files = files, .folder = store});
  YL_ASSIGN([[maybe_unused]] const auto made, open_for_writing(*site));
  return Backend{
      .ingest = [site](const fs::path& file,
                       const std::string& name) { return ingest_one(*site, file, name); },
      .ready = [site]() -> Status {
        YL_ASSIGN([[maybe_unused]] const auto snapshot, newest(*site));
        return Ok{};
      },
      .findings = [site](const std::string& product) -> Result<std::string> {
        YL_ASSIGN(const auto snapshot, newest(*site));
        YL_ASSIGN(const auto run, session::newest_run(snapshot, product));
        return findings::to_json(run.findings);
      }};
}

}  // namespace yieldloop::ingest::service
