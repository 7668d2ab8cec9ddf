#include "ingest/readers/logs/log_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "engine/core/text.h"
#include "ingest/readers/attributes.h"
#include "ingest/readers/logs/csv.h"
#include "ingest/readers/logs/parquet.h"
#include "ingest/readers/logs/records.h"
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

/// What the mapping names comes first: a file's own MODULE may be the chamber although the table
/// has a column "module".
std::size_t position_of(const store::TableSchema& schema, std::string_view name,
                        const FileMapping* file) {
  if (file != nullptr) {
    for (std::size_t i = 0; i < schema.columns.size(); ++i) {
      const auto mapped = file->columns.find(std::string(schema.columns[i].name));
      if (mapped != file->columns.end() && equals_ignoring_case(trim(mapped->second), name)) {
        return i;
      }
    }
  }
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const std::string column(schema.columns[i].name);
    if (column == "attributes" || !equals_ignoring_case(column, name)) continue;
    if (file == nullptr || (!file->columns.contains(column) && !file->constants.contains(column))) {
      return i;
    }
  }
  return name.empty() ? kIgnored : kAttributes;
}

bool among_globs(std::string_view name, std::string_view globs) {
  return std::ranges::any_of(split(globs, ' '), [&](std::string_view glob) {
    return !glob.empty() && matches_glob(name, glob);
  });
}

/// Where each column of the file goes; columns may come as the file is read.
class Layout {
 public:
  Layout(const store::TableSchema& schema, const FileMapping* file) : schema_(schema), file_(file) {
    if (file == nullptr) return;
    for (const auto& [column, value] : file->constants) {
      const std::size_t position = position_in_schema(column);
      constants_.emplace_back(position, value);
      present_.insert(position);
    }
    if (file->unpivot.columns.empty()) return;
    pivot_name_ = position_in_schema(file->unpivot.name);
    pivot_value_ = position_in_schema(file->unpivot.value);
    present_.insert(pivot_name_);
    present_.insert(pivot_value_);
  }

  /// Errors: LOGS-0023.
  Status add(const std::vector<std::string>& columns) {
    for (std::size_t i = targets_.size(); i < columns.size(); ++i) {
      const std::string& name = columns[i];
      std::size_t target = position_of(schema_, name, file_);
      if (target == kAttributes && file_ != nullptr && among_globs(name, file_->unpivot.columns)) {
        pivots_.push_back(i);
        target = kIgnored;
      }
      if (target == kAttributes) unknown_.push_back(name);
      if (target < schema_.columns.size() && !present_.insert(target).second) {
        return refused("LOGS-0023", fmt::format("The header has the column \"{}\" of the table {} "
                                                "twice; remove or rename one.",
                                                schema_.columns[target].name, schema_.name));
      }
      targets_.push_back(target);
    }
    return Ok{};
  }

  /// Errors: LOGS-0022.
  Status check_complete() const {
    std::vector<std::string> missing;
    for (std::size_t i = 0; i < schema_.columns.size(); ++i) {
      if (schema_.columns[i].required && !present_.contains(i)) {
        missing.push_back(fmt::format("\"{}\"", schema_.columns[i].name));
      }
    }
    if (missing.empty()) return Ok{};
    return refused("LOGS-0022", fmt::format("The table {} needs the column {}, which the file does "
                                            "not have; add it or map it in mapping.toml.",
                                            schema_.name, join(missing, " and the column ")));
  }

  const store::TableSchema& schema() const { return schema_; }
  const std::vector<std::size_t>& targets() const { return targets_; }
  const std::vector<std::string>& unknown() const { return unknown_; }
  const std::vector<std::pair<std::size_t, std::string>>& constants() const { return constants_; }
  const std::vector<std::size_t>& pivots() const { return pivots_; }
  bool pivoted() const { return file_ != nullptr && !file_->unpivot.columns.empty(); }
  std::size_t pivot_name() const { return pivot_name_; }
  std::size_t pivot_value() const { return pivot_value_; }

 private:
  std::size_t position_in_schema(std::string_view column) const {
    const auto it = std::ranges::find(schema_.columns, column, &store::ColumnSchema::name);
    return static_cast<std::size_t>(it - schema_.columns.begin());
  }

