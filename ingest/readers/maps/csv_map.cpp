#include <fmt/format.h>

#include <algorithm>

#include "engine/core/text.h"
#include "ingest/readers/maps/grid_header.h"
#include "ingest/readers/maps/map_parsers.h"

namespace yieldloop::ingest::maps {
namespace {

constexpr std::size_t kLongestCode = 5;

bool is_empty_cell(std::string_view cell) {
  return cell.find_first_not_of("._-~ ") == std::string_view::npos;
}

/// A bin: up to five letters and digits with a digit among them, or one letter.
bool is_code(std::string_view cell) {
  if (cell.empty() || cell.size() > kLongestCode) return false;
  bool digit = false;
  for (const char c : cell) {
    const bool number = c >= '0' && c <= '9';
    if (!number && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z')) return false;
    digit = digit || number;
  }
  return digit || cell.size() == 1;
}

char separator_of(std::string_view text) {
  std::size_t most = 0;
  char best = ',';
  for (const char c : {',', ';', '\t'}) {
    const auto n = static_cast<std::size_t>(std::ranges::count(text, c));
    if (n > most) {
      most = n;
      best = c;
    }
  }
  return best;
}

std::vector<std::string_view> cells_of(std::string_view line, char separator) {
  std::vector<std::string_view> cells = split(line, separator);
  for (std::string_view& cell : cells) {
    cell = trim(cell);
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') {
      cell = trim(cell.substr(1, cell.size() - 2));
    }
  }
  return cells;
}

bool is_grid_line(std::string_view line, char separator) {
  const auto cells = cells_of(line, separator);
  if (cells.size() < 2) return false;
  return std::ranges::all_of(
      cells, [](std::string_view cell) { return is_empty_cell(cell) || is_code(cell); });
}

/// Three numbers or more that step by one, up or down.
bool is_count(const std::vector<std::string_view>& cells) {
  std::optional<std::int64_t> before, step;
  for (const std::string_view cell : cells) {
    const auto value = parse_int(cell);
    if (!value) return false;
    if (before) {
      const std::int64_t s = *value - *before;
      if ((s != 1 && s != -1) || (step && *step != s)) return false;
      step = s;
    }
    before = value;
  }
  return step && cells.size() >= 3;
}

struct GridLine {
  Line line;
  std::vector<std::string_view> cells;
};

/// A first row and a first column that count columns and rows are no die.
bool has_labels(const std::vector<GridLine>& grid) {
  if (grid.size() < 3 || grid.front().cells.size() < 3) return false;
  const auto& top = grid.front().cells;
  if (is_code(top.front()) && parse_int(top.front())) return false;
  if (!is_count({top.begin() + 1, top.end()})) return false;
  std::vector<std::string_view> side;
  for (std::size_t i = 1; i < grid.size(); ++i) side.push_back(grid[i].cells.front());
  return is_count(side);
}

class CsvMapReader {
 public:
  explicit CsvMapReader(MapFile& file) : file_(file) {}
  Maps read();

 private:
  void read_header_or_row(const Line& line);
  void build();
  std::int32_t cell(std::string_view text, const Line& line);

  MapFile& file_;
  WaferMap map_;
  GridHeader header_;
  std::vector<GridLine> grid_;
  char separator_ = ',';
};

void CsvMapReader::read_header_or_row(const Line& line) {
  if (trim(line.text).empty()) return;
  const auto field = header_line(line.text);
  if (field && set_header_field(header_, map_, *field, line, file_.complaints)) return;
  if (trim(line.text).starts_with('#')) return;
  auto cells = cells_of(line.text, separator_);
  if (cells.size() < 2 && grid_.empty()) {
    return file_.complaints.reject(
        line, "WMAP-0007", fmt::format("\"{}\" is not a row of the map.", shown(line.text)));
  }
  grid_.push_back({line, std::move(cells)});
}

std::int32_t CsvMapReader::cell(std::string_view text, const Line& line) {
  if (is_empty_cell(text)) return kNoDie;
  if (std::ranges::find(header_.null_bins, same_code(text, 10)) != header_.null_bins.end()) {
    return kNoDie;
  }
  if (is_code(text)) return map_.bin(text);
  file_.complaints.reject(line, "WMAP-0003",
                          fmt::format("\"{}\" is not a bin; this die has none.", shown(text)));
  return kNoDie;
}

void CsvMapReader::build() {
  const bool labels = has_labels(grid_);
  // A separator behind the last cell of every row adds no column; a margin of the wafer, which is
  // there on both sides, does.
  const bool trailing =
      std::ranges::all_of(grid_, [](const GridLine& row) { return row.cells.back().empty(); }) &&
      !std::ranges::all_of(grid_,
                           [](const GridLine& row) { return is_empty_cell(row.cells.front()); });
  // Most rows say how wide the grid is; a damaged one must not.
  std::vector<std::size_t> widths;
  for (const GridLine& row : grid_) widths.push_back(row.cells.size());
  std::ranges::nth_element(widths, widths.begin() + static_cast<std::ptrdiff_t>(widths.size() / 2));
  const std::size_t columns = widths[widths.size() / 2];
  const std::size_t first = labels ? 1 : 0;
  const std::size_t last = trailing && columns > first + 1 &&
                                   header_.columns != static_cast<std::int64_t>(columns - first)
                               ? columns - 1
                               : columns;
  GridBuilder builder(map_, last - first);
  for (std::size_t r = first; r < grid_.size(); ++r) {
    const GridLine& row = grid_[r];
    std::vector<std::int32_t> cells;
    for (std::size_t c = first; c < row.cells.size(); ++c) {
      if (c >= last && row.cells.size() == columns) break;
      cells.push_back(cell(row.cells[c], row.line));
    }
    builder.add(std::move(cells), row.line, file_.complaints);
  }
  map_.line = grid_.front().line.number;
  builder.finish(header_.rows, grid_.front().line, file_.complaints);
}

Maps CsvMapReader::read() {
  const auto lines = lines_of(file_.text);
  separator_ = separator_of(file_.text);
  for (const Line& line : lines) read_header_or_row(line);
  if (grid_.empty()) return {};
  build();
  finish_header(header_, map_, grid_.front().line, file_.complaints);
  Maps maps;
  maps.push_back(std::move(map_));
  return maps;
}

}  // namespace

Result<Maps> parse_csv_map(MapFile& file) { return CsvMapReader(file).read(); }

bool looks_like_csv_map(std::string_view head) {
  if (head.find('\0') != std::string_view::npos) return false;
  auto lines = lines_of(head);
  // The head of a long file may end within a line.
  if (head.size() >= kWholeHead && lines.size() > 2) lines.pop_back();
  const char separator = separator_of(head);
  std::size_t grid = 0, other = 0, die = 0;
  std::size_t width = 0, same_width = 0;
  for (const Line& line : lines) {
    if (trim(line.text).empty() || trim(line.text).starts_with('#')) continue;
    const auto field = header_line(line.text);
    if (grid == 0 && field && is_header_key(field->key)) continue;
    const auto cells = cells_of(line.text, separator);
    const bool labels = grid == 0 && cells.size() > 2 && is_count({cells.begin() + 1, cells.end()});
    if (!labels && !is_grid_line(line.text, separator)) {
      ++other;
      continue;
    }
    ++grid;
    if (width == 0) width = cells.size();
    same_width += cells.size() == width ? 1U : 0U;
    die += static_cast<std::size_t>(std::ranges::count_if(cells, is_code));
  }
  return grid >= 3 && width >= 3 && die >= 5 && other * 20 <= grid && same_width * 10 >= grid * 9;
}

}  // namespace yieldloop::ingest::maps
