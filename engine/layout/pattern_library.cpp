#include "engine/layout/pattern_library.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <tuple>

#include "engine/layout/layout_builder.h"

namespace yieldloop::layout {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSchema = "yieldloop.pattern_library/1";

Error other_unit(double pattern, double layout) {
  return {Errc::kInvalidOptions, "PATL-0003",
          fmt::format("Patterns of {:g} um a unit and {:g} um a unit cannot be put together; use "
                      "layouts and libraries of one database unit.",
                      pattern, layout)};
}

Json keys_json(const std::vector<LayerKey>& keys) {
  Json list = Json::array();
  for (const LayerKey& key : keys) list.push_back(to_string(key));
  return list;
}

Json kinds_json(PointKindSet kinds) {
  Json list = Json::array();
  for (std::size_t k = 0; k < kPointKinds; ++k) {
    if (kinds >> k & 1u) list.push_back(std::string(to_string(static_cast<PointKind>(k))));
  }
  return list;
}

Json points_json(const std::vector<Point>& points) {
  Json list = Json::array();
  for (const Point p : points) list.push_back({p.x, p.y});
  return list;
}

Json pattern_json(const KnownPattern& p) {
  const PatternRule& r = p.rule;
  Json layers = Json::array();
  for (std::uint32_t k = 0; k < r.layers.size(); ++k) {
    Json rings = Json::array();
    for (const Polygon& ring : clip_rings(p.words, k, r.radius)) rings.push_back(points_json(ring));
    layers.push_back(std::move(rings));
  }
  return {{"id", p.id},
          {"name", p.name},
          {"note", p.note},
          {"source", p.source},
          {"occurrences", p.occurrences},
          {"kinds", kinds_json(p.kinds)},
          {"dbu_um", r.dbu_um},
          {"radius", r.radius},
          {"layers", keys_json(r.layers)},
          {"via_layers", keys_json(r.via_layers)},
          {"places_of",
           {{"kinds", kinds_json(r.kinds)},
            {"line_end", r.line_end},
            {"jog", r.jog},
            {"space", r.space},
            {"width", r.width},
            {"via", r.via}}},
          {"rings_half_units", std::move(layers)},
          {"places_half_units", points_json(p.places)}};
}

/// Throws Json::exception for anything that is not there or of another kind.
std::vector<LayerKey> keys_of(const Json& json) {
  std::vector<LayerKey> keys;
  for (const Json& entry : json) {
    const auto key = parse_layer_key(entry.get<std::string>());
    if (!key) throw Json::other_error::create(501, "a layer is not LAYER/DATATYPE", &entry);
    keys.push_back(*key);
  }
  return keys;
}

PointKindSet kinds_of(const Json& json) {
  unsigned kinds = 0;
  for (const Json& entry : json) kinds |= parse_point_kind(entry.get<std::string>()).value_or(0);
  return static_cast<PointKindSet>(kinds);
}

/// Coordinates of places that fit a layout, of rings that fit a clip.
std::vector<Point> points_of(const Json& json, Coord most) {
  std::vector<Point> points;
  for (const Json& entry : json) {
    const Point p{entry.at(0).get<Coord>(), entry.at(1).get<Coord>()};
    if (p.x > most || p.x < -most || p.y > most || p.y < -most) {
      throw Json::other_error::create(501, "a coordinate is out of range", &entry);
    }
    points.push_back(p);
  }
  return points;
}

PatternRule rule_of(const Json& json) {
  const Json& places = json.at("places_of");
  PatternRule r;
  r.dbu_um = json.at("dbu_um").get<double>();
  r.layers = keys_of(json.at("layers"));
  r.via_layers = keys_of(json.at("via_layers"));
  r.radius = json.at("radius").get<Coord>();
  r.kinds = kinds_of(places.at("kinds"));
  r.line_end = places.at("line_end").get<Coord>();
  r.jog = places.at("jog").get<Coord>();
  r.space = places.at("space").get<Coord>();
  r.width = places.at("width").get<Coord>();
  r.via = places.at("via").get<Coord>();
  return r;
}

Result<KnownPattern> pattern_of(const Json& json) {
  KnownPattern p;
  p.id = json.at("id").get<std::string>();
  p.name = json.value("name", "");
  p.note = json.value("note", "");
  p.source = json.value("source", "");
  p.occurrences = json.at("occurrences").get<std::uint64_t>();
  p.kinds = kinds_of(json.at("kinds"));
  p.rule = rule_of(json);
  p.places = points_of(json.at("places_half_units"), Coord{1} << 33);
  std::vector<std::vector<Polygon>> rings;
  const bool known = p.rule.radius >= 1 && p.rule.radius <= kMaxClipRadius &&
                     p.rule.layers.size() <= kMaxClipLayers &&
                     json.at("rings_half_units").size() == p.rule.layers.size();
  if (known) {
    for (const Json& layer : json.at("rings_half_units")) {
      rings.emplace_back();
      for (const Json& ring : layer) rings.back().push_back(points_of(ring, 2 * p.rule.radius));
    }
    p.words = canonical_clip(words_of_rings(rings, p.rule.radius));
  }
  if (!known || pattern_id(p.words, p.rule.radius, p.rule.layers.size()) != p.id) {
    return Error{Errc::kFormat, "PATL-0002",
                 fmt::format("The geometry of pattern {} does not give that id: restore it or take "
                             "the pattern out of the library.",
                             p.id)};
  }
  return p;
}

auto key_of(const KnownPattern& p) { return std::tie(p.id, p.rule.layers); }

/// Rings as polygons without holes; a clip with holes as rectangles.
void draw(LayoutBuilder& builder, CellIndex cell, LayerKey key, const KnownPattern& p,
          std::uint32_t layer, Point middle) {
  const auto rings = clip_rings(p.words, layer, p.rule.radius);
  const bool holes = std::ranges::any_of(
      rings, [](const Polygon& ring) { return geometry::signed_area2(ring) < 0.0; });
  if (holes) {
    for (const geometry::Rect& r : clip_rects(p.words, layer, p.rule.radius)) {
      builder.add_box(cell, key,
                      Box{std::llround(r.x_min), std::llround(r.y_min), std::llround(r.x_max),
                          std::llround(r.y_max)}
                          .moved(middle));
    }
    return;
  }
  for (const Polygon& ring : rings) {
    std::vector<Point32> points;
    for (const Point q : ring) points.push_back(geometry::narrow(q + middle));
    builder.add_polygon(cell, key, points);
  }
}

LayerKey free_layer(const PatternLibrary& library) {
  LayerKey key{255, 0};
  const auto used = [&] {
    return std::ranges::any_of(library.patterns, [&](const KnownPattern& p) {
      return std::ranges::find(p.rule.layers, key) != p.rule.layers.end();
    });
  };
  while (used()) ++key.datatype;
  return key;
}

}  // namespace

