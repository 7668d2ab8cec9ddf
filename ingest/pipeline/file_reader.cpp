#include "ingest/pipeline/file_reader.h"

#include <algorithm>

#include "ingest/pipeline/worker_pool.h"

namespace yieldloop::ingest {
namespace {

/// Rows read ahead and not yet committed may take this much memory.
constexpr std::size_t kWaitingBytes = std::size_t{512} << 20;

Error cancelled() {
  return {Errc::kCancelled, "PIPE-0004", "Stopped; what was committed before stays."};
}

std::size_t bytes_of(const ReadDocument& document) {
  return document.kept.size() + (document.rows ? document.rows->bytes_in_memory() : 0);
}

}  // namespace

/// Gives rows their source, stages them, and pushes each document when it is whole.
class FileReader::Staging final : public Receiver {
 public:
  Staging(FileReader& reader, std::size_t file, const Document& whole)
      : reader_(reader), file_(file), whole_(whole) {}

  Answer begin(const Document& document) override {
    if (reader_.progress_.cancelled()) return stop(cancelled());
    const FoundFile& found = reader_.found_[file_];
    current_.emplace();
    product_.clear();
    several_products_ = false;
    current_->file.bytes = document.bytes;
    current_->file.read.path = document.path;
    current_->name = found.path.filename().string() + document.path.substr(whole_.path.size());
    current_->digest = document.digest;
    current_->has_digest = true;
    if (document.is_member) {
      current_->container = whole_.digest;
      if (!document.has_digest) {
        // A name of its own all the same: what cannot be had is listed and not forgotten.
        current_->digest = Sha256::of(whole_.digest.hex() + document.path);
      } else if (const auto known = is_known(document.digest); !known) {
        return stop(known.error());
      } else if (*known) {
        current_->file.outcome = Outcome::kAlready;
        current_->file.read.status = FileStatus::kOk;
        return push() ? Answer::kSkip : Answer::kStop;
      }
    }
    if (!reader_.dry_run_) current_->rows = reader_.store_->stage();
    source_ = document.digest.short_id();
    return Answer::kRead;
  }

  bool put(store::Table batch) override {
    if (failure_) return false;
    if (reader_.progress_.cancelled()) {
      failure_ = cancelled();
      return false;
    }
    if (batch.rows() == 0) return true;
    current_->has_layout = current_->has_layout || batch.name() == "layouts";
    if (!current_->rows) return true;
    batch[store::kSourceColumn].fill_int(source_, batch.rows());
    note_product(batch);
    if (auto status = current_->rows->add(std::move(batch)); !status) failure_ = status.error();
    return !failure_;
  }

  bool keep(Bytes content) override {
    current_->kept.assign(reinterpret_cast<const char*>(content.data()), content.size());
    return true;
  }

  bool end(CheckReport report) override {
    if (failure_) return false;
    const bool is_archive = report.kind == "zip" || report.kind == "tar";
    if (report.status == FileStatus::kRefused) {
      if (reader_.progress_.cancelled()) {
        failure_ = cancelled();
        return false;
      }
      refuse(std::move(report));
      return push();
    }
    // An archive of which something was refused is not known: what it holds is tried again when it
    // comes again.
    if (is_archive && refused_ > 0) return true;
    current_->file.read = std::move(report);
    current_->file.outcome = Outcome::kStored;
    if (current_->rows) current_->rows->set_product(several_products_ ? std::string() : product_);
    return push();
  }

  const std::optional<Error>& failure() const { return failure_; }

 private:
  Result<bool> is_known(const Sha256Digest& digest) const {
    if (reader_.store_ == nullptr) return false;
    return reader_.store_->has_source(digest);
  }

  Answer stop(Error error) {
    failure_ = std::move(error);
    return Answer::kStop;
  }

  void refuse(CheckReport report) {
    // What nobody asked for by name and nobody knows is passed over; the rest is an answer.
    const bool named = reader_.found_[file_].named && !current_->container;
    const bool passed_over =
        report.id == "PIPE-0001" || report.id == "PIPE-0006" || report.id == "LOGS-0021";
    current_->file.outcome = passed_over && !named ? Outcome::kSkipped : Outcome::kRefused;
    if (current_->file.outcome == Outcome::kRefused) ++refused_;
    current_->file.read = std::move(report);
    current_->rows.reset();
    current_->kept.clear();
    current_->has_layout = false;
  }

  bool push() { return reader_.push(file_, *std::exchange(current_, std::nullopt)); }

  void note_product(const store::Table& batch) {
    const auto column = batch.find("product");
    if (!column) return;
    for (const std::string& value : batch.column(*column).texts().values()) {
      if (value.empty() || value == product_) continue;
      several_products_ = several_products_ || !product_.empty();
      product_ = value;
    }
  }

