#include "ingest/readers/lefdef/lef_parts.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace yieldloop::ingest::lefdef {
namespace {

constexpr int kMostRepeats = 100'000;

template <std::size_t N>
bool is_one_of(const TokenStream& tokens, const std::array<std::string_view, N>& words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return tokens.is_like(word); });
}

constexpr std::array<std::string_view, 12> kMacroStatements = {
    "FIXEDMASK", "EEQ",   "LEQ",    "SYMMETRY",  "PROPERTY", "SOURCE",
    "POWER",     "CLASS", "ORIGIN", "GENERATOR", "GENERATE", "FUNCTION"};

constexpr std::array<std::string_view, 30> kPinStatements = {"TAPERRULE",
                                                             "NETEXPR",
                                                             "SUPPLYSENSITIVITY",
                                                             "GROUNDSENSITIVITY",
                                                             "SHAPE",
                                                             "MUSTJOIN",
                                                             "PROPERTY",
                                                             "CAPACITANCE",
                                                             "RESISTANCE",
                                                             "LEQ",
                                                             "FOREIGN",
                                                             "POWER",
                                                             "LEAKAGE",
                                                             "RISETHRESH",
                                                             "FALLTHRESH",
                                                             "RISESATCUR",
                                                             "FALLSATCUR",
                                                             "RISESLEWLIMIT",
                                                             "FALLSLEWLIMIT",
                                                             "RISEVOLTAGETHRESHOLD",
                                                             "VLO",
                                                             "VHI",
                                                             "RISERS",
                                                             "FALLRS",
                                                             "PULLDOWNRES",
                                                             "MAXDELAY",
                                                             "TIEOFFR",
                                                             "MAXLOAD",
                                                             "SCANUSE",
                                                             "CURRENTSOURCE"};

}  // namespace

void LefParts::skip_statement() {
  while (!tokens_.at_end() && !tokens_.is(";")) tokens_.advance();
  tokens_.advance();
}

void LefParts::skip_damaged() {
  tokens_.advance();
  while (!tokens_.at_end() && !tokens_.is(";") && !tokens_.is("END")) tokens_.advance();
  tokens_.take(";");
}

void LefParts::skip_to_word(std::size_t from, std::string_view word) {
  while (!tokens_.at_end() && !tokens_.is_like(word)) tokens_.advance();
  if (tokens_.at_end()) {
    complaints_.add(from, "LEFD-0005",
                    fmt::format("The file ends before {}; what came before is kept.", word));
  }
  tokens_.advance();
}

void LefParts::block(std::size_t from, std::string_view name, FunctionRef<void()> statement) {
  while (!tokens_.at_end() && !tokens_.is_like("END")) statement();
  if (tokens_.at_end()) {
    complaints_.add(from, "LEFD-0005",
                    fmt::format("The file ends inside {}; what came before is kept.",
                                name.empty() ? "a block" : shown(name)));
    return;
  }
  const std::size_t end = tokens_.offset();
  tokens_.advance();
  if (name.empty()) return;
  if (tokens_.text() != name && unescaped(tokens_.text()) != name && !tokens_.is_like(name)) {
    complaints_.add(
        end, "LEFD-0006",
        fmt::format("The block {} is closed as \"{}\".", shown(name), shown(tokens_.text())));
  }
  tokens_.advance();
}

void LefParts::skip_block(std::size_t from, std::string_view name) {
  // Blocks of these kinds may hold words END of their own, so only END and the name ends them.
  for (;;) {
    while (!tokens_.at_end() && !tokens_.is_like("END")) tokens_.advance();
    if (tokens_.at_end()) {
      complaints_.add(
          from, "LEFD-0005",
          fmt::format("The file ends inside {}; what came before is kept.", shown(name)));
      return;
    }
    tokens_.advance();
    if (tokens_.is_like(name)) break;
  }
  tokens_.advance();
}

void LefParts::damaged(std::string_view statement) {
  complaints_.add(tokens_.offset(), "LEFD-0004",
                  fmt::format("{}: \"{}\" is not what belongs here; the statement was skipped.",
                              statement, shown(tokens_.text())));
}

