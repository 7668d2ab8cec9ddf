#include "engine/layout/rule_check.h"

#include <algorithm>
#include <cmath>

#include "engine/geometry/union_sweep.h"
#include "engine/layout/edge_pairs.h"
#include "engine/layout/shape_gather.h"
#include "engine/layout/shape_search.h"
#include "engine/layout/tiles.h"

namespace yieldloop::layout {
namespace {

using geometry::UnionEdge;
using geometry::UnionOutline;

/// What one tile, or all of them, found.
struct Found {
  std::vector<RuleViolation> width;
  std::vector<RuleViolation> space;
  std::uint64_t oblique = 0;
};

/// Pieces of an outline with those joined that meet in a corner.
class CornerJoins {
 public:
  explicit CornerJoins(const UnionOutline& outline) : parent_(outline.pieces) {
    for (std::uint32_t i = 0; i < parent_.size(); ++i) parent_[i] = i;
    struct End {
      Point at;
      std::uint32_t piece;
      auto operator<=>(const End&) const = default;
    };
    std::vector<End> ends;
    for (const UnionEdge& e : outline.vertical) {
      ends.push_back({{e.at, e.low}, e.piece});
      ends.push_back({{e.at, e.high}, e.piece});
    }
    std::sort(ends.begin(), ends.end());
    for (std::size_t i = 1; i < ends.size(); ++i)
      if (ends[i].at == ends[i - 1].at) parent_[root(ends[i].piece)] = root(ends[i - 1].piece);
  }
  bool same(std::uint32_t a, std::uint32_t b) { return root(a) == root(b); }

 private:
  std::uint32_t root(std::uint32_t piece) {
    while (parent_[piece] != piece) piece = parent_[piece] = parent_[parent_[piece]];
    return piece;
  }
  std::vector<std::uint32_t> parent_;
};

class RuleChecker {
 public:
  RuleChecker(const ShapeSearch& search, LayerIndex layer, const RuleCheckOptions& options,
              const TileGrid& grid)
      : search_(search), options_(options), grid_(grid), layer_box_(search.view().bbox(layer)) {}

  Found tile(std::size_t index) const {
    const Box tile = grid_.tile(index);
    const Box seen = tile.enlarged(4 * std::max(options_.width, options_.space) + 1);
    ShapeGatherer gatherer(search_.cells());
    const auto& heap = gatherer.gather(search_.view().top(), seen).front();
    Found found;
    if (heap.empty()) return found;
    const UnionOutline outline = geometry::union_outline(heap, seen);
    for (const auto& [a, b] : outline.oblique) found.oblique += grid_.owns(tile, std::min(a, b));
    std::optional<EdgeIndex> index_of_edges;
    std::optional<CornerJoins> joins;
    for (const bool upright : {true, false}) {
      const std::vector<UnionEdge>& edges = upright ? outline.vertical : outline.horizontal;
      for_each_near_pair(edges, std::max(options_.width, options_.space),
                         [&](const UnionEdge& a, const UnionEdge& b) {
                           const Coord along = std::max(a.low, b.low);
                           if (!grid_.owns(tile, upright ? Point{a.at, along} : Point{along, a.at}))
                             return;
                           const NearPair pair{a, b, upright};
                           const auto same_piece = [&] {
                             if (a.piece == b.piece) return true;
                             if (!joins) joins.emplace(outline);
                             return joins->same(a.piece, b.piece);
                           };
                           take(gatherer, pair, outline, seen, index_of_edges, same_piece, found);
                         });
    }
    return found;
  }

 private:
  template <class SamePiece>
  void take(ShapeGatherer& gatherer, const NearPair& pair, const UnionOutline& outline,
            const Box& seen, std::optional<EdgeIndex>& index, SamePiece&& same_piece,
            Found& found) const {
    for (const Facing facing : {Facing::kInside, Facing::kOutside}) {
      const Coord rule = facing == Facing::kInside ? options_.width : options_.space;
      if (rule == 0 || !pair.violates(rule, facing)) continue;
      if (facing == Facing::kInside && !same_piece()) continue;
      std::optional<RuleViolation> violation;
      if (pair.leaves(seen)) {
        violation = followed(gatherer, pair, rule);
      } else {
        if (!index) index.emplace(outline);
        violation = pair.unshielded(rule, *index);
      }
      if (violation) (facing == Facing::kInside ? found.width : found.space).push_back(*violation);
    }
  }

  /// The pair with its edges as long as they are, however far they leave the tile.
  std::optional<RuleViolation> followed(ShapeGatherer& gatherer, NearPair pair, Coord rule) const {
    const Box whole = layer_box_.enlarged(2);
    for (Coord reach = 4 * options_.tile;; reach *= 4) {
      const Box strip = pair.strip(reach).intersection(whole);
      const auto& heap = gatherer.gather(search_.view().top(), strip).front();
      // A strip may be long, but what crosses it is little.
      const UnionOutline outline = geometry::union_outline(heap, strip);
      pair.lengthen(outline);
      if (pair.leaves(strip) && !strip_holds_all(strip, whole, pair.upright)) continue;
      return pair.unshielded(rule, EdgeIndex(outline));
    }
  }
  static bool strip_holds_all(const Box& strip, const Box& whole, bool upright) {
    return upright ? strip.y_min == whole.y_min && strip.y_max == whole.y_max
                   : strip.x_min == whole.x_min && strip.x_max == whole.x_max;
  }

  const ShapeSearch& search_;
  const RuleCheckOptions options_;
  const TileGrid& grid_;
  const Box layer_box_;
};

RuleViolations sorted(std::vector<RuleViolation> all, std::size_t listed) {
  std::sort(all.begin(), all.end());
  RuleViolations result;
  result.count = all.size();
  if (all.size() > listed) all.resize(listed);
  result.listed = std::move(all);
  return result;
}

}  // namespace

Result<RuleCheck> check_rules(const FlatView& view, LayerIndex layer,
                              const RuleCheckOptions& options, Progress& progress) {
  constexpr Coord kLargestRule = Coord{1} << 24;
  const auto sound = [](Coord rule) { return rule >= 0 && rule <= kLargestRule; };
  if (!sound(options.width) || !sound(options.space) || options.tile <= 0)
    return Error{Errc::kInvalidOptions, "LAYO-0023",
                 "A rule must lie between 0 and 2^24 database units and a tile above 0; check the "
                 "unit of the rule."};
  RuleCheck result;
  const TileGrid grid = TileGrid::of(options.window.value_or(view.bbox(layer)), options.tile);
  const ShapeSearch search(view, {layer});
  const RuleChecker checker(search, layer, options, grid);
  YL_ASSIGN(const auto tiles, for_all_tiles<Found>(grid.size(), "rule check", progress,
                                                   [&](std::size_t k) { return checker.tile(k); }));
  std::vector<RuleViolation> width;
  std::vector<RuleViolation> space;
  for (const Found& tile : tiles) {
    width.insert(width.end(), tile.width.begin(), tile.width.end());
    space.insert(space.end(), tile.space.begin(), tile.space.end());
    result.oblique += tile.oblique;
  }
  result.width = sorted(std::move(width), options.listed);
  result.space = sorted(std::move(space), options.listed);
  return result;
}

}  // namespace yieldloop::layout
