#include "ingest/service/store_backend.h"

#include <memory>

#include "engine/findings/findings_json.h"
#include "engine/session/analysis.h"
#include "ingest/pipeline/builtin_readers.h"
#include "ingest/pipeline/ingest.h"

namespace yieldloop::ingest::service {
namespace {

struct OpenStore {
  store::Store store;
  ReaderRegistry readers = builtin_readers();
};

Result<TakenFile> ingest_one(OpenStore& open, const fs::path& file, const std::string& name) {
  NoProgress progress;
  YL_ASSIGN(auto report, ingest::ingest(open.store, open.readers, {file}, {}, progress));
  TakenFile outcome;
  for (IngestedFile& f : report.files) {
    f.read.path = name;  // The sender's name, not the staging file's.
    outcome.refused =
        outcome.refused || f.outcome == Outcome::kRefused || f.outcome == Outcome::kSkipped;
    outcome.known = f.outcome == Outcome::kAlready;
    outcome.rejects += f.read.rejects_total;
    outcome.kind = f.read.kind;
    outcome.message = f.read.message;
  }
  outcome.rows = report.rows;
  outcome.json = ingest_json(report);
  return outcome;
}

}  // namespace

Result<Backend> store_backend(FileSystem& files, const fs::path& store) {
  YL_ASSIGN(auto opened, store::Store::open_or_create(files, store));
  auto shared = std::make_shared<OpenStore>(OpenStore{.store = std::move(opened)});
  return Backend{
      .ingest = [shared](const fs::path& file,
                         const std::string& name) { return ingest_one(*shared, file, name); },
      .ready = [shared]() -> Status {
        YL_ASSIGN([[maybe_unused]] const auto number, shared->store.latest_snapshot());
        return Ok{};
      },
      .findings = [shared](const std::string& product) -> Result<std::string> {
        YL_ASSIGN(const auto snapshot, shared->store.snapshot());
        YL_ASSIGN(const auto run, session::newest_run(snapshot, product));
        return findings::to_json(run.findings);
      }};
}

}  // namespace yieldloop::ingest::service