std::optional<double> LefParts::number(std::string_view statement) {
  const auto value = to_number(tokens_.text());
  if (!value) {
    damaged(statement);
    return std::nullopt;
  }
  tokens_.advance();
  return value;
}

bool LefParts::point(RealPoint& point, std::string_view statement) {
  const bool bracket = tokens_.take("(");
  const auto x = number(statement);
  if (!x) return false;
  const auto y = number(statement);
  if (!y) return false;
  if (bracket && !tokens_.take(")")) return damaged(statement), false;
  point = {*x, *y};
  return true;
}

bool LefParts::size(RealPoint& size) {
  const auto x = number("SIZE");
  if (!x || !tokens_.take_like("BY")) return false;
  const auto y = number("SIZE");
  if (!y) return false;
  size = {*x, *y};
  return true;
}

bool GeometryReader::statement() {
  if (tokens_.take_like("LAYER")) return layer(), true;
  if (tokens_.take_like("WIDTH")) {
    const auto width = parts_.number("WIDTH");
    width_ = width.value_or(width_);
    return finish(width.has_value(), "WIDTH");
  }
  if (tokens_.take_like("RECT")) return shape(Shape::Kind::kBox), true;
  if (tokens_.take_like("POLYGON")) return shape(Shape::Kind::kPolygon), true;
  if (tokens_.take_like("PATH")) return shape(Shape::Kind::kPath), true;
  if (tokens_.take_like("VIA")) return via(), true;
  return false;
}

bool GeometryReader::finish(bool good, std::string_view statement) {
  if (good && !tokens_.is(";")) {
    parts_.damaged(statement);
    good = false;
  }
  if (good) {
    tokens_.advance();
  } else {
    while (!tokens_.at_end() && !tokens_.is(";") && !tokens_.is("END")) tokens_.advance();
    tokens_.take(";");
  }
  return good;
}

bool GeometryReader::layer() {
  layer_name_ = unescaped(tokens_.text());
  tokens_.advance();
  // EXCEPTPGNET, SPACING and DESIGNRULEWIDTH say how near others may come.
  while (!tokens_.at_end() && !tokens_.is(";") && !tokens_.is("END")) {
    if (tokens_.is_like("EXCEPTPGNET") || tokens_.is_like("SPACING") ||
        tokens_.is_like("DESIGNRULEWIDTH") || to_number(tokens_.text())) {
      tokens_.advance();
    } else {
      parts_.damaged("LAYER");
      return finish(false, "LAYER");
    }
  }
  return finish(true, "LAYER");
}

int GeometryReader::mask() {
  if (!tokens_.take_like("MASK")) return 0;
  const auto value = to_number(tokens_.text());
  if (value) tokens_.advance();
  return static_cast<int>(std::clamp(value.value_or(0), 0.0, 999.0));
}

bool GeometryReader::steps(Steps& steps) {
  if (!tokens_.take_like("DO")) return true;
  const auto columns = parts_.number("DO");
  if (!columns || !tokens_.take_like("BY")) return false;
  const auto rows = parts_.number("DO");
  if (!rows || !tokens_.take_like("STEP") || !parts_.point(steps.step, "STEP")) return false;
  if (!(*columns >= 1 && *rows >= 1 && *columns * *rows <= kMostRepeats)) return false;
  steps.columns = static_cast<int>(*columns);
  steps.rows = static_cast<int>(*rows);
  return true;
}

