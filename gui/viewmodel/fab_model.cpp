#include "gui/viewmodel/fab_model.h"

#include <chrono>
#include <exception>
#include <mutex>
#include <utility>

namespace yieldloop::viewmodel {
namespace {

using Clock = std::chrono::steady_clock;

/// Tells the window at most twenty times a second.
class WindowProgress final : public Progress {
 public:
  WindowProgress(FabModel& model, std::shared_ptr<std::atomic<bool>> stop)
      : model_(model), stop_(std::move(stop)) {}

  void report(std::string_view stage, std::uint64_t done, std::uint64_t total) override {
    {
      const std::lock_guard lock(mutex_);
      const auto now = Clock::now();
      if (stage == last_stage_ && now - last_ < std::chrono::milliseconds(50)) return;
      last_ = now;
      last_stage_ = stage;
    }
    emit model_.progressed(QString::fromUtf8(stage.data(), static_cast<qsizetype>(stage.size())),
                           done, total);
  }
  bool cancelled() const override { return *stop_; }

 private:
  FabModel& model_;
  std::shared_ptr<std::atomic<bool>> stop_;
  std::mutex mutex_;
  Clock::time_point last_;
  std::string last_stage_;
};

Result<FabPointer> open_safely(const std::filesystem::path& store, const std::string& product,
                               Progress& progress) {
  try {
    return open_fab(real_file_system(), store, product, progress);
  } catch (const std::exception& exception) {  // The border of the engine: bad_alloc and the like.
    return Error{Errc::kInternal, "DESK-0002",
                 std::string("Opening the store ended unexpectedly: ") + exception.what() + "."};
  }
}

}  // namespace

FabModel::FabModel(QObject* parent) : QObject(parent) {}

FabModel::~FabModel() { join(); }

void FabModel::join() {
  if (stop_) *stop_ = true;
  if (worker_.joinable()) worker_.join();
}

void FabModel::open(const std::filesystem::path& store, const std::string& product) {
  join();
  store_ = store;
  product_ = product;
  loading_ = true;
  stop_ = std::make_shared<std::atomic<bool>>(false);
  const unsigned generation = ++generation_;
  worker_ = std::thread([this, store, product, generation, stop = stop_] {
    WindowProgress progress(*this, stop);
    auto result = std::make_shared<Result<FabPointer>>(open_safely(store, product, progress));
    QMetaObject::invokeMethod(
        this, [this, result, generation] { finish(std::move(*result), generation); },
        Qt::QueuedConnection);
  });
}

void FabModel::reload() {
  if (!store_.empty()) open(store_, product_);
}

void FabModel::cancel() {
  if (stop_) *stop_ = true;
}

void FabModel::show(FabPointer fab) {
  fab_ = std::move(fab);
  emit loaded();
}

void FabModel::finish(Result<FabPointer> result, unsigned generation) {
  if (generation != generation_) return;  // A later open() has taken over.
  loading_ = false;
  if (!result) {
    emit failed(QString::fromStdString(result.error().id),
                QString::fromStdString(result.error().message));
    return;
  }
  show(std::move(result).value());
}

}  // namespace yieldloop::viewmodel
