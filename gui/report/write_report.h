/// \file
/// Writes report.html, report.pdf and report.json into a folder.
#pragma once

#include "engine/core/file_system.h"
#include "engine/core/result.h"
#include "engine/report/report_content.h"

namespace yieldloop::gui_report {

struct WrittenReport {
  fs::path html, pdf, json;
};

/// Each file appears whole or not at all; the JSON comes last, so that its presence says that the
/// report is complete. Writing the same content again changes no byte.
/// Errors: those of FileSystem, with the path.
Result<WrittenReport> write_report(const report::ReportContent& content, FileSystem& files,
                                   const fs::path& folder);

}  // namespace yieldloop::gui_report
