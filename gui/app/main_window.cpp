#include "gui/app/main_window.h"

#include <QApplication>
#include <QInputDialog>
#include <QLabel>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QStackedWidget>
#include <QTabWidget>
#include <QTime>
#include <map>

#include "engine/core/number_text.h"
#include "gui/widgets/chart_widget.h"
#include "gui/widgets/evidence_panel.h"
#include "gui/widgets/findings_list.h"
#include "gui/widgets/layer_list.h"
#include "gui/widgets/layout_view.h"
#include "gui/widgets/legend_strip.h"
#include "gui/widgets/wafer_gallery_view.h"
#include "gui/widgets/wafer_lists.h"
#include "gui/widgets/wafer_map_view.h"

namespace yieldloop::app {
namespace {

QString qt(const std::string& text) { return QString::fromStdString(text); }

/// The selected defects where they lie in the layout.
std::vector<widgets::LayoutDot> dots_of(const viewmodel::OpenedFab& fab,
                                        const std::set<viewmodel::DefectKey>& defects) {
  std::vector<widgets::LayoutDot> dots;
  if (defects.empty() || !fab.frame) return dots;
  std::map<std::string, std::set<std::int64_t>> by_inspection;
  for (const auto& key : defects) by_inspection[key.inspection].insert(key.defect);
  std::vector<const std::set<std::int64_t>*> wanted;
  for (const Inspection& inspection : fab.data().inspections) {
    const auto it = by_inspection.find(inspection.id);
    wanted.push_back(it == by_inspection.end() ? nullptr : &it->second);
  }
  for (const Defect& defect : fab.data().defects) {
    if (defect.inspection >= wanted.size() || wanted[defect.inspection] == nullptr) continue;
    if (!wanted[defect.inspection]->contains(defect.defect_id)) continue;
    if (const auto at = viewmodel::layout_place(fab, defect)) {
      dots.push_back(
          {{at->x, at->y}, {fab.data().inspections[defect.inspection].id, defect.defect_id}});
    }
  }
  return dots;
}

}  // namespace

MainWindow::MainWindow(QWidget* parent) : QMainWindow(parent) {
  setWindowTitle(tr("yieldloop"));
  resize(1600, 1000);
  build_views();
  build_docks();
  build_bars();
  build_menus();
  connect_selection();
  connect(layout_, &widgets::LayoutView::place_shown, this, [this](int index, int count) {
    if (count > 0) {
      layout_title_->setText(tr("Place %1 of %2 of the finding").arg(index + 1).arg(count));
    } else {
      layout_title_->setText(layout_->has_layout() ? tr("Whole layout") : QString());
    }
  });
  connect(&model_, &viewmodel::FabModel::loaded, this, &MainWindow::on_loaded);
  connect(&model_, &viewmodel::FabModel::failed, this, &MainWindow::on_failed);
  connect(&model_, &viewmodel::FabModel::progressed, this, &MainWindow::on_progress,
          Qt::QueuedConnection);
}

MainWindow::~MainWindow() = default;

void MainWindow::open(const std::filesystem::path& store, const std::string& product) {
  log(tr("Opening %1").arg(qt(store.string())));
  since_.start();
  message_->setText(tr("Opening %1").arg(qt(store.string())));
  bar_->setRange(0, 0);
  bar_->show();
  cancel_->show();
  if (!model_.fab()) pages_->setCurrentIndex(0);
  model_.open(store, product);
}

QString MainWindow::message() const {
  return pages_->currentIndex() == 0 ? message_->text() : QString();
}

void MainWindow::show_view(View view) { tabs_->setCurrentIndex(static_cast<int>(view)); }

bool MainWindow::show_finding(int rank) {
  if (!model_.fab()) return false;
  for (const Finding& f : model_.fab()->analysis.findings.findings) {
    if (f.rank != rank) continue;
    on_finding(qt(f.id));
    return true;
  }
  return false;
}

void MainWindow::finish_drawing() { layout_->draw_now(); }

void MainWindow::log(const QString& sentence) {
  log_->appendPlainText(QTime::currentTime().toString(QStringLiteral("HH:mm:ss  ")) + sentence);
}

void MainWindow::on_progress(const QString& stage, qulonglong done, qulonglong total) {
  if (!model_.loading()) return;
  QString text = stage;
  if (total > 0) {
    bar_->setRange(0, 1000);
    bar_->setValue(
        static_cast<int>(1000.0 * static_cast<double>(done) / static_cast<double>(total)));
    text += tr(": %1 of %2").arg(done).arg(total);
  } else {
    bar_->setRange(0, 0);
  }
  text += tr("\n%1 s so far").arg(since_.elapsed() / 1000);
  message_->setText(text);
}

void MainWindow::on_failed(const QString& id, const QString& sentence) {
  log(id + QStringLiteral(": ") + sentence);
  bar_->hide();
  cancel_->hide();
  if (!model_.fab()) {
    message_->setText(sentence + QStringLiteral("\n\n") +
                      tr("Press F5 to read the store again.  (%1)").arg(id));
    pages_->setCurrentIndex(0);
    scope_->setText(qt(model_.store().string()));
  } else {
    cursor_->setText(tr("The store could not be read again: %1").arg(sentence));
  }
  emit settled(false);
}

void MainWindow::on_loaded() {
  const auto& fab = *model_.fab();
  bar_->hide();
  cancel_->hide();
  scope_->setText(QStringLiteral("<b>%1</b>").arg(qt(viewmodel::scope_text(fab)).toHtmlEscaped()));
  run_->setText(
      fab.run.empty()
          ? tr("analysed now, snapshot %1").arg(fab.analysis.snapshot)
          : tr("saved run %1, snapshot %2").arg(qt(fab.run).left(12)).arg(fab.analysis.snapshot));
  setWindowTitle(tr("%1 \u2013 yieldloop").arg(qt(fab.data().product.name)));
  findings_->show_findings(fab.analysis.findings.findings);
  tree_->show_fab(fab);
  table_->show_fab(fab);
  if (fab.view) {
    layers_->show_layers(viewmodel::layer_styles(*fab.view, fab.data().product));
    layout_->show_layout(fab.analysis.layout, fab.view->top(), layers_->layers());
    layout_title_->setText(fab.frame ? tr("Whole layout") : qt(fab.no_layout));
  } else {
    layers_->show_layers({});
    layout_->show_message(qt(fab.no_layout));
    layout_title_->clear();
  }
  for (const std::string& caveat : fab.analysis.fab.caveats) log(qt(caveat));
  const auto caveats = static_cast<qsizetype>(fab.analysis.fab.caveats.size());
  warning_->setVisible(caveats > 0);
  warning_->setText(caveats == 1 ? tr("1 data warning") : tr("%1 data warnings").arg(caveats));
  warning_->setToolTip(tr("Listed in the log and, with no finding selected, under Evidence"));
  if (since_.isValid())
    log(tr("Ready after %1 s").arg(static_cast<double>(since_.elapsed()) / 1000));
  {
    const QSignalBlocker blocker(selection_);
    selection_.keep_known(fab.known_names());
    if (selection_.current().wafer.empty()) selection_.show_wafer(wafer_to_show({}));
  }
  refresh(shown_, true);
  pages_->setCurrentIndex(1);
  emit settled(true);
}

std::string MainWindow::wafer_to_show(const viewmodel::FindingParts& parts) const {
  const auto& fab = *model_.fab();
  std::map<std::string, int> defects;  // By inspection, so by wafer.
  for (const auto& key : parts.defects) ++defects[key.inspection];
  std::map<WaferId, int> marked;
  for (const Inspection& inspection : fab.data().inspections) {
    const auto it = defects.find(inspection.id);
    if (it != defects.end()) marked[inspection.wafer] += it->second;
  }
  std::string best;
  std::pair<int, double> best_score{-1, 0};
  for (const auto& [label, wafer] : fab.wafer_of) {
    if (!parts.wafers.empty() && !parts.wafers.contains(label)) continue;
    const auto* y = fab.yield_of(wafer);
    const auto it = marked.find(wafer);
    const std::pair score{it == marked.end() ? 0 : it->second,
                          y == nullptr ? -2.0 : -y->final.yield()};
    if (score > best_score) {
      best_score = score;
      best = label;
    }
  }
  return best;
}

void MainWindow::on_finding(const QString& id) {
  if (id.isEmpty() || !model_.fab()) return;
  const auto& fab = *model_.fab();
  const Finding* finding = fab.finding(id.toStdString());
  if (finding == nullptr) return;
  const auto parts = viewmodel::parts_of(fab, *finding);
  {
    const QSignalBlocker blocker(selection_);
    selection_.show_wafer(wafer_to_show(parts));
    selection_.show_finding(finding->id, parts.wafers, parts.dies, parts.defects);
  }
  on_selection();
}

void MainWindow::on_wafers(const std::set<std::string>& wafers, viewmodel::PickMode mode) {
  selection_.pick_wafers(wafers, mode);
}

void MainWindow::on_bin(int mark, viewmodel::PickMode mode) {
  std::set<int> bins;
  if (mark >= 0) bins.insert(pareto_bins_[static_cast<std::size_t>(mark)]);
  // A second click on the only bar takes the filter off again.
  if (mode == viewmodel::PickMode::kReplace && bins == selection_.current().bins) bins.clear();
  selection_.pick_bins(bins, mode);
}

void MainWindow::on_selection() { refresh(shown_, false); }

void MainWindow::refresh(const viewmodel::Selection& old, bool all) {
  const viewmodel::Selection before = old;
  const viewmodel::Selection& now = selection_.current();
  shown_ = now;
  if (!model_.fab()) return;
  const auto& fab = *model_.fab();
  const bool bins = all || now.bins != before.bins;
  const bool wafers = all || now.wafers != before.wafers;
  if (wafers) {
    tree_->mark(now.wafers);
    table_->mark(now.wafers);
    refresh_trend();
  }
  if (wafers || bins) {
    refresh_pareto();
    refresh_gallery();
  }
  if (wafers && !now.wafers.empty()) gallery_->reveal(*now.wafers.begin());
  if (bins || now.wafer != before.wafer || now.dies != before.dies ||
      now.defects != before.defects) {
    refresh_map();
  }
  if (all || now.finding != before.finding) {
    const Finding* finding = fab.finding(now.finding);
    findings_->mark(qt(now.finding));
    evidence_->show_finding(fab, finding);
    if (fab.view) {
      layout_->show_places(finding == nullptr ? std::vector<LayoutLocation>() : finding->locations,
                           dots_of(fab, now.defects));
    }
  } else if (now.defects != before.defects) {
    refresh_dots();
  }
}

void MainWindow::refresh_map() {
  if (!model_.fab()) return;
  const auto& fab = *model_.fab();
  const auto it = fab.wafer_of.find(selection_.current().wafer);
  map_legend_->show_items(viewmodel::bin_legend(fab, map_options_));
  if (it == fab.wafer_of.end()) {
    map_title_->clear();
    map_->show_message(tr("There is no wafer in this scope."));
    return;
  }
  auto chart = viewmodel::wafer_map(fab, it->second, selection_.current(), map_options_);
  map_title_->setText(
      QStringLiteral("<b>%1</b>&nbsp; %2")
          .arg(qt(chart.spec.title).toHtmlEscaped(), qt(chart.spec.subtitle).toHtmlEscaped()));
  map_title_->setToolTip(qt(chart.spec.title + ", " + chart.spec.subtitle));
  chart.spec.title.clear();  // The line above the map says it.
  chart.spec.subtitle.clear();
  if (chart.spec.dies.empty()) {
    map_->show_message(tr("Wafer %1 was neither tested nor inspected.").arg(qt(it->first)));
  } else {
    map_->show_map(std::move(chart));
  }
}

void MainWindow::refresh_gallery() {
  if (!model_.fab()) return;
  const auto& fab = *model_.fab();
  auto chart = viewmodel::wafer_gallery(fab, selection_.current(), gallery_order_, map_options_);
  QString title = tr("%1 wafers, one scale").arg(chart.wafers.size());
  if (!selection_.current().bins.empty()) {
    QStringList names;
    for (const int bin : selection_.current().bins) names << QString::number(bin);
    title = tr("%1 of %2 wafers with a die in bin %3")
                .arg(chart.wafers.size())
                .arg(chart.wafers.size() + chart.hidden)
                .arg(names.join(QStringLiteral(", ")));
  }
  if (!chart.spec.selected.empty()) title += tr("; %1 selected").arg(chart.spec.selected.size());
  gallery_title_->setText(title);
  gallery_legend_->show_items(viewmodel::bin_legend(fab, map_options_));
  gallery_->show_gallery(std::move(chart));
}

void MainWindow::refresh_pareto() {
  auto chart = viewmodel::bin_pareto(*model_.fab(), selection_.current());
  pareto_bins_ = std::move(chart.bins);
  std::vector<QString> tips;
  for (const auto& bar : chart.spec.bars) {
    tips.push_back(tr("%1: %2 die; click to filter maps and gallery")
                       .arg(qt(bar.label), qt(format_count(static_cast<std::int64_t>(bar.count)))));
  }
  pareto_->show_chart(std::move(chart.spec),
                      [tips](int i) { return tips[static_cast<std::size_t>(i)]; });
}

void MainWindow::refresh_trend() {
  auto chart = viewmodel::yield_trend(*model_.fab(), selection_.current());
  trend_wafers_ = std::move(chart.wafers);
  std::vector<QString> tips;
  for (const auto& p : chart.spec.points) {
    tips.push_back(tr("%1: %2 of %3 die, 95 % interval %4 to %5")
                       .arg(qt(p.label), qt(format_percent(p.value)), qt(format_count(p.n)),
                            qt(format_percent(*p.low)), qt(format_percent(*p.high))));
  }
  trend_->show_chart(std::move(chart.spec),
                     [tips](int i) { return tips[static_cast<std::size_t>(i)]; });
}

void MainWindow::refresh_dots() {
  layout_->set_dots(dots_of(*model_.fab(), selection_.current().defects));
}

void MainWindow::step_wafer(int by) {
  const auto& wafers = gallery_->chart().wafers;  // In the order and under the filter seen.
  if (wafers.empty()) return;
  const auto it = std::ranges::find(wafers, selection_.current().wafer);
  const auto n = static_cast<std::ptrdiff_t>(wafers.size());
  const auto at = it == wafers.end() ? 0 : it - wafers.begin() + by;
  selection_.show_wafer(wafers[static_cast<std::size_t>((at + n) % n)]);
}

void MainWindow::ask_place() {
  bool fine = false;
  const QString text = QInputDialog::getText(this, tr("Go to"), tr("x,y or x,y,size in \u00b5m:"),
                                             QLineEdit::Normal, {}, &fine);
  if (!fine) return;
  show_view(View::kLayout);
  if (!layout_->go_to(text)) {
    cursor_->setText(tr("\"%1\" is not a place: write x,y or x,y,size in \u00b5m.").arg(text));
  }
}

}  // namespace yieldloop::app
