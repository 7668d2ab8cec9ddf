#include "engine/feedback/lyrdb.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/core/text.h"

namespace yieldloop::feedback {
namespace {

/// Within single quotes, with backslashes and quotes escaped: KLayout's word-or-quoted rule.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c == '\n' || c == '\r' || c == '\t' ? ' ' : c;
  }
  return out + "'";
}

/// XML text: markup escaped, bytes made UTF-8, control characters dropped.
std::string xml(const std::string& text) {
  std::string clean;
  for (const char c : to_valid_utf8(text)) {
    if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') clean += c;
  }
  return escape_markup(clean);
}

std::string category_xml(const MarkerCategory& category) {
  return "  <category>\n   <name>" + xml(category.name) + "</name>\n   <description>" +
         xml(category.description) + "</description>\n   <categories>\n   </categories>\n" +
         "  </category>\n";
}

std::string item_xml(const MarkerDatabase& markers, const MarkerItem& item) {
  std::string out = "  <item>\n   <tags/>\n   <category>" +
                    xml(quoted(markers.categories[item.category].name)) + "</category>\n   <cell>" +
                    xml(markers.top_cell) +
                    "</cell>\n   <visited>false</visited>\n   <multiplicity>1</multiplicity>\n" +
                    "   <image/>\n   <values>\n";
  out += fmt::format("    <value>box: ({:.4f},{:.4f};{:.4f},{:.4f})</value>\n", item.x_um,
                     item.y_um, item.x_um + item.w_um, item.y_um + item.h_um);
  for (const std::string& text : item.texts) {
    out += "    <value>text: " + xml(quoted(text)) + "</value>\n";
  }
  return out + "   </values>\n  </item>\n";
}

Status check(const MarkerDatabase& markers) {
  if (markers.top_cell.empty()) {
    return Error{Errc::kInvalidOptions, "LYRD-0003",
                 "A marker database needs the name of the top cell; give it with the product's "
                 "layout."};
  }
  for (const MarkerItem& item : markers.items) {
    if (!std::isfinite(item.x_um) || !std::isfinite(item.y_um) || !std::isfinite(item.w_um) ||
        !std::isfinite(item.h_um)) {
      return Error{
          Errc::kInvalidOptions, "LYRD-0001",
          "A marker has a coordinate that is not a number; KLayout would refuse the file."};
    }
    if (item.category >= markers.categories.size()) {
      return Error{Errc::kInvalidOptions, "LYRD-0002",
                   "A marker names a category that is not declared; declare it first."};
    }
  }
  return Ok{};
}

void add_locations(const std::vector<LayoutLocation>& locations, const std::string& text,
                   std::size_t most, MarkerDatabase& markers) {
  const std::size_t category = markers.categories.size() - 1;
  for (const LayoutLocation& l : locations) {
    if (markers.items.size() >= most) return;
    markers.items.push_back({category, l.x_um, l.y_um, l.w_um, l.h_um, {text}});
  }
}

}  // namespace

Result<std::string> lyrdb_text(const MarkerDatabase& markers) {
  YL_TRY(check(markers));
  std::string out =
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<report-database>\n <description>" +
      xml(markers.description) +
      "</description>\n <original-file/>\n <generator>yieldloop</generator>\n" + " <top-cell>" +
      xml(markers.top_cell) + "</top-cell>\n <tags>\n </tags>\n" + " <categories>\n";
  for (const MarkerCategory& category : markers.categories) out += category_xml(category);
  out += " </categories>\n <cells>\n  <cell>\n   <name>" + xml(markers.top_cell) +
         "</name>\n   <variant/>\n   <references>\n   </references>\n  </cell>\n </cells>\n" +
         " <items>\n";
  for (const MarkerItem& item : markers.items) out += item_xml(markers, item);
  return out + " </items>\n</report-database>\n";
}

MarkerDatabase markers_of(const FindingsDocument& findings, const std::string& top_cell,
                          std::size_t most) {
  MarkerDatabase markers{"yieldloop findings for " + findings.product, top_cell, {}, {}};
  std::vector<const Finding*> ranked;
  for (const Finding& f : findings.findings) {
    if (!f.locations.empty()) ranked.push_back(&f);
  }
  std::ranges::stable_sort(ranked, {}, [](const Finding* f) { return f->rank; });
  for (const Finding* f : ranked) {
    markers.categories.push_back(
        {fmt::format("{} {}", f->rank, f->id),
         fmt::format("{} ({} places)", f->statement,
                     std::max<std::int64_t>(f->locations_total,
                                            static_cast<std::int64_t>(f->locations.size())))});
    add_locations(f->locations, f->statement, most, markers);
  }
  return markers;
}

MarkerDatabase markers_of(const Suggestion& suggestion, const std::string& top_cell,
                          std::size_t most) {
  MarkerDatabase markers{"yieldloop suggestion " + suggestion.id, top_cell, {}, {}};
  markers.categories.push_back({suggestion.action + " " + suggestion.id, suggestion.statement});
  add_locations(suggestion.locations, suggestion.statement, most, markers);
  return markers;
}

}  // namespace yieldloop::feedback
