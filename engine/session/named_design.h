/// \file
/// The placed and routed design of a product, joined to the layout that defects are traced to.
///
/// product.toml names the files ([layout] def, lef). A DEF file may have another origin than the
/// layout, and may be of another run: both are told by how many of its components lie on cells
/// of their macros' names, which is also how the displacement is found.
#pragma once

#include <memory>

#include "engine/core/finding.h"
#include "engine/core/product.h"
#include "engine/core/result.h"
#include "engine/layout/flat_view.h"
#include "engine/session/load.h"
#include "engine/store/store.h"
#include "ingest/readers/lefdef/design.h"

namespace yieldloop::session {

struct NamedDesign {
  ingest::lefdef::Design design;
  double x_um = 0.0, y_um = 0.0;  ///< Where the DEF file's (0,0) lies in the layout.
};

/// Null when product.toml names no DEF file, or it was not ingested or cannot be read; what is
/// amiss becomes a caveat of `fab`. `view` may be null: then the origins are taken to agree.
/// Errors: those of reading blobs.
Result<std::shared_ptr<const NamedDesign>> load_design(store::Snapshot& snapshot, LoadedFab& fab,
                                                       const layout::FlatView* view);

/// Names a finding's places: an evidence "def" whose detail holds "places" (that were looked at),
/// "named", "nets" and "cells" (how many different ones), "net NAME" and "cell NAME" with the
/// number of places that touch them, most first, 20 each. Where one macro is at nine of ten
/// places and the subject has no cell, it becomes the subject's `cell`. The id stays.
void name_places(const NamedDesign& named, const Product& product, Finding& finding);

}  // namespace yieldloop::session
