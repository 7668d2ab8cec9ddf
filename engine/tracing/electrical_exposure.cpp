#include "engine/tracing/electrical_exposure.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "engine/core/text.h"
#include "engine/layout/census.h"
#include "engine/tracing/pattern_census.h"

namespace yieldloop::tracing {
namespace {

using layout::CellIndex;
using layout::FlatView;
using layout::Layout;

/// How often each cell is placed below `top`, hierarchy and repetitions expanded; top counts 1.
std::vector<double> placements_below(const Layout& layout, CellIndex top) {
  std::vector<double> times(layout.cells().size(), 0.0);
  times[top] = 1.0;
  const auto& order = layout.bottom_up();
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    if (times[*it] == 0.0) continue;
    for (const layout::Instance& instance : layout.cell(*it).instances) {
      times[instance.cell] += times[*it] * static_cast<double>(instance.count());
    }
  }
  return times;
}

const ProductLayer* layer_named(const Product& product, const std::string& name) {
  const auto it = std::ranges::find(product.layers, name, &ProductLayer::name);
  return it == product.layers.end() ? nullptr : &*it;
}

std::optional<layout::LayerIndex> drawn(const Layout& layout, const ProductLayer* layer) {
  if (layer == nullptr) return std::nullopt;
  return layout.find_layer({layer->gds_layer, layer->gds_datatype});
}

/// Half the border of the layer, um. Tiles keep the memory bounded; their borders stand on odd
/// coordinates, where no drawing grid puts an edge, because what runs along a window's own border
/// does not count.
double wire_length_um(const FlatView& view, layout::LayerIndex layer) {
  constexpr geometry::Coord kTile = 100'000;
  const geometry::Box box = view.bbox(layer);
  if (box.empty()) return 0.0;
  double sum = 0.0;
  for (geometry::Coord y = (box.y_min - 2) | 1; y <= box.y_max; y += kTile) {
    for (geometry::Coord x = (box.x_min - 2) | 1; x <= box.x_max; x += kTile) {
      sum += view.perimeter(layer, {x, y, x + kTile, y + kTile});
    }
  }
  return 0.5 * sum * view.layout().dbu_um();
}

std::string kind_words(GapKind kind) {
  switch (kind) {
    case GapKind::kSide: return "narrow_space";
    case GapKind::kLineEnd: return "line_end_gap";
    case GapKind::kCorner: break;
  }
  return "corner_gap";
}

/// A cell that tests observe.
struct Block {
  CellIndex cell = layout::kNoCell;
  double copies = 0.0;  ///< On the die.
};

class ExposureCounter {
 public:
  ExposureCounter(const FlatView& view, const Product& product, const BlockExposureOptions& options,
                  Progress& progress)
      : view_(view), product_(product), options_(options), progress_(progress) {}

  Result<BlockExposures> run(std::vector<std::string> cells) {
    find_blocks(std::move(cells));
    if (blocks_.empty()) {
      return Error{Errc::kNoData, "ELEX-0001",
                   "No cell that a test names is placed in the layout: check [[test_block]] in "
                   "product.toml and the layout's cell names."};
    }
    add_area();
    for (const ProductLayer& layer : product_.layers) {
      if (layer.kind == LayerKind::kVia || layer.kind == LayerKind::kContact) {
        YL_TRY(add_vias(layer));
      } else if (layer.kind == LayerKind::kMetal) {
        YL_TRY(add_metal(layer));
      }
    }
    add_cell_types();
    fill();
    return std::move(result_);
  }

 private:
  void find_blocks(std::vector<std::string> cells) {
    std::ranges::sort(cells);
    cells.erase(std::unique(cells.begin(), cells.end()), cells.end());
    const auto times = placements_below(view_.layout(), view_.top());
    for (std::string& name : cells) {
      const auto cell = view_.layout().find_cell(name);
      if (!cell || times[*cell] == 0.0 || view_.layout().cell(*cell).bbox.empty()) {
        result_.caveats.push_back(
            fmt::format("Cell {}, which a test observes, is not placed in the layout: its fails "
                        "are not traced.",
                        name));
        continue;
      }
      blocks_.push_back({*cell, times[*cell]});
      result_.blocks.push_back(std::move(name));
    }
  }

  FlatView view_of(const Block& block) const { return {view_.layout(), block.cell}; }

  /// Keeps a column that some block holds.
  void add(ElectricalCause cause, std::vector<double> per_cell) {
    if (std::ranges::all_of(per_cell, [](double v) { return v <= 0.0; })) return;
    for (std::size_t b = 0; b < blocks_.size(); ++b) per_cell[b] *= blocks_[b].copies;
    result_.causes.push_back(std::move(cause));
    columns_.push_back(std::move(per_cell));
  }

  void add_area() {
    const double dbu = view_.layout().dbu_um();
    std::vector<double> area;
    for (const Block& b : blocks_) {
      area.push_back(view_.layout().cell(b.cell).bbox.area() * dbu * dbu);
    }
    add({"area", {}}, std::move(area));
  }

  Status add_vias(const ProductLayer& via) {
    if (via.connects.size() != 2) return Ok{};
    const auto cut = drawn(view_.layout(), &via),
               one = drawn(view_.layout(), layer_named(product_, via.connects[0])),
               two = drawn(view_.layout(), layer_named(product_, via.connects[1]));
    if (!cut || !one || !two) return Ok{};
    std::vector<double> single, doubled;
    for (const Block& b : blocks_) {
      YL_ASSIGN(const auto census,
                layout::census_vias(view_of(b), {*cut, *one, *two}, {}, progress_));
      single.push_back(static_cast<double>(census.singles));
      doubled.push_back(static_cast<double>(census.redundant));
    }
    add({"via", {{"layer", via.name}, {"feature", "single_via"}}}, std::move(single));
    add({"via", {{"layer", via.name}, {"feature", "double_via"}}}, std::move(doubled));
    return Ok{};
  }

