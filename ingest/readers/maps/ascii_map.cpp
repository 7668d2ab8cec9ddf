#include <fmt/format.h>

#include <algorithm>

#include "engine/core/text.h"
#include "ingest/readers/maps/grid_header.h"
#include "ingest/readers/maps/map_parsers.h"

namespace yieldloop::ingest::maps {
namespace {

/// Signs for places without die.
bool is_no_die(char c) { return c == '.' || c == '_' || c == '-' || c == '~' || c == ' '; }

bool is_sign(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         std::string_view("*#@$%&!?+").find(c) != std::string_view::npos;
}

/// One character a die, without blanks.
bool is_packed_row(std::string_view text) {
  return text.size() >= 3 &&
         std::ranges::all_of(text, [](char c) { return is_no_die(c) || is_sign(c); }) &&
         text.find(' ') == std::string_view::npos;
}

/// Codes of at most three characters with blanks between them.
bool is_spaced_row(std::string_view text) {
  const auto words = words_of(text);
  return words.size() >= 3 && std::ranges::all_of(words, [](std::string_view word) {
           return word.size() <= 3 &&
                  std::ranges::all_of(word, [](char c) { return is_no_die(c) || is_sign(c); });
         });
}

struct Shape {
  bool packed = false;
  std::size_t columns = 0, rows = 0;
};

/// The width that most rows of the file have; a header line is seldom as wide as two others.
Shape shape_of(const std::vector<Line>& lines) {
  Shape best;
  for (const bool packed : {true, false}) {
    std::vector<std::size_t> widths;
    for (const Line& line : lines) {
      const std::string_view text = trim(line.text);
      if (packed ? !is_packed_row(text) : !is_spaced_row(text)) continue;
      widths.push_back(packed ? text.size() : words_of(text).size());
    }
    std::ranges::sort(widths);
    for (std::size_t i = 0; i < widths.size();) {
      const auto end = std::upper_bound(widths.begin(), widths.end(), widths[i]);
      const auto n = static_cast<std::size_t>(end - widths.begin()) - i;
      if (n > best.rows) best = {packed, widths[i], n};
      i += n;
    }
  }
  return best;
}

class AsciiReader {
 public:
  explicit AsciiReader(MapFile& file) : file_(file) {}
  Maps read();

 private:
  void read_row(std::string_view text, const Line& line);
  void finish();

  MapFile& file_;
  Maps maps_;
  WaferMap map_;
  GridHeader header_;
  Shape shape_;
  std::optional<GridBuilder> grid_;
  Line first_;
};

void AsciiReader::read_row(std::string_view text, const Line& line) {
  if (!grid_) {
    grid_.emplace(map_, shape_.columns);
    first_ = line;
    map_.line = line.number;
  }
  std::vector<std::int32_t> row;
  const auto add = [&](std::string_view code) {
    const bool none =
        std::ranges::all_of(code, is_no_die) ||
        std::ranges::find(header_.null_bins, same_code(code, 10)) != header_.null_bins.end();
    row.push_back(none ? kNoDie : map_.bin(code));
  };
  if (shape_.packed) {
    for (std::size_t i = 0; i < text.size(); ++i) add(text.substr(i, 1));
  } else {
    for (const std::string_view code : words_of(text)) add(code);
  }
  grid_->add(std::move(row), line, file_.complaints);
}

void AsciiReader::finish() {
  if (!grid_) return;
  grid_->finish(header_.rows, first_, file_.complaints);
  finish_header(header_, map_, first_, file_.complaints);
  WaferMap next;
  next.lot_id = map_.lot_id;
  next.product = map_.product;
  maps_.push_back(std::move(map_));
  map_ = std::move(next);
  grid_.reset();
}

Maps AsciiReader::read() {
  const auto lines = lines_of(file_.text);
  shape_ = shape_of(lines);
  for (const Line& line : lines) {
    const std::string_view text = trim(line.text);
    if (text.empty()) continue;
    const auto field = header_line(text);
    const bool known = field && is_header_key(field->key);
    if (!known && (shape_.packed ? is_packed_row(text) : is_spaced_row(text))) {
      const std::size_t width = shape_.packed ? text.size() : words_of(text).size();
      // A word before the grid is a title; within it, a damaged row.
      if (grid_ || width == shape_.columns) {
        read_row(text, line);
        continue;
      }
    }
    if (known) {
      if (grid_) finish();
      set_header_field(header_, map_, *field, line, file_.complaints);
    } else if (grid_) {
      file_.complaints.reject(line, "WMAP-0007",
                              fmt::format("\"{}\" is not a row of the map.", shown(text)));
    }
  }
  finish();
  return std::move(maps_);
}

}  // namespace

Result<Maps> parse_ascii_map(MapFile& file) {
  if (is_wmap(file.text)) return parse_wmap(file);
  if (is_esc(file.text)) return parse_esc(file);
  if (is_run_lists(file.text)) return parse_run_lists(file);
  return AsciiReader(file).read();
}

bool looks_like_ascii_map(std::string_view head) {
  if (head.find('\0') != std::string_view::npos) return false;
  if (is_wmap(head) || is_esc(head) || is_run_lists(head)) return true;
  auto lines = lines_of(head);
  if (head.size() >= kWholeHead && lines.size() > 2) lines.pop_back();
  const Shape shape = shape_of(lines);
  std::size_t keys = 0, text_lines = 0;
  for (const Line& line : lines) {
    if (trim(line.text).empty()) continue;
    ++text_lines;
    const auto field = header_line(line.text);
    keys += field && is_header_key(field->key) ? 1U : 0U;
  }
  // Nothing but a grid, or a grid with a header that speaks of a wafer.
  return shape.rows >= 3 && shape.columns >= 3 &&
         (shape.rows * 10 >= text_lines * 9 || (keys >= 2 && shape.rows * 2 >= text_lines - keys));
}

}  // namespace yieldloop::ingest::maps
