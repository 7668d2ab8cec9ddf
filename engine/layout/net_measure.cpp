#include "engine/layout/net_measure.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/geometry/rectangles.h"
#include "engine/geometry/region.h"
#include "engine/layout/net_walk.h"

namespace yieldloop::layout {

NetHierarchy::NetHierarchy() = default;
NetHierarchy::NetHierarchy(NetHierarchy&&) noexcept = default;
NetHierarchy& NetHierarchy::operator=(NetHierarchy&&) noexcept = default;
NetHierarchy::~NetHierarchy() = default;

NetPlace place_of(const NetHierarchy& nets, NetPlace place) {
  const NetCell* at = &nets.cells[place.cell];
  while (place.net >= at->own_nets) {
    const std::uint32_t position = child_of(*at, place.net);
    const NetChild& child = at->children[position];
    place.net -= at->base[position];
    place.placement = nets.below(place.placement, child);
    place.cell = child.cell;
    at = &nets.cells[child.cell];
  }
  return place;
}

namespace {

/// The longer side of the rectangle of this area and half border.
double longer_side(double area, double half_border) {
  return (half_border + std::sqrt(std::max(0.0, half_border * half_border - 4.0 * area))) / 2.0;
}

/// By how much a placement stretches lengths.
double stretch(const Placement& placement) {
  if (placement.exact) return 1.0;
  const geometry::GeneralTransform& t = placement.general;
  return std::sqrt(std::abs(t.xx * t.yy - t.xy * t.yx));
}

class TableMaker {
 public:
  TableMaker(const NetHierarchy& nets, const std::vector<NetTable>& done, std::uint32_t index)
      : nets_(nets), done_(done), cell_(nets.cells[index]) {}

  NetTable make() {
    table_.rows.resize(cell_.own_nets);
    table_.amounts.assign(std::size_t{cell_.own_nets} * nets_.slots.conductors * 2, 0.0);
    for_each_slot(cell_.own_mask, [&](unsigned slot) {
      if (nets_.slots.kind(slot) != kLabelKind) add_slot(slot);
    });
    for (std::uint32_t c = 0; c < cell_.children.size(); ++c)
      for (std::uint32_t k = cell_.joined_first[c]; k < cell_.joined_first[c + 1]; ++k)
        add_child(cell_.children[c], cell_.joined_net[k], cell_.joined_to[k]);
    return std::move(table_);
  }

 private:
  double* amounts(std::uint64_t net, unsigned slot) {
    return &table_.amounts[(net * nets_.slots.conductors + slot) * 2];
  }

  void add_slot(unsigned slot) {
    const SlotShapes& shapes = cell_.shapes(slot);
    const bool conducts = nets_.slots.kind(slot) == kConductorKind;
    for (std::uint32_t i = 0; i < shapes.size(); ++i) {
      const NetShape shape = NetShape::of(cell_, slot, shapes, i, nullptr);
      NetTable::Row& row = table_.rows[shape.net()];
      ++(conducts ? row.shapes : row.cuts);
      row.bbox.include(shape.box);
      if (conducts && !lies_in_another(shapes, shape))
        amounts(shape.net(), slot)[1] += length_of(shape);
    }
    if (conducts) add_areas(slot, shapes);
  }

  /// In a box; of equal boxes the first lies in none.
  static bool lies_in_another(const SlotShapes& shapes, const NetShape& shape) {
    return !shapes.near(shape.box, [&](std::uint32_t other) {
      if (other == shape.number || other >= shapes.boxes.size()) return true;
      const Box box = shapes.boxes[other];
      return !box.contains(shape.box) || (box == shape.box && shape.is_box && other > shape.number);
    });
  }

  double length_of(const NetShape& shape) {
    if (shape.is_box) return static_cast<double>(std::max(shape.box.width(), shape.box.height()));
    const Ring ring = shape.ring(room_);
    double border = 0.0;
    for (std::size_t i = 0; i < ring.size(); ++i) {
      const Point side = ring[(i + 1) % ring.size()] - ring[i];
      border += std::hypot(static_cast<double>(side.x), static_cast<double>(side.y));
    }
    return longer_side(std::abs(geometry::signed_area2(ring)) / 2.0, border / 2.0);
  }

