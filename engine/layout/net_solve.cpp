#include <algorithm>
#include <limits>

#include "engine/layout/net_components.h"
#include "engine/layout/net_pairs.h"
#include "engine/layout/tiles.h"

namespace yieldloop::layout {
namespace {

template <class T>
void reorder(std::vector<T>& items, const std::vector<std::uint32_t>& order) {
  std::vector<T> sorted;
  sorted.reserve(items.size());
  for (const std::uint32_t i : order) sorted.push_back(std::move(items[i]));
  items = std::move(sorted);
}

/// Solves one cell whose children are solved.
class CellSolver {
 public:
  CellSolver(const NetHierarchy& nets, NetCell& cell, PairCache& pairs, const Progress& progress)
      : nets_(nets),
        cell_(cell),
        pairs_(pairs),
        progress_(progress),
        components_(cell.own.empty() ? 0 : cell.own.back().first + cell.own.back().size()),
        walk_(nets) {}

  void run() {
    index_children();
    for_each_slot(cell_.own_mask, [&](unsigned slot) { join_own(slot); });
    for (std::uint32_t c = 0; c < cell_.children.size() && !cancelled(); ++c) join_child(c);
    join_siblings();
    number_nets();
    lay_out_children();
    count();
    settle_labels();
    measure_hulls();
  }

 private:
  void index_children() {
    cell_.child_mask = 0;
    std::array<Box, kSlots> below{};
    for (const NetChild& child : cell_.children) {
      const Placement placement = nets_.below({}, child);
      const NetCell& placed = nets_.cells[child.cell];
      Box all;
      for_each_slot(placed.mask(), [&](unsigned slot) {
        const Box box = placement(placed.hull(slot));
        below[slot].include(box);
        all.include(box);
      });
      cell_.child_mask |= placed.mask();
      cell_.child_boxes.push_back(all);
    }
    const auto order = geometry::packed_order(std::span<const Box>(cell_.child_boxes));
    reorder(cell_.children, order);
    reorder(cell_.child_boxes, order);
    cell_.child_tree = geometry::PackedIndex(std::span<const Box>(cell_.child_boxes));
    for_each_slot(cell_.child_mask,
                  [&](unsigned slot) { cell_.child_hulls.push_back(below[slot]); });
  }

  void measure_hulls() {
    for_each_slot(cell_.mask(), [&](unsigned slot) {
      Box hull;
      if ((cell_.child_mask & slot_bit(slot)) != 0)
        hull = cell_.child_hulls[NetCell::rank(cell_.child_mask, slot)];
      if ((cell_.own_mask & slot_bit(slot)) != 0) hull.include(cell_.shapes(slot).bbox);
      cell_.hulls.push_back(hull);
    });
  }

  bool cancelled() { return (++asked_ & 0xfff) == 0 && progress_.cancelled(); }

  void join_own(unsigned slot) {
    const SlotShapes& mine = cell_.shapes(slot);
    for_each_slot(nets_.slots.partners[slot] & cell_.own_mask, [&](unsigned other) {
      if (other < slot) return;
      join_boxes(mine, cell_.shapes(other));
      join_polygons(slot, mine, other, cell_.shapes(other));
      if (other != slot) join_polygons(other, cell_.shapes(other), slot, mine);
    });
  }

  /// Boxes with boxes, group by group: neighbours in packed order share their candidates.
  void join_boxes(const SlotShapes& mine, const SlotShapes& theirs) {
    constexpr std::size_t kGroup = geometry::PackedIndex::kFanout;
    std::vector<std::uint32_t> near;
    for (std::size_t from = 0; from < mine.boxes.size() && !cancelled(); from += kGroup) {
      const std::size_t to = std::min(from + kGroup, mine.boxes.size());
      Box32 hull = mine.boxes[from];
      for (std::size_t i = from + 1; i < to; ++i) hull = hull_of(hull, mine.boxes[i]);
      if (!static_cast<Box>(hull).touches(theirs.bbox)) continue;
      near.clear();
      theirs.box_tree.for_each_range(hull, theirs.boxes.size(),
                                     [&](std::size_t first, std::size_t last) {
                                       if (&mine == &theirs)
                                         first = std::max(first, from + 1);  // Each pair once.
                                       for (std::size_t k = first; k < last; ++k)
                                         if (meet(theirs.boxes[k], hull))
                                           near.push_back(static_cast<std::uint32_t>(k));
                                     });
      for (std::size_t i = from; i < to; ++i) {
        const Box32 box = mine.boxes[i];
        for (const std::uint32_t k : near)
          if (meet(theirs.boxes[k], box) && (&mine != &theirs || k > i))
            components_.join(mine.first + static_cast<std::uint32_t>(i), theirs.first + k);
      }
    }
  }

