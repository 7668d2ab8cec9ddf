// The floorplan: logic blocks of abutting rows, one cell array, arrays of routed tiles, a power
// ring and long wires between the regions.

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "engine/simulator/layout_cells.h"
#include "engine/simulator/layout_model.h"

namespace yieldloop::simulator {
namespace {

constexpr Point kRegionOrigin{200'000, 200'000};
constexpr std::array<std::pair<int, int>, 6> kRegionGrids{
    {{4, 3}, {3, 3}, {4, 4}, {5, 3}, {3, 4}, {4, 2}}};

/// What a seed decides before anything is drawn.
struct Dimensions {
  int region_columns = 4;
  int region_rows = 3;
  Point region_pitch{3'150'000, 3'550'000};
  int logic_cells = 24;
  std::int32_t block_width = 800'000;
  int block_rows = 24;
  std::int32_t figure_width = 280;
};

Dimensions draw_dimensions(Random& random) {
  Dimensions d;
  std::tie(d.region_columns, d.region_rows) = kRegionGrids[random.below(kRegionGrids.size())];
  d.region_pitch = {3'050'000 + 50'000 * static_cast<std::int32_t>(random.below(6)),
                    3'350'000 + 50'000 * static_cast<std::int32_t>(random.below(7))};
  d.logic_cells = static_cast<int>(22 + random.below(9));
  d.block_width = 700'000 + 20'000 * static_cast<std::int32_t>(random.below(6));
  d.block_rows = static_cast<int>(21 + random.below(6));
  d.figure_width = 240 + 20 * static_cast<std::int32_t>(random.below(5));
  return d;
}

struct FigureFamily {
  Figure figure;
  Layer layer;
  std::size_t members;
};
constexpr std::array<FigureFamily, 7> kFamilies{{{Figure::kTipToTip, Layer::kM1, 3},
                                                 {Figure::kParallel, Layer::kM1, 3},
                                                 {Figure::kTipToSide, Layer::kM1, 3},
                                                 {Figure::kCorner, Layer::kM1, 1},
                                                 {Figure::kTipToTip, Layer::kM2, 2},
                                                 {Figure::kParallel, Layer::kM2, 2},
                                                 {Figure::kTipToSide, Layer::kM2, 1}}};

/// The tight figures; every (figure, layer, space) is unique so that a figure names its cell.
/// The wider twins are 0.30 um apart or more.
std::vector<FigureSpec> draw_figure_specs(std::int32_t width, Random& random) {
  std::vector<FigureSpec> specs;
  for (const FigureFamily& family : kFamilies) {
    std::vector<std::int32_t> spaces{200, 220, 240, 260, 280};
    random.shuffle(spaces);
    for (std::size_t i = 0; i < family.members; ++i) {
      const std::int32_t twin = 300 + 20 * static_cast<std::int32_t>(random.below(5));
      const bool twinned = i == 0 || random.chance(0.3);
      specs.push_back({family.figure, family.layer, spaces[i], twinned ? twin : 0, width});
    }
  }
  return specs;
}

constexpr std::array<TileSpec, 4> kTiles{{{160'000, 800, 1'600, 300, 400, 260},
                                          {400'000, 1'600, 1'600, 300, 900, 260},
                                          {800'000, 3'200, 4'000, 400, 1'800, 400},
                                          {800'000, 6'000, 5'000, 800, 3'200, 300}}};

/// A block region's size for the eight orientations: as placed by `turn`, moved so that the
/// lower left corner of what covers (0,0)..extent comes to `corner`.
Placement placed_at(Point corner, bool mirrored, int quarters, Point extent) {
  const Placement turn{mirrored, quarters, {}};
  const Box box = turn.apply(Box{{0, 0}, extent});
  return {mirrored, quarters, {corner.x - box.low.x, corner.y - box.low.y}};
}

class Floorplan {
 public:
  explicit Floorplan(Random random) : random_(random), size_(draw_dimensions(random_)) {}

  Layout draw() {
    layout_.extent = {320'000 + size_.region_columns * size_.region_pitch.x,
                      270'000 + size_.region_rows * size_.region_pitch.y};
    draw_logic_cells();
    for (const char* name : {"BLKA", "BLKB", "BLKC"}) draw_block(name);
    draw_array();
    for (std::size_t i = 0; i < kTiles.size(); ++i) {
      tiles_.push_back(add(draw_tile(fmt::format("TILE_{:02}", i + 1), kTiles[i], random_)));
    }
    draw_top();
    return std::move(layout_);
  }

 private:
  std::size_t add(LayoutCell cell) {
    layout_.cells.push_back(std::move(cell));
    return layout_.cells.size() - 1;
  }

  void draw_logic_cells() {
    const auto count = static_cast<std::size_t>(size_.logic_cells);
    std::vector<FigureSpec> figures = draw_figure_specs(size_.figure_width, random_);
    figures.resize(count);
    random_.shuffle(figures);
    for (std::size_t i = 0; i < count; ++i) {
      logic_.push_back(
          add(draw_logic_cell(fmt::format("CELL_A{:02}", i + 1), figures[i], random_)));
      weights_.push_back(figures[i].figure == Figure::kNone ? random_.uniform(0.6, 2.2)
                                                            : random_.uniform(0.8, 1.6));
    }
  }

  std::size_t draw_logic_choice(const std::vector<double>& weights) {
    double total = 0;
    for (const double w : weights) total += w;
    double u = random_.uniform(0.0, total);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      u -= weights[i];
      if (u < 0) return logic_[i];
    }
    return logic_.back();
  }

  /// Rows share their rails: odd rows stand on their heads.
  void draw_block(const char* name) {
    LayoutCell block;
    block.name = name;
    block.extent = {size_.block_width, size_.block_rows * kRowHeight};
    std::vector<double> weights = weights_;  // every block has its own mix of cells
    for (double& w : weights) w *= random_.uniform(0.6, 1.5);
    for (int row = 0; row < size_.block_rows; ++row) {
      std::int32_t x = 0;
      for (;;) {
        const std::size_t choice = draw_logic_choice(weights);
        const Point extent = layout_.cells[choice].extent;
        if (x + extent.x > block.extent.x) break;
        const bool swapped = random_.chance(0.5);  // left and right
        const bool upside_down = row % 2 == 1;
        const bool mirrored = swapped != upside_down;
        block.placements.push_back(
            {choice,
             placed_at({x, row * kRowHeight}, mirrored, swapped ? 2 : 0, extent),
             1,
             1,
             {}});
        x += extent.x;
      }
    }
    block.labels.push_back({{block.extent.x / 2, block.extent.y / 2}, name});
    blocks_.push_back(add(std::move(block)));
  }

  void draw_array() {
    const std::size_t unit = add(draw_array_cell("CELL_C01"));
    LayoutCell array;
    array.name = "ARRD";
    array.extent = {64 * 4'800, 64 * 4'800};
    array.placements.push_back({unit, {}, 64, 64, {4'800, 4'800}});
    array.labels.push_back({{array.extent.x / 2, array.extent.y / 2}, "ARRD"});
    array_ = add(std::move(array));
  }

  void place_block(LayoutCell& top, std::size_t cell, Point corner, int orientation) {
    const Point extent = layout_.cells[cell].extent;
    const Placement placement = placed_at(corner, orientation >= 4, orientation % 4, extent);
    top.placements.push_back({cell, placement, 1, 1, {}});
    layout_.blocks.push_back({layout_.cells[cell].name, placement.apply(Box{{0, 0}, extent})});
  }

  void place_tiles(LayoutCell& top, std::size_t index, Point corner) {
    const std::int32_t side = kTiles[index].side + 2'000;
    const auto columns = static_cast<std::int16_t>(std::min(5, 2'600'000 / side));
    const auto rows = static_cast<std::int16_t>(std::min(4, 1'900'000 / side));
    top.placements.push_back({tiles_[index], {false, 0, corner}, columns, rows, {side, side}});
  }

  void draw_ring(LayoutCell& top) {
    constexpr std::int32_t kWidth = 20'000;
    constexpr std::int32_t kInset = 40'000;
    const std::size_t via = add(draw_strap_via("CELL_V01"));
    const std::int32_t right = layout_.extent.x - kInset;
    const std::int32_t upper = layout_.extent.y - kInset;
    for (const std::int32_t y : {kInset, upper - kWidth}) {
      top.rects.push_back({Layer::kM1, {{kInset, y}, {right, y + kWidth}}});
    }
    for (const std::int32_t x : {kInset, right - kWidth}) {
      top.rects.push_back({Layer::kM2, {{x, kInset}, {x + kWidth, upper}}});
      for (const std::int32_t y : {kInset, upper - kWidth}) {
        top.placements.push_back({via, {false, 0, {x + 1'000, y + 1'000}}, 9, 9, {2'000, 2'000}});
      }
    }
  }

  /// Long M1 wires in the channels between the rows of regions.
  void draw_channels(LayoutCell& top) {
    for (int row = 1; row < size_.region_rows; ++row) {
      std::int32_t y = kRegionOrigin.y + row * size_.region_pitch.y - 150'000;
      for (int i = 0; i < 24; ++i) {
        const std::int32_t width = 400 + 200 * static_cast<std::int32_t>(random_.below(6));
        const std::int32_t from = 200'000 + 1'000 * static_cast<std::int32_t>(random_.below(2'000));
        const std::int32_t to =
            layout_.extent.x - 900'000 - 1'000 * static_cast<std::int32_t>(random_.below(3'000));
        top.wires.push_back({Layer::kM1, {from, y}, {to, y}, width});
        y += 2'000 + 400 * static_cast<std::int32_t>(random_.below(6));
      }
    }
  }

  void draw_top() {
    LayoutCell top;
    top.name = "DEMO28";
    top.extent = layout_.extent;
    top.rects.push_back({Layer::kOutline, {{0, 0}, layout_.extent}});
    const int regions = size_.region_columns * size_.region_rows;
    std::vector<int> orientations;  // all eight, then some again
    for (int i = 0; i < regions; ++i) orientations.push_back(i < 8 ? i : i * 2 % 8);
    random_.shuffle(orientations);
    for (int region = 0; region < regions; ++region) {
      const Point corner{kRegionOrigin.x + region % size_.region_columns * size_.region_pitch.x,
                         kRegionOrigin.y + region / size_.region_columns * size_.region_pitch.y};
      const auto index = static_cast<std::size_t>(region);
      const Point inner{corner.x + static_cast<std::int32_t>(random_.below(400)) * 1'000,
                        corner.y + static_cast<std::int32_t>(random_.below(200)) * 1'000};
      place_block(top, blocks_[index % blocks_.size()], inner, orientations[index]);
      if (region == 5) place_block(top, array_, {corner.x + 1'800'000, corner.y + 200'000}, 0);
      place_tiles(top, index % kTiles.size(), {corner.x + 300'000, corner.y + 1'200'000});
      top.labels.push_back({corner, fmt::format("REGION_{}", region)});
    }
    draw_ring(top);
    draw_channels(top);
    layout_.top = add(std::move(top));
  }

  Random random_;
  Dimensions size_;
  Layout layout_;
  std::vector<std::size_t> logic_;
  std::vector<double> weights_;
  std::vector<std::size_t> blocks_;
  std::size_t array_ = 0;
  std::vector<std::size_t> tiles_;
};

}  // namespace

Layout draw_layout(Random random) { return Floorplan(random).draw(); }

}  // namespace yieldloop::simulator
