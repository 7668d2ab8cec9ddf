/// \file
/// Where on the chip a cell, a net or a pattern is, as rectangles that defects are counted in.
///
/// Units: um in the top cell's coordinates.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/core/product.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/layout/chip_nets.h"
#include "engine/layout/flat_view.h"
#include "engine/session/named_design.h"
#include "engine/tracing/frame.h"

namespace yieldloop::session {

/// More places than this are not taken; the zone says so.
inline constexpr std::size_t kMostPlacesOfZone = 300'000;

struct DesignZone {
  std::string kind;  ///< "cell", "net", "layer", "pattern" or "region".
  std::string name;
  std::vector<tracing::RectUm> places;
  bool complete = true;  ///< False when there are more than kMostPlacesOfZone.
};

/// The bounding boxes of all placements of a cell below the view's.
/// Errors: kNotFound (SESS-0013) when no such cell is placed.
Result<DesignZone> cell_zone(const layout::FlatView& view, const std::string& cell);
/// Cells that are placed below the view's, ascending.
std::vector<std::string> placed_cell_names(const layout::FlatView& view);

/// The wires and vias of nets, on the layers named (all when empty), by name. Names are those of
/// the DEF file when there is one, else those that texts of the layout give.
/// Errors: kNotFound (SESS-0014) when no net bears the name; those of layout::extract_nets.
class DesignNets {
 public:
  static Result<DesignNets> make(const layout::FlatView& view, const Product& product,
                                 const NamedDesign* design, Progress& progress);
  Result<DesignZone> zone(const std::string& net, const std::set<std::string>& layers) const;
  /// The same for several nets at once, without those that have no shape.
  std::vector<DesignZone> zones(const std::set<std::string>& nets,
                                const std::set<std::string>& layers) const;
  /// Names of nets with a shape within `reach` along both axes of the point.
  std::set<std::string> near(tracing::PointUm at, double reach,
                             const std::set<std::string>& layers) const;
  std::size_t count() const;

 private:
  DesignNets(const layout::FlatView& view, const Product& product)
      : view_(view), product_(&product) {}
  std::string name_of(layout::NetId net) const;
  void add_shapes(layout::NetId net, const std::set<std::string>& layers, DesignZone& zone) const;
  std::optional<std::string> layer_name(layout::LayerIndex layer) const;

  layout::FlatView view_;
  const Product* product_;
  const NamedDesign* design_ = nullptr;
  std::optional<layout::ChipNets> nets_;
};

}  // namespace yieldloop::session
