/// \file
/// Store snapshot -> FabData: the one place where tables of different sources are joined.
///
/// Lots belong to a product by lots.csv, by the tester's PART_TYP or by the KLARF's DeviceID.
/// Wafers are joined by (lot_id, wafer_id); ids that differ only in prefix, separators and
/// leading zeros ("W03", "3", "L012-03") are the same wafer where that is unambiguous.
/// Rows that join nothing are counted and named in `caveats`, never dropped silently.
#pragma once

#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/result.h"
#include "engine/session/scope.h"
#include "engine/store/store.h"

namespace yieldloop::session {

struct LoadedFab {
  FabData data;
  std::string layout_digest;  ///< Blob of the product's layout; empty when none was ingested.
  std::string def_digest;     ///< Blob of its DEF file; empty when none was ingested.
  std::vector<std::string> lef_digests;  ///< Blobs of its LEF files, those that were ingested.
  std::vector<std::string> caveats;      ///< One sentence each.
};

/// Product names known to the snapshot, sorted.
Result<std::vector<std::string>> known_products(store::Snapshot& snapshot);

/// Errors: kNotFound (SESS-0001) unknown product, (SESS-0002) several products and none named;
/// kNoData (SESS-0003) nothing in scope; (SESS-0004) no pass bin is known.
Result<LoadedFab> load_fab(store::Snapshot& snapshot, const Scope& scope);

/// "W03", "3" and "L012-03" of lot L012 -> "3"; other ids unchanged.
std::string canonical_wafer(std::string_view lot, std::string_view wafer);

}  // namespace yieldloop::session
