#include "engine/layout/clip_clusters.h"

#include <bit>
#include <cmath>

#include "catch_portable.h"
#include "engine/layout/pattern_library.h"
#include "random_layout.h"

using namespace yieldloop;
using namespace yieldloop::layout;
using namespace yieldloop::layout::test;
using geometry::Orientation;

namespace {

constexpr Coord kRadius = 20;

ClipWords clip_of(const std::vector<Box>& boxes) {
  geometry::ShapeHeap heap;
  for (const Box& b : boxes) {
    heap.add(Box{2 * b.x_min, 2 * b.y_min, 2 * b.x_max, 2 * b.y_max});
  }
  return clip_of_shapes(std::vector{heap}, kRadius);
}

std::vector<Box> random_clip(Random& random) {
  std::vector<Box> boxes;
  const int n = 1 + static_cast<int>(random.below(4));
  for (int i = 0; i < n; ++i) {
    const Coord x = draw(random, -22, 12), y = draw(random, -22, 12);
    boxes.push_back({x, y, x + draw(random, 3, 20), y + draw(random, 3, 20)});
  }
  return boxes;
}

/// Share of unit squares that agree, best of the 8 orientations, one square at a time.
double match_by_hand(const std::vector<Box>& a, const std::vector<Box>& b) {
  const auto covered = [](const std::vector<Box>& boxes, Coord x, Coord y) {
    return std::ranges::any_of(boxes, [&](const Box& q) {
      return q.x_min <= x && x < q.x_max && q.y_min <= y && y < q.y_max;
    });
  };
  double best = 0.0;
  for (int o = 0; o < 8; ++o) {
    std::vector<Box> turned;
    for (const Box& q : a) {
      turned.push_back(geometry::Transform{static_cast<Orientation>(o), {}}(q));
    }
    int same = 0;
    for (Coord x = -kRadius; x < kRadius; ++x) {
      for (Coord y = -kRadius; y < kRadius; ++y) same += covered(turned, x, y) == covered(b, x, y);
    }
    best = std::max(best, same / std::pow(2.0 * kRadius, 2));
  }
  return best;
}

using Graph = std::vector<std::vector<std::uint32_t>>;

Graph random_graph(Random& random, std::size_t n, double density) {
  Graph graph(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    for (std::uint32_t k = i + 1; k < n; ++k) {
      if (!random.chance(density)) continue;
      graph[i].push_back(k);
      graph[k].push_back(i);
    }
  }
  for (auto& list : graph) std::ranges::sort(list);
  return graph;
}

bool covers(const Graph& graph, const std::vector<std::uint32_t>& chosen) {
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    const bool ok = std::ranges::any_of(
        chosen, [&](std::uint32_t c) { return c == i || std::ranges::binary_search(graph[c], i); });
    if (!ok) return false;
  }
  return true;
}

std::size_t smallest_by_hand(const Graph& graph) {
  std::size_t best = graph.size();
  for (std::uint32_t mask = 0; mask < 1u << graph.size(); ++mask) {
    const auto size = static_cast<std::size_t>(std::popcount(mask));
    if (size >= best) continue;
    std::vector<std::uint32_t> chosen;
    for (std::uint32_t i = 0; i < graph.size(); ++i) {
      if ((mask >> i & 1u) != 0) chosen.push_back(i);
    }
    if (covers(graph, chosen)) best = size;
  }
  return best;
}

}  // namespace

TEST_CASE("clip clusters: the area match is that counted square by square, and symmetric",
          "[layout][clusters]") {
  Random random(21);
  for (int round = 0; round < 40; ++round) {
    const auto a = random_clip(random), b = random_clip(random);
    const auto words_a = clip_of(a), words_b = clip_of(b);
    const double match = area_match(words_a, words_b, 1, kRadius);
    CHECK(match == Approx(match_by_hand(a, b)).margin(1e-12));
    CHECK(match == area_match(words_b, words_a, 1, kRadius));
    CHECK(area_match(words_a, words_a, 1, kRadius) == 1.0);
  }
}

