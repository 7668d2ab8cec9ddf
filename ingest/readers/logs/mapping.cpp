#include "ingest/readers/logs/mapping.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "engine/core/text.h"
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
  for (const std::string& column : named) {
    if (has_column(*schema, column)) continue;
    return wrong("MAPP-0004", fmt::format("The mapping for \"{}\" names the column \"{}\", which "
                                          "the table {} does not have.",
                                          file.match, column, file.table));
  }
  return Ok{};
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
  YL_TRY(check_columns(file));
  return file;
}

}  // namespace

const FileMapping* Mapping::find(std::string_view file_name) const {
  const auto it = std::ranges::find_if(
      files, [&](const FileMapping& file) { return matches_glob(file_name, file.match); });
  return it == files.end() ? nullptr : &*it;
}

Result<Mapping> parse_mapping(FileSystem& files, std::string_view text) {
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
  return mapping;
}

Result<Mapping> load_mapping(FileSystem& files, const fs::path& path) {
  YL_ASSIGN(const std::string text, read_text_file(files, path));
  return parse_mapping(files, text);
}

}  // namespace yieldloop::ingest
