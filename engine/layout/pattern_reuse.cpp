#include "engine/layout/pattern_reuse.h"

#include <algorithm>

#include "engine/layout/pattern_tile.h"
#include "engine/layout/tiles.h"

namespace yieldloop::layout {

using geometry::Transform;

namespace {

/// A repeated cell smaller than this many reaches has no inner part worth keeping.
constexpr Coord kSmallestCell = 8;

Point to_local(const Transform& placed, Point twice) {
  const Transform doubled{placed.orientation,
                          {2 * placed.displacement.x, 2 * placed.displacement.y}};
  return doubled.inverted()(twice);
}

bool in_box(const Box& box, Point twice) {
  return twice.x >= 2 * box.x_min && twice.x <= 2 * box.x_max && twice.y >= 2 * box.y_min &&
         twice.y <= 2 * box.y_max;
}

}  // namespace

void PartCounts::add(std::uint32_t number, PointKindSet kinds) {
  classes.push_back({number, kinds, 1});
  ++places;
  for (std::size_t k = 0; k < kPointKinds; ++k) by_kind[k] += kinds >> k & 1u;
}

void PartCounts::add(const PartCounts& other) {
  classes.insert(classes.end(), other.classes.begin(), other.classes.end());
  places += other.places;
  for (std::size_t k = 0; k < kPointKinds; ++k) by_kind[k] += other.by_kind[k];
}

void PartCounts::settle() {
  std::ranges::sort(classes, {}, &ClassCount::number);
  std::size_t kept = 0;
  for (const ClassCount& c : classes) {
    if (kept > 0 && classes[kept - 1].number == c.number) {
      classes[kept - 1].count += c.count;
      classes[kept - 1].kinds |= c.kinds;
    } else {
      classes[kept++] = c;
    }
  }
  classes.resize(kept);
  classes.shrink_to_fit();
}

PartCounts count_places(const FlatView& view, const PatternSpec& spec, const Box& box,
                        FunctionRef<bool(Point)> mine, ClassTable& table) {
  PartCounts counts;
  const PatternTile tile(view, spec, box);
  ClipBatch batch;
  ClipWords words;
  std::vector<PointKindSet> kinds;
  for (const PatternPoint& p : tile.points(box)) {
    if (!mine(p.twice)) continue;
    const bool canonical = tile.clip(p.twice, words);
    batch.add(words, canonical);
    kinds.push_back(p.kinds);
  }
  table.classify(batch);
  for (std::size_t i = 0; i < kinds.size(); ++i) counts.add(batch.number(i), kinds[i]);
  counts.settle();
  return counts;
}

bool PlacedCounts::useful() const {
  return std::ranges::any_of(owner, [](std::int32_t o) { return o >= 0; });
}

Box CellCounts::tile(std::size_t part) const {
  const Coord x = bbox.x_min + side * static_cast<Coord>(part % columns);
  const Coord y = bbox.y_min + side * static_cast<Coord>(part / columns);
  return {x, y, x + side, y + side};
}

std::size_t CellCounts::tile_of(Point twice) const {
  const auto column = (2 * twice.x + 1 - 4 * bbox.x_min) / (4 * side);
  const auto row = (2 * twice.y + 1 - 4 * bbox.y_min) / (4 * side);
  return static_cast<std::size_t>(row) * columns + static_cast<std::size_t>(column);
}

std::size_t CellCounts::part_of(Point twice) const {
  const Box at{twice.x >> 1, twice.y >> 1, (twice.x + 1) >> 1, (twice.y + 1) >> 1};
  std::size_t part = tile_of(twice);
  bool found = false;
  placed_index.for_each_range(at, placed.size(), [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last && !found; ++i) {
      if (!in_box(placed_boxes[i], twice)) continue;
      const PlacedCounts& p = placed[i];
      const std::int32_t owner = p.owner[p.cell->part_of(to_local(p.transform, twice))];
      if (owner < 0) continue;
      part = static_cast<std::size_t>(owner);
      found = true;
    }
  });
  return part;
}

