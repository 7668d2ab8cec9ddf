// The program `yieldloop-desktop`: shows a store.

#include <unistd.h>

#include <QApplication>
#include <QPixmap>
#include <QTimer>
#include <cstdio>
#include <cstdlib>

#include "engine/session/analysis.h"
#include "gui/app/desktop_options.h"
#include "gui/app/light_dress.h"
#include "gui/app/main_window.h"

namespace {

using namespace yieldloop;

/// The OpenMP runtime under the predictors reads this when it is loaded, before main; spinning
/// threads cost more than they bring on a machine that does other work too.
void restart_with_passive_threads(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  ::execv("/proc/self/exe", argv);  // Goes on as it is where that fails.
}

int take_picture(app::MainWindow& window, const app::DesktopOptions& options, bool loaded) {
  window.finish_drawing();
  QApplication::processEvents();
  if (!window.grab().save(QString::fromStdString(options.screenshot.string()), "PNG")) {
    std::fprintf(stderr, "The picture %s could not be written.\n", options.screenshot.c_str());
    return 1;
  }
  if (!loaded) std::fprintf(stderr, "%s\n", window.message().toStdString().c_str());
  return loaded ? 0 : 1;
}

int show_window(const app::DesktopOptions& options) {
  app::MainWindow window;
  QObject::connect(&window, &app::MainWindow::settled, &window, [&](bool loaded) {
    static bool first = true;
    if (!first) return;
    first = false;
    window.show_view(options.view);
    if (loaded && options.finding > 0 && !window.show_finding(options.finding)) {
      std::fprintf(stderr, "There is no finding of rank %d.\n", options.finding);
    }
    if (options.screenshot.empty()) return;
    // Two turns of the event loop: sizes settle first, then what depends on them is drawn.
    QTimer::singleShot(300, &window, [&window, &options, loaded] {
      QApplication::exit(take_picture(window, options, loaded));
    });
  });
  window.show();
  window.open(options.store, options.product);
  return QApplication::exec();
}

}  // namespace

int main(int argc, char** argv) {
  restart_with_passive_threads(argv);
  QStringList arguments;
  for (int i = 1; i < argc; ++i) arguments << QString::fromLocal8Bit(argv[i]);
  const auto options = app::parse_options(arguments);
  if (!options) {
    std::fprintf(stderr, "%s\n", options.error().message.c_str());
    return 2;
  }
  if (options->help) {
    std::fputs(app::usage_text().c_str(), stdout);
    return 0;
  }
  if (options->version) {
    std::printf("yieldloop-desktop %s\n", session::kVersion);
    return 0;
  }
  int qt_arguments = 1;
  QApplication application(qt_arguments, argv);
  QApplication::setApplicationName(QStringLiteral("yieldloop-desktop"));
  app::dress(application);
  return show_window(*options);
}