  const store::TableSchema& schema_;
  const FileMapping* file_;
  std::vector<std::size_t> targets_;  ///< Schema position, kAttributes or kIgnored.
  std::vector<std::string> unknown_;
  std::vector<std::pair<std::size_t, std::string>> constants_;
  std::vector<std::size_t> pivots_;  ///< Columns of the file that become rows.
  std::size_t pivot_name_ = 0, pivot_value_ = 0;
  std::set<std::size_t> present_;
};

/// What reads the rows of one file, once its table is known.
class LogRows {
 public:
  /// `typed`: columns that are times come as ISO 8601, whatever the mapping's format.
  LogRows(const store::TableSchema& schema, const FileMapping* file, const TimeZone& zone,
          bool typed, store::RowSink& sink, Rejects& rejects)
      : layout_(schema, file),
        rules_(schema, file, zone, typed),
        sink_(sink),
        rejects_(rejects),
        batch_(store::Table::of(schema.name)),
        source_row_(batch_.index(store::kSourceRowColumn)) {}

  /// `known` columns are complete before the first record.
  Result<ReadSummary> read(RecordSource& records, bool known, std::string_view version) {
    YL_TRY(layout_.add(records.columns()));
    if (known) YL_TRY(layout_.check_complete());
    for (;;) {
      YL_ASSIGN(const bool there, records.next());
      if (!there) break;
      if (records.columns().size() > layout_.targets().size()) {
        YL_TRY(layout_.add(records.columns()));
      }
      if (auto refusal = take(records)) refuse(records, std::move(*refusal));
      if (batch_.rows() >= kBatchRows && !flush()) return cancelled();
    }
    if (!known) YL_TRY(layout_.check_complete());
    if (batch_.rows() > 0 && !flush()) return cancelled();
    if (faulty_ > 1 && faulty_ * 20 > records_) {
      return refused(
          "LOGS-0024",
          fmt::format("{} of {} rows break a rule of the table {}, more than 5 %; the "
                      "first: line {}: {}",
                      faulty_, records_, layout_.schema().name, first_line_, first_message_));
    }
    return summary(version);
  }

 private:
  static Error cancelled() {
    return {Errc::kCancelled, "LOGS-0025", "Reading the log was cancelled."};
  }

