/// \file
/// The report as one HTML file that needs nothing else: pictures are data URIs, styles are
/// inline, there is no script and no address outside the file.
#pragma once

#include <string>

#include "engine/report/report_content.h"

namespace yieldloop::gui_report {

struct HtmlOptions {
  double picture_scale = 2.0;  ///< Device pixels of PNG pictures per CSS pixel.
  bool dark_pictures = true;   ///< A second set for readers who prefer a dark screen.
};

/// The same content gives the same bytes. All texts of the content are escaped.
std::string render_html(const report::ReportContent& content, const HtmlOptions& options = {});

}  // namespace yieldloop::gui_report
