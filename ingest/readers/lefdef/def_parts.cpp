#include "ingest/readers/lefdef/def_parts.h"

#include <array>

namespace yieldloop::ingest::lefdef {
namespace {

constexpr std::array<std::pair<std::string_view, Orientation>, 8> kOrientations = {
    {{"N", Orientation::kR0},
     {"W", Orientation::kR90},
     {"S", Orientation::kR180},
     {"E", Orientation::kR270},
     {"FS", Orientation::kM0},
     {"FW", Orientation::kM90},
     {"FN", Orientation::kM180},
     {"FE", Orientation::kM270}}};

}  // namespace

std::optional<Orientation> orientation_of(std::string_view word) {
  for (const auto& [name, orientation] : kOrientations) {
    if (name == word) return orientation;
  }
  // R0 ... MY90 are what OpenAccess and some writers say.
  constexpr std::array<std::pair<std::string_view, Orientation>, 8> kOther = {
      {{"R0", Orientation::kR0},
       {"R90", Orientation::kR90},
       {"R180", Orientation::kR180},
       {"R270", Orientation::kR270},
       {"MX", Orientation::kM0},
       {"MX90", Orientation::kM90},
       {"MY", Orientation::kM180},
       {"MY90", Orientation::kM270}}};
  for (const auto& [name, orientation] : kOther) {
    if (name == word) return orientation;
  }
  return std::nullopt;
}

std::string_view to_word(Orientation orientation) {
  for (const auto& [name, known] : kOrientations) {
    if (known == orientation) return name;
  }
  return "N";
}

std::uint32_t Names::id(std::string_view text) {
  const auto it = index_.find(text);
  if (it != index_.end()) return it->second;
  const auto id = static_cast<std::uint32_t>(texts_.size());
  texts_.emplace_back(text);
  index_.emplace(std::string(text), id);
  return id;
}

std::uint32_t Names::find(std::string_view text) const {
  const auto it = index_.find(text);
  return it == index_.end() ? kNone : it->second;
}

bool DefParts::damaged(std::string_view what) {
  complaints_.add(tokens_.offset(), "LEFD-0004",
                  fmt::format("{}: \"{}\" is not what belongs here; the statement was skipped.",
                              what, shown(tokens_.text())));
  return false;
}

void DefParts::skip_entry() {
  while (!at_border() && !tokens_.is(";")) tokens_.advance();
  tokens_.take(";");
}

void DefParts::skip_option() {
  while (!at_border() && !tokens_.is("+") && !tokens_.is(";")) tokens_.advance();
}

bool DefParts::close_entry(std::string_view what) {
  if (tokens_.take(";")) return true;
  damaged(what);
  skip_entry();
  return false;
}

bool DefParts::name(std::string& into) {
  if (tokens_.at_end() || tokens_.is(";") || tokens_.is("+")) return damaged("A name");
  into = unescaped(tokens_.text());
  tokens_.advance();
  return true;
}

bool DefParts::coord(Coord& into, std::string_view what) {
  const auto value = to_coord(tokens_.text());
  if (!value) return damaged(what);
  into = *value;
  tokens_.advance();
  return true;
}

bool DefParts::real(double& into, std::string_view what) {
  const auto value = to_number(tokens_.text());
  if (!value) return damaged(what);
  into = *value;
  tokens_.advance();
  return true;
}

bool DefParts::point(Point& into, std::string_view what, Point last) {
  if (!tokens_.take("(")) return damaged(what);
  into = last;
  if (!tokens_.take("*") && !coord(into.x, what)) return false;
  if (!tokens_.take("*") && !coord(into.y, what)) return false;
  return tokens_.take(")") || damaged(what);
}

bool DefParts::box(Box& into, std::string_view what) {
  Point a, b;
  if (!point(a, what) || !point(b, what, a)) return false;
  into = geometry::box_of(a, b);
  return true;
}

bool DefParts::polygon(Polygon& into, std::string_view what) {
  Point last;
  while (tokens_.is("(")) {
    if (!point(last, what, last)) return false;
    into.push_back(last);
  }
  return into.size() >= 3 || damaged(what);
}

bool DefParts::placement(Point& at, Orientation& orientation) {
  if (!point(at, "A placement")) return false;
  const auto found = orientation_of(tokens_.text());
  if (!found) return damaged("An orientation");
  orientation = *found;
  tokens_.advance();
  return true;
}

void DefParts::mask() {
  if (!tokens_.take("MASK")) return;
  if (to_coord(tokens_.text())) tokens_.advance();
}

std::uint32_t DefParts::layer() {
  const std::uint32_t id = def_.layers.id(unescaped(tokens_.text()));
  tokens_.advance();
  return id;
}

bool DefParts::add_box(std::uint32_t layer, std::string_view what, std::vector<DrawnShape>& into) {
  DrawnShape shape{.layer = layer};
  if (!box(shape.box, what)) return false;
  into.push_back(shape);
  return true;
}

bool DefParts::add_polygon(std::uint32_t layer, std::string_view what,
                           std::vector<DrawnShape>& into) {
  Polygon points;
  if (!polygon(points, what)) return false;
  DrawnShape shape{.layer = layer, .polygon = static_cast<std::uint32_t>(def_.polygons.size())};
  for (const Point& p : points) shape.box.include(p);
  def_.polygons.push_back(std::move(points));
  into.push_back(shape);
  return true;
}

}  // namespace yieldloop::ingest::lefdef
