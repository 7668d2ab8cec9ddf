/// \file
/// What the user has picked, once for the whole window, in names that survive a reload.
///
/// Picking with the mouse replaces, with Shift adds, with Ctrl toggles; Esc clears. Everything is
/// named by ids of the fab (wafer labels, die places, bins, inspection and defect numbers, finding
/// ids), never by positions in a table.
#pragma once

#include <QObject>
#include <compare>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "engine/core/quantity.h"

namespace yieldloop::viewmodel {

enum class PickMode : std::uint8_t { kReplace, kAdd, kToggle };

/// Ctrl toggles, Shift adds, neither replaces.
PickMode pick_mode(Qt::KeyboardModifiers modifiers);

struct DieKey {
  std::string wafer;  ///< "L012/W03".
  DieIndex die;
  friend auto operator<=>(const DieKey&, const DieKey&) = default;
};

struct DefectKey {
  std::string inspection;  ///< Inspection::id.
  std::int64_t defect = 0;
  friend auto operator<=>(const DefectKey&, const DefectKey&) = default;
};

struct Selection {
  std::string finding;  ///< Id of the finding shown; empty: none.
  std::string wafer;    ///< Label of the wafer on the map; stays when the rest is cleared.
  std::set<std::string> wafers;
  std::set<DieKey> dies;
  std::set<int> bins;  ///< Hard bins that maps and gallery are limited to.
  std::set<DefectKey> defects;
  friend bool operator==(const Selection&, const Selection&) = default;
};

/// Which names the data know; see SelectionModel::keep_known.
struct KnownNames {
  std::function<bool(const std::string&)> wafer;
  std::function<bool(const std::string&)> finding;
  std::function<bool(int)> bin;
};

class SelectionModel final : public QObject {
  Q_OBJECT

 public:
  explicit SelectionModel(QObject* parent = nullptr) : QObject(parent) {}

  const Selection& current() const { return current_; }

  void pick_wafers(const std::set<std::string>& wafers, PickMode mode);
  void pick_dies(const std::set<DieKey>& dies, PickMode mode);
  void pick_bins(const std::set<int>& bins, PickMode mode);
  void pick_defects(const std::set<DefectKey>& defects, PickMode mode);
  /// Shows a finding: its wafers, dies and defects become the selection; "" shows none.
  void show_finding(const std::string& id, const std::set<std::string>& wafers,
                    const std::set<DieKey>& dies, const std::set<DefectKey>& defects);
  /// Brings a wafer to the map; what is picked stays.
  void show_wafer(const std::string& wafer);
  void clear();
  /// After a reload: forgets only what the new data do not know.
  void keep_known(const KnownNames& known);

 signals:
  /// Once for every change that changed something.
  void changed();

 private:
  void replace(Selection next);
  Selection current_;
};

}  // namespace yieldloop::viewmodel
