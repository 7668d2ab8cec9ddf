#include "engine/tracing/pattern_census.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/core/sha256.h"
#include "engine/layout/pattern_classes.h"

namespace yieldloop::tracing {
namespace {

using geometry::Box;
using geometry::Coord;
using geometry::Point;

struct Scale {
  double dbu_um = 0.001;
  Coord min_space = 0;
  Coord max_space = 0;
  std::vector<Coord> radii;
  Coord of(double um) const { return std::llround(um / dbu_um); }
};

Result<Scale> scale_of(const layout::FlatView& view, layout::LayerIndex layer, const Box& window,
                       const CensusOptions& options, Progress& progress) {
  Scale s;
  s.dbu_um = view.layout().dbu_um();
  const bool radii_good = std::ranges::all_of(options.radii_um, [](double r) { return r > 0.0; });
  if (options.space_factor < 1.0 || options.search_um <= 0.0 || options.min_space_um < 0.0 ||
      !radii_good || options.min_occurrences < 1) {
    return Error{
        Errc::kInvalidOptions, "PATC-0002",
        "The pattern census needs positive radii and a space factor of at least 1; correct "
        "the options."};
  }
  s.min_space = s.of(options.min_space_um);
  if (s.min_space == 0) {
    YL_ASSIGN(s.min_space, smallest_space(view, layer, window, s.of(options.search_um), progress));
  }
  if (s.min_space == 0) {
    return Error{
        Errc::kNoData, "PATC-0001",
        fmt::format("Nothing on layer {} comes within {} um of anything else, so there are "
                    "no patterns to count.",
                    layout::to_string(view.layout().layers()[layer]), options.search_um)};
  }
  s.max_space = std::llround(options.space_factor * static_cast<double>(s.min_space));
  for (const double r : options.radii_um) s.radii.push_back(std::max<Coord>(1, s.of(r)));
  if (s.radii.empty()) s.radii = {5 * s.min_space / 2, 5 * s.min_space};
  std::ranges::sort(s.radii);
  if (s.radii.back() > layout::kMaxClipRadius) {
    return Error{Errc::kInvalidOptions, "PATC-0003",
                 fmt::format("A clip of radius {} um is more than the census can hold; ask for {} "
                             "um at most.",
                             static_cast<double>(s.radii.back()) * s.dbu_um,
                             static_cast<double>(layout::kMaxClipRadius) * s.dbu_um)};
  }
  return s;
}

void add_class(std::string id, double radius_um, const Scale& scale,
               std::vector<std::uint32_t> anchors, const CensusOptions& options,
               PatternCensus& census) {
  if (static_cast<std::int64_t>(anchors.size()) < options.min_occurrences) {
    ++census.rare;
    return;
  }
  const Anchor& first = census.anchors[anchors.front()];
  census.classes.push_back({std::move(id), radius_um, first.kind,
                            static_cast<double>(first.space) * scale.dbu_um, std::move(anchors)});
}

void add_plain_classes(const Scale& scale, const CensusOptions& options, PatternCensus& census) {
  std::map<std::pair<GapKind, Coord>, std::vector<std::uint32_t>> members;
  for (std::uint32_t i = 0; i < census.anchors.size(); ++i) {
    members[{census.anchors[i].kind, census.anchors[i].space}].push_back(i);
  }
  for (auto& [key, anchors] : members) {
    const auto text = fmt::format("kind {} space {}", static_cast<int>(key.first), key.second);
    add_class("p-" + Sha256::of(text).hex().substr(0, 10), 0.0, scale, std::move(anchors), options,
              census);
  }
}

Status add_clip_classes(const layout::FlatView& view, layout::LayerIndex layer, Coord radius,
                        const Scale& scale, const CensusOptions& options, PatternCensus& census,
                        Progress& progress) {
  std::vector<Point> places;
  places.reserve(census.anchors.size());
  for (const Anchor& anchor : census.anchors) places.push_back(anchor.twice);
  YL_ASSIGN(const auto found,
            layout::classify_places(view, std::span(&layer, 1), radius, places, progress));
  std::vector<std::vector<std::uint32_t>> members(found.classes.size());
  for (std::uint32_t i = 0; i < places.size(); ++i) members[found.class_of[i]].push_back(i);
  for (std::size_t k = 0; k < members.size(); ++k) {
    add_class(layout::pattern_id(found.classes[k], radius, 1),
              static_cast<double>(radius) * scale.dbu_um, scale, std::move(members[k]), options,
              census);
  }
  return Ok{};
}

}  // namespace

std::string canonical_clip(const layout::FlatView& view, layout::LayerIndex layer, Point twice,
                           Coord radius) {
  std::string text = fmt::format("{};", radius);
  for (const std::uint64_t word : layout::clip_at(view, std::span(&layer, 1), twice, radius)) {
    text += fmt::format("{:016x}", word);
  }
  return text;
}

Result<PatternCensus> census_patterns(const layout::FlatView& view, layout::LayerIndex layer,
                                      const Box& window, const CensusOptions& options,
                                      Progress& progress) {
  YL_ASSIGN(const Scale scale, scale_of(view, layer, window, options, progress));
  PatternCensus census;
  census.dbu_um = scale.dbu_um;
  census.min_space_um = static_cast<double>(scale.min_space) * scale.dbu_um;
  for (const Coord r : scale.radii) {
    census.radii_um.push_back(static_cast<double>(r) * scale.dbu_um);
  }
  YL_ASSIGN(census.anchors,
            find_anchors(view, layer, window, {scale.max_space, scale.radii.back(), 0}, progress));
  add_plain_classes(scale, options, census);
  for (const Coord radius : scale.radii) {
    YL_TRY(add_clip_classes(view, layer, radius, scale, options, census, progress));
    progress.report("pattern census", census.classes.size(), 0);
  }
  std::ranges::sort(census.classes, [](const PatternClass& a, const PatternClass& b) {
    return a.radius_um != b.radius_um ? a.radius_um < b.radius_um : a.id < b.id;
  });
  return census;
}

}  // namespace yieldloop::tracing