  FileReader& reader_;
  std::size_t file_;
  const Document& whole_;
  std::optional<ReadDocument> current_;
  std::int64_t source_ = 0;
  std::string product_;
  bool several_products_ = false;
  std::size_t refused_ = 0;
  std::optional<Error> failure_;
};

FileReader::FileReader(FileSystem& files, const store::Store* store, bool dry_run,
                       const ReaderRegistry& readers, const std::vector<FoundFile>& found,
                       const IngestOptions& options, const Progress& progress)
    : files_(files),
      store_(store),
      dry_run_(dry_run),
      readers_(readers),
      found_(found),
      options_(options),
      progress_(progress) {
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  std::size_t wanted = options.threads == 0 ? cores : options.threads;
  // Each thread holds a process while it hands rows on: there must be one for the file that the
  // caller waits for.
  if (options.workers != nullptr) wanted = std::min<std::size_t>(wanted, options.workers->size());
  const std::size_t count = std::min(wanted, std::max<std::size_t>(found.size(), 1));
  // Small files are many: a deep window keeps every thread busy while a large one is waited for.
  window_ = 16 * count;
  for (std::size_t t = 0; t < count; ++t) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

FileReader::~FileReader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  for (std::jthread& thread : threads_) thread.request_stop();
  changed_.notify_all();
  threads_.clear();
}

ReadItem FileReader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] {
    const auto it = progressing_.find(taken_);
    return it != progressing_.end() && (!it->second.documents.empty() || it->second.complete);
  });
  Progressing& current = progressing_[taken_];
  ReadItem item;
  if (!current.documents.empty()) {
    item.document = std::move(current.documents.front());
    current.documents.pop_front();
    waiting_bytes_ -= bytes_of(*item.document);
  } else {
    item.failure = std::move(current.failure);
    progressing_.erase(taken_++);
  }
  changed_.notify_all();
  return item;
}

bool FileReader::push(std::size_t file, ReadDocument document) {
  std::unique_lock lock(mutex_);
  // The file that the caller waits for always goes on, however much waits behind it.
  changed_.wait(lock, [&] {
    return stopping_ || (file == taken_ && progressing_[file].documents.empty()) ||
           waiting_bytes_ < kWaitingBytes;
  });
  if (stopping_) return false;
  waiting_bytes_ += bytes_of(document);
  progressing_[file].documents.push_back(std::move(document));
  changed_.notify_all();
  return true;
}

void FileReader::work(const std::stop_token& stop) {
  for (;;) {
    std::size_t mine = 0;
    {
      std::unique_lock lock(mutex_);
      const bool go = changed_.wait(lock, stop, [this] {
        return started_ == found_.size() || started_ == taken_ ||
               (started_ < taken_ + window_ && waiting_bytes_ < kWaitingBytes);
      });
      if (!go || started_ == found_.size()) return;
      mine = started_++;
    }
    auto failure = read(mine);
    const std::lock_guard lock(mutex_);
    Progressing& state = progressing_[mine];
    state.failure = std::move(failure);
    state.complete = true;
    changed_.notify_all();
  }
}

std::optional<Error> FileReader::read(std::size_t file) {
  const FoundFile& found = found_[file];
  if (progress_.cancelled()) return cancelled();
  ReadDocument plain;
  plain.file.bytes = found.bytes;
  plain.file.read.path = found.path.string();
  plain.name = found.path.filename().string();
  const auto refuse = [&](const Error& error, bool passed_over) {
    plain.file.outcome = passed_over ? Outcome::kSkipped : Outcome::kRefused;
    plain.file.read = refused_report(found.path.string(), error);
    push(file, std::move(plain));
  };
  if (!found.problem.empty()) {
    refuse({found.problem_code, found.problem_id, found.problem}, !found.named);
    return std::nullopt;
  }
  auto opened = files_.map(found.path);
  if (!opened) {
    refuse(opened.error(), false);
    return std::nullopt;
  }
  auto mapped = std::move(*opened);
  const Document whole{found.path.string(), digest_of(*mapped), found.bytes, false, true};
  const auto known = store_ == nullptr ? Result<bool>(false) : store_->has_source(whole.digest);
  if (!known) return known.error();
  if (*known) {
    plain.digest = whole.digest;
    plain.has_digest = true;
    plain.file.outcome = Outcome::kAlready;
    plain.file.read.status = FileStatus::kOk;
    push(file, std::move(plain));
    return std::nullopt;
  }
  Staging staging(*this, file, whole);
  if (options_.workers != nullptr && !mapped->bytes().empty()) {
    const auto status =
        options_.workers->read(*mapped, whole, plain.name, options_.unpack, staging, progress_);
    if (!status) return status.error();
  } else {
    const DocumentOptions how{.read = {.mapping = options_.mapping}, .unpack = options_.unpack};
    read_documents(readers_, whole,
                   input_from_mapped(plain.name, std::move(mapped), options_.unpack, &whole.digest),
                   how, staging);
  }
  return staging.failure();
}

}  // namespace yieldloop::ingest
