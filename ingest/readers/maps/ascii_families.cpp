// The families of ASCII maps that carry their own words: each is told by its first lines.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/core/text.h"
#include "ingest/readers/maps/map_parsers.h"

namespace yieldloop::ingest::maps {
namespace {

/// Die at counted places, laid out as a grid when all are known.
class Scatter {
 public:
  static constexpr std::int64_t kFarthest = 4096;

  bool add(std::int64_t x, std::int64_t y, std::int32_t bin) {
    if (std::abs(x) > kFarthest || std::abs(y) > kFarthest) return false;
    die_.push_back({{x, y}, bin});
    return true;
  }
  bool empty() const { return die_.empty(); }

  /// First row at the top: y grows down where `down`, else up.
  /// Returns how many die stand on a place that was taken.
  std::size_t lay_out(WaferMap& map, bool down) const {
    Place low = die_.front().first, high = low;
    for (const auto& [place, bin] : die_) {
      low = {std::min(low.x, place.x), std::min(low.y, place.y)};
      high = {std::max(high.x, place.x), std::max(high.y, place.y)};
    }
    map.columns = static_cast<std::size_t>(high.x - low.x + 1);
    map.rows = static_cast<std::size_t>(high.y - low.y + 1);
    map.cells.assign(map.rows * map.columns, kNoDie);
    std::size_t twice = 0;
    for (const auto& [place, bin] : die_) {
      std::int32_t& cell =
          map.cell(static_cast<std::size_t>(down ? place.y - low.y : high.y - place.y),
                   static_cast<std::size_t>(place.x - low.x));
      twice += cell == kNoDie ? 0 : 1;
      cell = bin;
    }
    return twice;
  }

 private:
  std::vector<std::pair<Place, std::int32_t>> die_;
};

void tell_twice(std::size_t twice, const Line& at, Complaints& complaints) {
  if (twice == 0) return;
  complaints.reject(
      at, "WMAP-0011",
      fmt::format("{} die of the map stand at places that it gives twice; the last bin counts.",
                  twice));
}

/// What bins are written with.
bool is_code(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  });
}

class WmapReader {
 public:
  explicit WmapReader(MapFile& file) : file_(file) {}
  Maps read();

 private:
  void read_field(std::string_view key, std::string_view value, const Line& line);
  void finish();

  MapFile& file_;
  Maps maps_;
  WaferMap map_;
  std::optional<GridBuilder> grid_;
  std::vector<std::string> pass_, skip_;
  std::optional<std::int64_t> rows_, columns_, good_;
  std::optional<std::int64_t> reference_x_, reference_y_;
  Line first_;
};

void WmapReader::read_field(std::string_view key, std::string_view value, const Line& line) {
  const auto codes = [&] {
    std::vector<std::string> list;
    for (const std::string_view code : split(value, ',')) list.push_back(same_code(code, 16));
    return list;
  };
  if (key == "DESIGN") map_.product = clean(value);
  if (key == "VERSID") file_.version = "WMAP " + clean(value);
  if (key == "ROWCNT") rows_ = parse_int(value);
  if (key == "COLCNT") columns_ = parse_int(value);
  if (key == "PASBIN") pass_ = codes();
  if (key == "SKIPDI") skip_ = codes();
  if (key == "SUMPAS") good_ = parse_int(value);
  if (key == "LOTMEA") map_.lot_id = clean(value);
  if (key == "MAPID1") map_.wafer_id = clean(value);
  if (key == "WAFDIA") map_.diameter_mm = parse_real(value);
  if (key == "FNLOC1") map_.frame.notch = notch_degrees(value, false, line, file_.complaints);
  if (key == "ORLOC1") map_.origin = clean(value);
  if (key == "REFPX1") reference_x_ = parse_int(value);
  if (key == "REFPY1") reference_y_ = parse_int(value);
  const auto mm = parse_real(value);
  if (key == "XDIES1" && mm) map_.step_x_um = *mm * 1000.0;
  if (key == "YDIES1" && mm) map_.step_y_um = *mm * 1000.0;
}

