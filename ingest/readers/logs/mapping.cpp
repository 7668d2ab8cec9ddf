#include "ingest/readers/logs/mapping.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "engine/core/text.h"
#include "engine/core/toml_guard.h"
#include "engine/store/schema.h"

namespace yieldloop::ingest {
namespace {

Error wrong(std::string id, std::string message) {
  return {Errc::kFormat, std::move(id), std::move(message)};
}

bool has_column(const store::TableSchema& table, std::string_view column) {
  return std::ranges::find(table.columns, column, &store::ColumnSchema::name) !=
         table.columns.end();
}

Result<toml::table> parse_toml(std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return wrong("MAPP-0001", fmt::format("The mapping file is not valid TOML: {} (line {}).",
                                          error.description(), error.source().begin.line));
  }
}

/// A text member; an absent one is "".
Result<std::string> text_of(const toml::table& entry, std::string_view key) {
  const auto* node = entry.get(key);
  if (node == nullptr) return std::string();
  if (const auto text = node->value<std::string>()) return *text;
  return wrong("MAPP-0006", fmt::format("In the mapping file (line {}) \"{}\" must be a text.",
                                        node->source().begin.line, key));
}

Result<std::map<std::string, std::string>> texts_of(const toml::node& node, std::string_view key) {
  const auto* table = node.as_table();
  std::map<std::string, std::string> texts;
  bool all_texts = table != nullptr;
  if (table != nullptr) {
    for (const auto& [name, value] : *table) {
      const auto text = value.value<std::string>();
      all_texts = all_texts && text.has_value();
      if (text) texts.emplace(std::string(name.str()), *text);
    }
  }
  if (all_texts) return texts;
  return wrong("MAPP-0006",
               fmt::format("In the mapping file (line {}) \"{}\" must be a table of texts.",
                           node.source().begin.line, key));
}

Status check_columns(const FileMapping& file) {
  if (file.table.empty()) return Ok{};
  const store::TableSchema* schema = store::find_table(file.table);
  if (schema == nullptr || !schema->from_log) {
    return wrong("MAPP-0003", fmt::format("The mapping for \"{}\" names the table \"{}\", which is "
                                          "not one of the log tables.",
                                          file.match, file.table));
  }
  std::vector<std::string> named;
  for (const auto& [column, source] : file.columns) named.push_back(column);
  for (const auto& [column, values] : file.value_map) named.push_back(column);
  for (const auto& [column, value] : file.constants) named.push_back(column);
  if (!file.unpivot.columns.empty()) {
    named.push_back(file.unpivot.name);
    named.push_back(file.unpivot.value);
  }
  for (const std::string& column : named) {
    if (has_column(*schema, column)) continue;
    return wrong("MAPP-0004", fmt::format("The mapping for \"{}\" names the column \"{}\", which "
                                          "the table {} does not have.",
                                          file.match, column, file.table));
  }
  return Ok{};
}

Status read_unpivot(const toml::node& node, FileMapping& file) {
  YL_ASSIGN(const auto texts, texts_of(node, "unpivot"));
  for (const auto& [key, text] : texts) {
    if (key == "columns") file.unpivot.columns = text;
    if (key == "name") file.unpivot.name = text;
    if (key == "value") file.unpivot.value = text;
  }
  const auto& unpivot = file.unpivot;
  if (!unpivot.columns.empty() && !unpivot.name.empty() && !unpivot.value.empty() &&
      !file.table.empty()) {
    return Ok{};
  }
  return wrong("MAPP-0008", fmt::format("The mapping for \"{}\" needs a table and, in unpivot, "
                                        "\"columns\", \"name\" and \"value\".",
                                        file.match));
}

Result<FileMapping> read_entry(const toml::table& entry) {
  FileMapping file;
  YL_ASSIGN(file.match, text_of(entry, "match"));
  YL_ASSIGN(file.table, text_of(entry, "table"));
  YL_ASSIGN(file.time_format, text_of(entry, "time_format"));
  YL_ASSIGN(const std::string delimiter, text_of(entry, "delimiter"));
  if (file.match.empty()) {
    return wrong("MAPP-0006", fmt::format("The [[file]] entry on line {} of the mapping file needs "
                                          "a \"match\" for the file name.",
                                          entry.source().begin.line));
  }
  if (entry.contains("delimiter")) {
    if (delimiter.size() != 1 || delimiter == "\"" || delimiter == "\n" || delimiter == "\r") {
      return wrong("MAPP-0005", fmt::format("The delimiter for \"{}\" must be one character other "
                                            "than a quote or a line end.",
                                            file.match));
    }
    file.delimiter = delimiter.front();
  }
  if (const auto* columns = entry.get("columns")) {
    YL_ASSIGN(file.columns, texts_of(*columns, "columns"));
  }
  if (const auto* values = entry.get_as<toml::table>("value_map")) {
    for (const auto& [column, map] : *values) {
      YL_ASSIGN(auto texts, texts_of(map, "value_map"));
      file.value_map.emplace(std::string(column.str()), std::move(texts));
    }
  }
  if (const auto* constants = entry.get("constants")) {
    YL_ASSIGN(file.constants, texts_of(*constants, "constants"));
  }
  if (const auto* unpivot = entry.get("unpivot")) YL_TRY(read_unpivot(*unpivot, file));
  file.short_rows = entry["short_rows"].value_or(false);
  YL_TRY(check_columns(file));
  return file;
}

Error sml_wrong(const SmlMapping& sml, std::string_view what) {
  return wrong("MAPP-0009", fmt::format("The [[sml]] entry for \"{}\" of the mapping file {}.",
                                        sml.match, what));
}

Result<std::vector<std::string>> list_of(const toml::node& node, const SmlMapping& sml) {
  std::vector<std::string> texts;
  const auto* array = node.as_array();
  if (array != nullptr) {
    for (const toml::node& entry : *array) texts.push_back(entry.value_or(std::string()));
  }
  if (!texts.empty() && std::ranges::find(texts, "") == texts.end()) return texts;
  return sml_wrong(sml, "needs lists of variables' names");
}

Result<SmlEvent> read_event(const toml::table& entry, const SmlMapping& sml) {
  SmlEvent event;
  if (const auto* ceid = entry.get("ceid")) {
    const auto number = ceid->value<std::int64_t>();
    event.ceid = number ? std::to_string(*number) : ceid->value_or(std::string());
  }
  YL_ASSIGN(event.table, text_of(entry, "table"));
  const bool known = event.table == "equipment_states" || event.table == "maintenance" ||
                     event.table == "fdc_trace";
  if (event.ceid.empty() || !known) {
    return sml_wrong(sml,
                     "has an event without \"ceid\", or with a table other than "
                     "equipment_states, maintenance and fdc_trace");
  }
  const store::TableSchema& schema = *store::find_table(event.table);
  if (const auto* columns = entry.get("columns")) {
    YL_ASSIGN(event.columns, texts_of(*columns, "columns"));
  }
  if (const auto* values = entry.get("values")) {
    YL_ASSIGN(event.values, list_of(*values, sml));
  }
  for (const auto& [key, node] : entry) {
    const std::string name(key.str());
    if (name == "ceid" || name == "table" || name == "columns" || name == "values") continue;
    event.constants[name] = node.value_or(std::string());
  }
  std::map<std::string, std::string> named = event.constants;
  named.insert(event.columns.begin(), event.columns.end());
  for (const auto& [column, text] : named) {
    if (!has_column(schema, column)) {
      return sml_wrong(sml, fmt::format("names the column \"{}\", which the table {} does not have",
                                        column, event.table));
    }
  }
  return event;
}

Result<SmlMapping> read_sml(const toml::table& entry) {
  SmlMapping sml;
  YL_ASSIGN(sml.match, text_of(entry, "match"));
  YL_ASSIGN(sml.tool, text_of(entry, "tool"));
  YL_ASSIGN(sml.time, text_of(entry, "time"));
  YL_ASSIGN(sml.time_format, text_of(entry, "time_format"));
  if (sml.match.empty() || sml.tool.empty()) {
    return sml_wrong(sml, "needs a \"match\" for the file name and a \"tool\"");
  }
  if (const auto* reports = entry.get_as<toml::table>("reports")) {
    for (const auto& [id, names] : *reports) {
      YL_ASSIGN(sml.reports[std::string(id.str())], list_of(names, sml));
    }
  }
  if (const auto* events = entry.get_as<toml::array>("event")) {
    for (const toml::node& node : *events) {
      if (node.as_table() == nullptr) return sml_wrong(sml, "has an event that is no table");
      YL_ASSIGN(auto event, read_event(*node.as_table(), sml));
      sml.events.push_back(std::move(event));
    }
  }
  return sml;
}

}  // namespace

