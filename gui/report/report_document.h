/// \file
/// The report as a row of blocks, in reading order; HTML and PDF are two ways to set them.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "engine/report/report_content.h"
#include "gui/charts/render.h"

namespace yieldloop::gui_report {

struct Heading {
  int level = 2;  ///< 1 is the title.
  std::string text;
};

struct Paragraph {
  std::string text;
  bool note = false;  ///< Small and muted.
};

/// The sentence a reader sees first, coloured by status and naming it in words.
struct Callout {
  report::ReportStatus status = report::ReportStatus::kNoNewData;
  std::string label;
  std::string text;
};

struct BulletList {
  std::vector<std::string> items;
};

struct TableColumn {
  std::string title;
  bool number = false;  ///< Set flush right.
};

struct ReportTable {
  std::string caption;
  std::vector<TableColumn> columns;
  std::vector<std::vector<std::string>> rows;
  bool folded = false;  ///< HTML hides it behind its caption; PDF leaves it out.
};

struct ReportChart {
  std::string alt;  ///< What the picture shows, for those who do not see it.
  charts::ChartSize size;
  bool vector = true;  ///< SVG in HTML; pictures of many dies are PNG.
  std::function<void(QPainter&, const QRectF&, const charts::Theme&)> paint;
};

using Block = std::variant<Heading, Paragraph, Callout, BulletList, ReportTable, ReportChart>;

/// The blocks keep copies of what they need, except the wafer maps: content must outlive them.
std::vector<Block> report_document(const report::ReportContent& content);

/// The charts of the sections; each is absent when there is nothing to draw. Private to
/// gui/report.
void add_trend_chart(const report::ReportContent& content, std::vector<Block>& blocks);
void add_map_charts(const report::ReportContent& content, std::vector<Block>& blocks);
void add_excursion_chart(const report::ReportContent& content, const report::Excursion& excursion,
                         std::vector<Block>& blocks);
void add_driver_chart(const report::ReportContent& content, const report::LossDriver& driver,
                      std::vector<Block>& blocks);
void add_bin_chart(const report::ReportContent& content, std::vector<Block>& blocks);
void add_suspect_chart(const report::ReportContent& content, std::vector<Block>& blocks);
void add_density_chart(const report::ReportContent& content, std::vector<Block>& blocks);
void add_clip_chart(const report::Hotspot& hotspot, std::vector<Block>& blocks);

/// "ETCH02/B at M1_ETCH": the subject of a finding in few words.
std::string subject_text(const Finding& finding);

}  // namespace yieldloop::gui_report