  Status add_metal(const ProductLayer& metal) {
    const auto layer = drawn(view_.layout(), &metal);
    if (!layer) return Ok{};
    std::vector<double> length;
    for (const Block& b : blocks_) length.push_back(wire_length_um(view_of(b), *layer));
    add({"net_or_cell", {{"layer", metal.name}, {"feature", "wire_length"}}}, std::move(length));
    return add_classes(metal, *layer);
  }

  /// Close places by kind and space, the same classes in every block.
  Status add_classes(const ProductLayer& metal, layout::LayerIndex layer) {
    const CensusOptions census_options{.min_space_um = metal.min_space_um.value_or(0.0)};
    std::map<std::string, std::pair<PatternClass, std::vector<double>>> classes;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      const FlatView view = view_of(blocks_[b]);
      auto census = census_patterns(view, layer, view.bbox(), census_options, progress_);
      if (!census) {
        if (census.error().code == Errc::kNoData) continue;
        return census.error();
      }
      for (PatternClass& c : census->classes) {
        if (c.radius_um != 0.0) continue;
        auto& [known, counts] = classes[c.id];
        counts.resize(blocks_.size(), 0.0);
        counts[b] = static_cast<double>(c.anchors.size());
        known = std::move(c);
        known.anchors.clear();
      }
    }
    add_most_frequent(metal, classes);
    return Ok{};
  }

  void add_most_frequent(
      const ProductLayer& metal,
      const std::map<std::string, std::pair<PatternClass, std::vector<double>>>& classes) {
    std::vector<std::pair<double, std::string>> order;
    for (const auto& [id, entry] : classes) {
      order.emplace_back(-std::accumulate(entry.second.begin(), entry.second.end(), 0.0), id);
    }
    std::ranges::sort(order);
    if (order.size() > options_.most_classes) order.resize(options_.most_classes);
    for (const auto& [count, id] : order) {
      const auto& [pattern, counts] = classes.at(id);
      add({"layout_pattern",
           {{"layer", metal.name},
            {"pattern_id", id},
            {"feature", kind_words(pattern.kind)},
            {"value", fmt::format("{:.4g} um", pattern.space_um)}}},
          counts);
    }
  }

  void add_cell_types() {
    std::vector<std::vector<double>> times;
    std::vector<double> total(view_.layout().cells().size(), 0.0);
    for (const Block& b : blocks_) {
      times.push_back(placements_below(view_.layout(), b.cell));
      for (std::size_t c = 0; c < total.size(); ++c) total[c] += times.back()[c] * b.copies;
    }
    std::vector<std::pair<double, CellIndex>> order;
    for (CellIndex c = 0; c < total.size(); ++c) {
      const bool leaf = view_.layout().cell(c).instances.empty();
      const bool block = std::ranges::any_of(blocks_, [&](const Block& b) { return b.cell == c; });
      if (leaf && !block && total[c] > 0.0) order.emplace_back(-total[c], c);
    }
    std::ranges::sort(order, [&](const auto& a, const auto& b) {
      return std::pair(a.first, view_.layout().cell(a.second).name) <
             std::pair(b.first, view_.layout().cell(b.second).name);
    });
    if (order.size() > options_.most_cell_types) order.resize(options_.most_cell_types);
    for (const auto& [count, cell] : order) {
      std::vector<double> placed;
      for (const auto& t : times) placed.push_back(t[cell]);
      add({"net_or_cell", {{"cell", view_.layout().cell(cell).name}}}, std::move(placed));
    }
  }

  void fill() {
    result_.amount.resize(blocks_.size() * columns_.size());
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      for (std::size_t c = 0; c < columns_.size(); ++c) {
        result_.amount[b * columns_.size() + c] = columns_[c][b];
      }
    }
  }

  const FlatView& view_;
  const Product& product_;
  const BlockExposureOptions& options_;
  Progress& progress_;
  std::vector<Block> blocks_;
  std::vector<std::vector<double>> columns_;
  BlockExposures result_;
};

}  // namespace

std::string describe(const ElectricalCause& cause) {
  const auto field = [&](const char* key) {
    const auto it = cause.subject.find(key);
    return it == cause.subject.end() ? std::string() : it->second;
  };
  const std::string feature = field("feature");
  if (cause.kind == "area") return "area (random defects)";
  if (feature == "single_via") return "single " + field("layer") + " vias";
  if (feature == "double_via") return "doubled " + field("layer") + " vias";
  if (feature == "wire_length") return field("layer") + " wire length";
  if (!field("pattern_id").empty()) {
    std::string words = feature;
    std::ranges::replace(words, '_', ' ');
    return fmt::format("pattern {} on {} ({} of {})", field("pattern_id"), field("layer"), words,
                       field("value"));
  }
  return "cell " + field("cell");
}

Result<BlockExposures> block_exposures(const FlatView& view, const Product& product,
                                       const std::vector<std::string>& cells,
                                       const BlockExposureOptions& options, Progress& progress) {
  return ExposureCounter(view, product, options, progress).run(cells);
}

}  // namespace yieldloop::tracing