TEST_CASE(
    "clip clusters: an edge moved by e is e away in any orientation, other topologies are not",
    "[layout][clusters]") {
  Random random(22);
  for (int o = 0; o < 8; ++o) {
    const Coord e = 1 + static_cast<Coord>(random.below(3));
    const geometry::Transform turn{static_cast<Orientation>(o), {}};
    const auto plain = clip_of({{-30, -4, 3, 4}, {9, -30, 15, 30}});
    const auto moved = clip_of({turn(Box{-30, -4, 3 + e, 4}), turn(Box{9, -30, 15, 30})});
    CHECK(edge_displacement(plain, moved, 1, kRadius) == std::optional<Coord>(2 * e));
    CHECK(edge_displacement(moved, plain, 1, kRadius) == std::optional<Coord>(2 * e));
    const auto joined = clip_of({{-30, -4, 9, 4}, {9, -30, 15, 30}});
    CHECK_FALSE(edge_displacement(plain, joined, 1, kRadius).has_value());
  }
  // A jog of one unit is another topology, however small.
  CHECK_FALSE(edge_displacement(clip_of({{-30, -4, 3, 4}}),
                                clip_of({{-30, -4, 3, 4}, {0, -4, 3, 5}}), 1, kRadius)
                  .has_value());
}

TEST_CASE("clip clusters: representatives cover all and no fewer would, on small graphs",
          "[layout][clusters]") {
  Random random(23);
  for (int round = 0; round < 60; ++round) {
    const auto graph = random_graph(random, 3 + random.below(10), random.uniform(0.05, 0.6));
    const auto [chosen, exact] = cover_nodes(graph);
    CHECK(exact);
    CHECK(covers(graph, chosen));
    CHECK(chosen.size() == smallest_by_hand(graph));
  }
  for (int round = 0; round < 10; ++round) {
    const auto graph = random_graph(random, 300, 0.01);
    CHECK(covers(graph, cover_nodes(graph).first));
  }
}

TEST_CASE("clip clusters: every member matches its representative, in whatever order they come",
          "[layout][clusters]") {
  Random random(24);
  NoProgress progress;
  std::vector<ClipWords> clips;
  for (int i = 0; i < 60; ++i) clips.push_back(clip_of(random_clip(random)));
  std::ranges::sort(clips);
  clips.erase(std::unique(clips.begin(), clips.end()), clips.end());
  for (const bool area : {true, false}) {
    ClusterOptions options{
        .layers = 1, .radius = kRadius, .area_match = {}, .edge_displacement = {}};
    if (area) options.area_match = 0.8;
    if (!area) options.edge_displacement = 6;
    const auto clusters = cluster_clips(clips, options, progress).value();
    std::size_t members = 0;
    std::uint64_t matching = 0;
    const auto match = [&](std::uint32_t i, std::uint32_t k) {
      if (area) return area_match(clips[i], clips[k], 1, kRadius) >= 0.8 - 1e-12;
      const auto d = edge_displacement(clips[i], clips[k], 1, kRadius);
      return d && *d <= 12;
    };
    for (const ClipCluster& c : clusters.clusters) {
      members += c.members.size();
      for (const std::uint32_t m : c.members) CHECK(match(c.representative, m));
    }
    CHECK(members == clips.size());
    // Nothing that matches was ruled out without a look.
    for (std::uint32_t i = 0; i < clips.size(); ++i) {
      for (std::uint32_t k = i + 1; k < clips.size(); ++k) matching += match(i, k);
    }
    CHECK(clusters.matching == matching);
    CHECK(clusters.pairs == clips.size() * (clips.size() - 1) / 2);
    CHECK(clusters.compared < clusters.pairs);
    std::vector<ClipWords> backwards(clips.rbegin(), clips.rend());
    const auto other = cluster_clips(backwards, options, progress).value();
    std::vector<ClipWords> first, second;
    for (const auto& c : clusters.clusters) first.push_back(clips[c.representative]);
    for (const auto& c : other.clusters) second.push_back(backwards[c.representative]);
    std::ranges::sort(first);
    std::ranges::sort(second);
    CHECK(first == second);
  }
}

