#include "ingest/readers/maps/xml_maps.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/text.h"

namespace yieldloop::ingest::maps {

BinType bin_type(std::string_view word) {
  const std::string lower = to_lower(trim(word));
  if (lower.starts_with("hex")) return {2, 16};
  if (lower.starts_with("dec")) return {3, 10};
  if (lower.starts_with("integer2")) return {4, 16};
  return {1, 0};
}

Line line_of(const XmlElement& element) {
  return {.text = {}, .offset = element.offset, .number = element.line};
}

XmlGrid::XmlGrid(WaferMap& map, BinType type, std::string_view null_bin, std::size_t columns,
                 Complaints& complaints)
    : map_(map),
      type_(type),
      null_(type.base == 0 ? std::string(null_bin) : same_code(null_bin, type.base)),
      null_width_(null_bin.size()),
      grid_(map, columns),
      complaints_(complaints) {}

void XmlGrid::declare_bin(const XmlElement& definition) {
  const std::string code = clean(definition.attribute("BinCode"));
  if (code.empty()) return;
  const std::string same = type_.base == 0 ? code : same_code(code, type_.base);
  if (same == null_) {
    // Places without die may be counted like a bin; they are none.
    declared_null_ = whole(definition.attribute("BinCount"));
    return;
  }
  // One code may stand several times, for the several reasons a die got it.
  auto it = std::ranges::find_if(map_.bins, [&](const Bin& bin) {
    return (type_.base == 0 ? bin.code : same_code(bin.code, type_.base)) == same;
  });
  Bin& bin = it != map_.bins.end() ? *it : map_.bins[static_cast<std::size_t>(map_.bin(code))];
  const Quality quality = quality_of(definition.attribute("BinQuality"));
  if (bin.quality == Quality::kUnknown) bin.quality = quality;
  if (bin.name.empty()) bin.name = clean(definition.attribute("BinDescription"));
  if (const auto count = whole(definition.attribute("BinCount"))) {
    bin.declared = bin.declared.value_or(0) + *count;
  }
}

std::optional<std::vector<std::string_view>> XmlGrid::cut(std::string_view text) const {
  const std::size_t columns = grid_.columns();
  if (type_.base == 0) {
    // A blank may be a code of its own: only line ends are no part of the row.
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    while (!text.empty() && (text.front() == '\n' || text.front() == '\r')) text.remove_prefix(1);
    if (columns == 0 ? text.find(' ') == std::string_view::npos || null_ == " "
                     : text.size() == columns) {
      std::vector<std::string_view> codes;
      for (std::size_t i = 0; i < text.size(); ++i) codes.push_back(text.substr(i, 1));
      return codes;
    }
  }
  text = trim(text);
  const std::size_t width = type_.base != 0 && null_width_ > 1 ? null_width_ : type_.width;
  if (words_of(text).size() == 1 && columns == 0 && text.size() % width != 0) return std::nullopt;
  return codes_of(text, columns, width);
}

void XmlGrid::add_row(const XmlElement& row) {
  const auto codes = cut(row.text);
  std::vector<std::int32_t> cells;
  for (const std::string_view code : codes.value_or(std::vector<std::string_view>{})) {
    const std::string same = type_.base == 0 ? std::string(code) : same_code(code, type_.base);
    if (same == null_ || (code.size() > 1 && code.find_first_not_of('_') == code.npos)) {
      cells.push_back(kNoDie);
      continue;
    }
    if (const auto known = map_.find_bin(code)) {
      cells.push_back(*known);
      continue;
    }
    if (type_.base != 0) {
      const auto it = std::ranges::find_if(
          map_.bins, [&](const Bin& bin) { return same_code(bin.code, type_.base) == same; });
      if (it != map_.bins.end()) {
        cells.push_back(static_cast<std::int32_t>(it - map_.bins.begin()));
        continue;
      }
    }
    cells.push_back(map_.bin(to_valid_utf8(code)));
  }
  if (!codes) {
    cells.clear();
    cells.resize(grid_.columns() + 1, kNoDie);
  }
  grid_.add(std::move(cells), line_of(row), complaints_);
}

void XmlGrid::finish(std::optional<std::int64_t> declared_rows, const XmlElement& at) {
  grid_.finish(declared_rows, line_of(at), complaints_);
  check_counts(map_, line_of(at), complaints_);
  if (declared_null_.value_or(0) > 0) {
    const auto none = static_cast<std::size_t>(std::ranges::count(map_.cells, kNoDie));
    check_total("the null bin", *declared_null_, none, line_of(at), complaints_);
  }
}

Result<XmlElement> read_xml(MapFile& file) {
  YL_ASSIGN(XmlDocument document, parse_xml(file.text));
  if (!document.problem.empty()) {
    file.complaints.reject(
        {.text = {}, .offset = document.problem_offset, .number = document.problem_line},
        "WMAP-0005",
        fmt::format("The XML breaks off here ({}); what stands before it was taken.",
                    document.problem));
  }
  return std::move(document.root);
}

std::optional<std::int64_t> whole(std::string_view text) {
  const auto real = parse_real(trim(text));
  if (!real || std::abs(*real) > 1e9) return std::nullopt;
  return static_cast<std::int64_t>(*real);
}

}  // namespace yieldloop::ingest::maps
