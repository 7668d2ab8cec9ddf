// `export klarf`: inspections of the store as a KLARF file, or a KLARF file with other classes.
#include <algorithm>

#include "engine/cli/commands.h"
#include "engine/cli/export_klarf.h"
#include "engine/core/text.h"
#include "engine/store/sql.h"
#include "engine/store/store.h"
#include "ingest/readers/input.h"
#include "ingest/readers/klarf/class_writer.h"
#include "ingest/readers/klarf/klarf_writer.h"
#include "ingest/readers/logs/csv.h"

namespace yieldloop::cli {
namespace {

using Record = std::vector<std::string>;

/// The file's own bytes: a file's name, or the SHA-256 of a file that the store keeps.
Result<std::unique_ptr<ingest::SentInput>> open_original(const Context& context,
                                                         const std::string& from) {
  std::error_code ignored;
  const bool is_digest =
      from.size() == 64 && from.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!is_digest || fs::exists(from, ignored)) return ingest::open_input(real_file_system(), from);
  YL_ASSIGN(auto store,
            store::Store::open(real_file_system(), context.store, store::Store::Mode::kRead));
  YL_ASSIGN(const auto snapshot, store.snapshot());
  YL_ASSIGN(auto blob, snapshot.blob(from));
  return ingest::input_from_mapped("klarf", std::move(blob));
}

bool is_query(std::string_view text) {
  const std::string lower = to_lower(trim(text));
  return lower.starts_with("select ") || lower.starts_with("with ") || lower.starts_with("from ");
}

/// The rows of a CSV file or of a query, its column names first.
Result<std::vector<Record>> class_records(const Context& context, const std::string& classes) {
  std::vector<Record> records;
  if (is_query(classes)) {
    YL_ASSIGN(auto store,
              store::Store::open(real_file_system(), context.store, store::Store::Mode::kRead));
    YL_ASSIGN(const auto snapshot, store.snapshot());
    YL_ASSIGN(const auto table, snapshot.query(classes));
    Record names;
    for (std::size_t c = 0; c < table.columns(); ++c) names.push_back(table.column_name(c));
    records.push_back(std::move(names));
    for (std::size_t r = 0; r < table.rows(); ++r) {
      Record record;
      for (std::size_t c = 0; c < table.columns(); ++c) {
        record.push_back(table.column(c).to_text(r));
      }
      records.push_back(std::move(record));
    }
    return records;
  }
  YL_ASSIGN(const std::string text, read_text_file(real_file_system(), classes));
  ingest::CsvScanner scanner(text, ingest::sniff_delimiter(text));
  while (scanner.next()) {
    records.emplace_back(scanner.cells().begin(), scanner.cells().end());
  }
  return records;
}

/// The KLARF column of a table's column; "" for one that says which defect or is its class's name.
std::string klarf_column(std::string_view name) {
  const std::string lower = to_lower(trim(name));
  if (lower == "class_number") return "CLASSNUMBER";
  if (lower == "rough_bin") return "ROUGHBINNUMBER";
  if (lower == "fine_bin") return "FINEBINNUMBER";
  if (!ingest::klarf::is_class_column(lower)) return {};
  std::string upper = lower;
  std::ranges::transform(upper, upper.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
  return upper;
}

struct Edits {
  std::vector<ingest::klarf::ClassEdit> edits;
  std::vector<ingest::klarf::ClassName> names;
};

Result<Edits> edits_of(const std::vector<Record>& records) {
  Edits result;
  const Record header = records.empty() ? Record() : records.front();
  const auto find = [&](std::string_view name) {
    const auto it = std::ranges::find_if(
        header, [&](const std::string& own) { return equals_ignoring_case(trim(own), name); });
    return static_cast<std::size_t>(it - header.begin());
  };
  const std::size_t defect_at = find("defect_id");
  const bool any = std::ranges::any_of(
      header, [](const std::string& name) { return !klarf_column(name).empty(); });
  if (defect_at == header.size() || !any) {
    return Error{Errc::kInvalidOptions, "CLIC-0033",
                 "The table of classes needs the columns defect_id and class_number, rough_bin, "
                 "fine_bin or another class column; lot_id, wafer_id and class_name may be there."};
  }
  const std::size_t lot_at = find("lot_id"), wafer_at = find("wafer_id"),
                    name_at = find("class_name");
  for (std::size_t r = 1; r < records.size(); ++r) {
    const Record& record = records[r];
    const auto cell = [&](std::size_t at) {
      return at < record.size() ? std::string(trim(record[at])) : std::string();
    };
    const auto defect = parse_int(cell(defect_at));
    ingest::klarf::ClassEdit edit{cell(lot_at), cell(wafer_at), defect.value_or(0), {}};
    bool good = defect.has_value();
    for (std::size_t c = 0; c < header.size() && good; ++c) {
      const std::string column = klarf_column(header[c]);
      if (column.empty() || cell(c).empty()) continue;
      const auto value = parse_int(cell(c));
      good = value && *value >= INT32_MIN && *value <= INT32_MAX;
      if (!good) break;
      edit.values.emplace_back(column, *value);
      if (column == "CLASSNUMBER" && !cell(name_at).empty()) {
        result.names.push_back({static_cast<int>(*value), cell(name_at)});
      }
    }
    if (!good) {
      return Error{Errc::kFormat, "CLIC-0034",
                   fmt::format("Row {} of the table of classes has a defect or a class that is no "
                               "whole number; nothing was written.",
                               r)};
    }
    result.edits.push_back(std::move(edit));
  }
  return result;
}

Result<KlarfExport> with_classes(const Context& context, const ExportArguments& a) {
  YL_ASSIGN(const auto input, open_original(context, a.from));
  YL_ASSIGN(const auto bytes, input->bytes());
  Edits edits;
  if (!a.classes.empty()) {
    YL_ASSIGN(const auto records, class_records(context, a.classes));
    YL_ASSIGN(edits, edits_of(records));
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  YL_ASSIGN(auto written, ingest::klarf::rewrite_classes(text, edits.edits, edits.names));
  KlarfExport result{std::move(written.text), written.defects, {}};
  const auto warn = [&](std::size_t n, std::string_view what) {
    if (n > 0) result.warnings.push_back(fmt::format("{} {}", n, what));
  };
  warn(written.without_defect,
       "rows of the table of classes name a defect that is not in the file.");
  warn(written.without_column,
       "classes were left out: the file's defects have no column for them.");
  return result;
}

Result<KlarfExport> from_rows(const Context& context, const ExportArguments& a) {
  YL_ASSIGN(auto store,
            store::Store::open(real_file_system(), context.store, store::Store::Mode::kRead));
  YL_ASSIGN(const auto snapshot, store.snapshot());
  std::string where;
  if (!a.analysis.scope.product.empty()) {
    where = "product = " + store::sql_text(a.analysis.scope.product);
  }
  std::vector<std::string> lots;
  for (const std::string_view lot : split(a.analysis.scope.lots, ',')) {
    if (!trim(lot).empty()) {
      lots.push_back("lot_id GLOB " + store::sql_text(std::string(trim(lot))));
    }
  }
  if (!lots.empty()) {
    where += (where.empty() ? "(" : " AND (") + join(lots, " OR ") + ")";
  }
  ingest::klarf::InspectionTables tables;
  YL_ASSIGN(auto inspections, snapshot.read("inspections", {}, where));
  tables.emplace("inspections", std::move(inspections));
  const std::string chosen =
      where.empty() ? "" : "inspection IN (SELECT inspection FROM inspections WHERE " + where + ")";
  for (const std::string name : {"inspected_dies", "defects", "defect_classes", "inspection_tests",
                                 "inspection_lookups", "inspection_facts"}) {
    YL_ASSIGN(const auto rows,
              snapshot.query("SELECT * FROM " + name + (chosen.empty() ? "" : " WHERE " + chosen)));
    tables.emplace(name, rows);
  }
  const bool nested = to_lower(fs::path(a.output).extension().string()) == ".klarf";
  YL_ASSIGN(auto written,
            ingest::klarf::write_klarf(tables, nested ? ingest::klarf::Dialect::kNested18
                                                      : ingest::klarf::Dialect::kFlat12));
  return KlarfExport{std::move(written.text), tables.at("defects").rows(),
                     std::move(written.warnings)};
}

}  // namespace

Result<KlarfExport> klarf_export(const Context& context, const ExportArguments& arguments) {
  if (arguments.from.empty() && !arguments.classes.empty()) {
    return Error{Errc::kInvalidOptions, "CLIC-0035",
                 "--classes changes a file: say with --file which one."};
  }
  return arguments.from.empty() ? from_rows(context, arguments) : with_classes(context, arguments);
}

}  // namespace yieldloop::cli
