/// \file
/// The drawing around one place as boxes, edited and checked; for this folder's sources.
///
/// Units: database units.
#pragma once

#include <optional>
#include <vector>

#include "engine/feedback/layout_edits.h"

namespace yieldloop::feedback {

using geometry::Box;
using geometry::Coord;

/// A connected piece of a layer inside a window, as boxes that share no area.
using Piece = std::vector<Box>;

/// Nothing when an edge in the window is not axis-parallel.
std::optional<std::vector<Piece>> pieces_in(const layout::FlatView& view, layout::LayerIndex layer,
                                            const Box& window);

/// What boxes cover of a box, once.
double covered_area(const Piece& boxes, const Box& within);
bool covers(const Piece& boxes, const Box& box);
/// The parts of the boxes inside `cut`, and outside of it.
Piece inside(const Piece& boxes, const Box& cut);
Piece outside(const Piece& boxes, const Box& cut);
/// Appends one piece to a list of boxes.
void append(const Piece& from, Piece& to);
Piece joined(const std::vector<Piece>& pieces);

/// The largest e <= limit with box.enlarged(e) covered; -1 when the box itself is not.
Coord enclosure_of(const Box& box, const Piece& boxes, Coord limit);

/// True when `after` has as many pieces as `before` and no width or space below the rules that
/// `before` did not have. Both lie in `window`.
bool keeps_rules(const Piece& before, const Piece& after, const Box& window,
                 const LayerRules& rules);

/// Errors: kInvalidOptions EDIT-0001.
Status check_rules(std::initializer_list<Coord> lengths);
/// Errors: kCancelled EDIT-0002.
Status check_cancelled(const Progress& progress);

}  // namespace yieldloop::feedback