void WmapReader::finish() {
  if (!grid_) return;
  grid_->finish(rows_, first_, file_.complaints);
  for (Bin& bin : map_.bins) {
    if (pass_.empty()) break;
    const bool good = std::ranges::find(pass_, same_code(bin.code, 16)) != pass_.end();
    bin.quality = good ? Quality::kPass : Quality::kFail;
  }
  if (good_) check_total("good bins", *good_, tally(map_).pass, first_, file_.complaints);
  if (reference_x_ && reference_y_ && *reference_x_ >= 0 && *reference_y_ >= 0 &&
      *reference_x_ < static_cast<std::int64_t>(map_.columns) &&
      *reference_y_ < static_cast<std::int64_t>(map_.rows)) {
    map_.reference = Place{*reference_x_, *reference_y_};
  }
  maps_.push_back(std::move(map_));
  map_ = WaferMap();
  grid_.reset();
}

Maps WmapReader::read() {
  for (const Line& line : lines_of(file_.text)) {
    const std::string_view text = trim(line.text);
    if (text.empty()) continue;
    const std::size_t blank = std::min(text.find_first_of(" \t"), text.size());
    const std::string_view key = text.substr(0, blank);
    const std::string_view value = trim(text.substr(blank));
    if (key.size() != 6 || !key.starts_with("MAP") || !parse_int(key.substr(3))) {
      if (key == "VERSID") finish();
      read_field(key, value, line);
      continue;
    }
    if (!grid_) {
      const bool sane = columns_ && *columns_ > 0 && *columns_ <= 100'000;
      grid_.emplace(map_, sane ? static_cast<std::size_t>(*columns_) : 0);
      first_ = line;
      map_.line = line.number;
    }
    std::vector<std::int32_t> row;
    for (const std::string_view code : codes_of(value, grid_->columns(), 2)) {
      const bool none =
          std::ranges::find(skip_, same_code(code, 16)) != skip_.end() || code == "__";
      if (!none && !is_code(code)) {
        file_.complaints.reject(
            line, "WMAP-0003",
            fmt::format("\"{}\" in {} is not the result of a die.", shown(code), key));
      }
      row.push_back(none || !is_code(code) ? kNoDie : map_.bin(std::string(code)));
    }
    grid_->add(std::move(row), line, file_.complaints);
  }
  finish();
  return std::move(maps_);
}

/// "X14Y2" as its two numbers.
std::optional<Place> esc_place(std::string_view word) {
  if (word.size() < 4 || word.front() != 'X') return std::nullopt;
  const std::size_t y = word.find('Y');
  if (y == std::string_view::npos) return std::nullopt;
  const auto column = parse_int(word.substr(1, y - 1));
  const auto row = parse_int(word.substr(y + 1));
  if (!column || !row) return std::nullopt;
  return Place{*column, *row};
}

/// A field's name is letters and blanks; anything else among the die was a die once.
bool is_esc_field(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return c == ' ' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  });
}

void set_esc_field(WaferMap& map, const std::vector<std::string_view>& parts, const Line& line,
                   Complaints& complaints) {
  const std::string key = plain_key(parts.front());
  const std::string value = parts.size() > 1 ? clean(parts[1]) : "";
  const auto number = parse_real(value);
  // Steps are thousandths of a millimetre, or tenths of a mil.
  const double unit =
      parts.size() > 3 && to_lower(parts[3]).find("mil") != std::string::npos ? 2.54 : 1.0;
  if (key == "lot") map.lot_id = value;
  if (key == "wafer") map.wafer_id = value;
  if (key == "device") map.product = value;
  if (key == "diam" && number) map.diameter_mm = *number;
  if (key == "xstep" && number) map.step_x_um = *number * unit;
  if (key == "ystep" && number) map.step_y_um = *number * unit;
  if (key == "flat") map.frame.notch = notch_degrees(value, false, line, complaints);
}

/// A field a line, then a line a die: "X14Y2<tab>sign<tab>1 when good[<tab>category]".
class EscReader {
 public:
  explicit EscReader(MapFile& file) : file_(file) {}
  Maps read();

