/// \file
/// Where a cell stands below another: exact as long as every step is orthogonal.
#pragma once

#include "engine/layout/layout.h"

namespace yieldloop::layout {

struct Placement {
  bool exact = true;
  geometry::Transform transform;
  geometry::GeneralTransform general;

  Point operator()(Point p) const { return exact ? transform(p) : general(p); }
  /// The hull of the placed box; empty stays empty.
  Box operator()(const Box& box) const { return exact ? transform(box) : general(box); }
  /// The window in the cell's own coordinates, a unit larger where placing rounds.
  Box to_local(const Box& window) const {
    return exact ? transform.inverted()(window) : general.inverted()(window).enlarged(1);
  }
  /// A cell that this one places at `at`. `odd` is the part of its transform that is not
  /// orthogonal, null for none.
  Placement below(geometry::Orientation orientation, const geometry::GeneralTransform* odd,
                  Point at) const {
    Placement result;
    if (exact && odd == nullptr) {
      result.transform = transform * geometry::Transform{orientation, at};
      return result;
    }
    geometry::GeneralTransform inner =
        odd == nullptr ? geometry::GeneralTransform::of(geometry::Transform{orientation, {}})
                       : *odd;
    inner.dx = static_cast<double>(at.x);
    inner.dy = static_cast<double>(at.y);
    result.exact = false;
    result.general = (exact ? geometry::GeneralTransform::of(transform) : general) * inner;
    return result;
  }
  /// That of the copy of `instance` whose origin stands at `at`.
  Placement below(const Layout& layout, const Instance& instance, Point at) const {
    const auto* odd =
        instance.general < 0
            ? nullptr
            : &layout.general_transforms()[static_cast<std::size_t>(instance.general)];
    return below(instance.orientation, odd, at);
  }
};

}  // namespace yieldloop::layout
