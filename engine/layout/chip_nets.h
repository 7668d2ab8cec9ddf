/// \file
/// The nets of a whole chip: which pieces of metal are connected, found without flattening it.
///
/// Shapes of one layer that touch, at an edge or in a corner, are one net; a cut joins every shape
/// it touches on the layers it connects, and cuts that touch are one as well. Connectivity inside
/// a cell is solved once per cell. What its placements add is solved in the cell that places
/// it: own shapes over placed ones, placed cells that abut or overlap. A regular array is solved as
/// halves of halves, so that it costs its borders and not its copies. Shapes in one cell are
/// compared as that cell draws them, all others as the lowest cell that holds both sees them.
///
/// A net is known by a number that is the same on every run and any number of threads; the numbers
/// have gaps. The layout must outlive the nets.
/// Units: database units, areas in square database units. Const members are thread-safe.
/// Cost: about one index query for each shape record and for each placement.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/function_ref.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/layout/connectivity.h"
#include "engine/layout/flat_view.h"

namespace yieldloop::layout {

using NetId = std::uint64_t;

/// Texts of `key` name the shape of `conductor` that they stand on.
struct LabelLayer {
  LayerKey key;
  LayerIndex conductor = 0;
  friend bool operator==(const LabelLayer&, const LabelLayer&) = default;
};

/// What conducts and what joins it, e.g. li1 to met5 with mcon to via4 between them.
struct NetStack {
  std::vector<LayerIndex> conductors;
  std::vector<ViaLayer> vias;
  /// Beside these, a text on the layer number of a conductor names it whatever its text type is
  /// (e.g. 68/5 and 68/16 name shapes of 68/20); of several such conductors, the first.
  std::vector<LabelLayer> labels;
};

struct NetOptions {
  /// Only shapes whose box touches it, uncut; what connects outside is not seen. Empty: all.
  Box window;
  bool labels = true;  ///< Read the texts.
};

/// The texts on a net. Those drawn in the view's cell name it; a net without any takes those of the
/// highest cell that draws one on it, written CELL/TEXT.
struct NetNames {
  std::string first;             ///< Of all texts in ascending order; empty when there is none.
  std::vector<std::string> all;  ///< Ascending, each once, at most 32.
  std::uint64_t different = 0;   ///< Also those beyond the 32.
  friend bool operator==(const NetNames&, const NetNames&) = default;
};

/// One name on several nets of one cell, of which one at least is joined to nothing outside of the
/// cell: two pieces that were meant to be one.
struct PossibleOpen {
  CellIndex cell = kNoCell;
  std::string name;
  std::uint64_t nets = 0;  ///< How many bear it.
  friend bool operator==(const PossibleOpen&, const PossibleOpen&) = default;
};

/// What a net draws on one conductor. Pieces that overlap in one cell count once, those of
/// different cells twice; the length is the sum of the longer sides of the drawn pieces that lie in
/// no other piece of their cell.
struct NetLayer {
  LayerIndex layer = 0;
  double area = 0.0;
  double length = 0.0;
  friend bool operator==(const NetLayer&, const NetLayer&) = default;
};

struct NetMeasure {
  std::uint64_t shapes = 0;      ///< On conductors.
  std::uint64_t cuts = 0;        ///< On cut layers.
  Box bbox;                      ///< In the view's cell.
  std::vector<NetLayer> layers;  ///< Ascending as in the stack, only what is drawn on.
  friend bool operator==(const NetMeasure&, const NetMeasure&) = default;
};

struct NetSummary {
  std::uint64_t nets = 0;                    ///< With a shape on a conductor.
  std::uint64_t lone_cuts = 0;               ///< Groups of cuts that touch no conductor.
  std::uint64_t labels = 0;                  ///< Texts that could name a net, placements expanded.
  std::uint64_t loose_labels = 0;            ///< Of these, on no shape.
  std::vector<PossibleOpen> possible_opens;  ///< Ascending by cell, then name; at most 100.
  std::uint64_t possible_opens_total = 0;
  std::uint64_t cells = 0;  ///< Solved, each once, halves of arrays included.
  friend bool operator==(const NetSummary&, const NetSummary&) = default;
};

/// What the summary makes a user doubt, as sentences; none when there is nothing.
std::vector<std::string> net_caveats(const NetSummary& summary, const Layout& layout);

struct NetHierarchy;  // net_hierarchy.h

/// Cheap to copy.
class ChipNets {
 public:
  explicit ChipNets(std::shared_ptr<const NetHierarchy> solved);

  const NetSummary& summary() const;
  /// The net of a point of a conductor or cut layer, border included; nothing where nothing is
  /// drawn.
  std::optional<NetId> net_at(LayerIndex layer, Point p) const;
  /// Every net with a shape on a conductor, each once, in a fixed order. Stops at false.
  void for_each_net(FunctionRef<bool(NetId)> visit) const;
  /// Whether a number is one that net_at or for_each_net could give.
  bool has(NetId net) const;
  /// REQUIRES: has(net).
  NetMeasure measure(NetId net) const;
  NetNames names(NetId net) const;
  /// Calls visit(layer, shape) for the shapes of a net, in a fixed order.
  void for_each_shape(NetId net, FunctionRef<void(LayerIndex, const PlacedShape&)> visit) const;
  /// Nets that bear the name in the view's cell, then CELL/TEXT as in NetNames; each once,
  /// at most `limit`.
  std::vector<NetId> named(std::string_view name, std::size_t limit = 1000) const;
  std::size_t memory_bytes() const;

 private:
  std::shared_ptr<const NetHierarchy> solved_;
};

/// Errors: kInvalidOptions NETS-0001 (no conductor), NETS-0002 (a layer is used twice or a via
/// joins what is no conductor), NETS-0003 (more than 64 layers); kUnsupported NETS-0004 (more
/// copies than can be numbered); kCancelled LAYO-0007.
Result<ChipNets> extract_nets(const FlatView& view, const NetStack& stack,
                              const NetOptions& options, Progress& progress);

}  // namespace yieldloop::layout
