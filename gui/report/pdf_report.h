/// \file
/// The report as PDF: A4, text that can be searched, charts as vectors, page numbers.
#pragma once

#include <string>

#include "engine/report/report_content.h"

namespace yieldloop::gui_report {

/// The bytes of the file. The same content gives the same bytes: the date of creation is that of
/// content.provenance.created (or 1970-01-01), the document id is made from the content.
std::string render_pdf(const report::ReportContent& content);

/// Gives every /CreationDate and /ID of a PDF written by Qt a fixed value of equal length, so
/// that offsets stay right. `date` is YYYYMMDDhhmmss, `id` hexadecimal digits.
void fix_pdf_identity(std::string& pdf, const std::string& date, const std::string& id);

}  // namespace yieldloop::gui_report
