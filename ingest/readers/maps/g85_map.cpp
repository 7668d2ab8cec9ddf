#include <fmt/format.h>

#include <cmath>

#include "engine/core/text.h"
#include "ingest/readers/maps/xml_maps.h"

namespace yieldloop::ingest::maps {
namespace {

/// The first of several attributes that says something: revisions and writers vary.
std::string_view first_of(const XmlElement& a, const XmlElement& b,
                          std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (const auto value = a.attribute(name); !value.empty()) return value;
    if (const auto value = b.attribute(name); !value.empty()) return value;
  }
  return {};
}

/// Source: SEMI E5 ORLOC: 0 centre die, then the corners counter-clockwise from the upper right.
bool set_corner(Axes& axes, std::string_view word) {
  const auto number = parse_int(trim(word));
  if (!number) return trim(word).empty() || set_origin(axes, word);
  switch (*number) {
    case 0: axes.corner_x = axes.corner_y = 0; break;
    case 1: axes.corner_x = 1, axes.corner_y = 1; break;
    case 2: axes.corner_x = -1, axes.corner_y = 1; break;
    case 3: axes.corner_x = -1, axes.corner_y = -1; break;
    case 4: axes.corner_x = 1, axes.corner_y = -1; break;
    default: return false;
  }
  axes.right = axes.corner_x <= 0;
  axes.up = axes.corner_y < 0;
  return true;
}

void set_header(WaferMap& map, const XmlElement& outer, const XmlElement& device) {
  map.lot_id = clean(first_of(device, outer, {"LotId", "LotNo", "Lot"}));
  map.wafer_id = clean(first_of(outer, device, {"WaferId", "SubstrateId", "WaferNo", "Wafer"}));
  map.product = clean(first_of(device, outer, {"ProductId", "DeviceId", "Product"}));
  map.origin = clean(device.attribute("OriginLocation"));
  map.step_x_um = parse_real(trim(first_of(device, outer, {"StepSizeX", "DeviceSizeX"})));
  map.step_y_um = parse_real(trim(first_of(device, outer, {"StepSizeY", "DeviceSizeY"})));
  if (const auto size = parse_real(trim(first_of(device, outer, {"WaferSize"}))); size) {
    map.diameter_mm = *size;
  }
  map.line = outer.line;
}

void set_reference(WaferMap& map, const XmlElement& device, Axes axes) {
  const auto references = device.all("ReferenceDevice");
  if (references.empty()) return;
  const auto x = whole(references.front()->attribute("ReferenceDeviceX"));
  const auto y = whole(references.front()->attribute("ReferenceDeviceY"));
  if (!x || !y) return;
  const Place listed = listed_place(map, picture_place(map, axes, {*x, *y}));
  const bool inside = listed.x >= 0 && listed.y >= 0 &&
                      listed.x < static_cast<std::int64_t>(map.columns) &&
                      listed.y < static_cast<std::int64_t>(map.rows);
  if (inside) map.reference = listed;
}

void read_map(const XmlElement& outer, const XmlElement& device, MapFile& file, Maps& maps) {
  WaferMap map;
  set_header(map, outer, device);
  map.frame.notch =
      notch_degrees(device.attribute("Orientation"), false, line_of(device), file.complaints);
  Axes axes;
  if (!set_corner(axes, device.attribute("OriginLocation"))) {
    file.complaints.warn(fmt::format("Line {}: OriginLocation \"{}\" is unknown.", device.line,
                                     shown(device.attribute("OriginLocation"))));
  }
  // Not in the first revisions; where it is given it says which way the rows run.
  if (const auto axis = device.attribute("AxisDirection"); !axis.empty()) {
    map.axis = clean(axis);
    Axes given;
    if (set_directions(given, axis)) {
      map.frame.first_row_top = !given.up;
      map.frame.first_cell_left = given.right;
      axes.up = given.up;
      axes.right = given.right;
    } else {
      file.complaints.reject(line_of(device), "WMAP-0010",
                             fmt::format("AxisDirection \"{}\" is unknown; the map is taken as "
                                         "drawn from the top left.",
                                         shown(axis)));
    }
  }
  const auto columns = whole(device.attribute("Columns"));
  const bool sane = columns && *columns > 0 && *columns <= 100'000;
  XmlGrid grid(map, bin_type(device.attribute("BinType")), device.attribute("NullBin"),
               sane ? static_cast<std::size_t>(*columns) : 0, file.complaints);
  for (const XmlElement* bin : device.all("Bin")) grid.declare_bin(*bin);
  const auto data = device.all("Data");
  for (const XmlElement* part : data) {
    for (const XmlElement* row : part->all("Row")) {
      if (row->whole) grid.add_row(*row);
    }
  }
  if (data.empty()) {
    return file.complaints.reject(line_of(device), "WMAP-0009",
                                  "The header is followed by no map row.");
  }
  grid.finish(whole(device.attribute("Rows")), device);
  set_reference(map, device, axes);
  maps.push_back(std::move(map));
}

}  // namespace

Result<Maps> parse_g85(MapFile& file) {
  YL_ASSIGN(const XmlElement root, read_xml(file));
  Maps maps;
  for (const XmlElement* outer : root.all("Map")) {
    if (file.version.empty()) file.version = clean(outer->attribute("FormatRevision"));
    const auto devices = outer->all("Device");
    for (const XmlElement* device : devices) read_map(*outer, *device, file, maps);
    // Some writers leave Device out and say all of it in Map.
    if (devices.empty()) read_map(*outer, *outer, file, maps);
  }
  return maps;
}

bool looks_like_g85(std::string_view head) {
  const std::string lower = to_lower(head.substr(0, 8192));
  if (trim(lower).empty()) return false;
  const std::size_t first = lower.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (first == std::string::npos || lower[first] != '<') return false;
  const auto opens = [&](std::string_view name) {
    for (std::size_t at = lower.find(name); at != std::string::npos;
         at = lower.find(name, at + 1)) {
      const std::size_t end = at + name.size();
      const bool begins = at > 0 && (lower[at - 1] == '<' || lower[at - 1] == ':');
      const bool ends = end < lower.size() &&
                        (std::string_view(" \t\r\n>").find(lower[end]) != std::string_view::npos);
      if (begins && ends) return true;
    }
    return false;
  };
  return opens("map") && (opens("device") || lower.find("g85") != std::string::npos);
}

}  // namespace yieldloop::ingest::maps
