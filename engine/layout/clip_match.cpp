#include "engine/layout/clip_match.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace yieldloop::layout {
namespace {

using geometry::Orientation;

constexpr Coord kNoMatch = std::numeric_limits<Coord>::max();

double overlap(double a_low, double a_high, double b_low, double b_high) {
  return std::max(0.0, std::min(a_high, b_high) - std::max(a_low, b_low));
}

Point sign_of(Point d) { return {(d.x > 0) - (d.x < 0), (d.y > 0) - (d.y < 0)}; }

/// The least largest displacement of corners over the ways to turn one ring into the other.
Coord ring_displacement(const Polygon& a, const Polygon& b) {
  if (a.size() != b.size()) return kNoMatch;
  const std::size_t n = a.size();
  Coord best = kNoMatch;
  for (std::size_t shift = 0; shift < n; ++shift) {
    Coord worst = 0;
    for (std::size_t i = 0; i < n && worst < best; ++i) {
      const Point p = a[i], q = b[(i + shift) % n];
      const Point in = a[(i + 1) % n] - p, out = b[(i + shift + 1) % n] - q;
      if (sign_of(in) != sign_of(out)) {
        worst = kNoMatch;
        break;
      }
      worst = std::max({worst, std::abs(p.x - q.x), std::abs(p.y - q.y)});
    }
    best = std::min(best, worst);
  }
  return best;
}

/// Whether the rings can be paired so that no pair is farther apart than `limit` (Kuhn).
class Pairing {
 public:
  explicit Pairing(const std::vector<std::vector<Coord>>& far) : far_(far) {}
  bool within(Coord limit) {
    taken_.assign(far_.size(), -1);
    for (std::size_t i = 0; i < far_.size(); ++i) {
      seen_.assign(far_.size(), false);
      if (!place(i, limit)) return false;
    }
    return true;
  }

 private:
  bool place(std::size_t i, Coord limit) {
    for (std::size_t k = 0; k < far_.size(); ++k) {
      if (far_[i][k] > limit || seen_[k]) continue;
      seen_[k] = true;
      if (taken_[k] < 0 || place(static_cast<std::size_t>(taken_[k]), limit)) {
        taken_[k] = static_cast<int>(i);
        return true;
      }
    }
    return false;
  }
  const std::vector<std::vector<Coord>>& far_;
  std::vector<int> taken_;
  std::vector<bool> seen_;
};

/// The least largest displacement over all pairings of rings.
Coord rings_displacement(const std::vector<Polygon>& a, const std::vector<Polygon>& b) {
  if (a.size() != b.size()) return kNoMatch;
  std::vector<std::vector<Coord>> far(a.size(), std::vector<Coord>(b.size(), kNoMatch));
  std::vector<Coord> limits;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t k = 0; k < b.size(); ++k) {
      far[i][k] = ring_displacement(a[i], b[k]);
      if (far[i][k] != kNoMatch) limits.push_back(far[i][k]);
    }
  }
  if (a.empty()) return 0;
  std::ranges::sort(limits);
  Pairing pairing(far);
  const auto enough =
      std::ranges::partition_point(limits, [&](Coord limit) { return !pairing.within(limit); });
  return enough == limits.end() ? kNoMatch : *enough;
}

}  // namespace

AreaClip::AreaClip(std::span<const std::uint64_t> words, std::size_t layers, Coord radius)
    : rings_(layers) {
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    for (const geometry::Rect& r : clip_rects(words, layer, radius)) {
      const auto i32 = [](double v) { return static_cast<std::int32_t>(std::llround(v)); };
      rects_.push_back({layer, i32(r.x_min), i32(r.y_min), i32(r.x_max), i32(r.y_max)});
      const LayerRect& q = rects_.back();
      total_ += double(q.x_max - q.x_min) * double(q.y_max - q.y_min);
      double inner = 0.0;
      for (std::size_t k = 0; k < kRings; ++k) {
        const double side =
            2.0 * static_cast<double>(radius) * static_cast<double>(k + 1) / double(kRings);
        const double area =
            overlap(q.x_min, q.x_max, -side, side) * overlap(q.y_min, q.y_max, -side, side);
        rings_[layer][k] += area - inner;
        inner = area;
      }
    }
  }
}

double AreaClip::least_difference(const AreaClip& other) const {
  double sum = 0.0;
  for (std::size_t layer = 0; layer < rings_.size(); ++layer) {
    for (std::size_t k = 0; k < kRings; ++k) {
      sum += std::abs(rings_[layer][k] - other.rings_[layer][k]);
    }
  }
  return sum;
}

std::vector<AreaClip::LayerRect> AreaClip::turned(Orientation o) const {
  std::vector<LayerRect> result;
  result.reserve(rects_.size());
  for (const LayerRect& r : rects_) {
    const Box b = geometry::Transform{o, {}}(Box{r.x_min, r.y_min, r.x_max, r.y_max});
    const geometry::Box32 n = geometry::narrow(b);
    result.push_back({r.layer, n.x_min, n.y_min, n.x_max, n.y_max});
  }
  return result;
}

double AreaClip::difference(const AreaClip& other) const {
  double most = 0.0;
  for (int o = 0; o < 8; ++o) {
    double common = 0.0;
    for (const LayerRect& a : turned(static_cast<Orientation>(o))) {
      for (const LayerRect& b : other.rects_) {
        if (a.layer != b.layer) continue;
        common += overlap(a.x_min, a.x_max, b.x_min, b.x_max) *
                  overlap(a.y_min, a.y_max, b.y_min, b.y_max);
      }
    }
    most = std::max(most, common);
  }
  return total_ + other.total_ - 2.0 * most;
}

CornerClip::CornerClip(std::span<const std::uint64_t> words, std::size_t layers, Coord radius) {
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    rings_.push_back(clip_rings(words, layer, radius));
    std::vector<std::uint32_t> sizes;
    for (const Polygon& ring : rings_.back()) {
      sizes.push_back(static_cast<std::uint32_t>(ring.size()));
      for (const Point p : ring) {
        places_.push_back(static_cast<std::int32_t>(std::abs(p.x)));
        places_.push_back(static_cast<std::int32_t>(std::abs(p.y)));
      }
    }
    std::ranges::sort(sizes);
    signature_.push_back(static_cast<std::uint32_t>(sizes.size()));
    signature_.insert(signature_.end(), sizes.begin(), sizes.end());
  }
  std::ranges::sort(places_);
}

CornerClip::Rings CornerClip::turned(Orientation o) const {
  Rings result = rings_;
  for (auto& layer : result) {
    for (Polygon& ring : layer) {
      for (Point& p : ring) p = geometry::apply(o, p);
      if (geometry::mirrored(o)) std::ranges::reverse(ring);
    }
  }
  return result;
}

std::optional<Coord> CornerClip::between(const Rings& a, const Rings& b) {
  Coord worst = 0;
  for (std::size_t layer = 0; layer < a.size(); ++layer) {
    worst = std::max(worst, rings_displacement(a[layer], b[layer]));
    if (worst == kNoMatch) return std::nullopt;
  }
  return worst;
}

std::optional<Coord> CornerClip::displacement(const CornerClip& other) const {
  if (signature_ != other.signature_) return std::nullopt;
  std::optional<Coord> best;
  for (int o = 0; o < 8; ++o) {
    const auto next = between(turned(static_cast<Orientation>(o)), other.rings_);
    if (next && (!best || *next < *best)) best = next;
  }
  return best;
}

}  // namespace yieldloop::layout