 private:
  void read_die(const Place& place, const std::vector<std::string_view>& parts, const Line& line);
  void not_a_die(const Line& line) {
    file_.complaints.reject(line, "WMAP-0003",
                            fmt::format("\"{}\" is not the result of a die.", shown(line.text)));
  }

  MapFile& file_;
  WaferMap map_;
  Scatter scatter_;
  Line first_;
};

void EscReader::read_die(const Place& place, const std::vector<std::string_view>& parts,
                         const Line& line) {
  // The category stands last where it is not the sign.
  const std::string_view code = trim(parts.size() > 3   ? parts[3]
                                     : parts.size() > 1 ? parts[1]
                                                        : std::string_view());
  const std::string_view good = parts.size() > 2 ? trim(parts[2]) : std::string_view();
  if (!is_code(code) || (good != "0" && good != "1")) return not_a_die(line);
  if (scatter_.empty()) {
    first_ = line;
    map_.line = line.number;
  }
  const Quality quality = good == "1" ? Quality::kPass : Quality::kFail;
  const std::int32_t bin = map_.bin(clean(code));
  Bin& entry = map_.bins[static_cast<std::size_t>(bin)];
  if (entry.quality == Quality::kUnknown) entry.quality = quality;
  if (entry.quality != quality) {
    file_.complaints.reject(
        line, "WMAP-0025",
        fmt::format("Bin {} is good here and bad elsewhere; its first die decides.", entry.code));
  }
  if (!scatter_.add(place.x, place.y, bin)) {
    file_.complaints.reject(line, "WMAP-0008", "The map has more die than a wafer can hold.");
  }
}

Maps EscReader::read() {
  bool ended = false;
  for (const Line& line : lines_of(file_.text)) {
    const auto parts = split(line.text, '\t');
    const std::string_view key = trim(parts.front());
    if (const auto place = esc_place(key)) {
      read_die(*place, parts, line);
    } else if (!scatter_.empty() && !trim(line.text).empty() && !is_esc_field(key)) {
      not_a_die(line);
    } else {
      set_esc_field(map_, parts, line, file_.complaints);
      ended = ended || key == "EDATE" || key == "ETIME";
    }
  }
  Maps maps;
  if (scatter_.empty()) return maps;
  if (!ended)
    file_.complaints.warn("The map has no EDATE and ETIME at its end; it may be cut short.");
  // Rows are counted from the top.
  tell_twice(scatter_.lay_out(map_, true), first_, file_.complaints);
  maps.push_back(std::move(map_));
  return maps;
}

/// "Y-11 47/72 Y-10 36" as runs of die; what is no run is told.
void read_runs(std::string_view text, std::int32_t bin, Scatter& scatter, const Line& line,
               Complaints& complaints) {
  std::optional<std::int64_t> row;
  for (const std::string_view word : words_of(text)) {
    if (word.starts_with('Y')) {
      row = parse_int(word.substr(1));
      if (row) continue;
    }
    const std::size_t slash = word.find('/');
    const auto from = parse_int(word.substr(0, slash));
    const auto to = slash == std::string_view::npos ? from : parse_int(word.substr(slash + 1));
    bool good = row && from && to && *from <= *to && *to - *from <= 2 * Scatter::kFarthest;
    for (std::int64_t x = from.value_or(0); good && x <= *to; ++x) {
      good = scatter.add(x, *row, bin);
    }
    if (!good) {
      complaints.reject(line, "WMAP-0012",
                        fmt::format("\"{}\" is not a run of die in a row.", shown(word)));
    }
  }
}

struct RunWafer {
  WaferMap map;
  Scatter die;
  Line line;
};

/// Joins lines until a quote closes; the padding at their ends is no part of the text.
std::string joined_value(const std::vector<Line>& lines, std::size_t& at, std::string_view value) {
  std::string text(trim(value));
  if (!text.starts_with('"')) return text;
  // A line is cut at 72 characters, within a blank or before one.
  while (std::ranges::count(text, '"') < 2 && at + 1 < lines.size()) {
    ++at;
    text += ' ';
    text += trim(lines[at].text);
  }
  return text;
}

}  // namespace

