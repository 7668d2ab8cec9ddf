#include <fmt/format.h>

#include <cmath>

#include "engine/core/text.h"
#include "ingest/readers/maps/xml_maps.h"

namespace yieldloop::ingest::maps {
namespace {

double unit_um(std::string_view unit) {
  const std::string lower = to_lower(trim(unit));
  if (lower.starts_with("mm") || lower.starts_with("millim")) return 1000.0;
  if (lower.starts_with("mil")) return 25.4;
  if (lower.starts_with("in")) return 25'400.0;
  if (lower.starts_with("cm") || lower.starts_with("centi")) return 10'000.0;
  if (lower.starts_with("nm") || lower.starts_with("nano")) return 0.001;
  if (lower == "m" || lower.starts_with("meter")) return 1e6;
  return lower.empty() ? 1000.0 : 1.0;  // um and micron; mm is the default of the schema.
}

/// A size of a layout in micrometres.
std::optional<std::pair<double, double>> size_um(const XmlElement& layout, std::string_view name) {
  const XmlElement* element = layout.child(name);
  if (element == nullptr) return std::nullopt;
  const auto x = parse_real(trim(element->attribute("X")));
  const auto y = parse_real(trim(element->attribute("Y")));
  if (!x || !y || *x <= 0 || *y <= 0) return std::nullopt;
  const std::string_view own = element->attribute("Units");
  const double unit = unit_um(own.empty() ? layout.attribute("DefaultUnits") : own);
  return std::pair{*x * unit, *y * unit};
}

class E142Reader {
 public:
  E142Reader(MapFile& file, const XmlElement& root)
      : file_(file),
        root_(root),
        layouts_(root.all("Layout")),
        substrates_(root.all("Substrate")) {}

  Maps read() {
    for (const XmlElement* element : root_.all("SubstrateMap")) {
      for (const XmlElement* codes : element->all("BinCodeMap")) read_map(*element, *codes);
    }
    return std::move(maps_);
  }

 private:
  void read_map(const XmlElement& element, const XmlElement& codes);
  const XmlElement* layout_of(const XmlElement& element) const;
  void set_frame(WaferMap& map, const XmlElement& element, Axes& axes);
  void set_substrate(WaferMap& map);
  void set_layout(WaferMap& map, const XmlElement& layout);
  void set_reference(WaferMap& map, const XmlElement& element, const Axes& axes);