  /// Polygons of one slot with all of another; with all that follow them in the same slot.
  void join_polygons(unsigned slot, const SlotShapes& mine, unsigned other,
                     const SlotShapes& theirs) {
    for (auto i = static_cast<std::uint32_t>(mine.boxes.size()); i < mine.size(); ++i) {
      const NetShape shape = NetShape::of(cell_, slot, mine, i, nullptr);
      if (!shape.box.touches(theirs.bbox)) continue;
      theirs.near(shape.box, [&](std::uint32_t k) {
        if (touch_(shape, NetShape::of(cell_, other, theirs, k, nullptr)))
          components_.join(mine.first + i, theirs.first + k);
        return true;
      });
      if (cancelled()) return;
    }
  }

  static Box32 hull_of(const Box32& a, const Box32& b) {
    return {std::min(a.x_min, b.x_min), std::min(a.y_min, b.y_min), std::max(a.x_max, b.x_max),
            std::max(a.y_max, b.y_max)};
  }

  void join_child(std::uint32_t position) {
    const NetChild& child = cell_.children[position];
    const NetCell& placed = nets_.cells[child.cell];
    const Placement placement = nets_.below({}, child);
    for_each_slot(cell_.own_mask, [&](unsigned slot) {
      const SlotMask wanted = nets_.slots.partners[slot] & placed.mask();
      if (wanted == 0) return;
      Box reach;
      for_each_slot(wanted, [&](unsigned other) { reach.include(placement(placed.hull(other))); });
      const SlotShapes& mine = cell_.shapes(slot);
      if (!mine.bbox.touches(reach)) return;
      mine.near(reach, [&](std::uint32_t i) {
        const NetShape shape = NetShape::of(cell_, slot, mine, i, nullptr);
        walk_.near(child.cell, placement, shape.box, wanted, [&](const NetShape& found) {
          if (touch_(shape, found))
            components_.join(mine.first + i,
                             pins_.node(position, walk_.lifted(found.net()), components_));
          return true;
        });
        return !cancelled();
      });
    });
  }

  void join_siblings() {
    for (std::uint32_t i = 0; i + 1 < cell_.children.size(); ++i) {
      for_each_child_near(cell_.child_boxes[i], i + 1, [&](std::uint32_t k) {
        pairs_.for_each(
            cell_.children[i], cell_.children[k], [&](std::uint64_t of_i, std::uint64_t of_k) {
              components_.join(pins_.node(i, of_i, components_), pins_.node(k, of_k, components_));
            });
      });
      if (cancelled()) return;
    }
  }

  /// Children from `first` on.
  template <class Visit>
  void for_each_child_near(const Box& window, std::size_t first, Visit&& visit) {
    cell_.child_tree.for_each_range(window, cell_.children.size(),
                                    [&](std::size_t from, std::size_t to) {
                                      for (std::size_t k = std::max(from, first); k < to; ++k)
                                        if (cell_.child_boxes[k].touches(window))
                                          visit(static_cast<std::uint32_t>(k));
                                    });
  }

  void number_nets() {
    constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
    std::vector<std::uint32_t> number(components_.size(), kNone);
    net_of_node_.resize(components_.size());
    for (std::uint32_t node = 0; node < components_.size(); ++node) {
      std::uint32_t& net = number[components_.root(node)];
      if (net == kNone) net = cell_.own_nets++;
      net_of_node_[node] = net;
    }
    const std::size_t shapes = components_.size() - pins_.all().size();
    cell_.net_of.assign(net_of_node_.begin(),
                        net_of_node_.begin() + static_cast<std::ptrdiff_t>(shapes));
  }

  void lay_out_children() {
    std::vector<Pins::Pin> pins = pins_.all();
    std::ranges::sort(pins, [](const Pins::Pin& a, const Pins::Pin& b) {
      return a.child != b.child ? a.child < b.child : a.net < b.net;
    });
    cell_.joined_first.assign(cell_.children.size() + 1, 0);
    cell_.joined_net.reserve(pins.size());
    cell_.joined_to.reserve(pins.size());
    for (const Pins::Pin& pin : pins) {
      ++cell_.joined_first[pin.child + 1];
      cell_.joined_net.push_back(pin.net);
      cell_.joined_to.push_back(net_of_node_[pin.node]);
    }
    cell_.ids = cell_.own_nets;
    for (std::size_t c = 0; c < cell_.children.size(); ++c) {
      cell_.joined_first[c + 1] += cell_.joined_first[c];
      cell_.base.push_back(cell_.ids);
      cell_.ids = add(cell_.ids, nets_.cells[cell_.children[c].cell].ids);
    }
  }

  static std::uint64_t add(std::uint64_t a, std::uint64_t b) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    return a > kMost - b ? kMost : a + b;
  }