const SmlMapping* Mapping::find_sml(std::string_view file_name) const {
  const auto it = std::ranges::find_if(
      sml, [&](const SmlMapping& entry) { return matches_glob(file_name, entry.match); });
  return it == sml.end() ? nullptr : &*it;
}

const FileMapping* Mapping::find(std::string_view file_name) const {
  const auto it = std::ranges::find_if(
      files, [&](const FileMapping& file) { return matches_glob(file_name, file.match); });
  return it == files.end() ? nullptr : &*it;
}

Result<Mapping> parse_mapping(FileSystem& files, std::string_view text) {
  if (const auto line = line_nested_too_deep(text)) {
    return wrong(
        "MAPP-0020",
        fmt::format("Line {} of the mapping file is nested deeper than {} levels; the file "
                    "is damaged.",
                    *line, kMostNested));
  }
  YL_ASSIGN(const toml::table root, parse_toml(text));
  Mapping mapping;
  if (const auto* site = root.get_as<toml::table>("site")) {
    YL_ASSIGN(mapping.site, text_of(*site, "name"));
    YL_ASSIGN(const std::string zone, text_of(*site, "time_zone"));
    if (!zone.empty()) {
      YL_ASSIGN(mapping.zone, TimeZone::load(files, zone));
    }
  }
  if (const auto* entries = root.get_as<toml::array>("file")) {
    for (const toml::node& node : *entries) {
      const auto* entry = node.as_table();
      if (entry == nullptr) {
        return wrong("MAPP-0006", "Entries for files in the mapping file are written [[file]].");
      }
      YL_ASSIGN(auto file, read_entry(*entry));
      mapping.files.push_back(std::move(file));
    }
  }
  if (const auto* entries = root.get_as<toml::array>("sml")) {
    for (const toml::node& node : *entries) {
      if (node.as_table() == nullptr) {
        return wrong("MAPP-0009", "Entries for SECS messages in the mapping file are [[sml]].");
      }
      YL_ASSIGN(auto entry, read_sml(*node.as_table()));
      mapping.sml.push_back(std::move(entry));
    }
  }
  return mapping;
}

Result<Mapping> load_mapping(FileSystem& files, const fs::path& path) {
  YL_ASSIGN(const std::string text, read_text_file(files, path));
  return parse_mapping(files, text);
}

}  // namespace yieldloop::ingest
