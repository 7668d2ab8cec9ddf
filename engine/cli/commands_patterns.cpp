#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/console.h"
#include "engine/cli/open_scope.h"
#include "engine/cli/pattern_files.h"
#include "engine/core/text.h"
#include "engine/layout/clip_clusters.h"
#include "ingest/pipeline/read_layout.h"

namespace yieldloop::cli {
namespace {

using Json = nlohmann::ordered_json;

/// A layout with the names its layers have for the user.
struct Subject {
  std::shared_ptr<const layout::Layout> layout;
  std::optional<layout::FlatView> view;
  Product product;
};

/// The census at one radius with what was grouped.
struct RadiusResult {
  double radius_um = 0.0;
  layout::ClipCensus census;
  std::optional<layout::ClipClusters> clusters;
};

Result<Subject> open_subject(const Context& context, const PatternArguments& a,
                             Progress& progress) {
  Subject s;
  if (!a.layout.empty()) {
    ingest::Rejects rejects;
    auto read = ingest::read_layout(real_file_system(), a.layout, rejects);
    if (!read)
      return Error{read.error().code, read.error().id, a.layout + ": " + read.error().message};
    s.layout = std::make_shared<const layout::Layout>(std::move(*read));
    YL_ASSIGN(s.view, layout::view_of(*s.layout));
    return s;
  }
  YL_ASSIGN(auto opened, open_for(context, a.scope, store::Store::Mode::kRead));
  YL_ASSIGN(const auto analysis, session::open_scope(opened.snapshot, opened.scope, progress));
  s.layout = analysis.layout;
  s.view = analysis.view();
  s.product = analysis.fab.data.product;
  if (!s.view) {
    return Error{
        Errc::kNoData, "CPAT-0001",
        fmt::format("The store holds no layout of {}: ingest the file that product.toml names.",
                    s.product.name)};
  }
  return s;
}

Result<layout::LayerIndex> find_layer(const Subject& s, const std::string& name) {
  const auto it = std::ranges::find(s.product.layers, name, &ProductLayer::name);
  if (it != s.product.layers.end())
    return layout::require_layer(*s.layout, {it->gds_layer, it->gds_datatype});
  if (const auto key = layout::parse_layer_key(name)) return layout::require_layer(*s.layout, *key);
  return Error{
      Errc::kInvalidOptions, "CPAT-0002",
      fmt::format("\"{}\" is no layer: write LAYER/DATATYPE, e.g. 31/0, or a name of product.toml.",
                  name)};
}

Result<layout::PointKindSet> kinds_of(const std::string& list) {
  if (list.empty()) return layout::kAllPointKinds;
  unsigned kinds = 0;
  for (const std::string_view name : split(list, ',')) {
    const auto kind = layout::parse_point_kind(trim(name));
    if (!kind) {
      return Error{Errc::kInvalidOptions, "CPAT-0003",
                   fmt::format("\"{}\" is no kind of place; they are line_end, corner, "
                               "outer_corner, inner_corner, jog, narrow_space, narrow_width, via.",
                               trim(name))};
    }
    kinds |= *kind;
  }
  return static_cast<layout::PointKindSet>(kinds);
}

/// Database units; 0 stays 0, anything else is at least one.
Result<geometry::Coord> units(double um, double dbu, std::string_view what) {
  const double value = um / dbu;
  if (!(value >= 0.0) || value > 1e9) {
    return Error{
        Errc::kInvalidOptions, "CPAT-0004",
        fmt::format("{} of {:g} um cannot be used; give a length of 0 or more.", what, um)};
  }
  return um == 0.0 ? 0 : std::max<geometry::Coord>(1, std::llround(value));
}

Result<layout::PatternSpec> spec_of(const Subject& s, const PatternArguments& a, double radius_um) {
  layout::PatternSpec spec;
  if (a.layers.empty()) {
    return Error{Errc::kInvalidOptions, "CPAT-0005",
                 "Name the layers of the clips with --layer LAYER/DATATYPE, the one whose places "
                 "are looked at first."};
  }
  const double dbu = s.layout->dbu_um();
  for (const std::string& name : a.layers) {
    YL_ASSIGN(const auto layer, find_layer(s, name));
    spec.layers.push_back(layer);
  }
  for (const std::string& name : a.via_layers) {
    YL_ASSIGN(const auto layer, find_layer(s, name));
    spec.via_layers.push_back(layer);
    if (std::ranges::find(spec.layers, layer) == spec.layers.end()) spec.layers.push_back(layer);
  }
  YL_ASSIGN(spec.kinds, kinds_of(a.kinds));
  YL_ASSIGN(spec.radius, units(radius_um, dbu, "A radius"));
  YL_ASSIGN(spec.line_end, units(a.line_end_um, dbu, "A line end"));
  YL_ASSIGN(spec.jog, units(a.jog_um, dbu, "A jog"));
  YL_ASSIGN(spec.space, units(a.space_um, dbu, "A space"));
  YL_ASSIGN(spec.width, units(a.width_um, dbu, "A width"));
  YL_ASSIGN(spec.via, units(a.via_um, dbu, "A via"));
  return spec;
}

Result<RadiusResult> count(const Subject& s, const PatternArguments& a, double radius_um,
                           Progress& progress) {
  layout::ClipCensusOptions options;
  YL_ASSIGN(options.spec, spec_of(s, a, radius_um));
  options.min_occurrences = a.min_occurrences;
  RadiusResult r{.radius_um = radius_um, .census = {}, .clusters = {}};
  YL_ASSIGN(r.census, layout::census_clips(*s.view, options, progress));
  if (!a.fuzzy_area && !a.fuzzy_edge_um) return r;
  layout::ClusterOptions cluster{.layers = options.spec.layers.size(),
                                 .radius = options.spec.radius,
                                 .area_match = a.fuzzy_area,
                                 .edge_displacement = {}};
  if (a.fuzzy_edge_um) {
    YL_ASSIGN(cluster.edge_displacement,
              units(*a.fuzzy_edge_um, s.layout->dbu_um(), "An edge displacement"));
  }
  std::vector<layout::ClipWords> clips;
  for (const auto& c : r.census.classes) clips.push_back(c.words);
  YL_ASSIGN(r.clusters, layout::cluster_clips(clips, cluster, progress));
  return r;
}

std::string kind_names(layout::PointKindSet kinds) {
  std::string names;
  for (std::size_t k = 0; k < layout::kPointKinds; ++k) {
    if ((kinds >> k & 1u) == 0) continue;
    if (!names.empty()) names += ",";
    names += layout::to_string(static_cast<layout::PointKind>(k));
  }
  return names;
}

/// Clusters with the occurrences of all members, most first.
struct Group {
  const layout::ClipCluster* cluster;
  std::uint64_t occurrences = 0;
};
std::vector<Group> groups_of(const RadiusResult& r) {
  std::vector<Group> groups;
  for (const auto& c : r.clusters->clusters) {
    groups.push_back({&c, 0});
    for (const std::uint32_t m : c.members) {
      groups.back().occurrences += r.census.classes[m].occurrences;
    }
  }
  std::ranges::stable_sort(groups, std::greater{}, &Group::occurrences);
  return groups;
}

Json class_json(const layout::ClipClass& c) {
  return {{"id", c.id}, {"occurrences", c.occurrences}, {"kinds", kind_names(c.kinds)}};
}

Json radius_json(const RadiusResult& r, std::size_t top) {
  Json by_kind;
  for (std::size_t k = 0; k < layout::kPointKinds; ++k) {
    by_kind[std::string(layout::to_string(static_cast<layout::PointKind>(k)))] =
        r.census.by_kind[k];
  }
  Json json{{"radius_um", r.radius_um},
            {"places", r.census.places},
            {"places_by_kind", std::move(by_kind)},
            {"classes", r.census.classes.size()},
            {"rare_classes", r.census.rare_classes},
            {"patterns", Json::array()}};
  for (std::size_t i = 0; i < std::min(top, r.census.classes.size()); ++i) {
    json["patterns"].push_back(class_json(r.census.classes[i]));
  }
  if (!r.clusters) return json;
  Json groups = Json::array();
  for (const Group& g : groups_of(r)) {
    if (groups.size() == top) break;
    groups.push_back({{"representative", r.census.classes[g.cluster->representative].id},
                      {"classes", g.cluster->members.size()},
                      {"occurrences", g.occurrences}});
  }
  json["groups"] = {{"count", r.clusters->clusters.size()},
                    {"smallest_possible", r.clusters->exact},
                    {"pairs", r.clusters->pairs},
                    {"pairs_compared", r.clusters->compared},
                    {"pairs_matching", r.clusters->matching},
                    {"largest", std::move(groups)}};
  return json;
}

std::string radius_text(const RadiusResult& r, std::size_t top) {
  std::string text =
      fmt::format("Radius {:g} um: {} places in {} classes{}.\n", r.radius_um, r.census.places,
                  r.census.classes.size() + r.census.rare_classes,
                  r.census.rare_classes > 0
                      ? fmt::format(", {} of them rarer than asked", r.census.rare_classes)
                      : "");
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < std::min(top, r.census.classes.size()); ++i) {
    const auto& c = r.census.classes[i];
    rows.push_back({c.id, fmt::format("{}", c.occurrences), kind_names(c.kinds)});
  }
  text += text_table({"pattern", "occurrences", "places"}, rows);
  if (!r.clusters) return text;
  const auto& c = *r.clusters;
  text += fmt::format(
      "{} clips stand for all{}; {} of {} pairs were compared ({:.3f} %).\n", c.clusters.size(),
      c.exact ? ", fewer cannot" : "", c.compared, c.pairs,
      c.pairs > 0 ? 100.0 * static_cast<double>(c.compared) / static_cast<double>(c.pairs) : 0.0);
  rows.clear();
  for (const Group& g : groups_of(r)) {
    if (rows.size() == top) break;
    rows.push_back({r.census.classes[g.cluster->representative].id,
                    fmt::format("{}", g.cluster->members.size()),
                    fmt::format("{}", g.occurrences)});
  }
  return text + text_table({"representative", "classes", "occurrences"}, rows);
}

/// The most frequent classes, or the representatives of the largest groups, for the library.
std::vector<layout::KnownPattern> kept_patterns(const Subject& s, const PatternArguments& a,
                                                const RadiusResult& r) {
  std::vector<layout::KnownPattern> kept;
  const auto keep = [&](const layout::ClipClass& c) {
    layout::KnownPattern p;
    p.id = c.id;
    p.source = a.layout.empty() ? s.product.name : fs::path(a.layout).filename().string();
    p.rule = layout::rule_of(*s.layout, r.census.spec);
    p.kinds = c.kinds;
    p.words = c.words;
    p.occurrences = c.occurrences;
    kept.push_back(std::move(p));
  };
  if (r.clusters) {
    for (const Group& g : groups_of(r)) {
      if (kept.size() < a.top) keep(r.census.classes[g.cluster->representative]);
    }
  } else {
    for (std::size_t i = 0; i < std::min(a.top, r.census.classes.size()); ++i) {
      keep(r.census.classes[i]);
    }
  }
  return kept;
}

/// With up to `a.places` places of each.
Status add_places(const Subject& s, const PatternArguments& a, const RadiusResult& r,
                  std::vector<layout::KnownPattern>& kept, Progress& progress) {
  if (a.places == 0 || kept.empty()) return Ok{};
  std::vector<layout::ClipWords> words;
  for (const auto& p : kept) words.push_back(p.words);
  YL_ASSIGN(const auto found,
            layout::find_patterns(*s.view, r.census.spec, words, std::nullopt, a.places, progress));
  for (const auto& p : found.places) kept[p.pattern].places.push_back(p.point.twice);
  return Ok{};
}

Result<std::string> match_text(const Context& context, const Subject& s, const PatternArguments& a,
                               Progress& progress) {
  YL_ASSIGN(const auto library, read_pattern_library(a.match));
  YL_ASSIGN(const auto matches,
            layout::match_library(*s.view, library, std::nullopt, a.places, progress));
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& m : matches) {
    const auto& p = library.patterns[m.pattern];
    rows.push_back({p.id, p.name, fmt::format("{}", m.count), fmt::format("{}", p.occurrences)});
    Json places = Json::array();
    const double half = s.layout->dbu_um() / 2.0;
    for (const auto at : m.places) {
      places.push_back({static_cast<double>(at.x) * half, static_cast<double>(at.y) * half});
    }
    list.push_back({{"id", p.id},
                    {"name", p.name},
                    {"note", p.note},
                    {"occurrences", m.count},
                    {"occurrences_in_library", p.occurrences},
                    {"places_um", std::move(places)}});
  }
  if (context.json) {
    return Json{{"schema", "yieldloop.pattern_matches/1"}, {"patterns", std::move(list)}}.dump(1);
  }
  return text_table({"pattern", "name", "occurrences", "in the library"}, rows);
}

