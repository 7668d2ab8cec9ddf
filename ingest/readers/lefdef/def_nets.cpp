#include <algorithm>
#include <array>
#include <cstdlib>

#include "ingest/readers/lefdef/def_parts.h"

namespace yieldloop::ingest::lefdef {
namespace {

/// What a net may say beside its wires; skipped to the next `+`.
constexpr std::array<std::string_view, 18> kNetOptions = {
    "USE",     "SOURCE",  "FIXEDBUMP", "FREQUENCY",   "ORIGINAL", "PATTERN",
    "ESTCAP",  "WEIGHT",  "PROPERTY",  "SHIELDNET",   "VPIN",     "XTALK",
    "VOLTAGE", "SPACING", "WIDTH",     "SYNTHESIZED", "STYLE",    "DEFAULTRULE"};

constexpr Coord kMostArray = 100'000'000;

bool is_wiring(const TokenStream& tokens) {
  return tokens.is("ROUTED") || tokens.is("FIXED") || tokens.is("COVER") || tokens.is("NOSHIELD") ||
         tokens.is("SHIELD");
}

}  // namespace

bool NetReader::read(bool special, const ComponentIndex& components) {
  Net net;
  net.special = special;
  if (!parts_.name(net.name)) return false;
  const auto at_connection = static_cast<std::uint32_t>(def_.connections.size());
  const auto at_route = static_cast<std::uint32_t>(def_.routes.size());
  net.connections = {at_connection, at_connection};
  net.routes = {at_route, at_route};
  const auto at_shape = static_cast<std::uint32_t>(def_.net_shapes.size());
  const auto at_via = static_cast<std::uint32_t>(def_.net_vias.size());
  net_rule_ = kNone;
  const std::size_t from = tokens_.offset(), hidden = tokens_.comment_bytes();
  const bool good = connections(components) && options(net);
  if (tokens_.comment_bytes() != hidden) {
    parts_.complaints().add(
        from, "LEFD-0013",
        fmt::format("A comment stands inside the entry of net {} and hides what is in it.",
                    shown(net.name)));
  }
  net.connections.last = static_cast<std::uint32_t>(def_.connections.size());
  net.routes.last = static_cast<std::uint32_t>(def_.routes.size());
  net.shapes = {at_shape, static_cast<std::uint32_t>(def_.net_shapes.size())};
  net.vias = {at_via, static_cast<std::uint32_t>(def_.net_vias.size())};
  for (std::uint32_t r = at_route; r < net.routes.last; ++r) {
    if (def_.routes[r].rule == kNetRule) def_.routes[r].rule = net_rule_;
  }
  def_.nets.push_back(std::move(net));
  return good;
}

bool NetReader::connections(const ComponentIndex& components) {
  while (tokens_.is("(")) {
    tokens_.advance();
    if (!connection(components)) return false;
  }
  return true;
}

bool NetReader::connection(const ComponentIndex& components) {
  Connection connection;
  if (tokens_.take("PIN")) {
    connection.is_pin = true;
  } else if (tokens_.take("*")) {
    connection.is_all = true;
  } else {
    const auto found = components.find(tokens_.text());
    if (found != components.end()) connection.component = found->second;
    if (tokens_.at_end() || tokens_.is(";") || tokens_.is(")")) {
      return parts_.damaged("A connection");
    }
    tokens_.advance();
  }
  if (tokens_.is(")") || tokens_.is(";")) return parts_.damaged("A connection");
  connection.pin = def_.pin_names.id(unescaped(tokens_.text()));
  tokens_.advance();
  if (tokens_.take("+")) {  // + SYNTHESIZED
    tokens_.advance();
  }
  if (!tokens_.take(")")) return parts_.damaged("A connection");
  def_.connections.push_back(connection);
  return true;
}

bool NetReader::options(const Net& net) {
  while (!tokens_.is(";")) {
    if (!tokens_.take("+")) {
      if (parts_.at_border()) return true;  // The missing `;` is told by the section.
      return parts_.damaged("A net");
    }
    if (is_wiring(tokens_)) {
      if (!wiring(net)) return false;
    } else if (tokens_.take("NONDEFAULTRULE")) {
      net_rule_ = def_.rule_names.id(unescaped(tokens_.text()));
      tokens_.advance();
    } else if (tokens_.take("SUBNET")) {
      // ( connections ) of a part of the net; its wires follow as options of their own.
      tokens_.advance();
      while (tokens_.is("(")) {
        while (!parts_.at_border() && !tokens_.is(")") && !tokens_.is(";")) tokens_.advance();
        tokens_.take(")");
      }
      if (is_wiring(tokens_) && !wiring(net)) return false;
      parts_.skip_option();
    } else {
      bool taken = false;
      if (!own_shape(taken)) return false;
      if (taken) continue;
      const bool known =
          std::ranges::any_of(kNetOptions, [&](std::string_view word) { return tokens_.is(word); });
      if (!known) parts_.damaged("A net");
      if (!skip_quiet_option()) return false;
    }
  }
  return true;
}

/// Steps over an option without wires; wires in it mean that the `+` before them was lost.
bool NetReader::skip_quiet_option() {
  while (!parts_.at_border() && !tokens_.is("+") && !tokens_.is(";")) {
    if (is_wiring(tokens_) || tokens_.is("NEW")) return parts_.damaged("A net");
    tokens_.advance();
  }
  return true;
}

/// RECT, POLYGON and VIA of the net itself, with the SHAPE and MASK words before them.
bool NetReader::own_shape(bool& taken) {
  taken = true;
  if (tokens_.is("SHAPE") || tokens_.is("MASK")) {
    tokens_.advance();
    tokens_.advance();
    return true;
  }
  const bool rect = tokens_.is("RECT");
  if (rect || tokens_.is("POLYGON")) {
    tokens_.advance();
    parts_.mask();
    const std::uint32_t layer = parts_.layer();
    parts_.mask();
    return rect ? parts_.add_box(layer, "RECT", def_.net_shapes)
                : parts_.add_polygon(layer, "POLYGON", def_.net_shapes);
  }
  if (tokens_.take("VIA")) {
    parts_.mask();
    ViaUse via{.via = def_.via_names.id(unescaped(tokens_.text()))};
    tokens_.advance();
    if (const auto turned = orientation_of(tokens_.text())) {
      via.orientation = *turned;
      tokens_.advance();
    }
    while (tokens_.is("(")) {
      if (!parts_.point(via.at, "VIA", via.at)) return false;
      def_.net_vias.push_back(via);
    }
    return true;
  }
  taken = false;
  return true;
}

bool NetReader::wiring(const Net& net) {
  const bool shield = tokens_.is("SHIELD");
  tokens_.advance();
  if (shield) tokens_.advance();     // The net it shields.
  if (tokens_.is("+")) return true;  // Shapes of the net's own follow as options.
  return routes(net);
}

bool NetReader::routes(const Net& net) {
  for (;;) {
    if (!route_head(net)) return false;
    if (!route_body()) return false;
    if (!tokens_.take("NEW")) return true;
  }
}

void NetReader::start_route(std::uint32_t layer) {
  Route route;
  const auto points = static_cast<std::uint32_t>(def_.points.size());
  route.layer = layer;
  route.points = {points, points};
  route.vias = {parts_.vias_end(), parts_.vias_end()};
  route.shapes = {parts_.shapes_end(), parts_.shapes_end()};
  def_.routes.push_back(route);
}

/// What follows continues the route on its own: behind a via, a gap or a bad piece.
void NetReader::break_route() {
  const Route before = def_.routes.back();
  start_route(kNone);
  Route& route = def_.routes.back();
  route.width = before.width;
  route.rule = before.rule;
  route.style = before.style;
}

bool NetReader::route_head(const Net& net) {
  if (tokens_.at_end() || tokens_.is(";") || tokens_.is("(") || to_coord(tokens_.text())) {
    return parts_.damaged("A layer");
  }
  start_route(parts_.layer());
  Route& route = def_.routes.back();
  route.rule = kNetRule;
  has_point_ = after_via_ = false;
  if (net.special && !parts_.coord(route.width, "A width")) return false;
  for (;;) {
    if (tokens_.take("TAPER")) {
      route.rule = kNone;
    } else if (tokens_.take("TAPERRULE")) {
      route.rule = def_.rule_names.id(unescaped(tokens_.text()));
      tokens_.advance();
    } else if (tokens_.take("STYLE")) {
      Coord style = -1;
      if (!parts_.coord(style, "STYLE")) return false;
      route.style = static_cast<std::int32_t>(style);
    } else if (tokens_.take("SHAPE")) {
      tokens_.advance();
    } else if (tokens_.is("+")) {
      tokens_.advance();
      if (!tokens_.is("SHAPE") && !tokens_.is("STYLE") && !tokens_.is("TAPER") &&
          !tokens_.is("TAPERRULE") && !tokens_.is("MASK")) {
        return parts_.damaged("A wire");
      }
    } else if (tokens_.is("MASK")) {
      parts_.mask();
    } else {
      return true;
    }
  }
}

bool NetReader::route_body() {
  for (;;) {
    if (tokens_.is("(")) {
      if (!route_point(false)) return false;
    } else if (tokens_.is(";") || tokens_.is("+") || tokens_.is("NEW") || parts_.at_border()) {
      return true;
    } else if (tokens_.is("MASK")) {
      parts_.mask();
    } else if (tokens_.take("VIRTUAL")) {
      if (!route_point(true)) return false;
    } else if (tokens_.take("RECT")) {
      if (!route_rect()) return false;
    } else if (!route_via()) {
      return false;
    }
  }
}

bool NetReader::route_point(bool is_virtual) {
  if (!tokens_.take("(")) return parts_.damaged("A wire");
  RoutePoint point{.at = last_};
  // A `*` needs a point to repeat.
  if (!has_point_ && tokens_.is("*")) return parts_.damaged("A wire");
  if (!tokens_.take("*") && !parts_.coord(point.at.x, "A wire")) return false;
  if (!has_point_ && tokens_.is("*")) return parts_.damaged("A wire");
  if (!tokens_.take("*") && !parts_.coord(point.at.y, "A wire")) return false;
  if (!tokens_.is(")") && !parts_.coord(point.extension, "A wire")) return false;
  if (!tokens_.take(")")) return parts_.damaged("A wire");
  if (has_point_ && (after_via_ || is_virtual)) {
    break_route();
    if (!is_virtual) {
      def_.points.push_back({.at = last_});
      ++def_.routes.back().points.last;
    }
  }
  if (has_point_ && !is_virtual) {
    const Coord dx = std::abs(point.at.x - last_.x), dy = std::abs(point.at.y - last_.y);
    if (dx != 0 && dy != 0 && dx != dy) {
      drop_bad_segment();
    }
  }
  def_.points.push_back(point);
  ++def_.routes.back().points.last;
  last_ = point.at;
  has_point_ = true;
  after_via_ = false;
  return true;
}

void NetReader::drop_bad_segment() {
  parts_.complaints().add(
      tokens_.offset(), "LEFD-0011",
      "A wire runs neither along an axis nor diagonally; this piece of it was dropped.");
  break_route();
}

bool NetReader::route_rect() {
  parts_.mask();
  if (!tokens_.take("(")) return parts_.damaged("RECT");
  std::array<Coord, 4> d{};
  for (Coord& c : d) {
    if (!parts_.coord(c, "RECT")) return false;
  }
  if (!tokens_.take(")") || !has_point_) return parts_.damaged("RECT");
  if (after_via_) {
    break_route();
    def_.points.push_back({.at = last_});
    ++def_.routes.back().points.last;
    after_via_ = false;
  }
  def_.shapes.push_back({.box = geometry::box_of({last_.x + d[0], last_.y + d[1]},
                                                 {last_.x + d[2], last_.y + d[3]})});
  ++def_.routes.back().shapes.last;
  return true;
}

/// Words that no via can be called, and bytes that no name holds.
bool NetReader::may_be_via() const {
  constexpr std::array<std::string_view, 6> kWords = {")",     "TAPER", "TAPERRULE",
                                                      "SHAPE", "STYLE", "ROUTED"};
  const std::string_view word = tokens_.text();
  return !to_coord(word) &&
         std::ranges::none_of(kWords, [&](std::string_view other) { return word == other; }) &&
         std::ranges::all_of(word, [](char c) { return c > ' ' && c < 0x7f; });
}

bool NetReader::route_via() {
  if (!has_point_ || !may_be_via()) return parts_.damaged("A wire");
  ViaUse via{.via = def_.via_names.id(unescaped(tokens_.text())), .at = last_};
  tokens_.advance();
  if (const auto turned = orientation_of(tokens_.text())) {
    via.orientation = *turned;
    tokens_.advance();
  }
  if (tokens_.take("DO")) {
    Coord columns = 0, rows = 0;
    if (!parts_.coord(columns, "DO")) return false;
    if (!tokens_.take("BY") || !parts_.coord(rows, "DO")) return parts_.damaged("DO");
    if (!tokens_.take("STEP") || !parts_.coord(via.step.x, "STEP") ||
        !parts_.coord(via.step.y, "STEP")) {
      return parts_.damaged("STEP");
    }
    if (columns < 1 || rows < 1 || columns > kMostArray || rows > kMostArray ||
        columns * rows > kMostCuts) {
      return parts_.damaged("DO");
    }
    via.columns = static_cast<std::int32_t>(columns);
    via.rows = static_cast<std::int32_t>(rows);
  }
  def_.vias.push_back(via);
  def_.routes.back().vias.last = parts_.vias_end();
  after_via_ = true;
  return true;
}

}  // namespace yieldloop::ingest::lefdef
