#include "engine/simulator/layout_cells.h"

#include <algorithm>
#include <set>
#include <utility>

namespace yieldloop::simulator {
namespace {

constexpr std::int32_t kTrackPitch = 800;
constexpr std::int32_t kFirstTrack = 1'200;
constexpr int kTracks = 10;
constexpr std::int32_t kColumnPitch = 1'600;
constexpr std::int32_t kEdgeMargin = 400;
constexpr std::int32_t kViaStep = 400;       // centre to centre in a pair
constexpr std::int32_t kViaCover = 150;      // metal from a via's centre, at least
constexpr std::int32_t kWindow = 5'200;      // kept free for the figure, along x
constexpr std::int32_t kNextToFigure = 700;  // M2 columns keep away from an M2 figure

struct Segment {
  std::int32_t from = 0;
  std::int32_t to = 0;
  bool covers(std::int32_t a, std::int32_t b) const { return from <= a && b <= to; }
};

std::int32_t draw_in(Random& random, std::int32_t low, std::int32_t high, std::int32_t step) {
  const auto choices = static_cast<std::uint64_t>((high - low) / step + 1);
  return low + step * static_cast<std::int32_t>(random.below(choices));
}

std::int32_t track_y(int track) { return kFirstTrack + kTrackPitch * track; }

Box around(Point centre, std::int32_t half_x, std::int32_t half_y) {
  return {{centre.x - half_x, centre.y - half_y}, {centre.x + half_x, centre.y + half_y}};
}

void add_rect(LayoutCell& cell, Layer layer, Box box) { cell.rects.push_back({layer, box}); }

/// A single via, or two side by side along x with the M2 widened to cover both.
void add_connection(LayoutCell& cell, Point at, bool doubled, std::int32_t m2_width) {
  add_rect(cell, Layer::kVia1, around(at, kViaSize / 2, kViaSize / 2));
  if (!doubled) {
    cell.single_vias.push_back(at);
    return;
  }
  const Point second{at.x + kViaStep, at.y};
  add_rect(cell, Layer::kVia1, around(second, kViaSize / 2, kViaSize / 2));
  add_rect(cell, Layer::kM2,
           {{at.x - m2_width / 2, at.y - kViaCover}, {second.x + kViaCover, at.y + kViaCover}});
  cell.double_vias.push_back(at);
  cell.double_vias.push_back(second);
}

/// Segments of one track, with gaps, inside [from, to].
std::vector<Segment> draw_segments(std::int32_t from, std::int32_t to, Random& random) {
  std::vector<Segment> segments;
  std::int32_t x = from + draw_in(random, 0, 1'200, 100);
  while (x + 1'200 <= to) {
    const std::int32_t end = std::min(to, x + draw_in(random, 1'600, 9'600, 100));
    if (end - x >= 1'200) segments.push_back({x, end});
    x = end + draw_in(random, 500, 1'600, 100);
  }
  return segments;
}

struct FigureWindow {
  int first_track = 0;
  std::int32_t x = 0;
  bool holds(int track) const { return track >= first_track && track < first_track + 3; }
  bool spans(std::int32_t at) const {
    return at > x - kNextToFigure && at < x + kWindow + kNextToFigure;
  }
};
using FigureWindows = std::vector<FigureWindow>;  // from left to right

/// Draws one figure around a centre; each returns the gap.
class FigurePen {
 public:
  FigurePen(LayoutCell& cell, const FigureSpec& spec, Point centre, std::int32_t space)
      : cell_(cell), spec_(spec), c_(centre), half_space_(space / 2), w_(spec.width) {}

  Box draw() {
    switch (spec_.figure) {
      case Figure::kTipToTip: return tip_to_tip();
      case Figure::kParallel: return parallel();
      case Figure::kTipToSide: return tip_to_side();
      case Figure::kCorner: return corner();
      case Figure::kNone: break;
    }
    return {};
  }

 private:
  void rect(Point low, Point high) { add_rect(cell_, spec_.layer, {low, high}); }

  Box tip_to_tip() {
    const std::int32_t reach = kWindow / 2 - 600;
    const std::int32_t half = w_ / 2;
    for (const std::int32_t side : {-kTrackPitch, kTrackPitch}) {
      rect({c_.x - reach, c_.y + side - half}, {c_.x + reach, c_.y + side + half});
    }
    rect({c_.x - reach, c_.y - half}, {c_.x - half_space_, c_.y + half});
    rect({c_.x + half_space_, c_.y - half}, {c_.x + reach, c_.y + half});
    return around(c_, half_space_, half);
  }

  Box parallel() {
    constexpr std::int32_t kHalfRun = 1'400;
    constexpr std::int32_t kShift = 600;  // the two wires overlap over part of their length
    const std::int32_t outer = half_space_ + w_;
    rect({c_.x - kHalfRun - kShift, c_.y + half_space_}, {c_.x + kHalfRun, c_.y + outer});
    rect({c_.x - kHalfRun, c_.y - outer}, {c_.x + kHalfRun + kShift, c_.y - half_space_});
    return around(c_, kHalfRun, half_space_);
  }

  Box tip_to_side() {
    const std::int32_t half = w_ / 2;
    const std::int32_t side = c_.x + half_space_;
    rect({side, c_.y - 1'000}, {side + w_, c_.y + 1'000});
    rect({c_.x - kWindow / 2 + 600, c_.y - half}, {c_.x - half_space_, c_.y + half});
    return around(c_, half_space_, half);
  }

  /// Two angles whose outer corners face each other across a diagonal gap.
  Box corner() {
    const std::int32_t g = half_space_;
    const Point c = c_;
    cell_.polygons.push_back({spec_.layer,
                              {{c.x - g - 1'500, c.y - g - w_},
                               {c.x - g, c.y - g - w_},
                               {c.x - g, c.y - g},
                               {c.x - g - 1'500, c.y - g}}});
    cell_.polygons.push_back({spec_.layer,
                              {{c.x + g, c.y + g},
                               {c.x + g + 1'500, c.y + g},
                               {c.x + g + 1'500, c.y + g + w_},
                               {c.x + g + w_, c.y + g + w_},
                               {c.x + g + w_, c.y + 1'000},
                               {c.x + g, c.y + 1'000}}});
    return around(c, g, g);
  }

  LayoutCell& cell_;
  const FigureSpec& spec_;
  Point c_;
  std::int32_t half_space_;
  std::int32_t w_;
};

/// One window, or one in each half of the cell when the figure has a twin.
FigureWindows draw_windows(const LayoutCell& cell, const FigureSpec& spec, Random& random) {
  if (spec.figure == Figure::kNone) return {};
  const auto tracks = [&] { return static_cast<int>(1 + random.below(6)); };
  const std::int32_t last = cell.extent.x - 1'200 - kWindow;
  if (spec.twin_space == 0) return {{tracks(), draw_in(random, 1'200, last, 200)}};
  const std::int32_t half = cell.extent.x / 2;
  return {{tracks(), draw_in(random, 1'200, half - kWindow - 100, 100)},
          {tracks(), draw_in(random, half + 100, last, 100)}};
}

void draw_figures(LayoutCell& cell, const FigureSpec& spec, const FigureWindows& windows,
                  Random& random) {
  if (windows.empty()) return;
  const auto centre = [](const FigureWindow& w) {
    return Point{w.x + kWindow / 2, track_y(w.first_track + 1)};
  };
  const std::size_t tight = windows.size() == 1 ? 0 : random.below(2);
  cell.figure = spec.figure;
  cell.figure_layer = spec.layer;
  cell.figure_space = spec.space;
  cell.figure_gap = FigurePen(cell, spec, centre(windows[tight]), spec.space).draw();
  if (windows.size() == 1) return;
  cell.twin_space = spec.twin_space;
  cell.twin_gap = FigurePen(cell, spec, centre(windows[1 - tight]), spec.twin_space).draw();
}

using Tracks = std::vector<std::vector<Segment>>;

/// `blocked`: windows in which M1 is kept free.
Tracks draw_tracks(LayoutCell& cell, const FigureWindows& blocked, Random& random) {
  static constexpr std::array<std::int32_t, 3> kWidths{300, 340, 400};
  Tracks tracks(kTracks);
  for (int k = 0; k < kTracks; ++k) {
    auto& track = tracks[static_cast<std::size_t>(k)];
    if (!random.chance(0.7)) continue;
    std::int32_t from = kEdgeMargin;
    for (const FigureWindow& window : blocked) {
      if (!window.holds(k)) continue;
      const auto left = draw_segments(from, window.x, random);
      track.insert(track.end(), left.begin(), left.end());
      from = window.x + kWindow;
    }
    const auto rest = draw_segments(from, cell.extent.x - kEdgeMargin, random);
    track.insert(track.end(), rest.begin(), rest.end());
    const std::int32_t width = kWidths[random.below(kWidths.size())];
    for (const Segment& s : track) {
      add_rect(cell, Layer::kM1,
               {{s.from, track_y(k) - width / 2}, {s.to, track_y(k) + width / 2}});
    }
  }
  return tracks;
}

/// One vertical M2 wire with the vias that join it to the M1 it crosses.
void draw_column(LayoutCell& cell, std::int32_t x, const Tracks& tracks, double doubled_share,
                 Random& random) {
  const auto low = static_cast<int>(random.below(kTracks / 2));
  const auto high = static_cast<int>(kTracks / 2 + random.below(kTracks / 2));
  const std::int32_t width = draw_in(random, 300, 400, 20);
  add_rect(cell, Layer::kM2,
           {{x - width / 2, track_y(low) - 300}, {x + width / 2, track_y(high) + 300}});
  for (int k = low; k <= high; ++k) {
    const bool wanted = random.chance(0.35);
    const bool doubled = random.chance(doubled_share);
    const std::int32_t right = doubled ? kViaStep + kViaCover : kViaCover;
    const auto covers = [&](const Segment& s) { return s.covers(x - kViaCover, x + right); };
    if (wanted && std::ranges::any_of(tracks[static_cast<std::size_t>(k)], covers)) {
      add_connection(cell, {x, track_y(k)}, doubled, width);
    }
  }
}

/// The wires of one layer of a tile, by track.
struct TileWires {
  std::vector<std::vector<Segment>> segments;
  std::vector<std::int32_t> widths;
};

std::int32_t tile_track(std::int32_t pitch, std::size_t track) {
  return pitch / 2 + pitch * static_cast<std::int32_t>(track);
}

void lay_wires(LayoutCell& cell, Layer layer, std::int32_t pitch, double fill, const TileSpec& spec,
               TileWires& wires, Random& random) {
  const auto tracks = static_cast<std::size_t>(spec.side / pitch);
  wires.segments.resize(tracks);
  wires.widths.resize(tracks);
  for (std::size_t k = 0; k < tracks; ++k) {
    if (!random.chance(fill)) continue;
    const std::int32_t at = tile_track(pitch, k);
    wires.widths[k] = draw_in(random, spec.min_width, spec.max_width, 20);
    std::int32_t from = draw_in(random, 400, spec.side / 4, 100);
    while (from + 4'000 < spec.side - 400) {
      const std::int32_t length = draw_in(random, spec.side / 4, spec.side, 100);
      const std::int32_t to = std::min(from + length, spec.side - 400);
      wires.segments[k].push_back({from, to});
      const bool flat = layer == Layer::kM1;
      cell.wires.push_back({layer, flat ? Point{from, at} : Point{at, from},
                            flat ? Point{to, at} : Point{at, to}, wires.widths[k]});
      from = to + draw_in(random, 800, 8'000, 100);
    }
  }
}

void join_wires(LayoutCell& cell, const TileSpec& spec, const TileWires& m1, const TileWires& m2,
                Random& random) {
  std::set<std::pair<std::size_t, std::size_t>> used;
  for (int i = 0; i < spec.crossings; ++i) {
    const std::size_t row = random.below(m1.segments.size());
    const std::size_t column = random.below(m2.segments.size());
    const bool doubled = random.chance(0.6);
    const Point at{tile_track(spec.m2_pitch, column), tile_track(spec.m1_pitch, row)};
    const auto below = [&](const Segment& s) {
      return s.covers(at.x - kViaCover, at.x + kViaStep + kViaCover);
    };
    const auto above = [&](const Segment& s) {
      return s.covers(at.y - kViaCover, at.y + kViaCover);
    };
    if (!std::ranges::any_of(m1.segments[row], below)) continue;
    if (!std::ranges::any_of(m2.segments[column], above)) continue;
    if (used.insert({row, column}).second) add_connection(cell, at, doubled, m2.widths[column]);
  }
}

}  // namespace

LayoutCell draw_logic_cell(std::string name, FigureSpec figure, Random& random) {
  LayoutCell cell;
  cell.name = std::move(name);
  const bool twin = figure.twin_space > 0;
  const auto columns = static_cast<std::int32_t>((twin ? 9 : 6) + random.below(twin ? 8 : 12));
  cell.extent = {columns * kColumnPitch, kRowHeight};
  for (const std::int32_t y : {0, kRowHeight}) {
    add_rect(cell, Layer::kM1, {{0, y - 200}, {cell.extent.x, y + 200}});
  }
  const FigureWindows windows = draw_windows(cell, figure, random);
  draw_figures(cell, figure, windows, random);
  const bool on_m1 = figure.layer == Layer::kM1;
  const Tracks tracks = draw_tracks(cell, on_m1 ? windows : FigureWindows{}, random);
  const double doubled_share = random.uniform(0.25, 0.8);
  for (std::int32_t i = 0; i < columns; ++i) {
    const std::int32_t x = 600 + i * kColumnPitch;
    const auto spans = [&](const FigureWindow& w) { return w.spans(x); };
    if (!random.chance(0.4) || (!on_m1 && std::ranges::any_of(windows, spans))) continue;
    draw_column(cell, x, tracks, doubled_share, random);
  }
  return cell;
}

LayoutCell draw_array_cell(std::string name) {
  LayoutCell cell;
  cell.name = std::move(name);
  cell.extent = {4'800, 4'800};
  add_rect(cell, Layer::kM1, {{300, 1'000}, {4'500, 1'400}});
  add_rect(cell, Layer::kM1, {{300, 2'200}, {4'500, 2'600}});
  add_rect(cell, Layer::kM1, {{300, 3'500}, {4'500, 4'100}});
  add_rect(cell, Layer::kM2, {{1'000, 300}, {1'400, 4'500}});
  add_rect(cell, Layer::kM2, {{3'000, 300}, {3'400, 4'500}});
  add_connection(cell, {1'200, 1'200}, false, 400);
  add_connection(cell, {3'200, 3'800}, true, 400);
  return cell;
}

LayoutCell draw_tile(std::string name, const TileSpec& spec, Random& random) {
  LayoutCell cell;
  cell.name = std::move(name);
  cell.extent = {spec.side, spec.side};
  TileWires m1;
  TileWires m2;
  lay_wires(cell, Layer::kM1, spec.m1_pitch, 0.85, spec, m1, random);
  lay_wires(cell, Layer::kM2, spec.m2_pitch, 0.7, spec, m2, random);
  join_wires(cell, spec, m1, m2, random);
  return cell;
}

LayoutCell draw_strap_via(std::string name) {
  LayoutCell cell;
  cell.name = std::move(name);
  cell.extent = {2'000, 2'000};
  for (std::int32_t row = 0; row < 3; ++row) {
    for (std::int32_t column = 0; column < 3; ++column) {
      const Point at{400 + 600 * column, 400 + 600 * row};
      add_rect(cell, Layer::kVia1, around(at, kViaSize / 2, kViaSize / 2));
      cell.double_vias.push_back(at);
    }
  }
  return cell;
}

}  // namespace yieldloop::simulator
