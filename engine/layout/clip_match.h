/// \file
/// Clips prepared for being compared with many others; for this folder's sources.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/layout/pattern_clip.h"

namespace yieldloop::layout {

/// Rectangles of a clip that share no area, with the clip's area in nested squares.
class AreaClip {
 public:
  static constexpr std::size_t kRings = 6;
  AreaClip(std::span<const std::uint64_t> words, std::size_t layers, Coord radius);

  /// No orientation can make the differing area smaller: turning keeps the area in each ring
  /// between two nested squares.
  double least_difference(const AreaClip& other) const;
  /// Area where the two differ in the best orientation. Half units squared.
  double difference(const AreaClip& other) const;
  double total() const { return total_; }

 private:
  struct LayerRect {
    std::uint32_t layer;
    std::int32_t x_min, y_min, x_max, y_max;
  };
  std::vector<LayerRect> turned(geometry::Orientation o) const;
  std::vector<LayerRect> rects_;
  std::vector<std::array<double, kRings>> rings_;  ///< Shape: [layers].
  double total_ = 0.0;
};

/// The corners of a clip's rings in order.
class CornerClip {
 public:
  CornerClip(std::span<const std::uint64_t> words, std::size_t layers, Coord radius);

  /// Corners and rings of each layer: different signatures never match. No orientation changes it.
  const std::vector<std::uint32_t>& signature() const { return signature_; }
  /// All |x| and |y| ascending: sorted like with like, matching clips differ by at most e.
  const std::vector<std::int32_t>& places() const { return places_; }
  /// The least largest displacement over orientations, if the topology is the same.
  std::optional<Coord> displacement(const CornerClip& other) const;

 private:
  using Rings = std::vector<std::vector<Polygon>>;  ///< Shape: [layers][rings].
  static std::optional<Coord> between(const Rings& a, const Rings& b);
  Rings turned(geometry::Orientation o) const;

  Rings rings_;
  std::vector<std::uint32_t> signature_;
  std::vector<std::int32_t> places_;
};

}  // namespace yieldloop::layout