  void add_areas(unsigned slot, const SlotShapes& shapes) {
    std::vector<std::uint32_t> order(shapes.size());
    std::iota(order.begin(), order.end(), 0U);
    const auto net = [&](std::uint32_t i) { return cell_.net_of[shapes.first + i]; };
    std::ranges::stable_sort(order, {}, net);
    std::vector<geometry::Rect> rects;
    for (std::size_t from = 0; from < order.size();) {
      std::size_t to = from;
      rects.clear();
      double oblique = 0.0;
      for (; to < order.size() && net(order[to]) == net(order[from]); ++to)
        oblique += add_rects(NetShape::of(cell_, slot, shapes, order[to], nullptr), rects);
      amounts(net(order[from]), slot)[0] += geometry::coverage(rects).once + oblique;
      from = to;
    }
  }

  /// Appends what is rectangular; returns the area of the rest.
  double add_rects(const NetShape& shape, std::vector<geometry::Rect>& rects) {
    if (shape.is_box) {
      rects.push_back(geometry::to_rect(shape.box));
      return 0.0;
    }
    const Ring ring = shape.ring(room_);
    if (!geometry::is_manhattan(ring)) return std::abs(geometry::signed_area2(ring)) / 2.0;
    boxes_.clear();
    geometry::append_boxes(ring, boxes_);
    for (const Box& box : boxes_) rects.push_back(geometry::to_rect(box));
    return 0.0;
  }

  void add_child(const NetChild& child, std::uint64_t net, std::uint32_t to) {
    const NetPlace place = place_of(nets_, {child.cell, net, nets_.below({}, child)});
    const NetTable& below = done_[place.cell];
    const NetTable::Row& from = below.rows[place.net];
    NetTable::Row& row = table_.rows[to];
    row.shapes += from.shapes;
    row.cuts += from.cuts;
    row.bbox.include(place.placement(from.bbox));
    const double scale = stretch(place.placement);
    for (unsigned slot = 0; slot < nets_.slots.conductors; ++slot) {
      const double* amount = &below.amounts[(place.net * nets_.slots.conductors + slot) * 2];
      amounts(to, slot)[0] += amount[0] * scale * scale;
      amounts(to, slot)[1] += amount[1] * scale;
    }
  }

  const NetHierarchy& nets_;
  const std::vector<NetTable>& done_;
  const NetCell& cell_;
  NetTable table_;
  std::vector<Point> room_;
  std::vector<Box> boxes_;
};

}  // namespace

const std::vector<NetTable>& NetTables::get(const NetHierarchy& nets) {
  std::call_once(once_, [&] {
    tables_.resize(nets.cells.size());
    for (std::uint32_t i = 0; i < nets.cells.size(); ++i)
      tables_[i] = TableMaker(nets, tables_, i).make();
  });
  return tables_;
}

NetMeasure ChipNets::measure(NetId net) const {
  const NetHierarchy& nets = *solved_;
  const NetPlace place =
      place_of(nets, {static_cast<std::uint32_t>(nets.cells.size() - 1), net, {}});
  const NetTable& table = nets.tables->get(nets)[place.cell];
  const NetTable::Row& row = table.rows[place.net];
  const double scale = stretch(place.placement);
  NetMeasure measure{row.shapes, row.cuts, place.placement(row.bbox), {}};
  for (unsigned slot = 0; slot < nets.slots.conductors; ++slot) {
    const double* amount = &table.amounts[(place.net * nets.slots.conductors + slot) * 2];
    if (amount[0] > 0.0)
      measure.layers.push_back(
          {nets.slots.layers[slot], amount[0] * scale * scale, amount[1] * scale});
  }
  return measure;
}

}  // namespace yieldloop::layout
