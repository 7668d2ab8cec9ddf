#include "gui/widgets/findings_list.h"

#include <QHeaderView>
#include <QSignalBlocker>

#include "engine/core/number_text.h"

namespace yieldloop::widgets {
namespace {

QString q_text(double q) {
  std::string text = format_probability("q", q);
  return QString::fromStdString(text).mid(2).remove(QStringLiteral("= "));
}

}  // namespace

FindingsList::FindingsList(QWidget* parent) : QTableWidget(parent) {
  setAccessibleName(tr("Findings"));
  setColumnCount(4);
  setHorizontalHeaderLabels({tr("#"), tr("Finding"), tr("Die lost"), tr("q")});
  verticalHeader()->hide();
  setSelectionBehavior(QAbstractItemView::SelectRows);
  setSelectionMode(QAbstractItemView::SingleSelection);
  setEditTriggers(QAbstractItemView::NoEditTriggers);
  setWordWrap(true);
  setShowGrid(false);
  setAlternatingRowColors(true);
  setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  horizontalHeader()->setSectionResizeMode(1, QHeaderView::Stretch);
  horizontalHeader()->setHighlightSections(false);
  connect(this, &QTableWidget::itemSelectionChanged, this,
          [this] { emit finding_picked(marked()); });
}

void FindingsList::show_findings(const std::vector<Finding>& findings) {
  const QSignalBlocker blocker(this);
  setRowCount(static_cast<int>(findings.size()));
  int r = 0;
  for (const Finding& f : findings) {
    const QString texts[] = {QString::number(f.rank), QString::fromStdString(f.statement),
                             QString::fromStdString(format_number(f.loss_die_total)),
                             q_text(f.q_value)};
    for (int c = 0; c < 4; ++c) {
      auto* item = new QTableWidgetItem(texts[c]);
      item->setTextAlignment((c == 1 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignTop);
      item->setToolTip(texts[1]);
      setItem(r, c, item);
    }
    item(r, 0)->setData(Qt::UserRole, QString::fromStdString(f.id));
    ++r;
  }
  clearSelection();
  resizeRowsToContents();
}

QString FindingsList::marked() const {
  const auto rows = selectionModel()->selectedRows();
  return rows.isEmpty() ? QString() : item(rows.front().row(), 0)->data(Qt::UserRole).toString();
}

void FindingsList::mark(const QString& id) {
  if (id == marked()) return;
  const QSignalBlocker blocker(this);
  clearSelection();
  setCurrentItem(nullptr);
  for (int r = 0; r < rowCount(); ++r) {
    if (!id.isEmpty() && item(r, 0)->data(Qt::UserRole).toString() == id) {
      selectRow(r);
      scrollTo(model()->index(r, 0));
    }
  }
  viewport()->update();
}

void FindingsList::step(int by) {
  if (rowCount() == 0) return;
  const auto rows = selectionModel()->selectedRows();
  int row = by > 0 ? 0 : rowCount() - 1;
  if (!rows.isEmpty()) row = std::clamp(rows.front().row() + by, 0, rowCount() - 1);
  selectRow(row);
}

void FindingsList::resizeEvent(QResizeEvent* event) {
  QTableWidget::resizeEvent(event);
  resizeRowsToContents();
}

}  // namespace yieldloop::widgets