std::vector<std::uint32_t> CellCounts::placed_near(const Box& window) const {
  std::vector<std::uint32_t> near;
  placed_index.for_each_range(window, placed.size(), [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      if (placed_boxes[i].touches(window)) near.push_back(static_cast<std::uint32_t>(i));
    }
  });
  return near;
}

ReuseCounter::ReuseCounter(const FlatView& view, const PatternSpec& spec, Coord side,
                           ClassTable& table, Progress& progress)
    : view_(view),
      spec_(spec),
      side_(side),
      table_(table),
      progress_(progress),
      counts_(view.layout().cells().size()),
      holds_repeated_(view.layout().cells().size(), false) {}

ReuseCounter::~ReuseCounter() = default;

Box ReuseCounter::layers_box(CellIndex cell) const {
  Box box;
  for (const LayerIndex layer : spec_.layers) {
    box.include(view_.layout().cell(cell).layer_bbox(layer));
  }
  return box;
}

Status ReuseCounter::run() {
  const Layout& layout = view_.layout();
  const CellIndex root = view_.top();
  const auto times = layout.times_placed(std::span(&root, 1));
  for (const CellIndex cell : layout.bottom_up()) {
    if (times[cell] == 0 || cell == root) continue;
    for (const Instance& instance : layout.cell(cell).instances) {
      if (repeated(instance.cell) || holds_repeated_[instance.cell]) holds_repeated_[cell] = true;
    }
    const Box box = layers_box(cell);
    const Coord smallest = kSmallestCell * spec_.reach();
    if (times[cell] < 2 || box.empty() || box.width() < smallest || box.height() < smallest) {
      continue;
    }
    auto counts = std::make_unique<CellCounts>();
    YL_TRY(count_cell(cell, *counts, false));
    counts_[cell] = std::move(counts);
  }
  if (layers_box(root).empty()) return Ok{};
  CellCounts top;
  return count_cell(root, top, true);
}

Status ReuseCounter::count_cell(CellIndex cell, CellCounts& out, bool top) {
  lay_grid(cell, out);
  YL_TRY(place_children(cell, out));
  std::mutex totals;
  const auto counted =
      for_all_tiles<char>(out.parts.size(), "pattern census", progress_, [&](std::size_t part) {
        PartCounts counts;
        count_rest(cell, out, out.tile(part), counts);
        looked_at_ += counts.places;
        if (!top) {
          counts.settle();
          out.parts[part].counts = std::move(counts);
          return char{};
        }
        for (const ClassCount& c : counts.classes) table_.add(c);
        counts.classes.clear();
        const std::lock_guard lock(totals);
        totals_.add(counts);
        return char{};
      });
  if (!counted) return counted.error();
  add_reused(out, top);
  if (!top) finish(out);
  return Ok{};
}

void ReuseCounter::lay_grid(CellIndex cell, CellCounts& out) const {
  out.bbox = layers_box(cell);
  out.side = std::max({side_, out.bbox.width() / 4096, out.bbox.height() / 4096});
  const auto count = [&out](Coord length) {
    return static_cast<std::size_t>((4 * length + 1) / (4 * out.side) + 1);
  };
  out.columns = count(out.bbox.width());
  out.parts.resize(out.columns * count(out.bbox.height()));
  for (std::size_t i = 0; i < out.parts.size(); ++i) {
    const Box tile = out.tile(i);
    // A place may lie a quarter unit outside; what is drawn ends at the cell's box.
    out.parts[i].region = Box{tile.x_min - 1, tile.y_min - 1, tile.x_max, tile.y_max}.intersection(
        out.bbox.enlarged(1));
  }
}

