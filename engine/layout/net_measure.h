/// \file
/// What the nets of each cell draw, made once when it is first asked for; for this folder's
/// sources.
#pragma once

#include <mutex>
#include <vector>

#include "engine/layout/net_hierarchy.h"

namespace yieldloop::layout {

/// Of the own nets of one cell, joined children included.
struct NetTable {
  struct Row {
    std::uint64_t shapes = 0;
    std::uint64_t cuts = 0;
    Box bbox;
  };
  std::vector<Row> rows;
  /// Area, then length, of each conductor. Shape: [rows.size(), conductors, 2].
  std::vector<double> amounts;
};

class NetTables {
 public:
  /// Of each cell of the hierarchy. Thread-safe.
  const std::vector<NetTable>& get(const NetHierarchy& nets);

 private:
  std::once_flag once_;
  std::vector<NetTable> tables_;
};

/// The cell that a net ends in, the number it has there, and where that cell stands.
struct NetPlace {
  std::uint32_t cell = 0;
  std::uint64_t net = 0;
  Placement placement;
};
NetPlace place_of(const NetHierarchy& nets, NetPlace place);

}  // namespace yieldloop::layout
