// PINS, VIAS, BLOCKAGES and FILLS entries.

#include <algorithm>
#include <array>

#include "ingest/readers/lefdef/def_parts.h"

namespace yieldloop::ingest::lefdef {
bool EntryReader::pin() {
  Pin pin;
  if (!parts_.name(pin.name)) return false;
  new_port(pin);
  bool good = true;
  while (good && tokens_.take("+")) good = pin_option(pin);
  const PinPort& first = pin.ports.front();
  if (pin.ports.size() > 1 && !first.placed && first.shapes.size() + first.vias.size() == 0) {
    pin.ports.erase(pin.ports.begin());
  }
  def_.pins.push_back(std::move(pin));
  return good;
}

void EntryReader::new_port(Pin& pin) {
  PinPort port;
  port.shapes = {parts_.shapes_end(), parts_.shapes_end()};
  port.vias = {parts_.vias_end(), parts_.vias_end()};
  pin.ports.push_back(port);
}

bool EntryReader::pin_option(Pin& pin) {
  constexpr std::array<std::string_view, 6> kOptions = {
      "SPECIAL", "NETEXPR", "SUPPLYSENSITIVITY", "GROUNDSENSITIVITY", "PROPERTY", "MUSTJOIN"};
  PinPort& port = pin.ports.back();
  if (tokens_.take("NET")) return parts_.name(pin.net);
  if (tokens_.take("DIRECTION")) return parts_.name(pin.direction);
  if (tokens_.take("USE")) return parts_.name(pin.use);
  if (tokens_.take("PORT")) return new_port(pin), true;
  if (tokens_.is("PLACED") || tokens_.is("FIXED") || tokens_.is("COVER")) {
    tokens_.advance();
    port.placed = parts_.placement(port.at, port.orientation);
    return port.placed;
  }
  if (tokens_.is("LAYER") || tokens_.is("POLYGON")) {
    const bool box = tokens_.is("LAYER");
    tokens_.advance();
    const std::uint32_t layer = parts_.layer();
    if (!spacing_words()) return false;
    const bool good = box ? parts_.add_box(layer, "A pin", def_.shapes)
                          : parts_.add_polygon(layer, "A pin", def_.shapes);
    port.shapes.last = parts_.shapes_end();
    return good;
  }
  if (tokens_.take("VIA")) {
    ViaUse via{.via = def_.via_names.id(unescaped(tokens_.text()))};
    tokens_.advance();
    parts_.mask();
    if (!parts_.point(via.at, "A pin")) return false;
    def_.vias.push_back(via);
    port.vias.last = parts_.vias_end();
    return true;
  }
  const bool known =
      tokens_.text().starts_with("ANTENNA") ||
      std::ranges::any_of(kOptions, [&](std::string_view word) { return tokens_.is(word); });
  if (!known) parts_.damaged("A pin");
  parts_.skip_option();
  return true;
}

/// MASK, SPACING and DESIGNRULEWIDTH before the points of a shape.
bool EntryReader::spacing_words() {
  for (;;) {
    Coord ignored = 0;
    if (tokens_.is("MASK")) {
      parts_.mask();
    } else if (tokens_.is("SPACING") || tokens_.is("DESIGNRULEWIDTH")) {
      tokens_.advance();
      if (!parts_.coord(ignored, "SPACING")) return false;
    } else {
      return true;
    }
  }
}

bool EntryReader::via() {
  ViaDefinition via;
  if (!parts_.name(via.name)) return false;
  bool good = true;
  while (good && tokens_.take("+")) good = via_option(via);
  def_.via_definitions.push_back(std::move(via));
  return good;
}

bool EntryReader::real_point(RealPoint& point, std::string_view what) {
  return parts_.real(point.x, what) && parts_.real(point.y, what);
}

bool EntryReader::via_option(ViaDefinition& via) {
  if (tokens_.is("RECT") || tokens_.is("POLYGON")) return via_shape(via);
  if (tokens_.take("VIARULE")) {
    via.generated.emplace();
    return parts_.name(via.generated->rule);
  }
  if (tokens_.is("PATTERNNAME") || tokens_.is("PROPERTY") || tokens_.is("FIXED")) {
    parts_.skip_option();
    return true;
  }
  if (!via.generated) return parts_.damaged("A via");
  GeneratedVia& g = *via.generated;
  if (tokens_.take("CUTSIZE")) return real_point(g.cut_size, "CUTSIZE");
  if (tokens_.take("CUTSPACING")) return real_point(g.cut_spacing, "CUTSPACING");
  if (tokens_.take("ORIGIN")) return real_point(g.origin, "ORIGIN");
  if (tokens_.take("PATTERN")) return parts_.name(g.pattern);
  if (tokens_.take("LAYERS")) {
    return parts_.name(g.bottom) && parts_.name(g.cut) && parts_.name(g.top);
  }
  if (tokens_.take("ENCLOSURE")) {
    return real_point(g.bottom_enclosure, "ENCLOSURE") && real_point(g.top_enclosure, "ENCLOSURE");
  }
  if (tokens_.take("OFFSET")) {
    return real_point(g.bottom_offset, "OFFSET") && real_point(g.top_offset, "OFFSET");
  }
  if (tokens_.take("ROWCOL")) {
    Coord rows = 0, columns = 0;
    if (!parts_.coord(rows, "ROWCOL") || !parts_.coord(columns, "ROWCOL")) return false;
    if (rows < 1 || columns < 1 || rows > kMostCuts || columns > kMostCuts / rows) {
      return parts_.damaged("ROWCOL");
    }
    g.rows = static_cast<int>(rows);
    g.columns = static_cast<int>(columns);
    return true;
  }
  return parts_.damaged("A via");
}

bool EntryReader::via_shape(ViaDefinition& via) {
  Shape shape;
  const bool box = tokens_.is("RECT");
  tokens_.advance();
  shape.kind = box ? Shape::Kind::kBox : Shape::Kind::kPolygon;
  shape.layer = unescaped(tokens_.text());
  tokens_.advance();
  if (tokens_.is("+")) tokens_.advance();
  parts_.mask();
  if (box) {
    Box b;
    if (!parts_.box(b, "A via")) return false;
    shape.box = {static_cast<double>(b.x_min), static_cast<double>(b.y_min),
                 static_cast<double>(b.x_max), static_cast<double>(b.y_max)};
  } else {
    Polygon points;
    if (!parts_.polygon(points, "A via")) return false;
    for (const Point& p : points) {
      shape.points.push_back({static_cast<double>(p.x), static_cast<double>(p.y)});
    }
  }
  via.shapes.push_back(std::move(shape));
  return true;
}

/// RECT and POLYGON words up to the entry's end.
bool EntryReader::boxes(std::uint32_t layer, std::vector<DrawnShape>& into, std::string_view what) {
  for (;;) {
    if (tokens_.take("RECT")) {
      if (!parts_.add_box(layer, what, into)) return false;
    } else if (tokens_.take("POLYGON")) {
      if (!parts_.add_polygon(layer, what, into)) return false;
    } else {
      return true;
    }
  }
}

/// Both the options of DEF 5.6 and later (behind `+`) and the older ones without it.
bool EntryReader::blockage() {
  Blockage blockage;
  const bool placement = tokens_.is("PLACEMENT");
  if (!placement && !tokens_.is("LAYER")) return parts_.damaged("A blockage");
  tokens_.advance();
  if (!placement) blockage.layer = parts_.layer();
  while (!parts_.at_border() && !tokens_.is("RECT") && !tokens_.is("POLYGON")) {
    Coord ignored = 0;
    double density = 0.0;
    tokens_.take("+");
    if (tokens_.take("COMPONENT")) {
      if (!parts_.name(blockage.component)) return false;
    } else if (tokens_.take("SPACING") || tokens_.take("DESIGNRULEWIDTH")) {
      if (!parts_.coord(ignored, "A blockage")) return false;
    } else if (tokens_.take("PARTIAL")) {
      if (!parts_.real(density, "PARTIAL")) return false;
    } else if (tokens_.is("MASK")) {
      parts_.mask();
    } else if (!tokens_.take("SLOTS") && !tokens_.take("FILLS") && !tokens_.take("PUSHDOWN") &&
               !tokens_.take("EXCEPTPGNET") && !tokens_.take("SOFT")) {
      return parts_.damaged("A blockage");
    }
  }
  blockage.shapes.first = parts_.shapes_end();
  const bool good = boxes(blockage.layer, def_.shapes, "A blockage");
  blockage.shapes.last = parts_.shapes_end();
  def_.blockages.push_back(std::move(blockage));
  return good;
}

bool EntryReader::fill(bool slots) {
  if (tokens_.take("VIA")) return fill_via();
  if (!tokens_.take("LAYER")) return parts_.damaged("A fill");
  const std::uint32_t layer = parts_.layer();
  while (tokens_.is("+") || tokens_.is("MASK") || tokens_.is("OPC")) {
    if (tokens_.is("MASK")) {
      parts_.mask();
    } else {
      tokens_.advance();
    }
  }
  std::vector<DrawnShape> none;  // Metal that is taken away again; nothing is named by it.
  return boxes(layer, slots ? none : def_.fills, "A fill");
}

bool EntryReader::fill_via() {
  ViaUse via{.via = def_.via_names.id(unescaped(tokens_.text()))};
  tokens_.advance();
  while (tokens_.is("+") || tokens_.is("MASK") || tokens_.is("OPC")) {
    if (tokens_.is("MASK")) {
      parts_.mask();
    } else {
      tokens_.advance();
    }
  }
  while (tokens_.is("(")) {
    if (!parts_.point(via.at, "A fill", via.at)) return false;
    def_.fill_vias.push_back(via);
  }
  return true;
}

}  // namespace yieldloop::ingest::lefdef