bool GeometryReader::shape(Shape::Kind kind) {
  constexpr std::array<std::string_view, 3> kNames = {"RECT", "POLYGON", "PATH"};
  const std::string_view name = kNames[static_cast<std::size_t>(kind)];
  Shape shape;
  shape.kind = kind;
  shape.layer = layer_name_;
  shape.width = width_;
  shape.mask = mask();
  tokens_.take_like("ITERATE");
  while (!tokens_.at_end() && !tokens_.is(";") && !tokens_.is_like("DO")) {
    RealPoint point;
    if (!parts_.point(point, name)) return finish(false, name);
    shape.points.push_back(point);
  }
  Steps array;
  const std::size_t least = kind == Shape::Kind::kPolygon ? 3 : kind == Shape::Kind::kBox ? 2 : 1;
  const bool enough =
      shape.points.size() >= least && (kind != Shape::Kind::kBox || shape.points.size() == 2);
  if (!enough || !steps(array)) {
    parts_.damaged(name);
    return finish(false, name);
  }
  if (!finish(true, name)) return false;
  if (kind == Shape::Kind::kBox) {
    const RealPoint a = shape.points[0], b = shape.points[1];
    shape.box = {std::min(a.x, b.x), std::min(a.y, b.y), std::max(a.x, b.x), std::max(a.y, b.y)};
    shape.points.clear();
  }
  repeat(shape, array);
  return true;
}

void GeometryReader::repeat(const Shape& shape, const Steps& steps) {
  for (int row = 0; row < steps.rows; ++row) {
    for (int column = 0; column < steps.columns; ++column) {
      const double dx = steps.step.x * column, dy = steps.step.y * row;
      Shape copy = shape;
      copy.box = {shape.box.x_min + dx, shape.box.y_min + dy, shape.box.x_max + dx,
                  shape.box.y_max + dy};
      for (RealPoint& p : copy.points) p = {p.x + dx, p.y + dy};
      geometry_.shapes.push_back(std::move(copy));
    }
  }
}

bool GeometryReader::via() {
  mask();
  tokens_.take_like("ITERATE");
  PlacedVia via;
  if (!parts_.point(via.at, "VIA")) return finish(false, "VIA");
  via.via = unescaped(tokens_.text());
  tokens_.advance();
  Steps array;
  if (!steps(array)) {
    parts_.damaged("VIA");
    return finish(false, "VIA");
  }
  if (!finish(true, "VIA")) return false;
  for (int row = 0; row < array.rows; ++row) {
    for (int column = 0; column < array.columns; ++column) {
      geometry_.vias.push_back(
          {via.via, {via.at.x + array.step.x * column, via.at.y + array.step.y * row}});
    }
  }
  return true;
}

void ViaReader::head() {
  while (tokens_.is_like("DEFAULT") || tokens_.is_like("GENERATED") ||
         tokens_.is_like("TOPOFSTACKONLY")) {
    via_.is_default = via_.is_default || tokens_.is_like("DEFAULT");
    tokens_.advance();
  }
}

bool ViaReader::finish(bool good) {
  if (!good || !tokens_.is(";")) parts_.damaged("VIA");
  parts_.skip_statement();
  return true;
}

bool ViaReader::parameter(GeneratedVia& g) {
  if (tokens_.take_like("CUTSIZE")) return finish(parts_.point(g.cut_size, "CUTSIZE"));
  if (tokens_.take_like("CUTSPACING")) return finish(parts_.point(g.cut_spacing, "CUTSPACING"));
  if (tokens_.take_like("ORIGIN")) return finish(parts_.point(g.origin, "ORIGIN"));
  if (tokens_.take_like("ENCLOSURE")) {
    return finish(parts_.point(g.bottom_enclosure, "ENCLOSURE") &&
                  parts_.point(g.top_enclosure, "ENCLOSURE"));
  }
  if (tokens_.take_like("OFFSET")) {
    return finish(parts_.point(g.bottom_offset, "OFFSET") && parts_.point(g.top_offset, "OFFSET"));
  }
  if (tokens_.take_like("LAYERS")) {
    for (std::string* layer : {&g.bottom, &g.cut, &g.top}) {
      *layer = unescaped(tokens_.text());
      tokens_.advance();
    }
    return finish(true);
  }
  if (tokens_.take_like("ROWCOL")) {
    RealPoint count;
    const bool good = parts_.point(count, "ROWCOL") && count.x >= 1 && count.y >= 1 &&
                      count.x * count.y <= kMostCuts;
    if (good) {
      g.rows = static_cast<int>(count.x);
      g.columns = static_cast<int>(count.y);
    }
    return finish(good);
  }
  if (tokens_.take_like("PATTERN")) {
    g.pattern = std::string(tokens_.text());
    tokens_.advance();
    return finish(true);
  }
  return false;
}

