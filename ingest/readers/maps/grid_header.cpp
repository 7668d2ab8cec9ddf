#include "ingest/readers/maps/grid_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/core/text.h"
#include "ingest/readers/maps/map_parsers.h"

namespace yieldloop::ingest::maps {
namespace {

enum class Field : std::uint8_t {
  kLot,
  kWafer,
  kProduct,
  kNotch,
  kAxis,
  kOrigin,
  kPass,
  kNull,
  kRows,
  kColumns,
  kSize,
  kTotal,
  kGood,
  kPickable,
  kBad,
  kStepX,
  kStepY,
  kDiameter,
};

struct Name {
  std::string_view plain;
  Field field;
};

constexpr auto kNames = std::to_array<Name>({
    {"lot", Field::kLot},
    {"lotid", Field::kLot},
    {"lotno", Field::kLot},
    {"lotnumber", Field::kLot},
    {"wafer", Field::kWafer},
    {"waferid", Field::kWafer},
    {"waferno", Field::kWafer},
    {"wafernumber", Field::kWafer},
    {"substrateid", Field::kWafer},
    {"product", Field::kProduct},
    {"productid", Field::kProduct},
    {"device", Field::kProduct},
    {"deviceid", Field::kProduct},
    {"devicename", Field::kProduct},
    {"notch", Field::kNotch},
    {"flat", Field::kNotch},
    {"flatnotch", Field::kNotch},
    {"orientation", Field::kNotch},
    {"notchlocation", Field::kNotch},
    {"axis", Field::kAxis},
    {"axisdirection", Field::kAxis},
    {"origin", Field::kOrigin},
    {"originlocation", Field::kOrigin},
    {"passbin", Field::kPass},
    {"passbins", Field::kPass},
    {"goodbin", Field::kPass},
    {"goodbins", Field::kPass},
    {"bcequ", Field::kPass},
    {"nullbin", Field::kNull},
    {"null", Field::kNull},
    {"nodie", Field::kNull},
    {"rows", Field::kRows},
    {"rowct", Field::kRows},
    {"maprow", Field::kRows},
    {"maprows", Field::kRows},
    {"columns", Field::kColumns},
    {"cols", Field::kColumns},
    {"colct", Field::kColumns},
    {"mapcolumn", Field::kColumns},
    {"mapcolumns", Field::kColumns},
    {"maxxy", Field::kSize},
    {"totdie", Field::kTotal},
    {"totaldie", Field::kTotal},
    {"totaltested", Field::kTotal},
    {"grossdie", Field::kTotal},
    {"pickable", Field::kPickable},
    {"totalpass", Field::kGood},
    {"gooddie", Field::kGood},
    {"pass", Field::kGood},
    {"totalfail", Field::kBad},
    {"fail", Field::kBad},
    {"dicesizex", Field::kStepX},
    {"diesizex", Field::kStepX},
    {"stepx", Field::kStepX},
    {"xstep", Field::kStepX},
    {"dicesizey", Field::kStepY},
    {"diesizey", Field::kStepY},
    {"stepy", Field::kStepY},
    {"ystep", Field::kStepY},
    {"diameter", Field::kDiameter},
    {"diametermm", Field::kDiameter},
});

const Name* find_name(std::string_view plain) {
  const auto it = std::ranges::find(kNames, plain, &Name::plain);
  return it == kNames.end() ? nullptr : &*it;
}

std::vector<std::string> codes_in(std::string_view value) {
  std::string text(value);
  for (char& c : text) {
    if (c == ',' || c == ';' || c == '|') c = ' ';
  }
  std::vector<std::string> codes;
  for (const std::string_view code : words_of(text)) codes.push_back(same_code(clean(code), 10));
  return codes;
}

/// "40 50", "40,50" or "40x50": columns, then rows.
void set_size(GridHeader& header, std::string_view value) {
  std::string text(value);
  for (char& c : text) {
    if (c == ',' || c == 'x' || c == 'X' || c == '/' || c == ';') c = ' ';
  }
  const auto parts = words_of(text);
  if (parts.size() != 2) return;
  header.columns = parse_int(parts[0]);
  header.rows = parse_int(parts[1]);
}

void set_axis(WaferMap& map, std::string_view value, const Line& line, Complaints& complaints) {
  Axes axes;
  map.axis = clean(value);
  if (set_directions(axes, map.axis)) {
    map.frame.first_row_top = !axes.up;
    map.frame.first_cell_left = axes.right;
    return;
  }
  complaints.reject(line, "WMAP-0010",
                    fmt::format("AxisDirection \"{}\" is unknown; the map is taken as drawn from "
                                "the top left.",
                                shown(value)));
}

}  // namespace

std::optional<HeaderLine> header_line(std::string_view line) {
  line = trim(line);
  while (!line.empty() && (line.front() == '#' || line.front() == '/' || line.front() == '*')) {
    line = trim(line.substr(1));
  }
  const std::size_t mark = line.find_first_of(":=,;\t");
  if (mark == std::string_view::npos || mark == 0) return std::nullopt;
  HeaderLine field{plain_key(line.substr(0, mark)), trim(line.substr(mark + 1))};
  while (!field.value.empty() &&
         (field.value.back() == ',' || field.value.back() == ';' || field.value.back() == '\t')) {
    field.value = trim(field.value.substr(0, field.value.size() - 1));
  }
  // "lot_id,wafer_id,value" is the head of a table, not a lot's name.
  if (line[mark] != ':' && line[mark] != '=' &&
      field.value.find(line[mark]) != std::string_view::npos &&
      std::ranges::any_of(
          field.value, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); })) {
    return std::nullopt;
  }
  if (field.key.empty() || (field.key.front() >= '0' && field.key.front() <= '9')) {
    return std::nullopt;
  }
  return field;
}

