/// \file
/// The ranked findings: what, how many die it costs, how sure.
#pragma once

#include <QTableWidget>

#include "engine/core/finding.h"

namespace yieldloop::widgets {

class FindingsList final : public QTableWidget {
  Q_OBJECT

 public:
  explicit FindingsList(QWidget* parent = nullptr);
  void show_findings(const std::vector<Finding>& findings);
  /// Marks a finding without telling anyone; "" marks none.
  void mark(const QString& id);
  /// `by` further down or up; emits finding_picked. Starts at the first or the last.
  void step(int by);
  QString marked() const;

 signals:
  void finding_picked(const QString& id);

 protected:
  void resizeEvent(QResizeEvent* event) override;
};

}  // namespace yieldloop::widgets