void ReuseCounter::find_placed(CellIndex root, CellIndex cell, const Transform& transform,
                               std::vector<PathStep>& path, std::vector<PlacedCounts>& placed,
                               std::vector<std::vector<PathStep>>& paths) const {
  const Layout& layout = view_.layout();
  const auto& instances = layout.cell(cell).instances;
  for (std::uint32_t i = 0; i < instances.size(); ++i) {
    const Instance& instance = instances[i];
    const bool is_repeated = repeated(instance.cell);
    if (instance.general >= 0 || (!is_repeated && !holds_repeated_[instance.cell])) continue;
    for (std::uint32_t row = 0; row < instance.rows; ++row) {
      for (std::uint32_t column = 0; column < instance.columns; ++column) {
        const Transform here =
            transform * Transform{instance.orientation, Layout::element_at(instance, column, row)};
        path.push_back({i, column, row});
        if (is_repeated) {
          placed.push_back(
              {here, here(counts_[instance.cell]->bbox), counts_[instance.cell].get(), {}});
          paths.push_back(path);
        } else {
          find_placed(root, instance.cell, here, path, placed, paths);
        }
        path.pop_back();
      }
    }
  }
}

Status ReuseCounter::place_children(CellIndex cell, CellCounts& out) {
  std::vector<PlacedCounts> placed;
  std::vector<std::vector<PathStep>> paths;
  std::vector<PathStep> path;
  find_placed(cell, cell, {}, path, placed, paths);
  const auto accepted =
      for_all_tiles<char>(placed.size(), "pattern census", progress_, [&](std::size_t i) {
        accept_parts(cell, out, paths[i], placed[i]);
        return char{};
      });
  if (!accepted) return accepted.error();
  std::erase_if(placed, [](const PlacedCounts& p) { return !p.useful(); });
  std::vector<Box> boxes;
  for (const PlacedCounts& p : placed) boxes.push_back(p.box);
  for (const std::uint32_t i : geometry::packed_order(boxes)) {
    out.placed.push_back(std::move(placed[i]));
    out.placed_boxes.push_back(boxes[i]);
  }
  out.placed_index = geometry::PackedIndex(out.placed_boxes);
  return Ok{};
}

void ReuseCounter::accept_parts(CellIndex root, const CellCounts& out,
                                std::span<const PathStep> path, PlacedCounts& placed) const {
  const auto& parts = placed.cell->parts;
  placed.owner.assign(parts.size(), -1);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Box region = placed.transform(parts[i].region);
    if (reached_by_others(root, region.enlarged(spec_.reach()), path)) continue;
    const Point low{std::clamp(region.x_min, out.bbox.x_min, out.bbox.x_max),
                    std::clamp(region.y_min, out.bbox.y_min, out.bbox.y_max)};
    placed.owner[i] = static_cast<std::int32_t>(out.tile_of({2 * low.x, 2 * low.y}));
  }
}

bool ReuseCounter::draws_near(CellIndex cell, const Box& window) const {
  bool found = false;
  for (const LayerIndex layer : spec_.layers) {
    if (found) break;
    FlatView(view_.layout(), cell).for_each_shape(layer, window, [&](const FlatShape&) {
      found = true;
    });
  }
  return found;
}

bool ReuseCounter::reached_by_others(CellIndex cell, const Box& window,
                                     std::span<const PathStep> own) const {
  const Layout& layout = view_.layout();
  const Cell& here = layout.cell(cell);
  bool found = false;
  for (const LayerIndex layer : spec_.layers) {
    const LayerShapes* shapes = here.find(layer);
    if (shapes == nullptr || !shapes->bbox.touches(window)) continue;
    shapes->for_each_near(window, [&](const CellShape&) { found = true; });
    if (found) return true;
  }
  here.for_each_instance_near(layout, window, [&](std::uint32_t position, std::uint32_t one) {
    const Instance& instance = here.instances[position];
    const Box child = found ? Box{} : layers_box(instance.cell);
    if (child.empty()) return;
    const Box element = layout.placed_box(instance, child);
    const auto copy = [&](std::uint32_t column, std::uint32_t row) {
      const Point at = Layout::element_at(instance, column, row);
      if (found || !element.moved(at).touches(window)) return;
      const bool is_own = own.front() == PathStep{position, column, row};
      if (is_own && own.size() == 1) return;
      if (instance.general >= 0) {
        found = true;
        return;
      }
      const Box inner = Transform{instance.orientation, at}.inverted()(window);
      found = is_own ? reached_by_others(instance.cell, inner, own.subspan(1))
                     : draws_near(instance.cell, inner);
    };
    if (one != kAllCopies) return copy(one, 0);
    for_each_copy_near(instance, element.moved(static_cast<Point>(instance.displacement)), window,
                       copy);
  });
  return found;
}

