/// \file
/// The command line of yieldloop-desktop.
#pragma once

#include <QStringList>
#include <filesystem>
#include <string>

#include "engine/core/result.h"
#include "gui/app/main_window.h"

namespace yieldloop::app {

struct DesktopOptions {
  std::filesystem::path store;  ///< --store, then $YIELDLOOP_STORE, then ./yieldloop-store.
  std::string product;
  std::filesystem::path screenshot;  ///< Empty: stay open.
  View view = View::kWafer;
  int finding = 0;  ///< Rank; 0: none.
  bool help = false;
  bool version = false;
};

/// `arguments` without the program's name. Errors: kInvalidOptions (DESK-0003).
Result<DesktopOptions> parse_options(const QStringList& arguments);

std::string usage_text();

}  // namespace yieldloop::app