bool ViaReader::statement() {
  if (tokens_.take_like("VIARULE")) {
    via_.generated.emplace();
    via_.generated->rule = unescaped(tokens_.text());
    tokens_.advance();
    return finish(true);
  }
  if (via_.generated && parameter(*via_.generated)) return true;
  if (reader_.statement()) {
    for (Shape& shape : geometry_.shapes) via_.shapes.push_back(std::move(shape));
    geometry_.shapes.clear();
    return true;
  }
  if (tokens_.is_like("RESISTANCE") || tokens_.is_like("PROPERTY") || tokens_.is_like("FOREIGN") ||
      tokens_.is_like("TOPOFSTACKONLY") || tokens_.is_like("CAPACITANCE") ||
      tokens_.is_like("CURRENTDEN")) {
    if (tokens_.take_like("TOPOFSTACKONLY")) return true;
    parts_.skip_statement();
    return true;
  }
  return false;
}

void MacroReader::foreign() {
  macro_.foreign = unescaped(tokens_.text());
  tokens_.advance();
  if (!tokens_.is(";")) parts_.point(macro_.foreign_at, "FOREIGN");
}

bool MacroReader::statement() {
  const std::size_t from = tokens_.offset();
  if (tokens_.take_like("PIN")) return pin(from), true;
  if (tokens_.take_like("OBS")) return geometry_block(from, "OBS", macro_.obstructions), true;
  if (tokens_.take_like("SIZE")) {
    if (!parts_.size(macro_.size)) parts_.damaged("SIZE");
  } else if (tokens_.take_like("ORIGIN")) {
    parts_.point(macro_.origin, "ORIGIN");
  } else if (tokens_.take_like("FOREIGN")) {
    foreign();
  } else if (tokens_.take_like("SITE")) {
    macro_.site = unescaped(tokens_.text());
  } else if (tokens_.take_like("CLASS")) {
    macro_.macro_class = std::string(tokens_.text());
  } else if (tokens_.take_like("DENSITY")) {
    Geometry densities;
    return geometry_block(from, "DENSITY", densities), true;
  } else if (tokens_.is_like("TIMING")) {
    tokens_.advance();
    return parts_.skip_block(from, "TIMING"), true;
  } else if (!is_one_of(tokens_, kMacroStatements)) {
    return false;
  }
  parts_.skip_statement();
  return true;
}

void MacroReader::geometry_block(std::size_t from, std::string_view name, Geometry& geometry) {
  GeometryReader reader(tokens_, parts_, geometry);
  // A density's RECT has a value behind its corners.
  const bool density = name == "DENSITY";
  parts_.block(from, "", [&] {
    if (!density && reader.statement()) return;
    if (!density && !tokens_.is_like("CLASS") && !tokens_.is_like("PROPERTY")) {
      parts_.damaged(name);
      return parts_.skip_damaged();
    }
    parts_.skip_statement();
  });
}

void MacroReader::pin(std::size_t from) {
  MacroPin pin;
  pin.name = unescaped(tokens_.text());
  tokens_.advance();
  parts_.block(from, pin.name, [&] {
    if (!pin_statement(pin)) {
      parts_.damaged("PIN");
      parts_.skip_damaged();
    }
  });
  macro_.pins.push_back(std::move(pin));
}

bool MacroReader::pin_statement(MacroPin& pin) {
  const std::size_t from = tokens_.offset();
  if (tokens_.take_like("PORT")) return geometry_block(from, "PORT", pin.geometry), true;
  if (tokens_.take_like("DIRECTION")) {
    pin.direction = std::string(tokens_.text());
  } else if (tokens_.take_like("USE")) {
    pin.use = std::string(tokens_.text());
  } else if (!tokens_.text().starts_with("ANTENNA") && !is_one_of(tokens_, kPinStatements)) {
    return false;
  }
  parts_.skip_statement();
  return true;
}

}  // namespace yieldloop::ingest::lefdef
