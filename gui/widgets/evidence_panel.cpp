#include "gui/widgets/evidence_panel.h"

#include "gui/viewmodel/finding_text.h"

namespace yieldloop::widgets {

EvidencePanel::EvidencePanel(QWidget* parent) : QTextBrowser(parent) {
  setAccessibleName(tr("Evidence"));
  setOpenLinks(false);
  setFrameShape(QFrame::NoFrame);
}

void EvidencePanel::show_finding(const viewmodel::OpenedFab& fab, const Finding* finding) {
  setHtml(QString::fromStdString(finding == nullptr ? viewmodel::overview_html(fab)
                                                    : viewmodel::evidence_html(fab, *finding)));
}

}  // namespace yieldloop::widgets
