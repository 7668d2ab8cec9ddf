#include "ingest/readers/maps/wafer_map.h"

#include "engine/core/text.h"

namespace yieldloop::ingest::maps {

std::string_view to_word(Quality quality) {
  switch (quality) {
    case Quality::kPass: return "pass";
    case Quality::kFail: return "fail";
    case Quality::kUnknown: break;
  }
  return "";
}

Quality quality_of(std::string_view word) {
  const std::string lower = to_lower(trim(word));
  if (lower == "p" || lower.starts_with("pass") || lower.starts_with("good")) {
    return Quality::kPass;
  }
  for (const std::string_view bad : {"fail", "bad", "reject", "ink"}) {
    if (lower.starts_with(bad)) return Quality::kFail;
  }
  return lower == "f" ? Quality::kFail : Quality::kUnknown;
}

std::optional<std::int32_t> WaferMap::find_bin(std::string_view code) const {
  const auto it = positions_.find(std::string(code));
  if (it == positions_.end()) return std::nullopt;
  return it->second;
}

std::int32_t WaferMap::bin(std::string_view code) {
  const auto [it, added] =
      positions_.try_emplace(std::string(code), static_cast<std::int32_t>(bins.size()));
  if (added) bins.push_back({.code = std::string(code)});
  return it->second;
}

void WaferMap::index_bins() {
  positions_.clear();
  for (std::size_t i = 0; i < bins.size(); ++i) {
    positions_.try_emplace(bins[i].code, static_cast<std::int32_t>(i));
  }
}

Place wafer_extent(const WaferMap& map) {
  const Place listed{static_cast<std::int64_t>(map.columns), static_cast<std::int64_t>(map.rows)};
  const bool turned = map.frame.notch == 90 || map.frame.notch == 270;
  return turned ? Place{listed.y, listed.x} : listed;
}

Place wafer_place(const WaferMap& map, std::size_t row, std::size_t column) {
  const auto width = static_cast<std::int64_t>(map.columns);
  const auto height = static_cast<std::int64_t>(map.rows);
  auto x = static_cast<std::int64_t>(column);
  auto y = static_cast<std::int64_t>(row);
  if (!map.frame.first_cell_left) x = width - 1 - x;
  if (map.frame.first_row_top) y = height - 1 - y;
  // Counter-clockwise by the angle that the notch stands clockwise from the bottom.
  Place place{x, y};
  if (map.frame.notch == 90) place = {height - 1 - y, x};
  if (map.frame.notch == 180) place = {width - 1 - x, height - 1 - y};
  if (map.frame.notch == 270) place = {y, width - 1 - x};
  if (map.frame.back_side) place.x = wafer_extent(map).x - 1 - place.x;
  return place;
}

Place listed_place(const WaferMap& map, Place picture) {
  const auto width = static_cast<std::int64_t>(map.columns);
  const auto height = static_cast<std::int64_t>(map.rows);
  return {map.frame.first_cell_left ? picture.x : width - 1 - picture.x,
          map.frame.first_row_top ? height - 1 - picture.y : picture.y};
}

Tally tally(const WaferMap& map) {
  Tally t;
  t.by_bin.resize(map.bins.size());
  for (const std::int32_t cell : map.cells) {
    if (cell == kNoDie) continue;
    ++t.die;
    ++t.by_bin[static_cast<std::size_t>(cell)];
  }
  for (std::size_t i = 0; i < map.bins.size(); ++i) {
    if (map.bins[i].quality == Quality::kPass) t.pass += t.by_bin[i];
    if (map.bins[i].quality == Quality::kFail) t.fail += t.by_bin[i];
  }
  return t;
}

bool set_origin(Axes& axes, std::string_view word) {
  const std::string lower = to_lower(trim(word));
  if (lower == "center" || lower == "centre") {
    axes.corner_x = axes.corner_y = 0;
    return true;
  }
  const bool upper = lower.starts_with("upper");
  if (!upper && !lower.starts_with("lower")) return false;
  const std::string_view side = std::string_view(lower).substr(5);
  if (side != "left" && side != "right") return false;
  axes.corner_y = upper ? 1 : -1;
  axes.corner_x = side == "left" ? -1 : 1;
  return true;
}

bool set_directions(Axes& axes, std::string_view word) {
  const std::string lower = to_lower(trim(word));
  if (lower != "upright" && lower != "upleft" && lower != "downright" && lower != "downleft") {
    return false;
  }
  axes.up = lower.starts_with("up");
  axes.right = lower.ends_with("right");
  return true;
}

Place picture_place(const WaferMap& map, const Axes& axes, Place counted) {
  const auto start = [](int corner, std::size_t size) {
    const auto n = static_cast<std::int64_t>(size);
    return corner < 0 ? 0 : corner > 0 ? n - 1 : n / 2;
  };
  return {start(axes.corner_x, map.columns) + (axes.right ? counted.x : -counted.x),
          start(axes.corner_y, map.rows) + (axes.up ? counted.y : -counted.y)};
}

}  // namespace yieldloop::ingest::maps
