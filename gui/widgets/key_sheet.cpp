#include "gui/widgets/key_sheet.h"

#include <QDialog>
#include <QDialogButtonBox>
#include <QLabel>
#include <QVBoxLayout>

namespace yieldloop::widgets {
namespace {

struct Line {
  const char* keys;
  const char* what;
};

constexpr Line kLines[] = {
    {"N / P", "next / previous finding"},
    {"M / Shift+M", "next / previous place of the finding in the layout"},
    {"Ctrl+1 ... Ctrl+4", "wafer map, gallery, layout, trend"},
    {"[ / ]", "previous / next wafer on the map"},
    {"F2", "fit the view"},
    {"wheel", "zoom; the point under the pointer stays"},
    {"right drag", "right or down: zoom into the box; left or up: zoom out"},
    {"middle drag", "move the view"},
    {"arrows, +, \u2212", "move and zoom the layout"},
    {"Ctrl+G", "go to \"x,y\" or \"x,y,size\" in \u00b5m"},
    {"click, drag", "select; with Shift add, with Ctrl toggle"},
    {"L", "lasso instead of a box on the wafer map"},
    {"R", "turn the wafer by 90\u00b0; die labels stay"},
    {"double click", "on a wafer: show it; on a layer: hide or show it"},
    {"Esc", "clear the selection and the filters"},
    {"F5", "read the store again"},
};

}  // namespace

void show_key_sheet(QWidget* parent) {
  QDialog dialog(parent);
  dialog.setWindowTitle(QDialog::tr("Keys and mouse"));
  QString html = QStringLiteral("<table cellspacing='4'>");
  for (const Line& line : kLines) {
    html += QStringLiteral("<tr><td style='padding-right:18px'><b>%1</b></td><td>%2</td></tr>")
                .arg(QString::fromUtf8(line.keys).toHtmlEscaped(),
                     QString::fromUtf8(line.what).toHtmlEscaped());
  }
  auto* text = new QLabel(html + QStringLiteral("</table>"), &dialog);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, &dialog);
  QObject::connect(buttons, &QDialogButtonBox::rejected, &dialog, &QDialog::reject);
  auto* column = new QVBoxLayout(&dialog);
  column->addWidget(text);
  column->addWidget(buttons);
  dialog.exec();
}

}  // namespace yieldloop::widgets
