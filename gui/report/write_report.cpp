#include "gui/report/write_report.h"

#include "engine/report/report_json.h"
#include "gui/report/html_report.h"
#include "gui/report/pdf_report.h"

namespace yieldloop::gui_report {

Result<WrittenReport> write_report(const report::ReportContent& content, FileSystem& files,
                                   const fs::path& folder) {
  const WrittenReport written{folder / "report.html", folder / "report.pdf",
                              folder / "report.json"};
  YL_TRY(files.create_folders(folder));
  YL_TRY(write_file_atomically(files, written.html, render_html(content)));
  YL_TRY(write_file_atomically(files, written.pdf, render_pdf(content)));
  YL_TRY(write_file_atomically(files, written.json, report::report_json(content)));
  return written;
}

}  // namespace yieldloop::gui_report
