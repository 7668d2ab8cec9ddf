#include "engine/layout/pattern_clip.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "engine/core/sha256.h"

namespace yieldloop::layout {
namespace {

using geometry::Orientation;
using geometry::ShapeHeap;

constexpr Coord kOffset = Coord{1} << 18;
constexpr std::uint64_t kField = (std::uint64_t{1} << 19) - 1;
constexpr std::uint64_t kOblique = std::uint64_t{1} << 59;
constexpr std::uint64_t kHorizontal = std::uint64_t{1} << 58;
constexpr std::uint64_t kBelowLayer = (std::uint64_t{1} << 60) - 1;

Coord at_of(std::uint64_t word) { return static_cast<Coord>(word >> 39 & kField) - kOffset; }
Coord low_of(std::uint64_t word) { return static_cast<Coord>(word >> 20 & kField) - kOffset; }
Coord high_of(std::uint64_t word) { return static_cast<Coord>(word >> 1 & kField) - kOffset; }
std::uint32_t layer_of(std::uint64_t word) { return static_cast<std::uint32_t>(word >> 60); }
bool is_covered(std::uint64_t word) { return (word & kBelowLayer) == covered_word(0); }

std::uint64_t mix(std::uint64_t v) {
  v += 0x9E3779B97F4A7C15ull;
  v = (v ^ (v >> 30)) * 0xBF58476D1CE4E5B9ull;
  v = (v ^ (v >> 27)) * 0x94D049BB133111EBull;
  return v ^ (v >> 31);
}

/// How an orientation acts on words: the axes change places, then each may change its sign.
struct Turn {
  bool swap = false;
  bool negative_x = false;
  bool negative_y = false;

