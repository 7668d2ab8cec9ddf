/// \file
/// How much of each candidate cause a block of the die holds: the exposures that electrical fails
/// are divided by.
///
/// A block is a cell that a test observes. Its exposures are counted in the cell with all it
/// places, times how often the die holds the cell:
///
///   area                      the box of the block, um^2: random defects, the null
///   wire_length of a metal    half the border of the layer, um
///   single_via, double_via    connected cuts without and with a redundant partner
///   pattern classes           close places of a kind and space (pattern_census.h, radius 0)
///   cell types                placements of a leaf cell
///
/// What is drawn above a block by its neighbours (routing over it) is not the block's and is not
/// counted. A cause that no block holds is left out.
///
/// Units: um, um^2; counts.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/core/product.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/layout/flat_view.h"

namespace yieldloop::tracing {

struct ElectricalCause {
  std::string kind;  ///< "area", "via", "layout_pattern" or "net_or_cell": a finding's kind.
  std::map<std::string, std::string> subject;  ///< Of a finding about it; empty for area.
  friend bool operator==(const ElectricalCause&, const ElectricalCause&) = default;
};

/// "single VIA1 vias", for sentences.
std::string describe(const ElectricalCause& cause);

struct BlockExposures {
  std::vector<std::string> blocks;      ///< Cell names, sorted.
  std::vector<ElectricalCause> causes;  ///< Area first.
  std::vector<double> amount;           ///< Shape: [blocks, causes], for one die.
  std::vector<std::string> caveats;
  double at(std::size_t block, std::size_t cause) const {
    return amount[block * causes.size() + cause];
  }
  friend bool operator==(const BlockExposures&, const BlockExposures&) = default;
};

struct BlockExposureOptions {
  std::size_t most_cell_types = 12;  ///< Leaf cells asked, the most placed first.
  std::size_t most_classes = 12;     ///< Pattern classes of each layer, the most frequent first.
};

/// `cells` are block names, each once. Those that the layout lacks, or that the view's cell never
/// places, are named in a caveat. Errors: kNoData (ELEX-0001) when no block is left;
/// kCancelled of the layout's censuses.
Result<BlockExposures> block_exposures(const layout::FlatView& view, const Product& product,
                                       const std::vector<std::string>& cells,
                                       const BlockExposureOptions& options, Progress& progress);

}  // namespace yieldloop::tracing