  MapFile& file_;
  const XmlElement& root_;
  std::vector<const XmlElement*> layouts_;
  std::vector<const XmlElement*> substrates_;
  Maps maps_;
  std::optional<std::int64_t> good_;
};

/// "VP9919/Device" names a path of layouts; the last of it holds the die.
const XmlElement* E142Reader::layout_of(const XmlElement& element) const {
  std::string_view name = element.attribute("LayoutSpecifier");
  if (name.empty()) name = element.attribute("LayoutId");
  const std::size_t slash = name.rfind('/');
  if (slash != std::string_view::npos) name = name.substr(slash + 1);
  for (const XmlElement* layout : layouts_) {
    if (layout->attribute("LayoutId") == name) return layout;
  }
  return nullptr;
}

void E142Reader::set_frame(WaferMap& map, const XmlElement& element, Axes& axes) {
  map.origin = clean(element.attribute("OriginLocation"));
  map.axis = clean(element.attribute("AxisDirection"));
  map.frame.notch =
      notch_degrees(element.attribute("Orientation"), false, line_of(element), file_.complaints);
  map.frame.back_side = to_lower(element.attribute("SubstrateSide")).starts_with("bottom");
  if (!map.origin.empty() && !set_origin(axes, map.origin)) {
    file_.complaints.warn(
        fmt::format("Line {}: OriginLocation \"{}\" is unknown.", element.line, shown(map.origin)));
  }
  if (!map.axis.empty() && !set_directions(axes, map.axis)) {
    file_.complaints.reject(
        line_of(element), "WMAP-0010",
        fmt::format("AxisDirection \"{}\" is unknown; UpRight was taken.", shown(map.axis)));
  }
  map.frame.first_row_top = !axes.up;
  map.frame.first_cell_left = axes.right;
}

void E142Reader::set_substrate(WaferMap& map) {
  good_.reset();
  for (const XmlElement* substrate : substrates_) {
    if (clean(substrate->attribute("SubstrateId")) != map.wafer_id) continue;
    if (const XmlElement* lot = substrate->child("LotId")) map.lot_id = clean(lot->text);
    if (const XmlElement* good = substrate->child("GoodDevices")) good_ = whole(good->text);
  }
}

void E142Reader::set_layout(WaferMap& map, const XmlElement& layout) {
  if (const XmlElement* product = layout.child("ProductId")) map.product = clean(product->text);
  auto step = size_um(layout, "StepSize");
  if (!step) step = size_um(layout, "DeviceSize");
  if (!step) return;
  map.step_x_um = step->first;
  map.step_y_um = step->second;
}

void E142Reader::set_reference(WaferMap& map, const XmlElement& element, const Axes& axes) {
  const auto references = element.all("ReferenceDevice");
  const XmlElement* place = references.empty() ? nullptr : references.front()->child("Coordinates");
  if (place == nullptr) return;
  const auto x = whole(place->attribute("X"));
  const auto y = whole(place->attribute("Y"));
  if (!x || !y) return;
  const Place listed = listed_place(map, picture_place(map, axes, {*x, *y}));
  const bool inside = listed.x >= 0 && listed.y >= 0 &&
                      listed.x < static_cast<std::int64_t>(map.columns) &&
                      listed.y < static_cast<std::int64_t>(map.rows);
  if (inside) map.reference = listed;
}

void E142Reader::read_map(const XmlElement& element, const XmlElement& codes) {
  WaferMap map;
  map.line = element.line;
  map.wafer_id = clean(element.attribute("SubstrateId"));
  Axes axes;
  set_frame(map, element, axes);
  set_substrate(map);
  const XmlElement* layout = layout_of(element);
  std::optional<std::int64_t> rows, columns;
  if (layout != nullptr) {
    set_layout(map, *layout);
    if (const XmlElement* dimension = layout->child("Dimension")) {
      columns = whole(dimension->attribute("X"));
      rows = whole(dimension->attribute("Y"));
    }
  }
  const bool sane = columns && *columns > 1 && *columns <= 100'000;
  XmlGrid grid(map, bin_type(codes.attribute("BinType")), codes.attribute("NullBin"),
               sane ? static_cast<std::size_t>(*columns) : 0, file_.complaints);
  for (const XmlElement* bin : codes.all("BinDefinition")) grid.declare_bin(*bin);
  bool any = false;
  for (const XmlElement& row : codes.children) {
    if (!equals_ignoring_case(row.name, "BinCode") || !row.whole) continue;
    grid.add_row(row);
    any = true;
  }
  if (!any) {
    return file_.complaints.reject(line_of(element), "WMAP-0009",
                                   "The header is followed by no map row.");
  }
  grid.finish(rows && *rows > 1 ? rows : std::nullopt, element);
  if (good_) {
    check_total("good die", *good_, tally(map).pass, line_of(element), file_.complaints);
  }
  set_reference(map, element, axes);
  maps_.push_back(std::move(map));
}

}  // namespace

Result<Maps> parse_e142(MapFile& file) {
  YL_ASSIGN(const XmlElement root, read_xml(file));
  const auto data = root.all("MapData");
  if (!data.empty()) {
    // "urn:semi-org:xsd.E142-1.V1005.SubstrateMap": the revision is the part behind "E142-1.".
    const std::string_view space = data.front()->attribute("xmlns");
    const std::size_t at = space.find("E142-1.");
    if (at != std::string_view::npos) {
      file.version = clean(space.substr(at + 7, space.find('.', at + 7) - at - 7));
    }
  }
  return E142Reader(file, root).read();
}

bool looks_like_e142(std::string_view head) {
  const std::size_t first = head.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (first == std::string_view::npos || head[first] != '<') return false;
  const std::string lower = to_lower(head.substr(0, 8192));
  return lower.find("<mapdata") != std::string::npos ||
         lower.find(":mapdata") != std::string::npos ||
         lower.find("<substratemap") != std::string::npos;
}

}  // namespace yieldloop::ingest::maps
