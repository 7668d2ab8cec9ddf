#include "gui/widgets/wafer_lists.h"

#include <QHeaderView>
#include <QSignalBlocker>
#include <map>

#include "engine/core/number_text.h"

namespace yieldloop::widgets {
namespace {

constexpr int kLabel = Qt::UserRole;       ///< The wafer's label; empty for a lot.
constexpr int kNumber = Qt::UserRole + 1;  ///< What a column is sorted by.

bool less(const QVariant& a, const QVariant& b, const QString& text_a, const QString& text_b) {
  if (a.isValid() && b.isValid()) return a.toDouble() < b.toDouble();
  return text_a.localeAwareCompare(text_b) < 0;
}

class TreeItem final : public QTreeWidgetItem {
 public:
  using QTreeWidgetItem::QTreeWidgetItem;
  bool operator<(const QTreeWidgetItem& other) const override {
    const int c = treeWidget() == nullptr ? 0 : treeWidget()->sortColumn();
    return less(data(c, kNumber), other.data(c, kNumber), text(c), other.text(c));
  }
};

class TableItem final : public QTableWidgetItem {
 public:
  using QTableWidgetItem::QTableWidgetItem;
  bool operator<(const QTableWidgetItem& other) const override {
    return less(data(kNumber), other.data(kNumber), text(), other.text());
  }
};

QString qt(const std::string& text) { return QString::fromStdString(text); }

void set_counts(QTreeWidgetItem& item, const yield::YieldCount& final) {
  item.setText(1, final.tested > 0 ? qt(format_percent(final.yield())) : QStringLiteral("\u2013"));
  item.setData(1, kNumber, final.tested > 0 ? final.yield() : 2.0);
  item.setText(2, qt(format_count(final.tested)));
  item.setData(2, kNumber, static_cast<double>(final.tested));
  item.setTextAlignment(1, Qt::AlignRight | Qt::AlignVCenter);
  item.setTextAlignment(2, Qt::AlignRight | Qt::AlignVCenter);
}

}  // namespace

WaferTree::WaferTree(QWidget* parent) : QTreeWidget(parent) {
  setAccessibleName(tr("Lots and wafers"));
  setHeaderLabels({tr("Lot / wafer"), tr("Final yield"), tr("Die")});
  setSelectionMode(QAbstractItemView::ExtendedSelection);
  setUniformRowHeights(true);
  setSortingEnabled(true);
  header()->setStretchLastSection(false);
  header()->setSectionResizeMode(QHeaderView::ResizeToContents);
  header()->setSectionResizeMode(0, QHeaderView::Stretch);
  connect(this, &QTreeWidget::itemSelectionChanged, this, [this] { emit wafers_picked(marked()); });
  connect(this, &QTreeWidget::itemDoubleClicked, this, [this](QTreeWidgetItem* item) {
    const QString label = item->data(0, kLabel).toString();
    if (!label.isEmpty()) emit wafer_opened(label);
  });
}

void WaferTree::show_fab(const viewmodel::OpenedFab& fab) {
  const QSignalBlocker blocker(this);
  clear();
  setSortingEnabled(false);
  const FabData& fab_data = fab.data();
  std::map<NameId, QTreeWidgetItem*> lots;
  for (std::uint32_t w = 0; w < fab_data.wafers.size(); ++w) {
    const Wafer& wafer = fab_data.wafers[w];
    QTreeWidgetItem*& lot = lots[wafer.lot];
    if (lot == nullptr) {
      lot = new TreeItem(this);
      lot->setText(0, qt(fab_data.names[wafer.lot]));
      set_counts(*lot, {});
      if (fab.yields) {
        const auto it = std::ranges::find(fab.yields->lots, wafer.lot, &yield::LotYield::lot);
        if (it != fab.yields->lots.end()) set_counts(*lot, it->final);
      }
    }
    auto* item = new TreeItem(lot);
    item->setText(0, qt(fab_data.names[wafer.id]));
    item->setData(0, kLabel, qt(fab_data.wafer_label(WaferId{w})));
    const auto* y = fab.yield_of(WaferId{w});
    set_counts(*item, y == nullptr ? yield::YieldCount{} : y->final);
  }
  setSortingEnabled(true);
  sortByColumn(0, Qt::AscendingOrder);
}

std::set<std::string> WaferTree::marked() const {
  std::set<std::string> wafers;
  const auto add = [&](const QTreeWidgetItem* item) {
    const QString label = item->data(0, kLabel).toString();
    if (!label.isEmpty()) wafers.insert(label.toStdString());
  };
  for (const QTreeWidgetItem* item : selectedItems()) {
    add(item);
    for (int i = 0; i < item->childCount(); ++i) add(item->child(i));
  }
  return wafers;
}

void WaferTree::mark(const std::set<std::string>& wafers) {
  if (wafers == marked()) return;
  const QSignalBlocker blocker(this);
  for (int l = 0; l < topLevelItemCount(); ++l) {
    QTreeWidgetItem* lot = topLevelItem(l);
    lot->setSelected(false);
    int inside = 0;
    for (int i = 0; i < lot->childCount(); ++i) {
      QTreeWidgetItem* item = lot->child(i);
      const bool in = wafers.contains(item->data(0, kLabel).toString().toStdString());
      item->setSelected(in);
      inside += in ? 1 : 0;
    }
    QFont font = this->font();
    font.setBold(inside > 0);  // A closed lot shows that some of its wafers are marked.
    lot->setFont(0, font);
  }
  viewport()->update();
}

WaferTable::WaferTable(QWidget* parent) : QTableWidget(parent) {
  setAccessibleName(tr("Wafer table"));
  const QStringList titles = {tr("Wafer"),  tr("Slot"),   tr("Final yield"), tr("First pass"),
                              tr("Tested"), tr("Passed"), tr("Failed"),      tr("Defects")};
  setColumnCount(static_cast<int>(titles.size()));
  setHorizontalHeaderLabels(titles);
  verticalHeader()->hide();
  verticalHeader()->setDefaultSectionSize(22);
  setSelectionBehavior(QAbstractItemView::SelectRows);
  setEditTriggers(QAbstractItemView::NoEditTriggers);
  setAlternatingRowColors(true);
  setShowGrid(false);
  horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
  connect(this, &QTableWidget::itemSelectionChanged, this,
          [this] { emit wafers_picked(marked()); });
  connect(this, &QTableWidget::cellDoubleClicked, this,
          [this](int r, int) { emit wafer_opened(item(r, 0)->text()); });
}

void WaferTable::show_fab(const viewmodel::OpenedFab& fab) {
  const QSignalBlocker blocker(this);
  setSortingEnabled(false);
  const FabData& fab_data = fab.data();
  std::vector<std::int64_t> defects(fab_data.wafers.size(), 0);
  for (const Defect& defect : fab_data.defects) ++defects[defect.wafer.raw()];
  setRowCount(static_cast<int>(fab_data.wafers.size()));
  for (std::uint32_t w = 0; w < fab_data.wafers.size(); ++w) {
    const auto* row = fab.yield_of(WaferId{w});
    const yield::WaferYield y = row == nullptr ? yield::WaferYield{} : *row;
    const bool tested = row != nullptr;
    int c = 0;
    const auto add = [&](const QString& text, std::optional<double> number) {
      auto* item = new TableItem(text);
      if (number) {
        item->setData(kNumber, *number);
        item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
      }
      setItem(static_cast<int>(w), c++, item);
    };
    const auto count = [&](std::int64_t n) { add(qt(format_count(n)), static_cast<double>(n)); };
    const QString none = QStringLiteral("\u2013");
    add(qt(fab_data.wafer_label(WaferId{w})), std::nullopt);
    add(QString::number(fab_data.wafers[w].slot), fab_data.wafers[w].slot);
    add(tested ? qt(format_percent(y.final.yield())) : none, tested ? y.final.yield() : 2.0);
    add(tested ? qt(format_percent(y.first_pass.yield())) : none,
        tested ? y.first_pass.yield() : 2.0);
    count(y.final.tested);
    count(y.final.good);
    count(y.final.tested - y.final.good);
    count(defects[w]);
  }
  setSortingEnabled(true);
  sortByColumn(0, Qt::AscendingOrder);
}

std::set<std::string> WaferTable::marked() const {
  std::set<std::string> wafers;
  for (const QModelIndex& row : selectionModel()->selectedRows()) {
    wafers.insert(item(row.row(), 0)->text().toStdString());
  }
  return wafers;
}

void WaferTable::mark(const std::set<std::string>& wafers) {
  if (wafers == marked()) return;
  const QSignalBlocker blocker(this);
  QItemSelection rows;
  for (int r = 0; r < rowCount(); ++r) {
    if (wafers.contains(item(r, 0)->text().toStdString())) {
      rows.select(model()->index(r, 0), model()->index(r, columnCount() - 1));
    }
  }
  selectionModel()->select(rows, QItemSelectionModel::ClearAndSelect);
  viewport()->update();
}

}  // namespace yieldloop::widgets
