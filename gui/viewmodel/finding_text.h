/// \file
/// A finding and its suggestions in words, as the small HTML that Qt's text views show.
#pragma once

#include <string>

#include "gui/viewmodel/opened_fab.h"

namespace yieldloop::viewmodel {

/// Effect, interval, test, n, q, confounders, places, then each suggestion with its gain and what
/// would disprove it. All data are escaped.
std::string evidence_html(const OpenedFab& fab, const Finding& finding);

/// What is shown when no finding is: yield, caveats, what could not be decided.
std::string overview_html(const OpenedFab& fab);

/// "layout pattern" for "layout_pattern".
std::string plain_kind(const std::string& kind);

}  // namespace yieldloop::viewmodel
