#include "ingest/readers/maps/map_text.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/core/text.h"

namespace yieldloop::ingest::maps {
namespace {

/// Beyond this no grid is a wafer: 8,192 by 8,192 cells.
constexpr std::size_t kMostCells = std::size_t{1} << 26U;

}  // namespace

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  std::size_t at = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  std::uint64_t number = 1;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find_first_of("\r\n", at), text.size());
    lines.push_back({text.substr(at, end - at), at, number++});
    at = end + (text.substr(end, 2) == "\r\n" ? 2 : 1);
  }
  return lines;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = text.find_first_not_of(" \t", at);
    if (from == std::string_view::npos) break;
    const std::size_t end = std::min(text.find_first_of(" \t", from), text.size());
    words.push_back(text.substr(from, end - from));
    at = end;
  }
  return words;
}

std::string plain_key(std::string_view key) {
  std::string plain;
  for (const char c : to_lower(key)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) plain += c;
  }
  return plain;
}

std::string clean(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = trim(text.substr(1, text.size() - 2));
  }
  return to_valid_utf8(text);
}

std::string shown(std::string_view text) {
  return escape_controls(to_valid_utf8(text.substr(0, 40)));
}

void Complaints::reject(const Line& line, std::string id, std::string message) {
  rejects_.push_back({.byte_offset = line.offset,
                      .line = line.number,
                      .record = ordinal_++,
                      .bytes_dropped = line.text.size(),
                      .id = std::move(id),
                      .message = std::move(message)});
}

void Complaints::warn(std::string sentence) {
  if (warnings_.size() < 20) warnings_.push_back(std::move(sentence));
}

void GridBuilder::add(std::vector<std::int32_t> row, const Line& line, Complaints& complaints) {
  if ((rows_ + 1) * std::max(columns_, row.size()) > kMostCells) {
    return complaints.reject(line, "WMAP-0008", "The map has more die than a wafer can hold.");
  }
  if (columns_ == 0 && !row.empty()) {
    columns_ = row.size();
    map_.cells.assign(rows_ * columns_, kNoDie);  // Rows so far were empty.
  }
  ++rows_;
  if (row.empty() && columns_ == 0) {
    return complaints.reject(line, "WMAP-0001", "The map row has no die position.");
  }
  if (row.size() != columns_) {
    complaints.reject(line, "WMAP-0001",
                      fmt::format("The map row has {} die positions, but {} are declared.",
                                  row.size(), columns_));
    row.assign(columns_, kNoDie);
  }
  map_.cells.insert(map_.cells.end(), row.begin(), row.end());
}

void GridBuilder::finish(std::optional<std::int64_t> declared, const Line& at,
                         Complaints& complaints) {
  map_.rows = rows_;
  map_.columns = columns_;
  if (declared && *declared != static_cast<std::int64_t>(rows_)) {
    complaints.reject(
        at, "WMAP-0002",
        fmt::format("The header declares {} map rows, but {} are there.", *declared, rows_));
  }
}

void check_total(std::string_view what, std::int64_t declared, std::size_t counted, const Line& at,
                 Complaints& complaints) {
  if (declared == static_cast<std::int64_t>(counted)) return;
  complaints.reject(
      at, "WMAP-0004",
      fmt::format("The file counts {} die of {}, but its map has {}.", declared, what, counted));
}

void check_counts(const WaferMap& map, const Line& at, Complaints& complaints) {
  const Tally counted = tally(map);
  for (std::size_t i = 0; i < map.bins.size(); ++i) {
    if (!map.bins[i].declared) continue;
    check_total("bin " + shown(map.bins[i].code), *map.bins[i].declared, counted.by_bin[i], at,
                complaints);
  }
}

int notch_degrees(std::string_view text, bool from_top, const Line& at, Complaints& complaints) {
  const std::string word = to_lower(trim(text));
  if (word.empty()) return 0;
  for (const auto& [name, degrees] : std::initializer_list<std::pair<std::string_view, int>>{
           {"down", 0}, {"bottom", 0}, {"left", 90}, {"up", 180}, {"top", 180}, {"right", 270}}) {
    if (word == name) return degrees;
  }
  const auto number = parse_real(word);
  const double degrees = number ? std::fmod(*number + (from_top ? 180.0 : 0.0), 360.0) : 1.0;
  for (const int right : {0, 90, 180, 270}) {
    if (std::abs((degrees < 0 ? degrees + 360.0 : degrees) - right) < 1e-6) return right;
  }
  complaints.reject(at, "WMAP-0006",
                    fmt::format("\"{}\" is no place of a notch that maps are turned by; the map "
                                "is taken as it stands.",
                                shown(text)));
  return 0;
}

}  // namespace yieldloop::ingest::maps
