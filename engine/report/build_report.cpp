#include "engine/report/build_report.h"

#include "engine/core/time.h"
#include "engine/report/report_parts.h"

namespace yieldloop::report {
namespace {

bool is_date(const std::string& text) {
  constexpr std::size_t kDateLength = 10;
  return text.size() == kDateLength && parse_iso8601(text).has_value();
}

Status check(const ReportOptions& options) {
  if (!options.night.empty() && !is_date(options.night)) {
    return Error{Errc::kInvalidOptions, "REPT-0001",
                 "The night \"" + options.night + "\" is no date; write it as YYYY-MM-DD."};
  }
  const bool fits = options.top_drivers >= 1 && options.top_drivers <= 100 &&
                    options.max_suggestions >= 1 && options.max_suggestions <= 1000 &&
                    options.max_maps <= 1000;
  if (!fits) {
    return Error{Errc::kInvalidOptions, "REPT-0002",
                 "A report shows 1 to 100 loss drivers, 1 to 1000 suggestions and at most 1000 "
                 "maps; choose numbers in these ranges."};
  }
  return Ok{};
}

}  // namespace

Result<ReportContent> build_report(const FabData& data, const FindingsDocument& findings,
                                   const std::vector<Suggestion>& suggestions,
                                   const ReportOptions& options) {
  YL_TRY(check(options));
  const ReportBasis basis = make_basis(data, findings, options);
  ReportContent content;
  content.product = data.product.name.empty() ? findings.product : data.product.name;
  content.night = options.night;
  content.title = "Yield report " + content.product +
                  (options.night.empty() ? "" : ", night of " + options.night);
  add_lots(basis, content);
  add_bins(basis, content);
  add_excursions(basis, content);
  add_drivers(basis, content);
  add_suspects(basis, content);
  add_defects(basis, content);
  add_suggestions(basis, suggestions, content);
  add_maps(basis, content);
  add_caveats(basis, content);
  add_headline(basis, content);
  add_provenance(basis, content);
  return content;
}

}  // namespace yieldloop::report
