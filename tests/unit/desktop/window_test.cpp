#include <QElapsedTimer>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QWheelEvent>
#include <fstream>

#include "catch_portable.h"
#include "gui/app/desktop_options.h"
#include "gui/app/main_window.h"
#include "gui/widgets/findings_list.h"
#include "gui/widgets/layout_view.h"
#include "gui/widgets/wafer_gallery_view.h"
#include "gui/widgets/wafer_lists.h"
#include "gui/widgets/wafer_map_view.h"
#include "sample_fab.h"
#include "temporary_folder.h"

using namespace yieldloop;
using viewmodel::PickMode;

namespace {

/// A window that shows the sample.
struct Shown {
  Shown() {
    test::application();
    window = std::make_unique<app::MainWindow>();
    window->resize(1400, 900);
    window->show();
    window->model().show(test::sample_fab());
    QApplication::processEvents();
  }
  std::unique_ptr<app::MainWindow> window;
};

/// Opens a store and waits for the end of it.
QString message_after_opening(const std::filesystem::path& store) {
  test::application();
  app::MainWindow window;
  bool settled = false;
  QObject::connect(&window, &app::MainWindow::settled, [&] { settled = true; });
  window.open(store, "");
  QElapsedTimer timer;
  timer.start();
  while (!settled && timer.elapsed() < 60'000)
    QApplication::processEvents(QEventLoop::AllEvents, 50);
  CHECK(settled);
  return window.message();
}

std::size_t colours_in(const QImage& image) {
  std::set<QRgb> colours;
  for (int y = 0; y < image.height(); y += 3) {
    for (int x = 0; x < image.width(); x += 3) colours.insert(image.pixel(x, y));
  }
  return colours.size();
}

std::set<std::string> selected_in(const widgets::WaferGalleryView& gallery) {
  std::set<std::string> wafers;
  for (const std::size_t i : gallery.chart().spec.selected)
    wafers.insert(gallery.chart().wafers[i]);
  return wafers;
}

void wheel(QWidget& widget, QPointF at, int delta) {
  QWheelEvent event(at, widget.mapToGlobal(at), {}, {0, delta}, Qt::NoButton, Qt::NoModifier,
                    Qt::NoScrollPhase, false);
  QApplication::sendEvent(&widget, &event);
}

void drag(QWidget& widget, Qt::MouseButton button, QPointF from, QPointF to) {
  const auto send = [&](QEvent::Type type, QPointF at, Qt::MouseButtons held) {
    QMouseEvent event(type, at, widget.mapToGlobal(at),
                      type == QEvent::MouseMove ? Qt::NoButton : button, held, Qt::NoModifier);
    QApplication::sendEvent(&widget, &event);
  };
  send(QEvent::MouseButtonPress, from, button);
  send(QEvent::MouseMove, (from + to) / 2, button);
  send(QEvent::MouseMove, to, button);
  send(QEvent::MouseButtonRelease, to, Qt::NoButton);
}

}  // namespace

TEST_CASE("window: every view paints something", "[desktop]") {
  const Shown shown;
  for (const auto view :
       {app::View::kWafer, app::View::kGallery, app::View::kLayout, app::View::kTrend}) {
    shown.window->show_view(view);
    shown.window->finish_drawing();
    QApplication::processEvents();
    CHECK(colours_in(shown.window->grab().toImage()) > 20);
  }
}

TEST_CASE("window: a finding marks its wafers, places and defects everywhere", "[desktop]") {
  const Shown shown;
  auto& window = *shown.window;
  REQUIRE(window.show_finding(1));

  const std::set<std::string> wafers = {"L1/W01", "L1/W02"};
  CHECK(window.selection().current().wafers == wafers);
  CHECK(selected_in(window.gallery()) == wafers);
  CHECK(window.tree().marked() == wafers);
  CHECK(window.table().marked() == wafers);
  CHECK(window.findings().marked() == "f-000000000001");
  CHECK(window.layout_view().place_count() == 2);
  CHECK(window.layout_view().place() == 0);
  CHECK(wafers.contains(window.map().chart().wafer));
  CHECK(std::ranges::count_if(window.map().chart().spec.defects,
                              [](const auto& d) { return d.selected; }) == 1);

  REQUIRE(window.show_finding(2));
  CHECK(selected_in(window.gallery()).size() == 3);
  CHECK(window.layout_view().place_count() == 0);
  CHECK_FALSE(window.show_finding(3));

  window.selection().clear();
  CHECK(selected_in(window.gallery()).empty());
  CHECK(window.tree().marked().empty());
  CHECK(window.findings().marked().isEmpty());
}

TEST_CASE("window: the places of a finding are stepped through and come round", "[desktop]") {
  const Shown shown;
  auto& view = shown.window->layout_view();
  REQUIRE(shown.window->show_finding(1));
  const QPointF first = view.viewport().centre;
  view.show_place(1);
  CHECK(view.viewport().centre != first);
  view.show_place(2);
  CHECK(view.place() == 0);
  CHECK(view.viewport().centre == first);
}

TEST_CASE("window: what is selected survives a reload", "[desktop]") {
  const Shown shown;
  auto& window = *shown.window;
  REQUIRE(window.show_finding(2));
  window.selection().pick_bins({5}, PickMode::kReplace);
  const auto before = window.selection().current();

  window.model().show(test::sample_fab());

  CHECK(window.selection().current() == before);
  CHECK(window.findings().marked() == "f-000000000002");
  CHECK(window.tree().marked().size() == 3);
}

TEST_CASE("layout view: the wheel keeps the point under the pointer", "[desktop]") {
  const Shown shown;
  shown.window->show_view(app::View::kLayout);
  QApplication::processEvents();
  auto& view = shown.window->layout_view();
  view.fit();
  const QPointF at(view.width() * 0.3, view.height() * 0.8);
  const QPointF before = view.viewport().to_map(at);
  const double scale = view.viewport().scale;
  for (int i = 0; i < 5; ++i) wheel(view, at, 120);
  const QPointF after = view.viewport().to_map(at);
  CHECK(view.viewport().scale > 2 * scale);
  CHECK_THAT(after.x(), WithinAbs(before.x(), 1e-6));
  CHECK_THAT(after.y(), WithinAbs(before.y(), 1e-6));
  view.fit();
  CHECK_THAT(view.viewport().scale, WithinRel(scale, 1e-12));
}

TEST_CASE("layout view: right drags zoom, goto understands three numbers", "[desktop]") {
  const Shown shown;
  shown.window->show_view(app::View::kLayout);
  QApplication::processEvents();
  auto& view = shown.window->layout_view();
  const double scale = view.viewport().scale;
  drag(view, Qt::RightButton, {100, 100}, {200, 200});
  CHECK(view.viewport().scale > scale);
  drag(view, Qt::RightButton, {200, 200}, {100, 100});
  CHECK_THAT(view.viewport().scale, WithinRel(scale, 0.01));

  CHECK(view.go_to("100, 250.5, 20"));
  CHECK(view.viewport().centre == QPointF(100, 250.5));
  CHECK(view.go_to("1,2"));
  for (const char* bad : {"", "1", "a,b", "1,2,3,4", "1,2,0", "nan,1"}) {
    CAPTURE(bad);
    CHECK_FALSE(view.go_to(bad));
  }
}

TEST_CASE("wafer map view: the wheel keeps the point under the pointer", "[desktop]") {
  const Shown shown;
  shown.window->show_view(app::View::kWafer);
  QApplication::processEvents();
  auto& view = const_cast<widgets::WaferMapView&>(shown.window->map());
  const QPointF at(view.width() * 0.4, view.height() * 0.55);
  const int before = charts::hit_test(view.chart().spec, view.map_rect(), at);
  REQUIRE(before >= 0);
  for (int i = 0; i < 6; ++i) wheel(view, at, 120);
  CHECK(charts::hit_test(view.chart().spec, view.map_rect(), at) == before);
  CHECK(view.map_rect().width() > 2 * view.width());
}

TEST_CASE("wafer map view: a band selects the die inside it", "[desktop]") {
  const Shown shown;
  shown.window->show_view(app::View::kWafer);
  QApplication::processEvents();
  auto& view = const_cast<widgets::WaferMapView&>(shown.window->map());
  view.fit();
  drag(view, Qt::LeftButton, {1, 1}, {view.width() - 2.0, view.height() - 2.0});
  CHECK(shown.window->selection().current().dies.size() == test::kDiePerWafer);
}

TEST_CASE("window: a store that is missing, empty or damaged is one sentence", "[desktop]") {
  const test::TemporaryFolder folder;
  CHECK_FALSE(message_after_opening(folder / "nowhere").isEmpty());
  CHECK_FALSE(message_after_opening(folder.path()).isEmpty());

  {
    auto store = store::Store::create(real_file_system(), folder / "empty");
    REQUIRE(store);
  }
  CHECK(message_after_opening(folder / "empty").contains("SESS-0003"));

  std::ofstream(folder / "empty" / "catalog.sqlite", std::ios::trunc) << "this is no catalog";
  CHECK(message_after_opening(folder / "empty").contains("STOR-"));
}

TEST_CASE("window: without a layout the layout view says so", "[desktop]") {
  test::application();
  app::MainWindow window;
  auto analysis = test::sample_analysis();
  analysis.layout = nullptr;
  window.model().show(viewmodel::prepare(std::move(analysis), ""));
  CHECK_FALSE(window.layout_view().has_layout());
  CHECK(window.show_finding(1));  // Its places have nowhere to be drawn, and nothing falls over.
  CHECK(window.model().fab()->no_layout.find("chip.gds") != std::string::npos);
}

TEST_CASE("window: no finding, no test, no wafer", "[desktop]") {
  test::application();
  app::MainWindow window;
  session::Analysis nothing;
  nothing.fab.data.product.name = "chip";
  window.model().show(viewmodel::prepare(std::move(nothing), ""));
  window.show();
  for (const auto view :
       {app::View::kWafer, app::View::kGallery, app::View::kLayout, app::View::kTrend}) {
    window.show_view(view);
    CHECK(colours_in(window.grab().toImage()) > 2);
  }
}

TEST_CASE("command line: what it takes and what it refuses", "[desktop]") {
  const auto options = app::parse_options(
      {"--store", "s", "--product=p", "--view", "layout", "--finding", "2", "--screenshot=a.png"});
  REQUIRE(options);
  CHECK(options->store == "s");
  CHECK(options->product == "p");
  CHECK(options->view == app::View::kLayout);
  CHECK(options->finding == 2);
  CHECK(options->screenshot == "a.png");
  for (const QStringList& bad : {QStringList{"--nothing"}, QStringList{"--store"},
                                 QStringList{"--view", "map"}, QStringList{"--finding", "0"}}) {
    const auto refused = app::parse_options(bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().id == "DESK-0003");
  }
}