Result<std::string> compute(const Context& context, const PatternArguments& a, Progress& progress) {
  YL_ASSIGN(const Subject subject, open_subject(context, a, progress));
  if (!a.match.empty()) return match_text(context, subject, a, progress);
  Json radii = Json::array();
  std::string text;
  std::vector<layout::KnownPattern> kept;
  for (const double radius : a.radii_um) {
    YL_ASSIGN(const RadiusResult r, count(subject, a, radius, progress));
    radii.push_back(radius_json(r, a.top));
    text += radius_text(r, a.top);
    if (a.library.empty() && a.exported.empty()) continue;
    auto patterns = kept_patterns(subject, a, r);
    YL_TRY(add_places(subject, a, r, patterns, progress));
    std::ranges::move(patterns, std::back_inserter(kept));
  }
  if (!a.exported.empty()) YL_TRY(write_clips(a.exported, {kept}));
  if (!a.library.empty()) YL_TRY(update_pattern_library(a.library, std::move(kept)));
  if (!context.json) return text;
  return Json{{"schema", "yieldloop.patterns/1"}, {"layers", a.layers}, {"radii", std::move(radii)}}
      .dump(1);
}

}  // namespace

ExitStatus run_patterns(const Context& context, const PatternArguments& arguments) {
  ConsoleProgress progress(context.quiet);
  const auto text = compute(context, arguments, progress);
  return text ? print(*text) : fail(text.error());
}

}  // namespace yieldloop::cli
