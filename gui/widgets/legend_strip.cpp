#include "gui/widgets/legend_strip.h"

#include <QColor>

namespace yieldloop::widgets {

LegendStrip::LegendStrip(QWidget* parent) : QLabel(parent) {
  setWordWrap(true);
  setTextFormat(Qt::RichText);
  setContentsMargins(8, 2, 8, 4);
  setAccessibleName(tr("Legend of the wafer maps"));
}

void LegendStrip::show_items(const std::vector<viewmodel::LegendItem>& items) {
  QString html;
  for (const viewmodel::LegendItem& item : items) {
    if (item.colour != 0) {
      html += QStringLiteral("<span style='color:%1; font-size:large'>\u25a0</span>&nbsp;")
                  .arg(QColor(item.colour).name());
    }
    html += QString::fromStdString(item.text).toHtmlEscaped().replace(QLatin1Char(' '),
                                                                      QStringLiteral("&nbsp;"));
    html += QStringLiteral("&nbsp;&nbsp; ");
  }
  setText(html);
}

}  // namespace yieldloop::widgets
