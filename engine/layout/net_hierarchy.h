/// \file
/// The hierarchy that nets are solved on; for this folder's sources.
///
/// Every cell of the layout that draws on the stack becomes a net cell with its own shapes sorted
/// into slots (a conductor, a cut layer, or the texts of a conductor) and its children, each copy
/// by itself. Regular arrays become cells of two halves that share what they have in common.
/// Children come before the cells that place them.
///
/// A net of a cell has a number below `ids`: its own nets first, then a block for each child, of
/// which the child's nets that were joined to something are left out.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/geometry/packed_index.h"
#include "engine/layout/chip_nets.h"
#include "engine/layout/placement.h"

namespace yieldloop::layout {

inline constexpr unsigned kSlots = 64;
using SlotMask = std::uint64_t;
constexpr SlotMask slot_bit(unsigned slot) { return SlotMask{1} << slot; }
/// Calls visit(slot) for the slots of a mask, ascending.
template <class Visit>
void for_each_slot(SlotMask mask, Visit&& visit) {
  for (; mask != 0; mask &= mask - 1) visit(static_cast<unsigned>(std::countr_zero(mask)));
}

/// What a group of shapes holds, as bits.
inline constexpr std::uint8_t kConductorKind = 1, kCutKind = 2, kLabelKind = 4;

/// The stack as slots.
struct NetSlots {
  std::vector<LayerIndex> layers;  ///< Of each slot; a label slot's is its conductor's.
  unsigned conductors = 0;         ///< Slots below this; then cuts; then labels.
  unsigned cuts = 0;
  std::array<SlotMask, kSlots> partners{};                 ///< What shapes of the slot may touch.
  std::vector<std::pair<LayerKey, unsigned>> label_slots;  ///< Ascending by key.

  std::uint8_t kind(unsigned slot) const {
    return slot < conductors ? kConductorKind : slot < conductors + cuts ? kCutKind : kLabelKind;
  }
};

/// Whether two boxes that are not empty share a point.
inline bool meet(const Box32& a, const Box32& b) {
  return ((a.x_min <= b.x_max) & (b.x_min <= a.x_max) & (a.y_min <= b.y_max) &
          (b.y_min <= a.y_max)) != 0;
}
struct NetPolygon {
  Box32 box;
  std::uint32_t first = 0;  ///< In NetCell::points.
  std::uint32_t count = 0;
  Point32 offset;
};

/// A cell's own shapes of a slot: boxes, then polygons, each in packed order.
struct SlotShapes {
  std::vector<Box32> boxes;
  std::vector<NetPolygon> polygons;
  geometry::PackedIndex box_tree, polygon_tree;
  Box bbox;
  std::uint32_t first = 0;  ///< Number of the first shape in the cell.

  std::size_t size() const { return boxes.size() + polygons.size(); }
  /// Calls visit(shape) for those whose box touches the window, until it returns false; tells
  /// whether it did not. For a window beyond 32 bits, some more.
  template <class Visit>
  bool near(const Box& window, Visit&& visit) const;
};

struct NetChild {
  std::uint32_t cell = 0;
  geometry::Orientation orientation = geometry::Orientation::kR0;
  std::int32_t general = -1;  ///< As in Instance.
  Point at;
};

struct NetLabel {
  unsigned slot = 0;
  Point32 at;
  const std::string* text = nullptr;
  std::uint32_t net = 0;
};

struct NetCell {
  CellIndex source = kNoCell;  ///< kNoCell for a part of an array.
  std::uint32_t level = 0;     ///< 0 without children.
  SlotMask own_mask = 0;
  SlotMask child_mask = 0;
  std::vector<SlotShapes> own;  ///< Of the slots of own_mask, ascending.
  std::vector<Point32> points;
  std::vector<NetChild> children;  ///< In packed order.
  std::vector<Box> child_boxes;
  geometry::PackedIndex child_tree;
  std::vector<Box> hulls;        ///< Of the slots of mask(), children included.
  std::vector<Box> child_hulls;  ///< Of the slots of child_mask.
  std::vector<NetLabel> labels;  ///< Ascending by net, then text, once solved.
  double flat_shapes = 0.0;

  // Once solved.
  std::uint32_t own_nets = 0;
  std::uint64_t ids = 0;
  std::vector<std::uint32_t> net_of;        ///< Of each own shape.
  std::vector<std::uint64_t> base;          ///< Of each child's block.
  std::vector<std::uint32_t> joined_first;  ///< Of each child in the two below, and the end.
  std::vector<std::uint64_t> joined_net;    ///< Of the child, ascending for each.
  std::vector<std::uint32_t> joined_to;     ///< The own net it became part of.
  std::vector<std::uint8_t> kinds;          ///< Of the own nets.
  std::array<std::uint64_t, 8> count{};     ///< Of all nets by kind bits, children included.
  std::uint64_t label_count = 0;            ///< Children included.

  SlotMask mask() const { return own_mask | child_mask; }
  static std::size_t rank(SlotMask mask, unsigned slot) {
    return static_cast<std::size_t>(std::popcount(mask & (slot_bit(slot) - 1)));
  }
  const SlotShapes& shapes(unsigned slot) const { return own[rank(own_mask, slot)]; }
  const Box& hull(unsigned slot) const { return hulls[rank(mask(), slot)]; }
  /// The net of this cell that a child's net is.
  std::uint64_t lift(std::uint32_t child, std::uint64_t net) const;
};

class NetTables;  // net_measure.h

struct NetHierarchy {
  NetHierarchy();
  NetHierarchy(NetHierarchy&&) noexcept;
  NetHierarchy& operator=(NetHierarchy&&) noexcept;
  ~NetHierarchy();

  const Layout* layout = nullptr;
  NetSlots slots;
  std::vector<NetCell> cells;  ///< The last is the top; empty when nothing is drawn.
  NetSummary summary;
  std::unique_ptr<NetTables> tables;  ///< What each net measures, made when first asked for.

  const geometry::GeneralTransform* odd_part(const NetChild& child) const {
    return child.general < 0
               ? nullptr
               : &layout->general_transforms()[static_cast<std::size_t>(child.general)];
  }
  Placement below(const Placement& placement, const NetChild& child) const {
    return placement.below(child.orientation, odd_part(child), child.at);
  }
};

/// Errors: kUnsupported NETS-0004.
Result<NetHierarchy> build_hierarchy(const FlatView& view, NetSlots slots,
                                     const NetOptions& options);

/// Fills the solved half of every cell and the summary.
/// Errors: kUnsupported NETS-0004; kCancelled LAYO-0007.
Result<bool> solve(NetHierarchy& nets, Progress& progress);

/// Fills the summary of a solved hierarchy.
void summarise(NetHierarchy& nets);

/// The kind bits of a net of a cell.
std::uint8_t kind_of(const NetHierarchy& nets, std::uint32_t cell, std::uint64_t net);

/// The child whose block holds a net that is not the cell's own.
std::uint32_t child_of(const NetCell& cell, std::uint64_t net);

template <class Visit>
bool SlotShapes::near(const Box& window, Visit&& visit) const {
  bool on = true;
  const Box32 near = geometry::clamped(window);
  box_tree.for_each_range(window, boxes.size(), [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; on && i < to; ++i)
      if (meet(boxes[i], near)) on = visit(static_cast<std::uint32_t>(i));
  });
  if (polygons.empty()) return on;
  polygon_tree.for_each_range(window, polygons.size(), [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; on && i < to; ++i)
      if (meet(polygons[i].box, near)) on = visit(static_cast<std::uint32_t>(boxes.size() + i));
  });
  return on;
}

}  // namespace yieldloop::layout
