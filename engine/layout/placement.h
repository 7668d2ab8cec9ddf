/// \file
/// Where a cell stands below a view, exact as long as it can be; for this folder's sources.
#pragma once

#include "engine/layout/layout.h"

namespace yieldloop::layout {

struct Placement {
  bool exact = true;
  geometry::Transform transform;
  geometry::GeneralTransform general;

  Point operator()(Point p) const { return exact ? transform(p) : general(p); }
  /// The window as the cell sees it; a unit more where places are rounded.
  Box to_local(const Box& window) const {
    return exact ? transform.inverted()(window) : general.inverted()(window).enlarged(1);
  }
  /// That of the copy of `instance` whose origin stands at `at`.
  Placement below(const Layout& layout, const Instance& instance, Point at) const {
    Placement result;
    if (exact && instance.general < 0) {
      result.transform = transform * geometry::Transform{instance.orientation, at};
      return result;
    }
    geometry::GeneralTransform inner =
        instance.general < 0
            ? geometry::GeneralTransform::of(geometry::Transform{instance.orientation, {}})
            : layout.general_transforms()[static_cast<std::size_t>(instance.general)];
    inner.dx = static_cast<double>(at.x);
    inner.dy = static_cast<double>(at.y);
    result.exact = false;
    result.general = (exact ? geometry::GeneralTransform::of(transform) : general) * inner;
    return result;
  }
};

}  // namespace yieldloop::layout
