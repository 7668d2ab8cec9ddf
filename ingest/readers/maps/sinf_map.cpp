#include <fmt/format.h>

#include <algorithm>

#include "engine/core/text.h"
#include "ingest/readers/maps/map_parsers.h"

namespace yieldloop::ingest::maps {
namespace {

constexpr double kUmPerMil = 25.4;

bool is_hex(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

bool is_only(std::string_view text, char mark) {
  return !text.empty() && text.find_first_not_of(mark) == std::string_view::npos;
}

class SinfReader {
 public:
  explicit SinfReader(MapFile& file) : file_(file) {}

  Maps read() {
    for (const Line& line : lines_of(file_.text)) {
      last_ = line;
      read_line(line);
    }
    finish();
    return std::move(maps_);
  }

 private:
  void read_line(const Line& line);
  void read_field(const std::string& key, std::string_view value, const Line& line);
  void read_row(std::string_view value, const Line& line);
  void finish();

  MapFile& file_;
  Maps maps_;
  WaferMap map_;
  std::optional<GridBuilder> grid_;
  std::optional<std::int64_t> rows_, columns_;
  std::vector<std::string> good_;
  std::optional<double> reference_x_, reference_y_;
  std::optional<double> step_x_, step_y_;
  double unit_um_ = 1000.0;
  bool says_good_ = false;
  bool begun_ = false;
  std::size_t width_ = 0;  ///< Characters of a code; the first one says it.
  Line first_, last_;
};

void SinfReader::read_line(const Line& line) {
  const std::size_t colon = line.text.find(':');
  if (trim(line.text).empty()) return;
  if (colon == std::string_view::npos) {
    return file_.complaints.reject(
        line, "WMAP-0007", fmt::format("\"{}\" is not a line of a SINF map.", shown(line.text)));
  }
  const std::string key = plain_key(line.text.substr(0, colon));
  const std::string_view value = line.text.substr(colon + 1);
  if (key == "rowdata") return read_row(value, line);
  // A key behind the rows begins the next wafer of the file.
  if (grid_) finish();
  if (!begun_) {
    begun_ = true;
    first_ = line;
    map_.line = line.number;
  }
  read_field(key, trim(value), line);
}

void SinfReader::read_field(const std::string& key, std::string_view value, const Line& line) {
  if (key == "device") {
    map_.product = clean(value);
  } else if (key == "lot") {
    map_.lot_id = clean(value);
  } else if (key == "wafer") {
    map_.wafer_id = clean(value);
  } else if (key == "fnloc") {
    map_.frame.notch = notch_degrees(value, true, line, file_.complaints);
  } else if (key == "rowct") {
    rows_ = parse_int(value);
  } else if (key == "colct") {
    columns_ = parse_int(value);
  } else if (key == "bcequ") {
    says_good_ = !value.empty();
    for (const std::string_view code : words_of(value)) good_.push_back(same_code(code, 16));
  } else if (key == "refpx") {
    reference_x_ = parse_real(value);
  } else if (key == "refpy") {
    reference_y_ = parse_real(value);
  } else if (key == "dutms") {
    const std::string unit = to_lower(value);
    unit_um_ = unit == "mil" || unit == "mils" ? kUmPerMil : unit == "um" ? 1.0 : 1000.0;
  } else if (key == "xdies") {
    step_x_ = parse_real(value);
  } else if (key == "ydies") {
    step_y_ = parse_real(value);
  }
}

void SinfReader::read_row(std::string_view value, const Line& line) {
  if (!grid_) {
    if (!begun_) first_ = line;
    begun_ = true;
    const bool sane = columns_ && *columns_ > 0 && *columns_ <= 100'000;
    grid_.emplace(map_, sane ? static_cast<std::size_t>(*columns_) : 0);
  }
  std::vector<std::int32_t> row;
  for (const std::string_view code : codes_of(value, grid_->columns(), 2)) {
    if (width_ == 0) width_ = code.size();
    if (is_only(code, '_') || is_only(code, '@') || is_only(code, '.')) {
      row.push_back(kNoDie);
    } else if (code.size() == width_ && is_hex(code)) {
      row.push_back(map_.bin(code));
    } else {
      row.push_back(kNoDie);
      file_.complaints.reject(
          line, "WMAP-0003",
          fmt::format("\"{}\" is not a bin of {} digits; this die has none.", shown(code), width_));
    }
  }
  grid_->add(std::move(row), line, file_.complaints);
}

void SinfReader::finish() {
  if (!begun_) return;
  if (grid_) {
    grid_->finish(rows_, first_, file_.complaints);
    for (Bin& bin : map_.bins) {
      if (!says_good_) break;
      const bool good = std::ranges::find(good_, same_code(bin.code, 16)) != good_.end();
      bin.quality = good ? Quality::kPass : Quality::kFail;
    }
    if (step_x_) map_.step_x_um = *step_x_ * unit_um_;
    if (step_y_) map_.step_y_um = *step_y_ * unit_um_;
    if (reference_x_ && reference_y_ && *reference_x_ >= 0 && *reference_y_ >= 0 &&
        *reference_x_ < static_cast<double>(map_.columns) &&
        *reference_y_ < static_cast<double>(map_.rows)) {
      map_.reference =
          Place{static_cast<std::int64_t>(*reference_x_), static_cast<std::int64_t>(*reference_y_)};
    }
    maps_.push_back(std::move(map_));
  } else {
    file_.complaints.reject(first_, "WMAP-0009", "The header is followed by no map row.");
  }
  map_ = WaferMap();
  grid_.reset();
  rows_.reset();
  columns_.reset();
  reference_x_.reset();
  reference_y_.reset();
  step_x_.reset();
  step_y_.reset();
  good_.clear();
  says_good_ = begun_ = false;
  unit_um_ = 1000.0;
  width_ = 0;
}

}  // namespace

std::vector<std::string_view> codes_of(std::string_view row, std::size_t columns,
                                       std::size_t width) {
  row = trim(row);
  std::vector<std::string_view> codes = words_of(row);
  if (codes.size() != 1) return codes;
  if (columns > 1 && row.size() % columns == 0) width = row.size() / columns;
  if (width == 0 || row.size() % width != 0) return codes;
  codes.clear();
  for (std::size_t at = 0; at < row.size(); at += width) codes.push_back(row.substr(at, width));
  return codes;
}

std::string same_code(std::string_view code, int base) {
  code = trim(code);
  const bool number = base == 16 ? is_hex(code) : parse_int(code).has_value();
  if (!number) return std::string(code);
  const std::size_t digit = std::min(code.find_first_not_of('0'), code.size() - 1);
  return to_lower(code.substr(digit));
}

Result<Maps> parse_sinf(MapFile& file) { return SinfReader(file).read(); }

bool looks_like_sinf(std::string_view head) {
  int keys = 0;
  bool row = false;
  for (const Line& line : lines_of(head.substr(0, 8192))) {
    const std::size_t colon = line.text.find(':');
    if (colon == std::string_view::npos || colon > 16) continue;
    const std::string key = plain_key(line.text.substr(0, colon));
    for (const std::string_view known : {"fnloc", "rowct", "colct", "bcequ", "dutms", "xdies"}) {
      keys += key == known ? 1 : 0;
    }
    row = row || key == "rowdata";
  }
  return keys >= 3 || (keys >= 1 && row);
}

}  // namespace yieldloop::ingest::maps
