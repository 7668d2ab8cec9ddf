#include "ingest/readers/logs/log_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/core/text.h"
#include "ingest/readers/attributes.h"
#include "ingest/readers/logs/csv.h"
#include "ingest/readers/logs/rules.h"

namespace yieldloop::ingest {
namespace {

constexpr std::size_t kBatchRows = 1U << 17U;
constexpr std::size_t kAttributes = SIZE_MAX;   ///< The column goes into `attributes`.
constexpr std::size_t kIgnored = SIZE_MAX - 1;  ///< A column without a name and, so far, values.

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Error refused(std::string id, std::string message) {
  return {Errc::kFormat, std::move(id), std::move(message)};
}

/// Where each column of the file goes.
struct Layout {
  const store::TableSchema* schema = nullptr;
  std::vector<std::size_t> targets;  ///< Schema position, kAttributes or kIgnored.
  std::vector<std::string> names;    ///< As the file has them.
  std::vector<std::string> unknown;
};

std::size_t position_of(const store::TableSchema& schema, std::string_view name,
                        const FileMapping* file) {
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const std::string_view column = schema.columns[i].name;
    if (column == "attributes") continue;
    if (file != nullptr) {
      const auto mapped = file->columns.find(std::string(column));
      if (mapped != file->columns.end()) {
        if (equals_ignoring_case(trim(mapped->second), name)) return i;
        continue;
      }
    }
    if (equals_ignoring_case(column, name)) return i;
  }
  return name.empty() ? kIgnored : kAttributes;
}

Result<Layout> lay_out(const store::TableSchema& schema,
                       const std::vector<std::string_view>& header, const FileMapping* file) {
  Layout layout;
  layout.schema = &schema;
  std::set<std::size_t> present;
  for (const std::string_view cell : header) {
    const std::string_view name = trim(cell);
    const std::size_t target = position_of(schema, name, file);
    if (target == kAttributes) layout.unknown.push_back(to_valid_utf8(name));
    if (target < schema.columns.size() && !present.insert(target).second) {
      return refused("LOGS-0023", fmt::format("The header has the column \"{}\" of the table {} "
                                              "twice; remove or rename one.",
                                              schema.columns[target].name, schema.name));
    }
    layout.targets.push_back(target);
    layout.names.push_back(to_valid_utf8(name));
  }
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    if (schema.columns[i].required && !present.contains(i)) {
      missing.push_back(fmt::format("\"{}\"", schema.columns[i].name));
    }
  }
  if (missing.empty()) return layout;
  return refused("LOGS-0022", fmt::format("The table {} needs the column {}, which the file does "
                                          "not have; add it or map it in mapping.toml.",
                                          schema.name, join(missing, " and the column ")));
}

/// What reads the rows of one file, once its table is known.
class LogRows {
 public:
  LogRows(Layout layout, const FileMapping* file, const TimeZone& zone, store::RowSink& sink,
          Rejects& rejects)
      : layout_(std::move(layout)),
        rules_(*layout_.schema, file, zone),
        sink_(sink),
        rejects_(rejects),
        batch_(store::Table::of(layout_.schema->name)),
        source_row_(batch_.index(store::kSourceRowColumn)) {}

  Result<ReadSummary> read(CsvScanner& scanner) {
    while (scanner.next()) {
      if (auto refusal = take(scanner)) {
        refuse(scanner, std::move(*refusal));
      } else {
        ++kept_;
        if (batch_.rows() == kBatchRows && !flush()) return cancelled();
      }
    }
    if (batch_.rows() > 0 && !flush()) return cancelled();
    if (faulty_ > 1 && faulty_ * 20 > kept_ + refused_) {
      return refused("LOGS-0024",
                     fmt::format("{} of {} rows break a rule of the table {}, more than 5 %; the "
                                 "first: line {}: {}",
                                 faulty_, kept_ + refused_, layout_.schema->name, first_line_,
                                 first_message_));
    }
    return summary();
  }

 private:
  static Error cancelled() {
    return {Errc::kCancelled, "LOGS-0025", "Reading the log was cancelled."};
  }

