// The program `yieldloop`: joins the command line, the report renderer and the service.

#include <unistd.h>

#include <QGuiApplication>
#include <csignal>
#include <cstdlib>

#include "engine/cli/app.h"
#include "gui/report/write_report.h"
#include "ingest/service/service.h"
#include "ingest/service/store_backend.h"

namespace {

using namespace yieldloop;

/// The OpenMP runtime under the predictors reads this when it is loaded, before main; spinning
/// threads cost more than they bring on a machine that does other work too.
void restart_with_passive_threads(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  ::execv("/proc/self/exe", argv);  // Goes on as it is where that fails.
}

Result<std::vector<fs::path>> write_report(const report::ReportContent& content, FileSystem& files,
                                           const fs::path& folder) {
  // Charts need fonts, fonts need the application; there is no window and no display.
  ::setenv("QT_QPA_PLATFORM", "offscreen", 1);
  // Qt's remarks on the session it does not find are none of the user's business.
  qInstallMessageHandler([](QtMsgType type, const QMessageLogContext&, const QString& text) {
    if (type == QtFatalMsg) std::fprintf(stderr, "%s\n", text.toUtf8().constData());
  });
  int argc = 1;
  char name[] = "yieldloop";
  char* argv[] = {name, nullptr};
  const QGuiApplication application(argc, argv);
  YL_ASSIGN(const auto written, gui_report::write_report(content, files, folder));
  return std::vector<fs::path>{written.html, written.pdf, written.json};
}

Status serve(const fs::path& store, const fs::path& config_path) {
  // Blocked before any thread starts, so that none takes the signal that is waited for below.
  sigset_t stop;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGINT);
  ::sigaddset(&stop, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  YL_ASSIGN(const auto config, ingest::service::load_config(real_file_system(), config_path));
  YL_ASSIGN(auto backend, ingest::service::store_backend(real_file_system(), store));
  YL_ASSIGN(const auto service,
            ingest::service::Service::start(config, std::move(backend), real_file_system(),
                                            store / "incoming"));
  std::fprintf(stderr, "yieldloop serves %s on port %u\n", store.c_str(),
               static_cast<unsigned>(service->port()));
  int received = 0;
  ::sigwait(&stop, &received);
  service->stop();
  return Ok{};
}

}  // namespace

int main(int argc, char** argv) {
  restart_with_passive_threads(argv);
  return cli::run(argc, argv, {.write_report = write_report, .serve = serve});
}
