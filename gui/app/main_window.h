/// \file
/// The one window: docks around the views, one selection between all of them.
#pragma once

#include <QElapsedTimer>
#include <QMainWindow>
#include <filesystem>
#include <string>

#include "gui/viewmodel/chart_specs.h"
#include "gui/viewmodel/fab_model.h"
#include "gui/viewmodel/selection_model.h"

class QAction;
class QLabel;
class QPlainTextEdit;
class QProgressBar;
class QPushButton;
class QStackedWidget;
class QTabWidget;

namespace yieldloop::widgets {
class ChartWidget;
class EvidencePanel;
class FindingsList;
class LayerList;
class LayoutView;
class LegendStrip;
class WaferGalleryView;
class WaferMapView;
class WaferTable;
class WaferTree;
}  // namespace yieldloop::widgets

namespace yieldloop::app {

enum class View : int { kWafer, kGallery, kLayout, kTrend };

class MainWindow final : public QMainWindow {
  Q_OBJECT

 public:
  explicit MainWindow(QWidget* parent = nullptr);
  ~MainWindow() override;

  void open(const std::filesystem::path& store, const std::string& product);
  void show_view(View view);
  /// By rank, from 1; false when there is no such finding.
  bool show_finding(int rank);
  /// Waits for pictures that are still being drawn; for pictures of the window.
  void finish_drawing();

  viewmodel::FabModel& model() { return model_; }
  viewmodel::SelectionModel& selection() { return selection_; }
  const widgets::WaferGalleryView& gallery() const { return *gallery_; }
  const widgets::WaferTree& tree() const { return *tree_; }
  const widgets::WaferTable& table() const { return *table_; }
  widgets::LayoutView& layout_view() { return *layout_; }
  const widgets::WaferMapView& map() const { return *map_; }
  const widgets::FindingsList& findings() const { return *findings_; }
  /// The sentence in the middle while there is nothing to show.
  QString message() const;

 signals:
  /// A load has ended and the window shows it, or why not.
  void settled(bool loaded);

 private:
  // main_window_parts.cpp: what the window is made of.
  void build_views();
  QWidget* build_map_page();
  QWidget* build_gallery_page();
  QWidget* build_layout_page();
  QWidget* build_message_page();
  void build_docks();
  void build_menus();
  void build_view_menu();
  void build_bars();
  QAction* add_action(const QString& text, const QString& key, std::function<void()> act);
  void connect_selection();

  // main_window.cpp: what it does.
  void on_loaded();
  void on_failed(const QString& id, const QString& sentence);
  void on_progress(const QString& stage, qulonglong done, qulonglong total);
  void on_finding(const QString& id);
  void on_wafers(const std::set<std::string>& wafers, viewmodel::PickMode mode);
  void on_bin(int mark, viewmodel::PickMode mode);
  void on_selection();
  void refresh(const viewmodel::Selection& before, bool all);
  void refresh_map();
  void refresh_gallery();
  void refresh_pareto();
  void refresh_trend();
  void refresh_dots();
  void step_wafer(int by);
  void ask_place();
  void log(const QString& sentence);
  std::string wafer_to_show(const viewmodel::FindingParts& parts) const;

  viewmodel::SelectionModel selection_;
  viewmodel::Selection shown_;
  viewmodel::MapOptions map_options_;
  viewmodel::GalleryOrder gallery_order_ = viewmodel::GalleryOrder::kSlot;
  std::vector<int> pareto_bins_;
  std::vector<std::set<std::string>> trend_wafers_;

  QStackedWidget* pages_ = nullptr;
  QTabWidget* tabs_ = nullptr;
  QLabel* message_ = nullptr;
  QProgressBar* bar_ = nullptr;
  QPushButton* cancel_ = nullptr;
  QLabel* scope_ = nullptr;
  QLabel* warning_ = nullptr;
  QLabel* map_title_ = nullptr;
  QLabel* gallery_title_ = nullptr;
  QLabel* layout_title_ = nullptr;
  QLabel* cursor_ = nullptr;
  QLabel* run_ = nullptr;
  widgets::WaferMapView* map_ = nullptr;
  widgets::WaferGalleryView* gallery_ = nullptr;
  widgets::LayoutView* layout_ = nullptr;
  widgets::ChartWidget* trend_ = nullptr;
  widgets::ChartWidget* pareto_ = nullptr;
  widgets::LegendStrip* map_legend_ = nullptr;
  widgets::LegendStrip* gallery_legend_ = nullptr;
  widgets::FindingsList* findings_ = nullptr;
  widgets::EvidencePanel* evidence_ = nullptr;
  widgets::LayerList* layers_ = nullptr;
  widgets::WaferTree* tree_ = nullptr;
  widgets::WaferTable* table_ = nullptr;
  QPlainTextEdit* log_ = nullptr;
  QElapsedTimer since_;
  viewmodel::FabModel model_;  ///< Last: its worker ends before the window's parts go.
};

}  // namespace yieldloop::app