  std::optional<Refusal> take(const CsvScanner& scanner) {
    if (scanner.broken()) {
      return Refusal{"LOGS-0009", "A quote is not closed, or text follows a closing quote.", false};
    }
    const auto& cells = scanner.cells();
    const std::size_t columns = layout_.targets.size();
    const bool blank_tail =
        cells.size() > columns &&
        std::all_of(cells.begin() + static_cast<std::ptrdiff_t>(columns), cells.end(),
                    [](std::string_view cell) { return trim(cell).empty(); });
    if (cells.size() != columns && !blank_tail) {
      return Refusal{
          "LOGS-0010",
          fmt::format("The row has {} cells, but the header has {}.", cells.size(), columns),
          false};
    }
    rules_.begin();
    for (std::size_t i = 0; i < columns; ++i) {
      if (layout_.targets[i] >= kIgnored) continue;
      if (auto refusal = rules_.set(layout_.targets[i], cells[i])) return refusal;
    }
    if (auto refusal = rules_.check()) return refusal;
    if (!layout_.unknown.empty()) rules_.set_attributes(attributes_of(cells));
    rules_.append(batch_);
    batch_.column(source_row_).add_int(static_cast<std::int64_t>(scanner.line()));
    return std::nullopt;
  }

  std::string_view attributes_of(const std::vector<std::string_view>& cells) {
    json_.clear();
    for (std::size_t i = 0; i < layout_.targets.size(); ++i) {
      if (layout_.targets[i] == kAttributes) json_.add(layout_.names[i], trim(cells[i]));
    }
    return json_.finish();
  }

  void refuse(const CsvScanner& scanner, Refusal refusal) {
    ++refused_;
    if (!refusal.no_value) {
      if (faulty_++ == 0) {
        first_line_ = scanner.line();
        first_message_ = refusal.message;
      }
    }
    rejects_.push_back({.byte_offset = scanner.byte_offset(),
                        .line = scanner.line(),
                        .record = kept_ + refused_ - 1,
                        .bytes_dropped = scanner.bytes(),
                        .id = std::move(refusal.id),
                        .message = std::move(refusal.message)});
  }

  bool flush() {
    batch_.finish_row();
    const bool go_on = sink_.put(std::move(batch_));
    batch_ = store::Table::of(layout_.schema->name);
    return go_on;
  }

  ReadSummary summary() const {
    ReadSummary result;
    result.version = "csv";
    result.rows = kept_;
    result.counts = {{"rows", static_cast<double>(kept_)},
                     {"refused_rows", static_cast<double>(refused_)},
                     {"unknown_columns", static_cast<double>(layout_.unknown.size())}};
    result.texts["table"] = layout_.schema->name;
    if (!layout_.unknown.empty()) {
      constexpr std::size_t kMostShown = 300;
      std::string names = join(layout_.unknown, ", ");
      if (names.size() > kMostShown) names = to_valid_utf8(names.substr(0, kMostShown)) + "...";
      result.warnings.push_back(fmt::format(
          "The table {} has no column for {}; kept as attributes.", layout_.schema->name, names));
    }
    if (refused_ > faulty_) {
      result.warnings.push_back(
          fmt::format("{} rows without a measured value were left out.", refused_ - faulty_));
    }
    return result;
  }

  Layout layout_;
  RowRules rules_;
  store::RowSink& sink_;
  Rejects& rejects_;
  store::Table batch_;
  std::size_t source_row_;
  Attributes json_;
  std::size_t kept_ = 0, refused_ = 0, faulty_ = 0;
  std::uint64_t first_line_ = 0;
  std::string first_message_;
};