  std::optional<Refusal> take(const RecordSource& records) {
    ++records_;
    if (!records.problem_id().empty()) {
      return Refusal{records.problem_id(), records.problem(), false};
    }
    const auto& cells = records.cells();
    const auto& targets = layout_.targets();
    rules_.begin();
    for (const auto& [position, value] : layout_.constants()) {
      if (auto refusal = rules_.set(position, value)) return refusal;
    }
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (targets[i] >= kIgnored) continue;
      if (auto refusal = rules_.set(targets[i], cells[i])) return refusal;
    }
    if (!layout_.unknown().empty()) rules_.set_attributes(attributes_of(records));
    return layout_.pivoted() ? take_pivots(records) : finish(records);
  }

  std::optional<Refusal> finish(const RecordSource& records) {
    if (auto refusal = rules_.check()) return refusal;
    rules_.append(batch_);
    batch_.column(source_row_).add_int(static_cast<std::int64_t>(records.line()));
    ++kept_;
    return std::nullopt;
  }

  /// One row for each pivot column with a value; the first fault among them is told.
  std::optional<Refusal> take_pivots(const RecordSource& records) {
    std::optional<Refusal> first;
    for (const std::size_t column : layout_.pivots()) {
      rules_.clear(layout_.pivot_value());
      auto refusal = rules_.set(layout_.pivot_name(), records.columns()[column]);
      if (!refusal) refusal = rules_.set(layout_.pivot_value(), records.cells()[column]);
      if (!refusal && !rules_.has(layout_.pivot_value())) continue;
      if (!refusal) refusal = finish(records);
      if (refusal && !first) first = std::move(refusal);
    }
    return first;
  }

  std::string_view attributes_of(const RecordSource& records) {
    json_.clear();
    const auto& targets = layout_.targets();
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (targets[i] == kAttributes) json_.add(records.columns()[i], trim(records.cells()[i]));
    }
    return json_.finish();
  }

  void refuse(const RecordSource& records, Refusal refusal) {
    ++refused_;
    if (!refusal.no_value) {
      if (faulty_++ == 0) {
        first_line_ = records.line();
        first_message_ = refusal.message;
      }
    }
    rejects_.push_back({.byte_offset = records.byte_offset(),
                        .line = records.line(),
                        .record = records_ - 1,
                        .bytes_dropped = records.bytes(),
                        .id = std::move(refusal.id),
                        .message = std::move(refusal.message)});
  }

  bool flush() {
    batch_.finish_row();
    const bool go_on = sink_.put(std::move(batch_));
    batch_ = store::Table::of(layout_.schema().name);
    return go_on;
  }

  ReadSummary summary(std::string_view version) const {
    ReadSummary result;
    result.version = version;
    result.rows = kept_;
    result.counts = {{"rows", static_cast<double>(kept_)},
                     {"refused_rows", static_cast<double>(refused_)},
                     {"unknown_columns", static_cast<double>(layout_.unknown().size())}};
    result.texts["table"] = layout_.schema().name;
    if (!layout_.unknown().empty()) {
      constexpr std::size_t kMostShown = 300;
      std::string names = join(layout_.unknown(), ", ");
      if (names.size() > kMostShown) names = to_valid_utf8(names.substr(0, kMostShown)) + "...";
      result.warnings.push_back(fmt::format(
          "The table {} has no column for {}; kept as attributes.", layout_.schema().name, names));
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
  std::size_t records_ = 0, kept_ = 0, refused_ = 0, faulty_ = 0;
  std::uint64_t first_line_ = 0;
  std::string first_message_;
};

enum class Form : std::uint8_t { kCsv, kJsonLines, kParquet };

Form form_of(Bytes head) {
  if (looks_like_parquet(head)) return Form::kParquet;
  return looks_like_json_lines(head) ? Form::kJsonLines : Form::kCsv;
}

Result<std::unique_ptr<RecordSource>> records_of(Input& input, Form form, const FileMapping* file) {
  if (form == Form::kJsonLines) return json_records(input);
  if (form == Form::kCsv) return csv_records(input, file);
  YL_ASSIGN(const Bytes bytes, input.bytes());
  return parquet_records(bytes);
}

/// By the mapping, else the file's name, else its columns.
Result<const store::TableSchema*> choose_table(const Input& input, const FileMapping* file,
                                               const std::vector<std::string>& columns) {
  const store::TableSchema* schema = nullptr;
  if (file != nullptr && !file->table.empty()) schema = store::find_table(file->table);
  if (schema == nullptr) schema = table_of_name(input.name());
  if (schema == nullptr) schema = table_of_header({columns.begin(), columns.end()});
  if (schema != nullptr) return schema;
  return refused("LOGS-0021",
                 "Neither the file's name nor its header is that of a known table; "
                 "name the table in mapping.toml.");
}

Result<ReadSummary> read_log(Input& input, const ReadOptions& options, store::RowSink& sink,
                             Rejects& rejects) {
  static const TimeZone kUtc;
  const FileMapping* file = options.mapping ? options.mapping->find(input.name()) : nullptr;
  const TimeZone& zone = options.mapping ? options.mapping->zone : kUtc;
  const Form form = form_of(input.head());
  const bool json = form == Form::kJsonLines;
  YL_ASSIGN(const auto records, records_of(input, form, file));
  YL_ASSIGN(const store::TableSchema* schema,
            choose_table(input, file, json ? json_columns(input.head()) : records->columns()));
  constexpr std::array<std::string_view, 3> kVersions = {"csv", "jsonl", "parquet"};
  return LogRows(*schema, file, zone, form == Form::kParquet, sink, rejects)
      .read(*records, !json, kVersions[static_cast<std::size_t>(form)]);
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

/// Lines of JSON objects: of a known table, or for a mapping to tell.
Confidence sniff_json(std::string_view name, Bytes bytes) {
  const std::vector<std::string> columns = json_columns(bytes);
  const std::vector<std::string_view> header(columns.begin(), columns.end());
  const bool known =
      table_of_header(header) != nullptr || knows_a_column(table_of_name(name), header);
  if (known) return Confidence::kCertain;
  return columns.empty() ? Confidence::kNo : Confidence::kMaybe;
}

Confidence sniff_log(std::string_view name, Bytes bytes) {
  // Its columns stand at its end, where a sniffer does not look.
  if (looks_like_parquet(bytes)) return Confidence::kCertain;
  const std::string_view head = as_text(bytes);
  if (head.empty() || !is_text(head)) return Confidence::kNo;
  if (looks_like_json_lines(bytes)) return sniff_json(name, bytes);
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