bool is_wmap(std::string_view head) {
  return trim(head.substr(0, 16)).starts_with("VERSID ") &&
         head.find("ROWCNT") != std::string_view::npos;
}

bool is_esc(std::string_view head) {
  return head.starts_with("ELECTROGLAS") || (head.find("\nPRQUAD\t") != std::string_view::npos &&
                                             head.find("\nXSTEP\t") != std::string_view::npos);
}

bool is_run_lists(std::string_view head) {
  return head.find("\nMAP_XY.") != std::string_view::npos ||
         (head.find("\nSHOT_MAP=") != std::string_view::npos &&
          head.find("\nBIN_NAME.") != std::string_view::npos);
}

Result<Maps> parse_wmap(MapFile& file) { return WmapReader(file).read(); }

Result<Maps> parse_esc(MapFile& file) {
  file.version = "Electroglas";
  return EscReader(file).read();
}

Result<Maps> parse_run_lists(MapFile& file) {
  file.version = "run lists";
  const std::vector<Line> lines = lines_of(file.text);
  std::map<std::string, RunWafer> wafers;
  std::map<std::string, std::string> bin_names;
  std::string lot, product;
  std::optional<std::int64_t> declared;
  bool ended = false;
  for (std::size_t at = 0; at < lines.size(); ++at) {
    const Line line = lines[at];
    const std::size_t equals = line.text.find('=');
    ended = ended || trim(line.text) == "END.";
    if (equals == std::string_view::npos) continue;
    const std::string key(trim(line.text.substr(0, equals)));
    const std::string value = joined_value(lines, at, line.text.substr(equals + 1));
    const auto parts = split(key, '.');
    if (key == "LOT") lot = clean(value);
    if (key == "WAFERS") declared = parse_int(trim(value));
    if (key == "DEVICE") product = clean(value);
    if (parts[0] == "BIN_NAME" && parts.size() == 2)
      bin_names[std::string(parts[1])] = clean(value);
    if (parts[0] == "WAFERID" && parts.size() == 2) {
      wafers[std::string(parts[1])].map.wafer_id = clean(value);
    }
    if (parts.size() != 3) continue;
    RunWafer& wafer = wafers[std::string(parts[1])];
    const std::int32_t bin = wafer.map.bin(parts[2]);
    if (parts[0] == "BIN_COUNT") {
      wafer.map.bins[static_cast<std::size_t>(bin)].declared = parse_int(trim(value));
    } else if (parts[0] == "MAP_XY") {
      if (wafer.die.empty()) wafer.line = line;
      read_runs(clean(value), bin, wafer.die, line, file.complaints);
    }
  }
  if (!ended) file.complaints.warn("The file does not close with END.; it may be cut short.");
  Maps maps;
  for (auto& [number, wafer] : wafers) {
    if (wafer.die.empty()) continue;
    WaferMap& map = wafer.map;
    map.lot_id = lot;
    map.product = product;
    map.line = wafer.line.number;
    tell_twice(wafer.die.lay_out(map, true), wafer.line, file.complaints);
    for (Bin& bin : map.bins) {
      const auto name = bin_names.find(bin.code);
      if (name == bin_names.end()) continue;
      // "G,GEC": the letter before the comma says what the bin is.
      bin.name = name->second;
      bin.quality = bin.name.starts_with("G,") || bin.name == "G" ? Quality::kPass : Quality::kFail;
    }
    check_counts(map, wafer.line, file.complaints);
    maps.push_back(std::move(map));
  }
  const auto found = static_cast<std::int64_t>(maps.size());
  if (declared && *declared != found) {
    file.complaints.reject(
        lines.back(), "WMAP-0002",
        fmt::format("The header says {} wafers and the file has {}.", *declared, found));
  }
  return maps;
}

}  // namespace yieldloop::ingest::maps
