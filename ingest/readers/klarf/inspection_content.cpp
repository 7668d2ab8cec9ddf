#include "ingest/readers/klarf/inspection_content.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <unordered_map>

namespace yieldloop::ingest::klarf {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostAttributes = 500;  ///< Columns that rows may add.

const std::array<DefectColumn, 17> kColumns = {{{"DEFECTID", "defect_id", ' ', true},
                                                {"XREL", "x_um", 'l', false},
                                                {"YREL", "y_um", 'l', false},
                                                {"XINDEX", "die_x", ' ', true},
                                                {"YINDEX", "die_y", ' ', true},
                                                {"XSIZE", "size_x_um", 'l', false},
                                                {"YSIZE", "size_y_um", 'l', false},
                                                {"DEFECTAREA", "area_um2", 'a', false},
                                                {"DSIZE", "size_um", 'l', false},
                                                {"CLASSNUMBER", "class_number", ' ', true},
                                                {"TEST", "test", ' ', true},
                                                {"CLUSTERNUMBER", "cluster", ' ', true},
                                                {"ROUGHBINNUMBER", "rough_bin", ' ', true},
                                                {"FINEBINNUMBER", "fine_bin", ' ', true},
                                                {"REVIEWSAMPLE", "review_sample", ' ', true},
                                                {"GDSX", "gds_x", 'l', false},
                                                {"GDSY", "gds_y", 'l', false}}};

using ByInspection = std::unordered_map<std::string, std::vector<std::size_t>>;

ByInspection rows_by_inspection(const InspectionTables& tables, const std::string& name) {
  ByInspection rows;
  const auto it = tables.find(name);
  if (it == tables.end()) return rows;
  const store::Column& ids = it->second["inspection"];
  for (std::size_t i = 0; i < it->second.rows(); ++i) {
    rows[std::string(ids.as_text(i))].push_back(i);
  }
  return rows;
}

void find_columns(const store::Table& defects, InspectionContent& content) {
  for (const DefectColumn& column : kColumns) {
    const store::Column& values = defects[column.store];
    const bool any =
        std::ranges::any_of(content.defects, [&](std::size_t row) { return !values.is_null(row); });
    const bool required = column.store == "defect_id" || column.unit == 'l';
    if (any || (required && content.columns.size() < 5)) content.columns.push_back(column);
  }
  std::set<std::string> extra;
  for (const std::size_t row : content.defects) {
    if (extra.size() >= kMostAttributes) break;
    for (const auto& [name, value] : attributes_of(defects["attributes"].as_text(row))) {
      extra.insert(name);
    }
    content.has_images = content.has_images || !defects["images"].is_null(row);
  }
  for (const std::string& name : extra) content.columns.push_back({name, "", ' ', false});
}

}  // namespace

bool TableKeeper::put(store::Table batch) {
  const auto [it, added] = tables_.try_emplace(batch.name(), store::Table(batch.name()));
  if (added) {
    it->second = std::move(batch);
  } else {
    it->second.append(batch);
  }
  return true;
}

std::map<std::string, std::string> attributes_of(std::string_view json) {
  std::map<std::string, std::string> attributes;
  const Json parsed = Json::parse(json, nullptr, false);
  if (!parsed.is_object()) return attributes;
  for (const auto& [name, value] : parsed.items()) {
    if (value.is_string()) attributes[name] = value.get<std::string>();
  }
  return attributes;
}

std::vector<DefectImage> images_of(std::string_view json) {
  std::vector<DefectImage> images;
  const Json parsed = Json::parse(json, nullptr, false);
  if (!parsed.is_array()) return images;
  const auto text = [](const Json& entry, const char* key) {
    const auto it = entry.find(key);
    return it != entry.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  for (const Json& entry : parsed) {
    if (!entry.is_object()) continue;
    images.push_back({text(entry, "file"), text(entry, "page"), text(entry, "type")});
  }
  return images;
}

std::vector<InspectionContent> contents_of(const InspectionTables& tables) {
  std::vector<InspectionContent> contents;
  const auto inspections = tables.find("inspections");
  if (inspections == tables.end()) return contents;
  auto die = rows_by_inspection(tables, "inspected_dies");
  auto defects = rows_by_inspection(tables, "defects");
  auto classes = rows_by_inspection(tables, "defect_classes");
  auto tests = rows_by_inspection(tables, "inspection_tests");
  auto lookups = rows_by_inspection(tables, "inspection_lookups");
  auto facts = rows_by_inspection(tables, "inspection_facts");
  for (std::size_t i = 0; i < inspections->second.rows(); ++i) {
    const std::string id(inspections->second["inspection"].as_text(i));
    InspectionContent content{i,           die[id],   defects[id], classes[id], tests[id],
                              lookups[id], facts[id], {},          false};
    if (const auto it = tables.find("defects"); it != tables.end()) {
      find_columns(it->second, content);
    }
    contents.push_back(std::move(content));
  }
  return contents;
}

}  // namespace yieldloop::ingest::klarf
