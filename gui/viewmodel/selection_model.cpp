#include "gui/viewmodel/selection_model.h"

#include <utility>

namespace yieldloop::viewmodel {
namespace {

template <class T>
void pick(std::set<T>& held, const std::set<T>& picked, PickMode mode) {
  if (mode == PickMode::kReplace) {
    held = picked;
    return;
  }
  for (const T& one : picked) {
    if (!held.insert(one).second && mode == PickMode::kToggle) held.erase(one);
  }
}

}  // namespace

PickMode pick_mode(Qt::KeyboardModifiers modifiers) {
  if (modifiers.testFlag(Qt::ControlModifier)) return PickMode::kToggle;
  if (modifiers.testFlag(Qt::ShiftModifier)) return PickMode::kAdd;
  return PickMode::kReplace;
}

void SelectionModel::replace(Selection next) {
  if (next == current_) return;
  current_ = std::move(next);
  emit changed();
}

void SelectionModel::pick_wafers(const std::set<std::string>& wafers, PickMode mode) {
  Selection next = current_;
  pick(next.wafers, wafers, mode);
  if (wafers.size() == 1) next.wafer = *wafers.begin();
  replace(std::move(next));
}

void SelectionModel::pick_dies(const std::set<DieKey>& dies, PickMode mode) {
  Selection next = current_;
  pick(next.dies, dies, mode);
  replace(std::move(next));
}

void SelectionModel::pick_bins(const std::set<int>& bins, PickMode mode) {
  Selection next = current_;
  pick(next.bins, bins, mode);
  replace(std::move(next));
}

void SelectionModel::pick_defects(const std::set<DefectKey>& defects, PickMode mode) {
  Selection next = current_;
  pick(next.defects, defects, mode);
  replace(std::move(next));
}

void SelectionModel::show_finding(const std::string& id, const std::set<std::string>& wafers,
                                  const std::set<DieKey>& dies,
                                  const std::set<DefectKey>& defects) {
  Selection next = current_;
  next.finding = id;
  next.wafers = wafers;
  next.dies = dies;
  next.defects = defects;
  replace(std::move(next));
}

void SelectionModel::show_wafer(const std::string& wafer) {
  Selection next = current_;
  next.wafer = wafer;
  replace(std::move(next));
}

void SelectionModel::clear() {
  Selection next;
  next.wafer = current_.wafer;
  replace(std::move(next));
}

void SelectionModel::keep_known(const KnownNames& known) {
  Selection next = current_;
  if (!known.wafer(next.wafer)) next.wafer.clear();
  if (!known.finding(next.finding)) next.finding.clear();
  std::erase_if(next.wafers, [&](const std::string& wafer) { return !known.wafer(wafer); });
  std::erase_if(next.dies, [&](const DieKey& die) { return !known.wafer(die.wafer); });
  std::erase_if(next.bins, [&](int bin) { return !known.bin(bin); });
  replace(std::move(next));
}

}  // namespace yieldloop::viewmodel