bool is_header_key(std::string_view plain) { return find_name(plain) != nullptr; }

bool set_header_field(GridHeader& header, WaferMap& map, const HeaderLine& field, const Line& line,
                      Complaints& complaints) {
  const Name* name = find_name(field.key);
  if (name == nullptr) return false;
  ++header.known;
  const std::string_view value = field.value;
  switch (name->field) {
    case Field::kLot: map.lot_id = clean(value); break;
    case Field::kWafer: map.wafer_id = clean(value); break;
    case Field::kProduct: map.product = clean(value); break;
    case Field::kNotch: map.frame.notch = notch_degrees(value, false, line, complaints); break;
    case Field::kAxis: set_axis(map, value, line, complaints); break;
    case Field::kOrigin: map.origin = clean(value); break;
    case Field::kPass: header.pass_bins = codes_in(value); break;
    case Field::kNull: header.null_bins = codes_in(value); break;
    case Field::kRows: header.rows = parse_int(value); break;
    case Field::kColumns: header.columns = parse_int(value); break;
    case Field::kSize: set_size(header, value); break;
    case Field::kTotal: header.total = parse_int(value); break;
    case Field::kPickable: header.says_pickable = true; [[fallthrough]];
    case Field::kGood: header.good = parse_int(value); break;
    case Field::kBad: header.bad = parse_int(value); break;
    case Field::kStepX: map.step_x_um = parse_real(value); break;
    case Field::kStepY: map.step_y_um = parse_real(value); break;
    case Field::kDiameter: map.diameter_mm = parse_real(value); break;
  }
  return true;
}

void finish_header(const GridHeader& header, WaferMap& map, const Line& at,
                   Complaints& complaints) {
  for (Bin& bin : map.bins) {
    if (!header.pass_bins.empty()) {
      const bool good =
          std::ranges::find(header.pass_bins, same_code(bin.code, 10)) != header.pass_bins.end();
      bin.quality = good ? Quality::kPass : Quality::kFail;
    } else if (header.says_pickable && (bin.code == "1" || bin.code == "X" || bin.code == "x")) {
      bin.quality = bin.code == "1" ? Quality::kPass : Quality::kFail;
    }
  }
  const Tally counted = tally(map);
  if (header.total) check_total("all bins", *header.total, counted.die, at, complaints);
  const bool qualified = !header.pass_bins.empty() || header.says_pickable;
  if (qualified && header.good) {
    check_total("good bins", *header.good, counted.pass, at, complaints);
  }
  if (qualified && header.bad) {
    check_total("bad bins", *header.bad, counted.fail, at, complaints);
  }
}

}  // namespace yieldloop::ingest::maps
