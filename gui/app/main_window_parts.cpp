// What the window is made of: views, docks, menus, bars.

#include <QAction>
#include <QApplication>
#include <QDockWidget>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenuBar>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QStackedWidget>
#include <QStatusBar>
#include <QTabWidget>
#include <QToolBar>
#include <QVBoxLayout>

#include "gui/app/main_window.h"
#include "gui/widgets/chart_widget.h"
#include "gui/widgets/evidence_panel.h"
#include "gui/widgets/findings_list.h"
#include "gui/widgets/key_sheet.h"
#include "gui/widgets/layer_list.h"
#include "gui/widgets/layout_view.h"
#include "gui/widgets/legend_strip.h"
#include "gui/widgets/wafer_gallery_view.h"
#include "gui/widgets/wafer_lists.h"
#include "gui/widgets/wafer_map_view.h"

namespace yieldloop::app {
namespace {

/// A page: a line with a title and buttons, the view, and perhaps a legend.
QWidget* page_of(QLabel* title, const QList<QAction*>& actions, QWidget* view, QWidget* legend) {
  auto* page = new QWidget;
  auto* column = new QVBoxLayout(page);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  auto* bar = new QToolBar(page);
  bar->setToolButtonStyle(Qt::ToolButtonTextOnly);
  title->setContentsMargins(8, 0, 12, 0);
  title->setMinimumWidth(60);
  title->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  auto* line = new QHBoxLayout;
  line->setContentsMargins(0, 0, 0, 0);
  line->addWidget(title, 1);
  for (QAction* action : actions) bar->addAction(action);
  line->addWidget(bar);
  column->addLayout(line);
  column->addWidget(view, 1);
  if (legend != nullptr) column->addWidget(legend);
  page->setAutoFillBackground(true);
  return page;
}

QDockWidget* dock_of(QMainWindow* window, const QString& title, QWidget* content,
                     Qt::DockWidgetArea area) {
  auto* dock = new QDockWidget(title, window);
  dock->setObjectName(title);
  dock->setAccessibleName(title);
  dock->setFeatures(QDockWidget::DockWidgetClosable | QDockWidget::DockWidgetMovable);
  dock->setWidget(content);
  window->addDockWidget(area, dock);
  return dock;
}

}  // namespace

QAction* MainWindow::add_action(const QString& text, const QString& key,
                                std::function<void()> act) {
  auto* action = new QAction(text, this);
  if (!key.isEmpty()) {
    action->setShortcut(QKeySequence(key));
    action->setToolTip(text + QStringLiteral(" (") + key + QStringLiteral(")"));
  }
  connect(action, &QAction::triggered, this, [act = std::move(act)] { act(); });
  addAction(action);
  return action;
}

QWidget* MainWindow::build_map_page() {
  map_ = new widgets::WaferMapView;
  map_title_ = new QLabel;
  map_legend_ = new widgets::LegendStrip;
  const auto toggle = [this](const QString& text, const QString& key, bool on, auto set) {
    QAction* action = add_action(text, key, [] {});
    action->setCheckable(true);
    action->setChecked(on);
    connect(action, &QAction::toggled, this, [this, set](bool checked) {
      set(checked);
      refresh_map();
    });
    return action;
  };
  const QList<QAction*> actions = {
      add_action(tr("Previous wafer"), tr("["), [this] { step_wafer(-1); }),
      add_action(tr("Next wafer"), tr("]"), [this] { step_wafer(1); }),
      add_action(tr("Turn"), tr("R"),
                 [this] {
                   map_options_.quarter_turns = (map_options_.quarter_turns + 1) % 4;
                   refresh_map();
                   refresh_gallery();
                 }),
      toggle(tr("Defects"), tr("D"), true, [this](bool on) { map_options_.defects = on; }),
      toggle(tr("Fields"), {}, false, [this](bool on) { map_options_.reticle_grid = on; }),
      toggle(tr("Lasso"), tr("L"), false, [this](bool on) { map_->set_lasso(on); }),
      add_action(tr("Fit map"), {}, [this] { map_->fit(); })};
  map_->addActions(actions);
  return page_of(map_title_, actions, map_, map_legend_);
}

QWidget* MainWindow::build_gallery_page() {
  gallery_ = new widgets::WaferGalleryView;
  gallery_title_ = new QLabel;
  gallery_legend_ = new widgets::LegendStrip;
  QAction* order = add_action(tr("Lowest yield first"), {}, [] {});
  order->setCheckable(true);
  connect(order, &QAction::toggled, this, [this](bool on) {
    gallery_order_ = on ? viewmodel::GalleryOrder::kLowestYield : viewmodel::GalleryOrder::kSlot;
    refresh_gallery();
  });
  QAction* colours = add_action(tr("Pass and fail only"), {}, [] {});
  colours->setCheckable(true);
  connect(colours, &QAction::toggled, this, [this](bool on) {
    map_options_.colouring = on ? charts::DieColouring::kPassFail : charts::DieColouring::kBin;
    refresh_map();
    refresh_gallery();
  });
  return page_of(gallery_title_, {order, colours}, gallery_, gallery_legend_);
}

QWidget* MainWindow::build_layout_page() {
  layout_ = new widgets::LayoutView;
  layout_title_ = new QLabel;
  const QList<QAction*> actions = {
      add_action(tr("Previous place"), tr("Shift+M"),
                 [this] { layout_->show_place(layout_->place() - 1); }),
      add_action(tr("Next place"), tr("M"), [this] { layout_->show_place(layout_->place() + 1); }),
      add_action(tr("Go to ..."), tr("Ctrl+G"), [this] { ask_place(); }),
      add_action(tr("Fit layout"), {}, [this] { layout_->fit(); })};
  layout_->addActions(actions);
  return page_of(layout_title_, actions, layout_, nullptr);
}

QWidget* MainWindow::build_message_page() {
  auto* page = new QWidget;
  message_ = new QLabel(tr("No store is open."));
  message_->setAccessibleName(tr("Message"));
  message_->setWordWrap(true);
  message_->setAlignment(Qt::AlignCenter);
  message_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  message_->setTextFormat(Qt::PlainText);
  message_->setMinimumWidth(420);
  QFont font = message_->font();
  font.setPixelSize(15);
  message_->setFont(font);
  bar_ = new QProgressBar;
  bar_->setAccessibleName(tr("Progress"));
  bar_->setMaximumWidth(420);
  cancel_ = new QPushButton(tr("Stop"));
  connect(cancel_, &QPushButton::clicked, this, [this] { model_.cancel(); });
  auto* column = new QVBoxLayout(page);
  column->setContentsMargins(60, 20, 60, 20);
  column->addStretch(2);
  column->addWidget(message_);
  column->addSpacing(10);
  column->addWidget(bar_, 0, Qt::AlignHCenter);
  column->addWidget(cancel_, 0, Qt::AlignHCenter);
  column->addStretch(3);
  bar_->hide();
  cancel_->hide();
  return page;
}

void MainWindow::build_views() {
  tabs_ = new QTabWidget;
  tabs_->setDocumentMode(true);
  tabs_->setAccessibleName(tr("Views"));
  trend_ = new widgets::ChartWidget(tr("Yield trend"));
  tabs_->addTab(build_map_page(), tr("Wafer map"));
  tabs_->addTab(build_gallery_page(), tr("Gallery"));
  tabs_->addTab(build_layout_page(), tr("Layout"));
  tabs_->addTab(trend_, tr("Trend"));
  pages_ = new QStackedWidget;
  pages_->addWidget(build_message_page());
  pages_->addWidget(tabs_);
  setCentralWidget(pages_);
}

void MainWindow::build_docks() {
  setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
  setDockOptions(AnimatedDocks | AllowTabbedDocks | AllowNestedDocks);
  tree_ = new widgets::WaferTree;
  layers_ = new widgets::LayerList;
  findings_ = new widgets::FindingsList;
  evidence_ = new widgets::EvidencePanel;
  pareto_ = new widgets::ChartWidget(tr("Pareto of failing bins"));
  table_ = new widgets::WaferTable;
  log_ = new QPlainTextEdit;
  log_->setReadOnly(true);
  log_->setAccessibleName(tr("Log"));
  log_->setMaximumBlockCount(2000);

  auto* lots = dock_of(this, tr("Lots and wafers"), tree_, Qt::LeftDockWidgetArea);
  auto* layers = dock_of(this, tr("Layers"), layers_, Qt::LeftDockWidgetArea);
  auto* findings = dock_of(this, tr("Findings"), findings_, Qt::RightDockWidgetArea);
  auto* evidence = dock_of(this, tr("Evidence"), evidence_, Qt::RightDockWidgetArea);
  auto* pareto = dock_of(this, tr("Pareto"), pareto_, Qt::BottomDockWidgetArea);
  auto* table = dock_of(this, tr("Wafer table"), table_, Qt::BottomDockWidgetArea);
  auto* log = dock_of(this, tr("Log"), log_, Qt::BottomDockWidgetArea);
  tabifyDockWidget(pareto, table);
  tabifyDockWidget(table, log);
  pareto->raise();
  resizeDocks({lots, findings}, {250, 440}, Qt::Horizontal);
  resizeDocks({lots, layers}, {430, 250}, Qt::Vertical);
  resizeDocks({findings, evidence}, {320, 500}, Qt::Vertical);
  resizeDocks({pareto}, {230}, Qt::Vertical);
}

void MainWindow::build_view_menu() {
  QMenu* view = menuBar()->addMenu(tr("&View"));
  const std::pair<QString, View> views[] = {{tr("Wafer map"), View::kWafer},
                                            {tr("Gallery"), View::kGallery},
                                            {tr("Layout"), View::kLayout},
                                            {tr("Trend"), View::kTrend}};
  int n = 0;
  for (const auto& [name, which] : views) {
    view->addAction(add_action(name, QStringLiteral("Ctrl+%1").arg(++n),
                               [this, which = which] { show_view(which); }));
  }
  view->addSeparator();
  view->addAction(add_action(tr("Fit"), tr("F2"), [this] {
    tabs_->currentIndex() == static_cast<int>(View::kLayout) ? layout_->fit() : map_->fit();
  }));
  view->addSeparator();
  for (QDockWidget* dock : findChildren<QDockWidget*>()) view->addAction(dock->toggleViewAction());
}

void MainWindow::build_menus() {
  QMenu* file = menuBar()->addMenu(tr("&File"));
  file->addAction(add_action(tr("Read the store again"), tr("F5"), [this] { model_.reload(); }));
  file->addSeparator();
  file->addAction(add_action(tr("Quit"), tr("Ctrl+Q"), [this] { close(); }));
  QMenu* select = menuBar()->addMenu(tr("&Select"));
  select->addAction(add_action(tr("Next finding"), tr("N"), [this] { findings_->step(1); }));
  select->addAction(add_action(tr("Previous finding"), tr("P"), [this] { findings_->step(-1); }));
  select->addSeparator();
  select->addAction(
      add_action(tr("Clear selection and filters"), tr("Esc"), [this] { selection_.clear(); }));
  build_view_menu();
  QMenu* help = menuBar()->addMenu(tr("&Help"));
  help->addAction(
      add_action(tr("Keys and mouse"), tr("?"), [this] { widgets::show_key_sheet(this); }));
}

void MainWindow::build_bars() {
  auto* bar = new QToolBar(tr("Scope"), this);
  bar->setObjectName(QStringLiteral("scope"));
  bar->setMovable(false);
  bar->toggleViewAction()->setEnabled(false);
  scope_ = new QLabel(tr("No store is open."));
  scope_->setAccessibleName(tr("Scope"));
  scope_->setContentsMargins(6, 3, 6, 3);
  bar->addWidget(scope_);
  auto* gap = new QWidget;
  gap->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  bar->addWidget(gap);
  warning_ = new QLabel;
  warning_->setAccessibleName(tr("Data warnings"));
  warning_->setStyleSheet(QStringLiteral(
      "QLabel { background: #d55e00; color: white; border-radius: 3px; padding: 2px 8px; }"));
  warning_->hide();
  bar->addWidget(warning_);
  addToolBar(Qt::TopToolBarArea, bar);
  cursor_ = new QLabel;
  cursor_->setAccessibleName(tr("Position of the pointer"));
  run_ = new QLabel;
  statusBar()->addWidget(cursor_, 1);
  statusBar()->addPermanentWidget(run_);
}

void MainWindow::connect_selection() {
  using viewmodel::PickMode;
  connect(findings_, &widgets::FindingsList::finding_picked, this, &MainWindow::on_finding);
  connect(tree_, &widgets::WaferTree::wafers_picked, this,
          [this](const auto& wafers) { on_wafers(wafers, PickMode::kReplace); });
  connect(table_, &widgets::WaferTable::wafers_picked, this,
          [this](const auto& wafers) { on_wafers(wafers, PickMode::kReplace); });
  connect(gallery_, &widgets::WaferGalleryView::wafers_picked, this, &MainWindow::on_wafers);
  const auto open_wafer = [this](const QString& wafer) {
    selection_.show_wafer(wafer.toStdString());
    show_view(View::kWafer);
  };
  connect(gallery_, &widgets::WaferGalleryView::wafer_opened, this, open_wafer);
  connect(tree_, &widgets::WaferTree::wafer_opened, this, open_wafer);
  connect(table_, &widgets::WaferTable::wafer_opened, this, open_wafer);
  connect(pareto_, &widgets::ChartWidget::picked, this, &MainWindow::on_bin);
  connect(trend_, &widgets::ChartWidget::picked, this, [this](int mark, PickMode mode) {
    on_wafers(mark < 0 ? std::set<std::string>() : trend_wafers_[static_cast<std::size_t>(mark)],
              mode);
  });
  connect(map_, &widgets::WaferMapView::dies_picked, &selection_,
          &viewmodel::SelectionModel::pick_dies);
  connect(map_, &widgets::WaferMapView::defects_picked, &selection_,
          &viewmodel::SelectionModel::pick_defects);
  connect(map_, &widgets::WaferMapView::hovered, cursor_, &QLabel::setText);
  connect(layout_, &widgets::LayoutView::defects_picked, &selection_,
          &viewmodel::SelectionModel::pick_defects);
  connect(layout_, &widgets::LayoutView::cursor_moved, this, [this](double x, double y) {
    cursor_->setText(
        QStringLiteral("x = %1 \u00b5m, y = %2 \u00b5m").arg(x, 0, 'f', 3).arg(y, 0, 'f', 3));
  });
  connect(layers_, &widgets::LayerList::layers_changed, this,
          [this] { layout_->set_layers(layers_->layers()); });
  connect(&selection_, &viewmodel::SelectionModel::changed, this, &MainWindow::on_selection);
}

}  // namespace yieldloop::app