PatternRule rule_of(const Layout& layout, const PatternSpec& spec) {
  PatternRule r;
  r.dbu_um = layout.dbu_um();
  for (const LayerIndex layer : spec.layers) r.layers.push_back(layout.layers()[layer]);
  for (const LayerIndex layer : spec.via_layers) r.via_layers.push_back(layout.layers()[layer]);
  r.radius = spec.radius;
  r.kinds = spec.kinds;
  r.line_end = spec.line_end, r.jog = spec.jog, r.space = spec.space;
  r.width = spec.width, r.via = spec.via;
  return r;
}

Result<PatternSpec> spec_of(const Layout& layout, const PatternRule& rule) {
  if (std::abs(layout.dbu_um() / rule.dbu_um - 1.0) > 1e-9) {
    return other_unit(rule.dbu_um, layout.dbu_um());
  }
  PatternSpec s;
  for (const LayerKey& key : rule.layers) {
    YL_ASSIGN(const LayerIndex layer, require_layer(layout, key));
    s.layers.push_back(layer);
  }
  for (const LayerKey& key : rule.via_layers) {
    YL_ASSIGN(const LayerIndex layer, require_layer(layout, key));
    s.via_layers.push_back(layer);
  }
  s.radius = rule.radius;
  s.kinds = rule.kinds;
  s.line_end = rule.line_end, s.jog = rule.jog, s.space = rule.space;
  s.width = rule.width, s.via = rule.via;
  return s;
}

