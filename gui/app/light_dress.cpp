#include "gui/app/light_dress.h"

#include <QApplication>
#include <QFont>
#include <QPalette>
#include <QStyleFactory>

#include "gui/charts/theme.h"

namespace yieldloop::app {

void dress(QApplication& application) {
  const charts::Theme& theme = charts::light_theme();
  QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
  QPalette palette;
  const auto set = [&](QPalette::ColorRole role, charts::Rgb rgb) {
    palette.setColor(role, QColor(rgb));
  };
  set(QPalette::Window, 0xfff1f3f5);
  set(QPalette::WindowText, theme.text);
  set(QPalette::Base, theme.background);
  set(QPalette::AlternateBase, theme.panel);
  set(QPalette::Text, theme.text);
  set(QPalette::Button, 0xffe9ecef);
  set(QPalette::ButtonText, theme.text);
  set(QPalette::ToolTipBase, 0xfffffbe6);
  set(QPalette::ToolTipText, theme.text);
  set(QPalette::Highlight, theme.accent);
  set(QPalette::HighlightedText, 0xffffffff);
  set(QPalette::PlaceholderText, theme.muted);
  set(QPalette::Mid, theme.axis);
  palette.setColor(QPalette::Disabled, QPalette::ButtonText, QColor(theme.axis));
  palette.setColor(QPalette::Disabled, QPalette::WindowText, QColor(theme.axis));
  palette.setColor(QPalette::Disabled, QPalette::Text, QColor(theme.axis));
  QApplication::setPalette(palette);
  QFont font(QString::fromStdString(theme.font_family));
  font.setPixelSize(12);
  QApplication::setFont(font);
  application.setStyleSheet(
      QStringLiteral("QDockWidget::title { background: #e3e7eb; padding: 4px 6px; }"
                     "QToolBar { border: 0; spacing: 2px; }"
                     "QHeaderView::section { padding: 3px 6px; border: 0; background: #eef0f2; "
                     "border-bottom: 1px solid #cfd4d9; }"
                     "QTableView::item { padding: 2px 4px; }"));
}

}  // namespace yieldloop::app
