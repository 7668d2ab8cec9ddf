#include "engine/feedback/edit_window.h"

#include <algorithm>

#include "engine/geometry/region.h"
#include "engine/layout/census.h"
#include "engine/layout/layout_builder.h"

namespace yieldloop::feedback {
namespace {

constexpr layout::LayerKey kKey{1, 0};

std::vector<geometry::Rect> rects_of(const Piece& boxes) {
  std::vector<geometry::Rect> rects;
  for (const Box& b : boxes) rects.push_back(geometry::to_rect(b));
  return rects;
}

std::size_t count_pieces(const Piece& boxes, const Box& window) {
  geometry::ShapeHeap heap;
  for (const Box& b : boxes) heap.add(b);
  return geometry::merge(heap, window).size();
}

/// Places with a width or a space below the rules, both kinds in one list.
std::optional<std::vector<layout::EdgePair>> breaches(const Piece& boxes, const LayerRules& rules) {
  std::vector<layout::EdgePair> found;
  if (boxes.empty()) return found;
  layout::LayoutBuilder builder(0.001);
  const auto cell = builder.add_cell("PLACE");
  for (const Box& b : boxes) builder.add_box(cell, kKey, b);
  const auto drawn = builder.build();
  if (!drawn) return std::nullopt;
  const auto view = layout::view_of(*drawn);
  const auto layer = drawn->find_layer(kKey);
  if (!view || !layer) return std::nullopt;
  NoProgress progress;
  const auto widths = layout::census_widths(*view, *layer, {.below = rules.width}, progress);
  const auto spaces = layout::census_spaces(*view, *layer, {.below = rules.space}, progress);
  if (!widths || !spaces) return std::nullopt;
  found = widths->pairs;
  found.insert(found.end(), spaces->pairs.begin(), spaces->pairs.end());
  std::ranges::sort(found);
  return found;
}

}  // namespace

std::optional<std::vector<Piece>> pieces_in(const layout::FlatView& view, layout::LayerIndex layer,
                                            const Box& window) {
  geometry::ShapeHeap heap;
  view.for_each_shape(layer, window, [&](const layout::FlatShape& shape) {
    if (shape.is_box) {
      heap.add(shape.box);
    } else {
      heap.add(shape.points);
    }
  });
  if (!heap.oblique.empty()) return std::nullopt;
  std::vector<Piece> pieces;
  for (const auto& merged : geometry::merge(heap, window)) {
    Piece& piece = pieces.emplace_back();
    for (const auto& r : geometry::to_rects(merged, 1)) {
      piece.push_back({static_cast<Coord>(r.x_min), static_cast<Coord>(r.y_min),
                       static_cast<Coord>(r.x_max), static_cast<Coord>(r.y_max)});
    }
  }
  return pieces;
}

double covered_area(const Piece& boxes, const Box& within) {
  return geometry::coverage(rects_of(inside(boxes, within))).once;
}

bool covers(const Piece& boxes, const Box& box) {
  return box.width() > 0 && box.height() > 0 && covered_area(boxes, box) == box.area();
}

Piece inside(const Piece& boxes, const Box& cut) {
  Piece parts;
  for (const Box& b : boxes) {
    if (b.overlaps(cut)) parts.push_back(b.intersection(cut));
  }
  return parts;
}

Piece outside(const Piece& boxes, const Box& cut) {
  Piece parts;
  const auto keep = [&parts](const Box& b) {
    if (b.width() > 0 && b.height() > 0) parts.push_back(b);
  };
  for (const Box& b : boxes) {
    if (!b.overlaps(cut)) {
      parts.push_back(b);
      continue;
    }
    const Box shared = b.intersection(cut);
    keep({b.x_min, b.y_min, b.x_max, shared.y_min});
    keep({b.x_min, shared.y_max, b.x_max, b.y_max});
    keep({b.x_min, shared.y_min, shared.x_min, shared.y_max});
    keep({shared.x_max, shared.y_min, b.x_max, shared.y_max});
  }
  return parts;
}

void append(const Piece& from, Piece& to) { to.insert(to.end(), from.begin(), from.end()); }

Piece joined(const std::vector<Piece>& pieces) {
  Piece all;
  for (const Piece& piece : pieces) append(piece, all);
  return all;
}

Coord enclosure_of(const Box& box, const Piece& boxes, Coord limit) {
  if (!covers(boxes, box)) return -1;
  Coord low = 0, high = limit;
  while (low < high) {
    const Coord middle = low + (high - low + 1) / 2;
    if (covers(boxes, box.enlarged(middle))) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

bool keeps_rules(const Piece& before, const Piece& after, const Box& window,
                 const LayerRules& rules) {
  if (count_pieces(before, window) != count_pieces(after, window)) return false;
  const auto had = breaches(before, rules);
  const auto has = breaches(after, rules);
  return had && has && std::ranges::includes(*had, *has);
}

Status check_rules(std::initializer_list<Coord> lengths) {
  if (std::ranges::all_of(lengths, [](Coord length) { return length > 0; })) return Ok{};
  return Error{Errc::kInvalidOptions, "EDIT-0001",
               "An edit of the layout needs a goal, widths and spaces above 0: give the layers "
               "min_width_um and min_space_um in product.toml."};
}

Status check_cancelled(const Progress& progress) {
  if (!progress.cancelled()) return Ok{};
  return Error{Errc::kCancelled, "EDIT-0002", "Drawing the edits was stopped; none was written."};
}

}  // namespace yieldloop::feedback
