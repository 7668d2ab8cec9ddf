/// \file
/// What a layout draws around a point, brought to a form in which equal surroundings are equal.
///
/// A clip is the union of each chosen layer inside the open square of half side `radius` around a
/// point, told by the border of that union: every edge that runs inside the square, cut to it,
/// relative to the point. Where two layers' squares hold no edge, a word says covered or empty by
/// being there or not. Coordinates are half database units, so that the middle of an edge is
/// exact. Two clips are the same pattern when one of the 8 orientations takes one to the other.
///
/// The canonical clip is the orientation whose words have the smallest hash (a sum over the words,
/// so that it needs no sorting); where two hashes meet, the smaller words decide. Only canonical
/// words are ever compared for equality, never hashes alone.
///
/// A word packs one edge: bits 63-60 the layer's position in the list of layers, 59 oblique, 58
/// horizontal, 57-39 the place across, 38-20 and 19-1 the two ends along, each plus 2^18, bit 0
/// that the inside lies at smaller coordinates. An oblique edge takes two words with its two
/// points, inside to the left. Words ascend.
///
/// Units: half database units for coordinates, database units for radii.
/// Source: the exact mode of ICCAD-2016 contest problem C, "Pattern classification for integrated
/// circuit design space analysis"; the canonical form is our own.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/geometry/region.h"
#include "engine/geometry/transform.h"
#include "engine/layout/flat_view.h"

namespace yieldloop::layout {

/// Most layers of a clip, and its largest radius in database units.
inline constexpr std::size_t kMaxClipLayers = 16;
inline constexpr Coord kMaxClipRadius = 131'000;

using ClipWords = std::vector<std::uint64_t>;

/// One edge of a clip, inside to the left of (x0, y0) -> (x1, y1).
struct ClipEdge {
  std::uint32_t layer = 0;  ///< Position in the clip's list of layers.
  Point from;
  Point to;
  friend auto operator<=>(const ClipEdge&, const ClipEdge&) = default;
};

/// An axis-parallel edge as a word: its place `at` across, [low, high] along.
constexpr std::uint64_t clip_word(std::uint32_t layer, bool horizontal, Coord at, Coord low,
                                  Coord high, bool inside_before) {
  constexpr Coord kOffset = Coord{1} << 18;
  return std::uint64_t{layer} << 60 | std::uint64_t{horizontal} << 58 |
         static_cast<std::uint64_t>(at + kOffset) << 39 |
         static_cast<std::uint64_t>(low + kOffset) << 20 |
         static_cast<std::uint64_t>(high + kOffset) << 1 | std::uint64_t{inside_before};
}
/// The word of a layer that covers the whole square.
constexpr std::uint64_t covered_word(std::uint32_t layer) {
  return std::uint64_t{layer} << 60 | ((std::uint64_t{1} << 59) - 1);
}

/// The words of edges in any order; `covered` lists the layers that cover the whole square.
ClipWords clip_words(std::span<const ClipEdge> edges, std::span<const std::uint32_t> covered);
/// The edges of the words, without those of covered layers.
std::vector<ClipEdge> clip_edges(std::span<const std::uint64_t> words);
bool covers_all(std::span<const std::uint64_t> words, std::uint32_t layer);

/// The clip seen in an orientation, words ascending.
ClipWords oriented_clip(std::span<const std::uint64_t> words, geometry::Orientation orientation);
ClipWords canonical_clip(std::span<const std::uint64_t> words);
std::uint64_t clip_hash(std::span<const std::uint64_t> words);

/// "p-" and 10 hex digits of the SHA-256 over radius, number of layers and canonical words: the
/// same on every machine and in every run.
std::string pattern_id(std::span<const std::uint64_t> canonical, Coord radius, std::size_t layers);

/// The union of one layer of the clip as closed rings, outer ones counter-clockwise, holes
/// clockwise, in half database units; what is cut runs along the square's border.
std::vector<Polygon> clip_rings(std::span<const std::uint64_t> words, std::uint32_t layer,
                                Coord radius);
/// The words of such rings; what runs along the square's border is no edge. Inverse of clip_rings.
ClipWords words_of_rings(const std::vector<std::vector<Polygon>>& rings_by_layer, Coord radius);
/// The same area as rectangles that share none; oblique edges become steps of one half unit.
std::vector<geometry::Rect> clip_rects(std::span<const std::uint64_t> words, std::uint32_t layer,
                                       Coord radius);

/// The canonical clip of one place, by merging what is drawn there with geometry::merge: slow, and
/// correct for any shapes. Where edges that are neither axis-parallel nor at 45 degrees cross,
/// the crossing is rounded to half units.
/// REQUIRES: radius in [1, kMaxClipRadius]; at most kMaxClipLayers layers.
ClipWords clip_at(const FlatView& view, std::span<const LayerIndex> layers, Point twice,
                  Coord radius);
/// The same from shapes already in half units relative to the place. Shape: [layers].
ClipWords clip_of_shapes(std::span<const geometry::ShapeHeap> shapes, Coord radius);

}  // namespace yieldloop::layout
