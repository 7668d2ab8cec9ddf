/// \file
/// What `critical-area` works on: a layout with its layers by the names the user knows.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/cli/commands.h"
#include "engine/core/progress.h"
#include "engine/core/result.h"
#include "engine/layout/connectivity.h"
#include "engine/layout/flat_view.h"

namespace yieldloop::cli {

struct NamedLayer {
  std::string name;
  layout::LayerIndex layer = 0;
};
struct NamedVia {
  std::string name;
  layout::ViaLayer layers;
};

struct CriticalAreaSubject {
  std::shared_ptr<const layout::Layout> layout;
  std::optional<layout::FlatView> view;
  std::vector<NamedLayer> layers;
  std::vector<NamedVia> vias;
};

/// Errors: CLIC-0008 (no layer of that name), CLIC-0009 (a file alone needs --layer or --via),
/// CLIC-0010 (no layout in the store), CLIC-0025 (no metal drawn), CLIC-0060 (a via that is not
/// CUT:BELOW:ABOVE), and those of reading.
Result<CriticalAreaSubject> critical_area_subject(const Context& context,
                                                  const CriticalAreaArguments& arguments,
                                                  Progress& progress);

}  // namespace yieldloop::cli
