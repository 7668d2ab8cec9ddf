/// \file
/// Loads a store away from the window's thread and holds what it found.
#pragma once

#include <QObject>
#include <QString>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "gui/viewmodel/opened_fab.h"

namespace yieldloop::viewmodel {

class FabModel final : public QObject {
  Q_OBJECT

 public:
  explicit FabModel(QObject* parent = nullptr);
  /// Stops a load that is under way and waits for it.
  ~FabModel() override;

  /// Starts loading; a load under way is stopped first. Ends with loaded() or failed().
  void open(const std::filesystem::path& store, const std::string& product);
  /// Loads the same store again.
  void reload();
  /// Asks the load to stop; failed() follows.
  void cancel();
  /// Shows what is already in memory.
  void show(FabPointer fab);

  /// Null until the first loaded().
  const FabPointer& fab() const { return fab_; }
  bool loading() const { return loading_; }
  const std::filesystem::path& store() const { return store_; }

 signals:
  /// `total` is 0 when it is not known.
  void progressed(const QString& stage, qulonglong done, qulonglong total);
  void loaded();
  void failed(const QString& id, const QString& sentence);

 private:
  void join();
  void finish(Result<FabPointer> result, unsigned generation);

  std::filesystem::path store_;
  std::string product_;
  FabPointer fab_;
  bool loading_ = false;
  unsigned generation_ = 0;
  std::shared_ptr<std::atomic<bool>> stop_;
  std::thread worker_;
};

}  // namespace yieldloop::viewmodel
