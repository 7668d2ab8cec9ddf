#include <algorithm>

#include "engine/geometry/curve_order.h"
#include "engine/layout/shape_distance.h"
#include "engine/layout/shape_search.h"
#include "engine/layout/shape_walk.h"
#include "engine/layout/tiles.h"

namespace yieldloop::layout {
namespace {

constexpr Coord kRadiusLimit = Coord{1} << 30;
/// Points one thread takes at a time: enough to stay in one corner of the layout.
constexpr std::size_t kBlock = 4096;
/// Points whose shapes are held before they are handed over.
constexpr std::size_t kHeld = std::size_t{1} << 16;

/// Calls found(slot, squared distance) for what lies within the radius.
template <class Found>
struct NearSink {
  Found found;
  double limit = 0.0;
  ShapeWalk<PointQuery, NearSink>* walk = nullptr;

  template <class... What>
  void take(std::uint32_t slot, double distance2, const What&... what) {
    if (distance2 <= limit) found(slot, distance2, what...);
  }
  void box(std::uint32_t slot, const Box& box, const PointQuery& query, CellIndex cell) {
    take(slot, squared_distance(box, query.at), box, true, cell, *walk, true);
  }
  void polygon(std::uint32_t slot, const Box& box, std::span<const Point32> points, Point offset,
               const PointQuery& query, CellIndex cell) {
    if (squared_distance(box, query.at) > limit) return;
    take(slot, squared_distance(points, query.at - offset), box, false, cell, *walk, true);
  }
  void general(std::uint32_t slot, const Box& box, std::span<const Point> points,
               const PointQuery& query, CellIndex cell) {
    take(slot, squared_distance(points, query.at), box, false, cell, *walk, false);
  }
};

Status check(std::span<const Point> points, std::span<const Coord> radii) {
  const bool in_range =
      std::all_of(radii.begin(), radii.end(), [](Coord r) { return r >= 0 && r < kRadiusLimit; });
  if (points.size() == radii.size() && in_range) return Ok{};
  return Error{Errc::kInvalidOptions, "LAYO-0021",
               "A search around points needs one radius a point, from 0 to 2^30 - 1 database "
               "units; give as many radii as points and check their unit."};
}

/// Runs found(position of the point, slot, squared distance, ...) for the points of one block and
/// next(position) after each.
template <class Found, class Next>
void search_block(const ShapeSearch& search, std::span<const std::uint32_t> block,
                  std::span<const Point> points, std::span<const Coord> radii, Found&& found,
                  Next&& next) {
  std::uint32_t point = 0;
  const auto one = [&](const auto&... what) { found(point, what...); };
  NearSink<decltype(one)> sink{one};
  ShapeWalk<PointQuery, NearSink<decltype(one)>> walk(search.cells(), sink);
  for (const std::uint32_t i : block) {
    point = i;
    sink.limit = static_cast<double>(radii[i]) * static_cast<double>(radii[i]);
    walk.run(search.view().top(), PointQuery{points[i], radii[i]});
    next(i);
  }
}

std::size_t blocks_of(std::size_t points) { return (points + kBlock - 1) / kBlock; }

std::span<const std::uint32_t> block_of(std::span<const std::uint32_t> order, std::size_t block) {
  const std::size_t first = block * kBlock;
  return order.subspan(first, std::min(kBlock, order.size() - first));
}

struct Found {
  std::vector<NearShape> shapes;
  std::vector<std::uint32_t> counts;  ///< Of each point of the block.
};

Found find_block(const ShapeSearch& search, std::span<const std::uint32_t> block,
                 std::span<const Point> points, std::span<const Coord> radii) {
  Found result;
  std::size_t before = 0;
  search_block(
      search, block, points, radii,
      [&](std::uint32_t, std::uint32_t slot, double distance2, const Box& box, bool is_box,
          CellIndex cell, const auto& walk, bool in_cell) {
        result.shapes.push_back({search.layers()[slot], cell, in_cell ? walk.transform()(box) : box,
                                 is_box, std::sqrt(distance2)});
      },
      [&](std::uint32_t) {
        result.counts.push_back(static_cast<std::uint32_t>(result.shapes.size() - before));
        before = result.shapes.size();
      });
  return result;
}

/// Hands the shapes of a chunk over in the points' order.
void hand_over(std::span<const std::uint32_t> order, const std::vector<Found>& blocks,
               std::size_t first_point,
               FunctionRef<void(std::size_t, std::span<const NearShape>)> visit) {
  std::vector<std::span<const NearShape>> by_point(order.size());
  std::size_t at = 0;
  for (const Found& block : blocks) {
    std::size_t start = 0;
    for (const std::uint32_t count : block.counts) {
      by_point[order[at++]] = std::span(block.shapes).subspan(start, count);
      start += count;
    }
  }
  for (std::size_t i = 0; i < by_point.size(); ++i) visit(first_point + i, by_point[i]);
}

}  // namespace

Result<std::vector<std::uint32_t>> count_shapes_near(const ShapeSearch& search,
                                                     std::span<const Point> points,
                                                     std::span<const Coord> radii,
                                                     Progress& progress) {
  YL_TRY(check(points, radii));
  const std::size_t layers = search.layers().size();
  std::vector<std::uint32_t> counts(points.size() * layers, 0);
  const std::vector<std::uint32_t> order = geometry::curve_order(points);
  YL_ASSIGN([[maybe_unused]] const auto done,
            for_all_tiles<char>(blocks_of(order.size()), "shapes near points", progress,
                                [&](std::size_t block) {
                                  search_block(
                                      search, block_of(order, block), points, radii,
                                      [&](std::uint32_t point, std::uint32_t slot, const auto&...) {
                                        ++counts[point * layers + slot];
                                      },
                                      [](std::uint32_t) {});
                                  return char{};
                                }));
  return counts;
}

Status shapes_near(const ShapeSearch& search, std::span<const Point> points,
                   std::span<const Coord> radii,
                   FunctionRef<void(std::size_t, std::span<const NearShape>)> visit,
                   Progress& progress) {
  YL_TRY(check(points, radii));
  for (std::size_t first = 0; first < points.size(); first += kHeld) {
    const std::size_t size = std::min(kHeld, points.size() - first);
    const auto some = points.subspan(first, size);
    const auto some_radii = radii.subspan(first, size);
    const std::vector<std::uint32_t> order = geometry::curve_order(some);
    YL_ASSIGN(const auto blocks,
              for_all_tiles<Found>(
                  blocks_of(size), "shapes near points", progress, [&](std::size_t block) {
                    return find_block(search, block_of(order, block), some, some_radii);
                  }));
    hand_over(order, blocks, first, visit);
  }
  return Ok{};
}

}  // namespace yieldloop::layout