  static Turn of(Orientation o) {
    const Point x = geometry::apply(o, {1, 0});
    const Point y = geometry::apply(o, {0, 1});
    return {x.x == 0, x.x + y.x < 0, x.y + y.y < 0};
  }
  /// Of an axis-parallel edge.
  std::uint64_t operator()(std::uint64_t word) const {
    const bool horizontal = ((word & kHorizontal) != 0) != swap;
    const bool across = horizontal ? negative_y : negative_x;
    const bool along = horizontal ? negative_x : negative_y;
    std::uint64_t at = word >> 39 & kField;
    std::uint64_t low = word >> 20 & kField;
    std::uint64_t high = word >> 1 & kField;
    std::uint64_t inside = word & 1;
    if (across) at = (std::uint64_t{1} << 19) - at, inside ^= 1;
    if (along) {
      low = (std::uint64_t{1} << 19) - low;
      high = (std::uint64_t{1} << 19) - high;
      std::swap(low, high);
    }
    return (word & ~kBelowLayer) | (horizontal ? kHorizontal : 0) | at << 39 | low << 20 |
           high << 1 | inside;
  }
};

/// An edge as its one or two words; the second is 0 for axis-parallel edges.
using WordPair = std::pair<std::uint64_t, std::uint64_t>;

WordPair pair_of(const ClipEdge& e) {
  const std::uint64_t layer = std::uint64_t{e.layer} << 60;
  if (e.from.x == e.to.x) {
    return {layer | clip_word(0, false, e.from.x, std::min(e.from.y, e.to.y),
                              std::max(e.from.y, e.to.y), e.to.y > e.from.y),
            0};
  }
  if (e.from.y == e.to.y) {
    return {layer | clip_word(0, true, e.from.y, std::min(e.from.x, e.to.x),
                              std::max(e.from.x, e.to.x), e.to.x < e.from.x),
            0};
  }
  return {layer | kOblique | clip_word(0, false, e.from.x, e.from.y, 0, false),
          layer | kOblique | clip_word(0, false, e.to.x, e.to.y, 0, true)};
}

ClipWords flattened(std::vector<WordPair>& pairs) {
  std::ranges::sort(pairs);
  ClipWords words;
  words.reserve(pairs.size());
  for (const WordPair& p : pairs) {
    words.push_back(p.first);
    if (p.second != 0) words.push_back(p.second);
  }
  return words;
}

bool has_oblique(std::span<const std::uint64_t> words) {
  return std::ranges::any_of(words,
                             [](std::uint64_t w) { return (w & kOblique) != 0 && !is_covered(w); });
}

ClipWords turned_edges(std::span<const std::uint64_t> words, Orientation o) {
  auto edges = clip_edges(words);
  std::vector<std::uint32_t> covered;
  for (const std::uint64_t w : words) {
    if (is_covered(w)) covered.push_back(layer_of(w));
  }
  for (ClipEdge& e : edges) {
    e.from = geometry::apply(o, e.from);
    e.to = geometry::apply(o, e.to);
    // A mirrored edge is reversed, so that the inside stays left.
    if (geometry::mirrored(o)) std::swap(e.from, e.to);
  }
  return clip_words(edges, covered);
}

/// The smallest of the 8 orientations' words; for clips with oblique edges, which are rare.
ClipWords smallest_turned(std::span<const std::uint64_t> words) {
  ClipWords best = turned_edges(words, Orientation::kR0);
  for (int o = 1; o < 8; ++o) {
    ClipWords next = turned_edges(words, static_cast<Orientation>(o));
    if (next < best) best = std::move(next);
  }
  return best;
}

bool on_border(Point a, Point b, Coord side) {
  return (a.x == b.x && std::abs(a.x) == side) || (a.y == b.y && std::abs(a.y) == side);
}

/// The edges inside the square of one layer's shapes; nothing when it covers the whole square.
void add_edges_of(const ShapeHeap& shapes, std::uint32_t layer, Coord side,
                  std::vector<ClipEdge>& edges, std::vector<std::uint32_t>& covered) {
  const std::size_t before = edges.size();
  const auto pieces = geometry::merge(shapes, {-side, -side, side, side});
  const auto add = [&](const Polygon& ring) {
    for (std::size_t i = 0; i < ring.size(); ++i) {
      const Point a = ring[i], b = ring[(i + 1) % ring.size()];
      if (!on_border(a, b, side)) edges.push_back({layer, a, b});
    }
  };
  for (const auto& piece : pieces) {
    add(piece.outer);
    for (const Polygon& hole : piece.holes) add(hole);
  }
  if (edges.size() == before && !pieces.empty()) covered.push_back(layer);
}

ShapeHeap turned_shapes(const ShapeHeap& shapes, Orientation o) {
  ShapeHeap result;
  for (const Box& b : shapes.boxes) result.add(geometry::Transform{o, {}}(b));
  for (const Polygon& polygon : shapes.oblique) {
    Polygon moved;
    for (const Point p : polygon) moved.push_back(geometry::apply(o, p));
    result.add(moved);
  }
  return result;
}

bool any_angle(const ShapeHeap& shapes) {
  return std::ranges::any_of(shapes.oblique, [](const Polygon& polygon) {
    for (std::size_t i = 0; i < polygon.size(); ++i) {
      const Point d = polygon[(i + 1) % polygon.size()] - polygon[i];
      if (d.x != 0 && d.y != 0 && std::abs(d.x) != std::abs(d.y)) return true;
    }
    return false;
  });
}

}  // namespace

ClipWords clip_words(std::span<const ClipEdge> edges, std::span<const std::uint32_t> covered) {
  std::vector<WordPair> pairs;
  pairs.reserve(edges.size());
  for (const ClipEdge& e : edges) pairs.push_back(pair_of(e));
  for (const std::uint32_t layer : covered) pairs.emplace_back(covered_word(layer), 0);
  return flattened(pairs);
}

std::vector<ClipEdge> clip_edges(std::span<const std::uint64_t> words) {
  std::vector<ClipEdge> edges;
  edges.reserve(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::uint64_t w = words[i];
    if (is_covered(w)) continue;
    ClipEdge e{layer_of(w), {}, {}};
    if ((w & kOblique) != 0) {
      if (i + 1 >= words.size()) break;
      e.from = {at_of(w), low_of(w)};
      e.to = {at_of(words[i + 1]), low_of(words[i + 1])};
      ++i;
    } else if ((w & kHorizontal) != 0) {
      e.from = {low_of(w), at_of(w)}, e.to = {high_of(w), at_of(w)};
      if ((w & 1) != 0) std::swap(e.from, e.to);
    } else {
      e.from = {at_of(w), low_of(w)}, e.to = {at_of(w), high_of(w)};
      if ((w & 1) == 0) std::swap(e.from, e.to);
    }
    edges.push_back(e);
  }
  return edges;
}

bool covers_all(std::span<const std::uint64_t> words, std::uint32_t layer) {
  return std::ranges::find(words, covered_word(layer)) != words.end();
}

ClipWords oriented_clip(std::span<const std::uint64_t> words, Orientation orientation) {
  if (has_oblique(words)) return turned_edges(words, orientation);
  const Turn turn = Turn::of(orientation);
  ClipWords result;
  result.reserve(words.size());
  for (const std::uint64_t w : words) result.push_back(is_covered(w) ? w : turn(w));
  std::ranges::sort(result);
  return result;
}

ClipWords canonical_clip(std::span<const std::uint64_t> words) {
  if (has_oblique(words)) return smallest_turned(words);
  static const std::array<Turn, 8> kTurns = [] {
    std::array<Turn, 8> turns;
    for (std::size_t o = 0; o < 8; ++o) turns[o] = Turn::of(static_cast<Orientation>(o));
    return turns;
  }();
  std::array<std::uint64_t, 8> hashes{};
  for (std::size_t o = 0; o < 8; ++o) {
    for (const std::uint64_t w : words) hashes[o] += mix(is_covered(w) ? w : kTurns[o](w));
  }
  const std::uint64_t least = *std::ranges::min_element(hashes);
  ClipWords best;
  for (std::size_t o = 0; o < 8; ++o) {
    if (hashes[o] != least) continue;
    ClipWords next = oriented_clip(words, static_cast<Orientation>(o));
    if (best.empty() || next < best) best = std::move(next);
  }
  return best;
}

std::uint64_t clip_hash(std::span<const std::uint64_t> words) {
  std::uint64_t hash = words.size();
  for (const std::uint64_t w : words) {
    hash = (hash ^ w) * 0x9FB21C651E98DF25ull;
    hash ^= hash >> 32;
  }
  return mix(hash);
}

std::string pattern_id(std::span<const std::uint64_t> canonical, Coord radius, std::size_t layers) {
  std::vector<std::byte> bytes;
  bytes.reserve(8 * (canonical.size() + 2));
  const auto add = [&bytes](std::uint64_t v) {
    for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<std::byte>(v >> (8 * i) & 0xFF));
  };
  add(static_cast<std::uint64_t>(radius));
  add(layers);
  for (const std::uint64_t w : canonical) add(w);
  const auto digest = Sha256::of(bytes);
  std::string id = "p-";
  for (std::size_t i = 0; i < 5; ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    id += {kDigits[digest.bytes[i] >> 4], kDigits[digest.bytes[i] & 15]};
  }
  return id;
}

