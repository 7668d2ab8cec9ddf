#include "engine/layout/edited_place.h"

#include <map>
#include <set>

#include "engine/layout/disjoint_sets.h"

namespace yieldloop::layout {
namespace {

constexpr std::uint32_t kAdded = UINT32_MAX;
/// Numbers of pieces that are not among the layer's.
constexpr std::uint64_t kNew = std::uint64_t{1} << 40;

std::vector<std::uint32_t> groups_of(const std::vector<Box>& boxes) {
  DisjointSets sets(boxes.size());
  for (std::uint32_t i = 0; i < boxes.size(); ++i)
    for (std::uint32_t k = i + 1; k < boxes.size(); ++k)
      if (join_up(boxes[i], boxes[k])) sets.join(i, k);
  std::vector<std::uint32_t> groups;
  sets.number(groups);
  return groups;
}

}  // namespace

EditedPlace::EditedPlace(const FlatView& view, const BoxEdit& edit, const LayerPieces& pieces,
                         const Box& window, Coord margin, Coord staircase)
    : seen_(window.enlarged(margin)) {
  for (const Box& b : boxes_in(view, edit.layer, seen_, staircase, oblique_)) {
    const Box inside = b.intersection(seen_);
    if (inside.width() > 0 && inside.height() > 0) before_.push_back(inside);
  }
  std::vector<std::uint32_t> origin;
  const BoxEdit removal{edit.layer, edit.removed, {}};
  for (std::uint32_t i = 0; i < before_.size(); ++i) {
    std::vector<Box> parts{before_[i]};
    apply_edit(removal, parts);
    after_.insert(after_.end(), parts.begin(), parts.end());
    origin.resize(after_.size(), i);
  }
  apply_edit({edit.layer, {}, edit.added}, after_);
  origin.resize(after_.size(), kAdded);
  name_pieces(pieces, origin);
}

void EditedPlace::name_pieces(const LayerPieces& pieces, const std::vector<std::uint32_t>& origin) {
  const std::vector<std::uint32_t> before = groups_of(before_);
  const std::vector<std::uint32_t> after = groups_of(after_);
  for (std::size_t i = 0; i < before_.size(); ++i) {
    const auto known = pieces.at(before_[i].center());
    ids_before_.push_back(known ? *known : kNew + before[i]);
  }
  // Groups keep their names as long as each stays one and alone.
  std::map<std::uint32_t, std::set<std::uint32_t>> after_of_before;
  std::map<std::uint32_t, std::set<std::uint64_t>> names;
  for (std::size_t i = 0; i < after_.size(); ++i) {
    if (origin[i] == kAdded) continue;
    after_of_before[before[origin[i]]].insert(after[i]);
    names[after[i]].insert(ids_before_[origin[i]]);
  }
  for (const auto& [group, parts] : after_of_before) changes_ = changes_ || parts.size() > 1;
  for (const auto& [group, ids] : names) changes_ = changes_ || ids.size() > 1;
  for (std::size_t i = 0; i < after_.size(); ++i) {
    const auto it = names.find(after[i]);
    ids_after_.push_back(it != names.end() ? *it->second.begin() : 2 * kNew + after[i]);
  }
}

TileShapes EditedPlace::around(const Box& inner, const std::vector<Box>& boxes,
                               const std::vector<std::uint64_t>& ids) const {
  TileShapes shapes;
  shapes.oblique = oblique_;
  std::map<std::uint64_t, std::uint32_t> number;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    shapes.boxes.push_back(geometry::narrow(boxes[i].moved({-inner.x_min, -inner.y_min})));
    const auto next = static_cast<std::uint32_t>(number.size());
    shapes.nets.push_back(number.try_emplace(ids[i], next).first->second);
  }
  shapes.net_count = static_cast<std::uint32_t>(number.size());
  return shapes;
}

std::optional<std::uint64_t> EditedPlace::at(const std::vector<Box>& boxes,
                                             const std::vector<std::uint64_t>& ids, Point p) {
  for (std::size_t i = 0; i < boxes.size(); ++i)
    if (boxes[i].contains(p)) return ids[i];
  return std::nullopt;
}

}  // namespace yieldloop::layout