TEST_CASE("clip clusters: exact mode groups only equal clips", "[layout][clusters]") {
  NoProgress progress;
  const std::vector<ClipWords> clips{clip_of({{-30, -4, 3, 4}}), clip_of({{-30, -4, 4, 4}})};
  const ClusterOptions whole{
      .layers = 1, .radius = kRadius, .area_match = 1.0, .edge_displacement = {}};
  CHECK(cluster_clips(clips, whole, progress).value().clusters.size() == 2);
  const ClusterOptions still{
      .layers = 1, .radius = kRadius, .area_match = {}, .edge_displacement = 0};
  CHECK(cluster_clips(clips, still, progress).value().clusters.size() == 2);
  const ClusterOptions one{
      .layers = 1, .radius = kRadius, .area_match = {}, .edge_displacement = 1};
  CHECK(cluster_clips(clips, one, progress).value().clusters.size() == 1);
  CHECK(cluster_clips({}, one, progress).value().clusters.empty());
  ClusterOptions bad = one;
  bad.area_match = 0.9;
  CHECK(cluster_clips(clips, bad, progress).error().id == "PATK-0001");
  bad.edge_displacement.reset();
  bad.area_match = 1.5;
  CHECK(cluster_clips(clips, bad, progress).error().id == "PATK-0001");
}

TEST_CASE("pattern library: written and read back, names stay, damage is told",
          "[layout][library]") {
  Random random(25);
  std::vector<Box> boxes{{-9, -9, 60, 80}};
  for (int i = 0; i < 50; ++i) {
    const Coord x = draw(random, 0, 300), y = draw(random, 0, 300);
    boxes.push_back({x, y, x + draw(random, 3, 40), y + draw(random, 3, 40)});
  }
  const auto layout = layout_of(boxes);
  const auto view = view_of(layout).value();
  NoProgress progress;
  ClipCensusOptions options;
  options.spec.layers = {0};
  options.spec.radius = kRadius;
  const auto census = census_clips(view, options, progress).value();
  PatternLibrary library;
  std::vector<KnownPattern> patterns;
  for (const ClipClass& c : census.classes) {
    patterns.push_back(
        {c.id, "", "", "test", rule_of(layout, census.spec), c.kinds, c.words, c.occurrences, {}});
  }
  CHECK(add_patterns(library, patterns) == census.classes.size());
  library.patterns[1].name = "tip, \"hot\"";
  library.patterns[1].places = {{-3, 7}};
  CHECK(add_patterns(library, patterns) == 0);
  CHECK(library.patterns[1].name == "tip, \"hot\"");
  library.patterns[1].places = {{-3, 7}};
  const std::string text = library_text(library);
  CHECK(parse_library(text).value() == library);
  // Every known pattern is found again as often as it was counted.
  const auto matches = match_library(view, library, std::nullopt, 3, progress).value();
  for (const LibraryMatch& m : matches) {
    CHECK(m.count == library.patterns[m.pattern].occurrences);
    CHECK(m.places.size() == std::min<std::size_t>(3, m.count));
  }
  // The sheet draws each clip so that the same census finds the clip in it.
  const auto sheet = clips_layout(library).value();
  const auto sheet_view = view_of(sheet.layout).value();
  const auto layer = sheet.layout.find_layer({1, 0}).value();
  for (const ClipFrame& frame : sheet.frames) {
    const auto middle = frame.box.center();
    auto words = clip_at(sheet_view, std::vector{layer}, {2 * middle.x, 2 * middle.y}, 2 * kRadius);
    const auto edges = clip_edges(library.patterns[frame.pattern].words);
    CHECK(clip_edges(words).size() == edges.size());
  }
  CHECK(parse_library("{}").error().id == "PATL-0001");
  CHECK(parse_library("not json").error().id == "PATL-0001");
  std::string damaged = text;
  const auto at = damaged.find("\"radius\": 20");
  REQUIRE(at != std::string::npos);
  damaged.replace(at, 12, "\"radius\": 21");
  CHECK(parse_library(damaged).error().id == "PATL-0002");
  library.patterns[0].rule.dbu_um = 0.005;
  CHECK(match_library(view, library, std::nullopt, 3, progress).error().id == "PATL-0003");
  CHECK(clips_layout(library).error().id == "PATL-0003");
}