ClipWords clip_of_shapes(std::span<const ShapeHeap> shapes, Coord radius) {
  const bool odd_angles = std::ranges::any_of(shapes, any_angle);
  ClipWords best;
  // Rounded crossings do not commute with turning: the shapes themselves are turned.
  for (int o = 0; o < (odd_angles ? 8 : 1); ++o) {
    std::vector<ClipEdge> edges;
    std::vector<std::uint32_t> covered;
    for (std::uint32_t k = 0; k < shapes.size(); ++k) {
      add_edges_of(odd_angles ? turned_shapes(shapes[k], static_cast<Orientation>(o)) : shapes[k],
                   k, 2 * radius, edges, covered);
    }
    ClipWords next = canonical_clip(clip_words(edges, covered));
    if (o == 0 || next < best) best = std::move(next);
  }
  return best;
}

ClipWords clip_at(const FlatView& view, std::span<const LayerIndex> layers, Point twice,
                  Coord radius) {
  const Point middle{twice.x >> 1, twice.y >> 1};
  const Box window = Box{middle.x, middle.y, middle.x + 1, middle.y + 1}.enlarged(radius);
  std::vector<ShapeHeap> heaps(layers.size());
  for (std::size_t k = 0; k < layers.size(); ++k) {
    view.for_each_shape(layers[k], window, [&](const FlatShape& shape) {
      if (shape.is_box) {
        const Box& b = shape.box;
        heaps[k].add(Box{2 * b.x_min - twice.x, 2 * b.y_min - twice.y, 2 * b.x_max - twice.x,
                         2 * b.y_max - twice.y});
        return;
      }
      Polygon points;
      for (const Point p : shape.points) points.push_back({2 * p.x - twice.x, 2 * p.y - twice.y});
      heaps[k].add(points);
    });
  }
  return clip_of_shapes(heaps, radius);
}

}  // namespace yieldloop::layout
