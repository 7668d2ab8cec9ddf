#include "engine/core/fab_data.h"

namespace yieldloop {

NameId NameTable::intern(std::string_view text) {
  const auto [it, added] =
      ids_.try_emplace(std::string(text), NameId{static_cast<std::uint32_t>(names_.size())});
  if (added) names_.emplace_back(text);
  return it->second;
}

NameId NameTable::find(std::string_view text) const {
  const auto it = ids_.find(std::string(text));
  return it == ids_.end() ? NameId{} : it->second;
}

std::string FabData::wafer_label(WaferId wafer) const {
  const Wafer& w = wafers[wafer.raw()];
  return names[w.lot] + "/" + names[w.id];
}

}  // namespace yieldloop
