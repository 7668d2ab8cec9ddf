#include "gui/report/html_report.h"

#include <fmt/format.h>

#include <QByteArray>

#include "engine/core/text.h"
#include "gui/report/report_document.h"

namespace yieldloop::gui_report {
namespace {

constexpr const char* kStyle = R"(
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--muted:#57606a;--line:#d5dae0;
--head:#f2f4f6;--link:#0072b2}
*{box-sizing:border-box}
body{margin:0 auto;padding:28px 24px 60px;max-width:1120px;background:var(--paper);
color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",Verdana,
"Noto Sans","Noto Sans CJK JP",sans-serif}
h1{font-size:26px;line-height:1.25;margin:0 0 14px}
h2{font-size:19px;margin:34px 0 10px;padding-top:10px;border-top:1px solid var(--line)}
h3{font-size:15px;margin:20px 0 6px}
p,li{max-width:88ch}
.note{color:var(--muted);font-size:13px}
.status{border-left:8px solid var(--mark);background:var(--head);padding:12px 16px;margin:0 0 12px;
font-size:17px}
.status strong{display:block;font-size:13px;letter-spacing:.06em;text-transform:uppercase}
.alarm{--mark:#d55e00}.attention{--mark:#e69f00}.normal{--mark:#0072b2}.none{--mark:#8c959f}
.wide{overflow-x:auto;margin:10px 0 14px}
table{border-collapse:collapse;font-size:13.5px;line-height:1.4}
th,td{padding:5px 10px;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{background:var(--head);font-weight:600;vertical-align:bottom}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
td.n{white-space:nowrap}
td{overflow-wrap:break-word;max-width:44ch}
caption{text-align:left;font-weight:600;padding:4px 0}
figure{margin:14px 0}
img{max-width:100%;height:auto;border:1px solid var(--line)}
details{margin:6px 0}
summary{cursor:pointer;color:var(--link)}
@media screen and (prefers-color-scheme:dark){:root{--paper:#14181d;--ink:#e8ebee;--muted:#a3adb8;
--line:#3a434d;--head:#1d232a;--link:#56b4e9}}
@media print{:root{color-scheme:light}body{max-width:none;padding:0;font-size:11px}
table{font-size:9.5px}tr,figure,.status{break-inside:avoid}h2,h3{break-after:avoid}
thead{display:table-header-group}.wide{overflow:visible}}
)";

std::string escaped(const std::string& text) {
  std::string clean = to_valid_utf8(text);
  for (char& c : clean) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return escape_markup(clean);
}

std::string data_uri(const std::string& type, const std::string& bytes) {
  const QByteArray raw(bytes.data(), static_cast<qsizetype>(bytes.size()));
  return "data:" + type + ";base64," + raw.toBase64().toStdString();
}

class HtmlWriter {
 public:
  HtmlWriter(std::string& out, const HtmlOptions& options) : out_(out), options_(options) {}

  void operator()(const Heading& heading) {
    out_ += fmt::format("<h{0}>{1}</h{0}>\n", heading.level, escaped(heading.text));
  }

  void operator()(const Paragraph& paragraph) {
    out_ += fmt::format("<p{}>{}</p>\n", paragraph.note ? " class=\"note\"" : "",
                        escaped(paragraph.text));
  }

  void operator()(const Callout& callout) {
    const char* mark = "none";
    if (callout.status == report::ReportStatus::kAlarm) mark = "alarm";
    if (callout.status == report::ReportStatus::kAttention) mark = "attention";
    if (callout.status == report::ReportStatus::kNormal) mark = "normal";
    out_ += fmt::format("<div class=\"status {}\"><strong>{}</strong>{}</div>\n", mark,
                        escaped(callout.label), escaped(callout.text));
  }

  void operator()(const BulletList& list) {
    out_ += "<ul>\n";
    for (const std::string& item : list.items) out_ += "<li>" + escaped(item) + "</li>\n";
    out_ += "</ul>\n";
  }

  void operator()(const ReportTable& table) {
    if (table.folded) {
      out_ += "<details><summary>" + escaped(table.caption) + "</summary>\n";
    }
    out_ += "<div class=\"wide\"><table>\n";
    if (!table.caption.empty() && !table.folded) {
      out_ += "<caption>" + escaped(table.caption) + "</caption>\n";
    }
    out_ += "<thead><tr>";
    for (const TableColumn& column : table.columns) {
      out_ += fmt::format("<th scope=\"col\"{}>{}</th>", column.number ? " class=\"n\"" : "",
                          column.title.empty() ? "#" : escaped(column.title));
    }
    out_ += "</tr></thead>\n<tbody>\n";
    for (const auto& row : table.rows) {
      out_ += "<tr>";
      for (std::size_t i = 0; i < row.size(); ++i) {
        out_ += fmt::format("<td{}>{}</td>", table.columns[i].number ? " class=\"n\"" : "",
                            escaped(row[i]));
      }
      out_ += "</tr>\n";
    }
    out_ += "</tbody></table></div>\n";
    if (table.folded) out_ += "</details>\n";
  }

  void operator()(const ReportChart& chart) {
    out_ += "<figure><picture>";
    if (options_.dark_pictures) {
      out_ += "<source media=\"screen and (prefers-color-scheme: dark)\" srcset=\"" +
              picture(chart, charts::dark_theme()) + "\">";
    }
    out_ +=
        fmt::format("<img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\"></picture></figure>\n",
                    picture(chart, charts::light_theme()), chart.size.width, chart.size.height,
                    escaped(chart.alt));
  }

 private:
  std::string picture(const ReportChart& chart, const charts::Theme& theme) const {
    const auto paint = [&](QPainter& painter, const QRectF& rect) {
      chart.paint(painter, rect, theme);
    };
    if (chart.vector) {
      return data_uri("image/svg+xml", charts::paint_svg(paint, chart.size, chart.alt));
    }
    return data_uri("image/png", charts::paint_png(paint, chart.size, options_.picture_scale));
  }

  std::string& out_;
  const HtmlOptions& options_;
};

}  // namespace

std::string render_html(const report::ReportContent& content, const HtmlOptions& options) {
  charts::ensure_gui_application();
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "img-src data:; style-src 'unsafe-inline'\">\n<title>" +
      escaped(content.title) + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n<main>\n";
  HtmlWriter writer(html, options);
  for (const Block& block : report_document(content)) std::visit(writer, block);
  html += "</main>\n</body>\n</html>\n";
  return html;
}

}  // namespace yieldloop::gui_report
