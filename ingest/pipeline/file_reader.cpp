#include "ingest/pipeline/file_reader.h"

#include <algorithm>

namespace yieldloop::ingest {
namespace {

/// Rows read ahead and not yet committed may take this much memory.
constexpr std::size_t kWaitingBytes = std::size_t{512} << 20;

/// Gives rows their source and stages them.
class StagingSink final : public store::RowSink {
 public:
  StagingSink(std::optional<store::StagedRows>& rows, const Sha256Digest& digest,
              const Progress& progress)
      : rows_(rows), source_(digest.short_id()), progress_(progress) {}

  bool put(store::Table batch) override {
    if (progress_.cancelled() || failure_) return false;
    if (batch.rows() == 0) return true;
    has_layout_ = has_layout_ || batch.name() == "layouts";
    if (!rows_) return true;
    batch[store::kSourceColumn].fill_int(source_, batch.rows());
    note_product(batch);
    if (auto status = rows_->add(std::move(batch)); !status) failure_ = status.error();
    return !failure_;
  }

  bool has_layout() const { return has_layout_; }
  const std::optional<Error>& failure() const { return failure_; }
  /// The one product that the rows name; "" for none or several.
  const std::string& product() const { return several_products_ ? kNone : product_; }

 private:
  inline static const std::string kNone;

  void note_product(const store::Table& batch) {
    const auto column = batch.find("product");
    if (!column) return;
    for (const std::string& value : batch.column(*column).texts().values()) {
      if (value.empty() || value == product_) continue;
      several_products_ = several_products_ || !product_.empty();
      product_ = value;
    }
  }

  std::optional<store::StagedRows>& rows_;
  std::int64_t source_;
  const Progress& progress_;
  std::string product_;
  bool several_products_ = false;
  bool has_layout_ = false;
  std::optional<Error> failure_;
};

Error cancelled() {
  return {Errc::kCancelled, "PIPE-0004", "Stopped; what was committed before stays."};
}

void refuse(ReadFile& result, const Error& error) {
  result.file.outcome = Outcome::kRefused;
  result.file.read.code = error.code;
  result.file.read.id = error.id;
  result.file.read.message = error.message;
}

}  // namespace

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
  const std::size_t wanted = options.threads == 0 ? cores : options.threads;
  const std::size_t count =
      std::clamp<std::size_t>(wanted, 1, std::max<std::size_t>(1, found.size()));
  window_ = 8 * count;
  for (std::size_t t = 0; t < count; ++t) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

FileReader::~FileReader() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();
}

ReadFile FileReader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return done_.contains(taken_); });
  ReadFile result = std::move(done_.extract(taken_).mapped());
  ++taken_;
  if (result.rows) waiting_bytes_ -= result.rows->bytes_in_memory();
  changed_.notify_all();
  return result;
}

void FileReader::work(const std::stop_token& stop) {
  for (;;) {
    std::size_t mine = 0;
    {
      std::unique_lock lock(mutex_);
      // The file that the caller waits for is always read, however much waits behind it.
      const bool go = changed_.wait(lock, stop, [this] {
        return started_ == found_.size() || started_ == taken_ ||
               (started_ < taken_ + window_ && waiting_bytes_ < kWaitingBytes);
      });
      if (!go || started_ == found_.size()) return;
      mine = started_++;
    }
    ReadFile result = read(found_[mine]);
    const std::lock_guard lock(mutex_);
    if (result.rows) waiting_bytes_ += result.rows->bytes_in_memory();
    done_.emplace(mine, std::move(result));
    changed_.notify_all();
  }
}

ReadFile FileReader::read(const FoundFile& found) const {
  ReadFile result;
  result.file.bytes = found.bytes;
  result.file.read.path = found.path.string();
  if (progress_.cancelled()) {
    result.failure = cancelled();
    return result;
  }
  if (!found.problem.empty()) {
    refuse(result, {found.problem_code, found.problem_id, found.problem});
    if (!found.named) result.file.outcome = Outcome::kSkipped;
    return result;
  }
  auto input = open_input(files_, found.path, options_.unpack);
  if (!input) {
    refuse(result, input.error());
    return result;
  }
  result.digest = (*input)->digest();
  result.has_digest = true;
  const auto known = store_ == nullptr ? Result<bool>(false) : store_->has_source(result.digest);
  if (!known) {
    result.failure = known.error();
    return result;
  }
  if (*known) {
    result.file.outcome = Outcome::kAlready;
    result.file.read.status = FileStatus::kOk;
    return result;
  }
  if (!dry_run_) result.rows = store_->stage();
  StagingSink sink(result.rows, result.digest, progress_);
  result.file.read =
      read_input(readers_, **input, found.path.string(), {.mapping = options_.mapping}, sink);
  result.has_layout = sink.has_layout();
  result.failure = sink.failure();
  const CheckReport& read = result.file.read;
  if (read.status == FileStatus::kRefused) {
    result.rows.reset();
    if (progress_.cancelled()) result.failure = cancelled();
    const bool unknown = read.id == "PIPE-0001";
    result.file.outcome = unknown && !found.named ? Outcome::kSkipped : Outcome::kRefused;
    return result;
  }
  if (result.rows) result.rows->set_product(sink.product());
  result.file.outcome = Outcome::kStored;
  return result;
}

}  // namespace yieldloop::ingest