Result<ReadSummary> read_log(Input& input, const ReadOptions& options, store::RowSink& sink,
                             Rejects& rejects) {
  YL_ASSIGN(const Bytes bytes, input.bytes());
  const std::string_view text = as_text(bytes);
  static const TimeZone kUtc;
  const FileMapping* file = options.mapping ? options.mapping->find(input.name()) : nullptr;
  const TimeZone& zone = options.mapping ? options.mapping->zone : kUtc;
  const char delimiter =
      file != nullptr && file->delimiter != '\0' ? file->delimiter : sniff_delimiter(text);
  CsvScanner scanner(text, delimiter);
  if (!scanner.next() || scanner.broken()) {
    return refused("LOGS-0020", "The file has no header row; the first line names the columns.");
  }
  const store::TableSchema* schema = nullptr;
  if (file != nullptr && !file->table.empty()) schema = store::find_table(file->table);
  if (schema == nullptr) schema = table_of_name(input.name());
  if (schema == nullptr) schema = table_of_header(scanner.cells());
  if (schema == nullptr) {
    return refused("LOGS-0021",
                   "Neither the file's name nor its header is that of a known table; "
                   "name the table in mapping.toml.");
  }
  YL_ASSIGN(Layout layout, lay_out(*schema, scanner.cells(), file));
  return LogRows(std::move(layout), file, zone, sink, rejects).read(scanner);
}

bool is_text(std::string_view head) {
  return std::ranges::none_of(head, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r' && c != '\n' && c != '\f';
  });
}

bool knows_a_column(const store::TableSchema* table, const std::vector<std::string_view>& header) {
  return table != nullptr && std::ranges::any_of(header, [&](std::string_view cell) {
           return position_of(*table, trim(cell), nullptr) < table->columns.size();
         });
}

Confidence sniff_log(std::string_view name, Bytes bytes) {
  const std::string_view head = as_text(bytes);
  if (head.empty() || !is_text(head)) return Confidence::kNo;
  for (const bool with_bar : {false, true}) {
    CsvScanner scanner(head, sniff_delimiter(head, with_bar));
    if (!scanner.next() || scanner.broken()) return Confidence::kNo;
    const std::vector<std::string_view> header = scanner.cells();
    if (table_of_header(header) != nullptr) return Confidence::kCertain;
    if (knows_a_column(table_of_name(name), header)) return Confidence::kCertain;
    // A log of the site's own kind: only its mapping, or the reader's refusal, can tell.
    const auto named = std::ranges::count_if(header, [](auto cell) { return !trim(cell).empty(); });
    const bool regular = scanner.next() && scanner.cells().size() == header.size();
    if (named >= 2 && regular) return Confidence::kMaybe;
  }
  return Confidence::kNo;
}

}  // namespace

const store::TableSchema* table_of_header(const std::vector<std::string_view>& header) {
  const store::TableSchema* best = nullptr;
  std::size_t most = 0;
  bool tie = false;
  for (const store::TableSchema& table : store::all_tables()) {
    if (!table.from_log) continue;
    std::size_t required = 0, known = 0;
    bool complete = true;
    for (const store::ColumnSchema& column : table.columns) {
      const bool there = std::ranges::any_of(header, [&](std::string_view cell) {
        return equals_ignoring_case(trim(cell), column.name);
      });
      known += there ? 1 : 0;
      required += column.required ? 1 : 0;
      complete = complete && (there || !column.required);
    }
    if (!complete || known * 2 < header.size() || required < most) continue;
    tie = required == most;
    most = required;
    best = &table;
  }
  return tie ? nullptr : best;
}

const store::TableSchema* table_of_name(std::string_view file_name) {
  const store::TableSchema* best = nullptr;
  for (const store::TableSchema& table : store::all_tables()) {
    if (!table.from_log || file_name.size() < table.name.size()) continue;
    if (!equals_ignoring_case(file_name.substr(0, table.name.size()), table.name)) continue;
    const std::string_view rest = file_name.substr(table.name.size());
    const bool ends =
        rest.empty() || rest[0] == '.' || rest[0] == '_' || rest[0] == '-' || rest[0] == ' ';
    if (ends && (best == nullptr || table.name.size() > best->name.size())) best = &table;
  }
  return best;
}

std::vector<ReaderDeclaration> log_table_readers() {
  return {{.id = "log",
           .title = "Log tables (CSV)",
           .patterns = "*.csv *.txt *.tsv",
           .sniff = sniff_log,
           .read = read_log}};
}

}  // namespace yieldloop::ingest
