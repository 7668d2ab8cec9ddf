#include "engine/layout/pattern_classes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <unordered_map>

#include "engine/layout/pattern_reuse.h"
#include "engine/layout/pattern_tile.h"
#include "engine/layout/tiles.h"

namespace yieldloop::layout {
namespace {

/// Side of a tile in reaches: the margin around a tile then adds a fifth to the work.
constexpr Coord kReachesPerTile = 20;
constexpr Coord kLargestTile = Coord{1} << 25;

Coord tile_side(const PatternSpec& spec, Coord asked) {
  // Every count of halvings leaves whole units.
  return asked > 0 ? asked : std::max<Coord>(kReachesPerTile * spec.reach(), 16);
}

Box places_box(const FlatView& view, const PatternSpec& spec, const std::optional<Box>& window) {
  Box box;
  for (const LayerIndex layer : spec.layers) box.include(view.bbox(layer));
  if (window) box = box.intersection(*window);
  // A tile owns half-open: one unit more on the far sides.
  return box.empty() ? box : Box{box.x_min, box.y_min, box.x_max + 1, box.y_max + 1};
}

bool in_window(const std::optional<Box>& window, Point twice) {
  return !window || (twice.x >= 2 * window->x_min && twice.x <= 2 * window->x_max &&
                     twice.y >= 2 * window->y_min && twice.y <= 2 * window->y_max);
}

Status count_window(const FlatView& view, const ClipCensusOptions& options, const PatternSpec& spec,
                    ClassTable& table, ClipCensus& census, Progress& progress) {
  const Box box = places_box(view, spec, options.window);
  if (box.empty()) return Ok{};
  const TileGrid grid = TileGrid::of(box, tile_side(spec, options.tile));
  std::mutex mutex;
  PartCounts totals;
  const auto done =
      for_all_tiles<char>(grid.size(), "pattern census", progress, [&](std::size_t k) {
        PartCounts counts = count_places(
            view, spec, grid.tile(k), [&](Point twice) { return in_window(options.window, twice); },
            table);
        for (const ClassCount& c : counts.classes) table.add(c);
        counts.classes.clear();
        const std::lock_guard lock(mutex);
        totals.add(counts);
        return char{};
      });
  if (!done) return done.error();
  census.places = census.looked_at = totals.places;
  census.by_kind = totals.by_kind;
  return Ok{};
}

void list_classes(const ClassTable& table, const PatternSpec& spec, std::uint64_t min_occurrences,
                  ClipCensus& census) {
  for (const ClassTable::Class& c : table.classes()) {
    // A class that only a part nobody used holds stands nowhere.
    if (c.count == 0) continue;
    if (c.count < min_occurrences) {
      ++census.rare_classes;
      continue;
    }
    census.classes.push_back({pattern_id(c.words, spec.radius, spec.layers.size()),
                              {c.words.begin(), c.words.end()},
                              c.kinds,
                              c.count});
  }
  std::ranges::sort(census.classes, [](const ClipClass& a, const ClipClass& b) {
    if (a.occurrences != b.occurrences) return a.occurrences > b.occurrences;
    return a.id != b.id ? a.id < b.id : a.words < b.words;
  });
}

Status check(const ClipCensusOptions& options) {
  YL_TRY(check(options.spec));
  if (options.tile < 0 || options.tile > kLargestTile) {
    return Error{Errc::kInvalidOptions, "PATT-0004",
                 fmt::format("A pattern census needs a tile of 0 to {} database units; correct it.",
                             kLargestTile)};
  }
  return Ok{};
}

}  // namespace

Result<ClipCensus> census_clips(const FlatView& view, const ClipCensusOptions& options,
                                Progress& progress) {
  YL_TRY(check(options));
  ClipCensus census;
  census.spec = options.spec.resolved();
  ClassTable table;
  if (options.window || !options.reuse) {
    YL_TRY(count_window(view, options, census.spec, table, census, progress));
  } else {
    ReuseCounter counter(view, census.spec, tile_side(census.spec, options.tile), table, progress);
    YL_TRY(counter.run());
    census.places = counter.totals().places;
    census.by_kind = counter.totals().by_kind;
    census.looked_at = counter.looked_at();
  }
  list_classes(table, census.spec, options.min_occurrences, census);
  return census;
}

Result<PatternPlaces> find_patterns(const FlatView& view, const PatternSpec& asked,
                                    std::span<const ClipWords> patterns,
                                    const std::optional<Box>& window, std::size_t most,
                                    Progress& progress) {
  YL_TRY(check(asked));
  const PatternSpec spec = asked.resolved();
  PatternPlaces result;
  result.counts.assign(patterns.size(), 0);
  const Box box = places_box(view, spec, window);
  if (box.empty() || patterns.empty()) return result;
  ClassTable table;
  std::unordered_map<std::uint32_t, std::uint32_t> wanted;
  for (std::uint32_t i = 0; i < patterns.size(); ++i) {
    wanted.emplace(table.canonical_class(patterns[i]), i);
  }
  const TileGrid grid = TileGrid::of(box, tile_side(spec, 0));
  using Found = std::vector<PatternPlace>;
  YL_ASSIGN(const auto found,
            for_all_tiles<Found>(grid.size(), "pattern places", progress, [&](std::size_t k) {
              Found places;
              const PatternTile tile(view, spec, grid.tile(k));
              ClipBatch batch;
              ClipWords words;
              std::vector<PatternPoint> points;
              for (const PatternPoint& p : tile.points(grid.tile(k))) {
                if (!in_window(window, p.twice)) continue;
                const bool canonical = tile.clip(p.twice, words);
                batch.add(words, canonical);
                points.push_back(p);
              }
              table.classify(batch);
              for (std::size_t i = 0; i < points.size(); ++i) {
                const auto it = wanted.find(batch.number(i));
                if (it != wanted.end()) places.push_back({it->second, points[i]});
              }
              return places;
            }));
  for (const Found& places : found) {
    result.places.insert(result.places.end(), places.begin(), places.end());
  }
  std::ranges::sort(result.places);
  std::erase_if(result.places,
                [&](const PatternPlace& p) { return ++result.counts[p.pattern] > most; });
  return result;
}

Result<PlaceClasses> classify_places(const FlatView& view, std::span<const LayerIndex> layers,
                                     Coord radius, std::span<const Point> twice,
                                     Progress& progress) {
  PatternSpec asked;
  asked.layers.assign(layers.begin(), layers.end());
  asked.radius = radius;
  asked.kinds = set_of(PointKind::kOuterCorner);
  const PatternSpec spec = asked.resolved();
  const Coord side = tile_side(spec, 0);
  std::map<std::pair<Coord, Coord>, std::vector<std::uint32_t>> tiles;
  const auto floor = [side](Coord v) { return (v >= 0 ? v : v - 2 * side + 1) / (2 * side); };
  for (std::uint32_t i = 0; i < twice.size(); ++i) {
    tiles[{floor(twice[i].x), floor(twice[i].y)}].push_back(i);
  }
  std::vector<const decltype(tiles)::value_type*> order;
  for (const auto& tile : tiles) order.push_back(&tile);
  ClassTable table;
  PlaceClasses result;
  result.class_of.resize(twice.size());
  YL_TRY(for_all_tiles<char>(order.size(), "pattern classes", progress, [&](std::size_t k) {
    const auto& [at, members] = *order[k];
    const Box box{at.first * side, at.second * side, (at.first + 1) * side, (at.second + 1) * side};
    const PatternTile tile(view, spec, box);
    ClipBatch batch;
    ClipWords words;
    for (const std::uint32_t i : members) {
      const bool canonical = tile.clip(twice[i], words);
      batch.add(words, canonical);
    }
    table.classify(batch);
    for (std::size_t i = 0; i < members.size(); ++i) result.class_of[members[i]] = batch.number(i);
    return char{};
  }));
  std::unordered_map<std::uint32_t, std::uint32_t> position;
  auto classes = table.classes();
  std::ranges::sort(classes, [](const auto& a, const auto& b) {
    return std::ranges::lexicographical_compare(a.words, b.words);
  });
  for (const ClassTable::Class& c : classes) {
    position.emplace(c.number, static_cast<std::uint32_t>(result.classes.size()));
    result.classes.emplace_back(c.words.begin(), c.words.end());
  }
  for (std::uint32_t& c : result.class_of) c = position.at(c);
  return result;
}

}  // namespace yieldloop::layout