Result<PatternLibrary> parse_library(std::string_view text) {
  PatternLibrary library;
  try {
    const Json json = Json::parse(text);
    if (json.at("schema").get<std::string>() != kSchema) {
      return Error{Errc::kFormat, "PATL-0001",
                   fmt::format("This is no pattern library of schema {}; give one that "
                               "`yieldloop patterns --library` wrote.",
                               kSchema)};
    }
    for (const Json& entry : json.at("patterns")) {
      YL_ASSIGN(auto pattern, pattern_of(entry));
      library.patterns.push_back(std::move(pattern));
    }
  } catch (const Json::exception& e) {
    return Error{Errc::kFormat, "PATL-0001",
                 fmt::format("The pattern library cannot be read: {}; restore it.", e.what())};
  }
  return library;
}

std::string library_text(const PatternLibrary& library) {
  Json patterns = Json::array();
  for (const KnownPattern& p : library.patterns) patterns.push_back(pattern_json(p));
  return Json{{"schema", kSchema}, {"patterns", std::move(patterns)}}.dump(1) + "\n";
}

std::size_t add_patterns(PatternLibrary& library, std::vector<KnownPattern> patterns) {
  std::size_t added = 0;
  for (KnownPattern& p : patterns) {
    const auto known = std::ranges::find_if(
        library.patterns, [&](const KnownPattern& k) { return key_of(k) == key_of(p); });
    if (known == library.patterns.end()) {
      library.patterns.push_back(std::move(p));
      ++added;
      continue;
    }
    p.name = std::move(known->name);
    p.note = std::move(known->note);
    *known = std::move(p);
  }
  return added;
}

Result<ClipSheet> clips_layout(const PatternLibrary& library) {
  ClipSheet sheet;
  sheet.frame_layer = free_layer(library);
  const double dbu = library.patterns.empty() ? 0.001 : library.patterns.front().rule.dbu_um;
  Coord radius = 1;
  for (const KnownPattern& p : library.patterns) {
    if (p.rule.dbu_um != dbu) return other_unit(p.rule.dbu_um, dbu);
    radius = std::max(radius, p.rule.radius);
  }
  LayoutBuilder builder(dbu / 2.0);
  builder.set_library_name("PATTERNS");
  const CellIndex top = builder.add_cell("PATTERNS");
  const auto columns = static_cast<std::size_t>(
      std::ceil(std::sqrt(static_cast<double>(std::max<std::size_t>(1, library.patterns.size())))));
  const Coord pitch = 6 * radius;
  for (std::size_t i = 0; i < library.patterns.size(); ++i) {
    const KnownPattern& p = library.patterns[i];
    const Point middle{pitch * static_cast<Coord>(i % columns),
                       -pitch * static_cast<Coord>(i / columns)};
    const Box frame = Box{middle.x, middle.y, middle.x, middle.y}.enlarged(2 * p.rule.radius);
    builder.add_box(top, sheet.frame_layer, frame);
    builder.add_text(top, sheet.frame_layer, geometry::narrow(Point{frame.x_min, frame.y_min}),
                     p.name.empty() ? p.id : p.id + " " + p.name);
    for (std::uint32_t k = 0; k < p.rule.layers.size(); ++k) {
      draw(builder, top, p.rule.layers[k], p, k, middle);
    }
    sheet.frames.push_back({i, frame});
  }
  YL_ASSIGN(sheet.layout, builder.build());
  return sheet;
}

Result<std::vector<LibraryMatch>> match_library(const FlatView& view, const PatternLibrary& library,
                                                const std::optional<Box>& window, std::size_t most,
                                                Progress& progress) {
  std::vector<LibraryMatch> matches(library.patterns.size());
  std::vector<bool> done(matches.size(), false);
  for (std::size_t i = 0; i < matches.size(); ++i) {
    matches[i].pattern = i;
    if (done[i]) continue;
    std::vector<std::size_t> alike;
    std::vector<ClipWords> words;
    for (std::size_t k = i; k < matches.size(); ++k) {
      if (done[k] || library.patterns[k].rule != library.patterns[i].rule) continue;
      done[k] = true;
      alike.push_back(k);
      words.push_back(library.patterns[k].words);
    }
    const auto spec = spec_of(view.layout(), library.patterns[i].rule);
    if (!spec && spec.error().code == Errc::kNotFound) continue;
    if (!spec) return spec.error();
    YL_ASSIGN(const auto found, find_patterns(view, *spec, words, window, most, progress));
    for (std::size_t k = 0; k < alike.size(); ++k) matches[alike[k]].count = found.counts[k];
    for (const PatternPlace& p : found.places) {
      matches[alike[p.pattern]].places.push_back(p.point.twice);
    }
  }
  return matches;
}

}  // namespace yieldloop::layout
