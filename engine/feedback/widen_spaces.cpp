#include <algorithm>
#include <array>

#include "engine/feedback/edit_window.h"
#include "engine/feedback/layout_edits.h"

namespace yieldloop::feedback {
namespace {

constexpr const char* kOblique = "the drawing is not axis-parallel";
constexpr const char* kNoEdges = "no two edges face each other there";
constexpr const char* kNoRoom = "no edge can move without breaking a rule or baring a cut";

/// One of the two edges of a gap.
struct Edge {
  bool along_x = false;  ///< The edge moves along x.
  bool high = false;     ///< It lies on the gap's high side.
  Piece piece;           ///< The metal behind it.
  bool line_end = false;
};

/// The strip of depth `depth` behind the edge, `beside` wider than the gap on both ends.
Box strip(const Box& gap, const Edge& edge, Coord depth, Coord beside) {
  Box b = gap;
  if (edge.along_x) {
    b.x_min = edge.high ? gap.x_max : gap.x_min - depth;
    b.x_max = edge.high ? gap.x_max + depth : gap.x_min;
    b.y_min -= beside;
    b.y_max += beside;
  } else {
    b.y_min = edge.high ? gap.y_max : gap.y_min - depth;
    b.y_max = edge.high ? gap.y_max + depth : gap.y_min;
    b.x_min -= beside;
    b.x_max += beside;
  }
  return b;
}

/// A line end has nothing beside it: the metal behind it is no wider than three widths.
bool is_line_end(const Box& gap, const Edge& edge, Coord width) {
  const Box behind = strip(gap, edge, 1, 2 * width);
  Box extent;
  for (const Box& b : inside(edge.piece, behind)) extent.include(b);
  const Coord across = edge.along_x ? extent.height() : extent.width();
  return across <= 3 * width;
}

class Place {
 public:
  Place(const Box& gap, std::vector<Piece> pieces, Piece cuts, const WidenOptions& options,
        const Box& window)
      : gap_(gap),
        pieces_(std::move(pieces)),
        cuts_(std::move(cuts)),
        options_(options),
        window_(window),
        before_(joined(pieces_)) {}

  /// The facing edges, the one to move first first; fewer than two when the gap is none.
  std::vector<Edge> edges() const {
    for (const bool along_x :
         gap_.width() <= gap_.height() ? std::array{true, false} : std::array{false, true}) {
      std::vector<Edge> found;
      for (const bool high : {false, true}) {
        Edge edge{along_x, high, {}, false};
        const Box behind = strip(gap_, edge, 1, 0);
        const auto owner =
            std::ranges::find_if(pieces_, [&](const Piece& p) { return covers(p, behind); });
        if (owner == pieces_.end()) break;
        edge.piece = *owner;
        edge.line_end = is_line_end(gap_, edge, options_.rules.width);
        found.push_back(std::move(edge));
      }
      if (found.size() < 2) continue;
      std::ranges::stable_sort(found, std::ranges::greater{}, &Edge::line_end);
      return found;
    }
    return {};
  }

  Coord space() const {
    const auto found = edges();
    return found.empty() ? 0 : found.front().along_x ? gap_.width() : gap_.height();
  }

  /// Moves the edges as far as the rules let them; returns the space gained.
  Coord widen(const std::vector<Edge>& edges, LayerEdit& edit) const {
    const Coord missing = options_.goal - space();
    Coord gained = 0;
    Piece now = before_;
    for (const Edge& edge : edges) {
      for (const int quarters : {4, 3, 2, 1}) {
        const Coord depth = (missing - gained) * quarters / 4;
        if (depth <= 0) break;
        Piece taken, after;
        if (!try_move(edge, depth, now, taken, after)) continue;
        append(taken, edit.removed);
        now = std::move(after);
        gained += depth;
        break;
      }
      if (gained >= missing) break;
    }
    return gained;
  }

 private:
  bool try_move(const Edge& edge, Coord depth, const Piece& now, Piece& taken, Piece& after) const {
    const Box cut = strip(gap_, edge, depth, options_.goal);
    taken = inside(edge.piece, cut);
    // A cut keeps the metal around it that it has.
    for (const Box& via : cuts_) {
      const Coord has = enclosure_of(via, edge.piece, 2 * options_.rules.width);
      if (has < 0) continue;
      const Box needs = via.enlarged(has);
      if (std::ranges::any_of(taken, [&](const Box& t) { return t.overlaps(needs); })) return false;
    }
    after = now;
    for (const Box& t : taken) after = outside(after, t);
    return keeps_rules(now, after, window_, options_.rules);
  }

  Box gap_;
  std::vector<Piece> pieces_;
  Piece cuts_;
  const WidenOptions& options_;
  Box window_;
  Piece before_;
};

void widen_one(const layout::FlatView& view, layout::LayerIndex layer, const Box& gap,
               const WidenOptions& options, EditPlan& plan) {
  const Coord reach = 3 * (options.goal + options.rules.width + options.rules.space);
  const Box window = gap.enlarged(reach);
  auto pieces = pieces_in(view, layer, window);
  if (!pieces) {
    ++plan.refused[kOblique];
    return;
  }
  Piece cuts;
  for (const auto cut_layer : options.cuts) {
    view.for_each_shape(cut_layer, window,
                        [&](const layout::FlatShape& s) { cuts.push_back(s.box); });
  }
  const Place place(gap, std::move(*pieces), std::move(cuts), options, window);
  const auto edges = place.edges();
  if (edges.empty()) {
    ++plan.refused[kNoEdges];
    return;
  }
  LayerEdit edit{.layer = layer, .removed = {}, .added = {}};
  const Coord missing = options.goal - place.space();
  const Coord gained = missing <= 0 ? missing : place.widen(edges, edit);
  if (gained >= missing) {
    ++plan.edited;
  } else if (gained > 0) {
    ++plan.partly;
  } else {
    ++plan.refused[kNoRoom];
  }
  if (!edit.removed.empty()) plan.edits.push_back(std::move(edit));
}

}  // namespace

Result<EditPlan> widen_spaces(const layout::FlatView& view, layout::LayerIndex layer,
                              std::span<const Box> gaps, const WidenOptions& options,
                              Progress& progress) {
  YL_TRY(check_rules({options.goal, options.rules.width, options.rules.space}));
  EditPlan plan{.edits = {}, .places = gaps.size(), .edited = 0, .partly = 0, .refused = {}};
  for (const Box& gap : gaps) {
    YL_TRY(check_cancelled(progress));
    widen_one(view, layer, gap, options, plan);
  }
  return plan;
}

}  // namespace yieldloop::feedback