bool ReuseCounter::all_reused(const CellCounts& counts, std::span<const std::uint32_t> near,
                              const Box& box) const {
  const Box inside = box.enlarged(1).intersection(counts.bbox);
  for (const std::uint32_t i : near) {
    const PlacedCounts& p = counts.placed[i];
    if (!p.box.contains(inside)) continue;
    const Box local = p.transform.inverted()(inside);
    bool all = true;
    const CellCounts& cell = *p.cell;
    cell.part_index.for_each_range(local, cell.part_boxes.size(),
                                   [&](std::size_t first, std::size_t last) {
                                     for (std::size_t k = first; k < last && all; ++k) {
                                       if (cell.part_boxes[k].touches(local))
                                         all = p.owner[cell.part_of_box[k]] >= 0;
                                     }
                                   });
    if (all) return true;
  }
  return false;
}

void ReuseCounter::count_rest(CellIndex cell, const CellCounts& counts, const Box& box,
                              PartCounts& out) {
  if (!box.touches(counts.bbox.enlarged(1))) return;
  const auto near = counts.placed_near(box.enlarged(1));
  if (all_reused(counts, near, box)) return;
  if (!near.empty() && box.width() >= kSmallestCell * spec_.reach()) {
    const Coord x = (box.x_min + box.x_max) / 2, y = (box.y_min + box.y_max) / 2;
    count_rest(cell, counts, {box.x_min, box.y_min, x, y}, out);
    count_rest(cell, counts, {x, box.y_min, box.x_max, y}, out);
    count_rest(cell, counts, {box.x_min, y, x, box.y_max}, out);
    count_rest(cell, counts, {x, y, box.x_max, box.y_max}, out);
    return;
  }
  const auto mine = [&](Point twice) {
    return std::ranges::none_of(near, [&](std::uint32_t i) {
      const PlacedCounts& p = counts.placed[i];
      if (!in_box(p.box, twice)) return false;
      return p.owner[p.cell->part_of(to_local(p.transform, twice))] >= 0;
    });
  };
  out.add(count_places(FlatView(view_.layout(), cell), spec_, box, mine, table_));
}

void ReuseCounter::add_reused(CellCounts& out, bool top) {
  Weights weights;
  for (const PlacedCounts& p : out.placed) {
    auto& weight = weights[p.cell];
    weight.resize(p.cell->parts.size());
    for (std::size_t i = 0; i < p.owner.size(); ++i) {
      if (p.owner[i] < 0) continue;
      const auto owner = static_cast<std::size_t>(p.owner[i]);
      const CellPart& part = p.cell->parts[i];
      if (top) {
        ++weight[i];
      } else {
        out.parts[owner].counts.add(part.counts);
        out.parts[owner].region.include(p.transform(part.region));
      }
    }
  }
  if (!top) {
    for (CellPart& part : out.parts) part.counts.settle();
    return;
  }
  for (const auto& [cell, weight] : weights) {
    for (std::size_t i = 0; i < weight.size(); ++i) {
      if (weight[i] == 0) continue;
      const PartCounts& counts = cell->parts[i].counts;
      for (const ClassCount& c : counts.classes) table_.add(c, weight[i]);
      totals_.places += counts.places * weight[i];
      for (std::size_t k = 0; k < kPointKinds; ++k) {
        totals_.by_kind[k] += counts.by_kind[k] * weight[i];
      }
    }
  }
}

void ReuseCounter::finish(CellCounts& out) const {
  std::vector<Box> boxes;
  for (const CellPart& part : out.parts) boxes.push_back(part.region);
  for (const std::uint32_t i : geometry::packed_order(boxes)) {
    out.part_boxes.push_back(boxes[i]);
    out.part_of_box.push_back(i);
  }
  out.part_index = geometry::PackedIndex(out.part_boxes);
}

}  // namespace yieldloop::layout
