/// \file
/// The words behind a finding, or an overview when none is chosen.
#pragma once

#include <QTextBrowser>

#include "gui/viewmodel/opened_fab.h"

namespace yieldloop::widgets {

class EvidencePanel final : public QTextBrowser {
 public:
  explicit EvidencePanel(QWidget* parent = nullptr);
  /// `finding` nullptr: the overview.
  void show_finding(const viewmodel::OpenedFab& fab, const Finding* finding);
};

}  // namespace yieldloop::widgets
