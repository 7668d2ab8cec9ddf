/// \file
/// Lots and wafers as a tree and as a table; both sort by any column.
#pragma once

#include <QTableWidget>
#include <QTreeWidget>

#include "gui/viewmodel/opened_fab.h"

namespace yieldloop::widgets {

class WaferTree final : public QTreeWidget {
  Q_OBJECT

 public:
  explicit WaferTree(QWidget* parent = nullptr);
  void show_fab(const viewmodel::OpenedFab& fab);
  /// Marks wafers without telling anyone.
  void mark(const std::set<std::string>& wafers);
  std::set<std::string> marked() const;

 signals:
  void wafers_picked(const std::set<std::string>& wafers);
  void wafer_opened(const QString& wafer);
};

class WaferTable final : public QTableWidget {
  Q_OBJECT

 public:
  explicit WaferTable(QWidget* parent = nullptr);
  void show_fab(const viewmodel::OpenedFab& fab);
  void mark(const std::set<std::string>& wafers);
  std::set<std::string> marked() const;

 signals:
  void wafers_picked(const std::set<std::string>& wafers);
  void wafer_opened(const QString& wafer);
};

}  // namespace yieldloop::widgets