  void count() {
    cell_.kinds.assign(cell_.own_nets, 0);
    for_each_slot(cell_.own_mask, [&](unsigned slot) {
      const SlotShapes& shapes = cell_.shapes(slot);
      for (std::size_t i = 0; i < shapes.size(); ++i)
        cell_.kinds[cell_.net_of[shapes.first + i]] |= nets_.slots.kind(slot);
    });
    for (std::uint32_t c = 0; c < cell_.children.size(); ++c) {
      const std::uint32_t child = cell_.children[c].cell;
      for (std::size_t kind = 0; kind < cell_.count.size(); ++kind)
        cell_.count[kind] = add(cell_.count[kind], nets_.cells[child].count[kind]);
      cell_.label_count = add(cell_.label_count, nets_.cells[child].label_count);
      for (std::uint32_t k = cell_.joined_first[c]; k < cell_.joined_first[c + 1]; ++k) {
        const std::uint8_t kind = kind_of(nets_, child, cell_.joined_net[k]);
        cell_.kinds[cell_.joined_to[k]] |= kind;
        --cell_.count[kind];
      }
    }
    for (const std::uint8_t kind : cell_.kinds) cell_.count[kind] = add(cell_.count[kind], 1);
    cell_.label_count = add(cell_.label_count, cell_.labels.size());
  }

  /// Tells every text its net.
  void settle_labels() {
    for (NetLabel& label : cell_.labels) {
      const SlotShapes& shapes = cell_.shapes(label.slot);
      const Point at = label.at;
      shapes.near({at.x, at.y, at.x, at.y}, [&](std::uint32_t i) {
        label.net = cell_.net_of[shapes.first + i];
        // Of several texts on nothing at one place each has a number of its own; any will do.
        return (cell_.kinds[label.net] & kConductorKind) == 0;
      });
    }
    std::ranges::sort(cell_.labels, [](const NetLabel& a, const NetLabel& b) {
      if (a.net != b.net) return a.net < b.net;
      return *a.text != *b.text ? *a.text < *b.text : a.at < b.at;
    });
    drop_settled_labels();
  }

  /// Only a text that stands on nothing yet concerns the cells above.
  void drop_settled_labels() {
    const unsigned first_label = nets_.slots.conductors + nets_.slots.cuts;
    std::vector<SlotShapes> kept;
    std::vector<std::uint32_t> nets;
    SlotMask mask = cell_.own_mask & (slot_bit(first_label) - 1);
    const std::size_t metal = static_cast<std::size_t>(std::popcount(mask));
    if (metal == cell_.own.size()) return;
    const std::uint32_t first = cell_.own[metal].first;
    for_each_slot(cell_.own_mask & ~mask, [&](unsigned slot) {
      const SlotShapes& all = cell_.shapes(slot);
      SlotShapes open;
      open.first = first + static_cast<std::uint32_t>(nets.size());
      for (std::size_t i = 0; i < all.boxes.size(); ++i) {
        const std::uint32_t net = cell_.net_of[all.first + i];
        if ((cell_.kinds[net] & kConductorKind) != 0) continue;
        open.boxes.push_back(all.boxes[i]);
        open.bbox.include(static_cast<Box>(all.boxes[i]));
        nets.push_back(net);
      }
      if (open.boxes.empty()) return;
      open.box_tree = geometry::PackedIndex(std::span<const Box32>(open.boxes));
      kept.push_back(std::move(open));
      mask |= slot_bit(slot);
    });
    cell_.own.resize(metal);
    std::ranges::move(kept, std::back_inserter(cell_.own));
    cell_.own_mask = mask;
    cell_.net_of.resize(first);
    cell_.net_of.insert(cell_.net_of.end(), nets.begin(), nets.end());
  }

  const NetHierarchy& nets_;
  NetCell& cell_;
  PairCache& pairs_;
  const Progress& progress_;
  Components components_;
  Pins pins_;
  TouchTest touch_;
  NetWalk walk_;
  std::vector<std::uint32_t> net_of_node_;
  std::uint32_t asked_ = 0;
};

}  // namespace

Result<bool> solve(NetHierarchy& nets, Progress& progress) {
  std::vector<std::vector<std::uint32_t>> levels;
  for (std::uint32_t i = 0; i < nets.cells.size(); ++i) {
    if (nets.cells[i].level >= levels.size()) levels.resize(nets.cells[i].level + 1);
    levels[nets.cells[i].level].push_back(i);
  }
  PairCache pairs(nets);
  for (const std::vector<std::uint32_t>& level : levels) {
    const auto done = for_all_tiles<char>(level.size(), "Nets", progress, [&](std::size_t k) {
      CellSolver(nets, nets.cells[level[k]], pairs, progress).run();
      return char{1};
    });
    if (!done) return done.error();
    if (progress.cancelled())
      return Error{Errc::kCancelled, "LAYO-0007", "Work on the layout was cancelled."};
  }
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  if (!nets.cells.empty() && nets.cells.back().ids == kMost)
    return Error{Errc::kUnsupported, "NETS-0004",
                 "The cell " + nets.layout->cell(nets.cells.back().source).name +
                     " places more copies than nets can be told apart for; ask for a smaller "
                     "cell or a window."};
  summarise(nets);
  return true;
}

}  // namespace yieldloop::layout
