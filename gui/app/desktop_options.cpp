#include "gui/app/desktop_options.h"

#include <cstdlib>

namespace yieldloop::app {
namespace {

Error bad(const QString& sentence) {
  return {Errc::kInvalidOptions, "DESK-0003", sentence.toStdString()};
}

std::filesystem::path default_store() {
  const char* named = std::getenv("YIELDLOOP_STORE");
  return named != nullptr && *named != '\0' ? named : "yieldloop-store";
}

Status set(DesktopOptions& options, const QString& name, const QString& value) {
  if (name == QLatin1String("--store")) {
    options.store = value.toStdString();
  } else if (name == QLatin1String("--product")) {
    options.product = value.toStdString();
  } else if (name == QLatin1String("--screenshot")) {
    options.screenshot = value.toStdString();
  } else if (name == QLatin1String("--finding")) {
    bool fine = false;
    options.finding = value.toInt(&fine);
    if (!fine || options.finding < 1) {
      return bad(QStringLiteral("--finding takes a rank from 1, not \"%1\".").arg(value));
    }
  } else {
    const QStringList views = {QStringLiteral("wafer"), QStringLiteral("gallery"),
                               QStringLiteral("layout"), QStringLiteral("trend")};
    const auto at = views.indexOf(value);
    if (at < 0) {
      return bad(
          QStringLiteral("--view takes wafer, gallery, layout or trend, not \"%1\".").arg(value));
    }
    options.view = static_cast<View>(at);
  }
  return Ok{};
}

}  // namespace

std::string usage_text() {
  return "Usage: yieldloop-desktop [--store DIR] [--product NAME]\n"
         "                         [--screenshot FILE.png] [--view wafer|gallery|layout|trend]\n"
         "                         [--finding RANK]\n"
         "\n"
         "Shows the newest saved run of a store, or analyses the store when none was saved.\n"
         "The store is only read. It defaults to $YIELDLOOP_STORE, then ./yieldloop-store.\n"
         "--screenshot writes a picture of the window when it is ready and ends.\n";
}

Result<DesktopOptions> parse_options(const QStringList& arguments) {
  DesktopOptions options;
  options.store = default_store();
  const QStringList with_value = {QStringLiteral("--store"), QStringLiteral("--product"),
                                  QStringLiteral("--screenshot"), QStringLiteral("--view"),
                                  QStringLiteral("--finding")};
  for (qsizetype i = 0; i < arguments.size(); ++i) {
    QString name = arguments[i];
    if (name == QLatin1String("--help") || name == QLatin1String("-h")) {
      options.help = true;
      continue;
    }
    if (name == QLatin1String("--version")) {
      options.version = true;
      continue;
    }
    QString value;
    const auto equals = name.indexOf(QLatin1Char('='));
    const bool joined = name.startsWith(QLatin1String("--")) && equals > 0;
    if (joined) {
      value = name.mid(equals + 1);
      name.truncate(equals);
    }
    if (!with_value.contains(name)) {
      return bad(QStringLiteral("There is no option %1: see yieldloop-desktop --help.").arg(name));
    }
    if (!joined) {
      if (++i == arguments.size()) return bad(QStringLiteral("%1 needs a value.").arg(name));
      value = arguments[i];
    }
    YL_TRY(set(options, name, value));
  }
  return options;
}

}  // namespace yieldloop::app
