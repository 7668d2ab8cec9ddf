/// \file
/// The report as JSON, schema "yieldloop.report/1": docs/report.md lists the keys.
#pragma once

#include <string>

#include "engine/report/report_content.h"

namespace yieldloop::report {

/// Indented by two blanks, ending with a newline; the same content gives the same bytes. Values
/// that are not finite are null. Wafer maps are given by their counts, not die by die.
std::string report_json(const ReportContent& content);

/// "no_new_data", "normal", "attention", "alarm".
std::string status_name(ReportStatus status);

}  // namespace yieldloop::report
