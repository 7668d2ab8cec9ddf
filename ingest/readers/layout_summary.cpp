#include "ingest/readers/layout_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "engine/core/text.h"

namespace yieldloop::ingest {
namespace {

using layout::Layout;

/// Only the largest tops are named one by one; a library has thousands.
constexpr std::size_t kTopsInRow = 8;

std::string top_names(const Layout& layout) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(layout.top_cells().size(), kTopsInRow); ++i)
    names.push_back(to_valid_utf8(layout.cell(layout.top_cells()[i]).name));
  return join(names, " ");
}

void put_layout_row(const Layout& layout, std::string_view kind, Input& input,
                    store::Table& table) {
  const std::vector<std::uint64_t> shapes = layout.shape_records();
  table["layout"].add_text(input.digest().hex());
  table["file_name"].add_text(input.name());
  table["kind"].add_text(std::string(kind));
  table["dbu_um"].add_real(layout.dbu_um());
  table["cells"].add_int(static_cast<std::int64_t>(layout.cells().size()));
  if (!layout.top_cells().empty()) {
    const layout::Box box = layout.cell(layout.top_cells().front()).bbox;
    table["top_cell"].add_text(top_names(layout));
    if (!box.empty()) {
      table["x_min_um"].add_real(static_cast<double>(box.x_min) * layout.dbu_um());
      table["y_min_um"].add_real(static_cast<double>(box.y_min) * layout.dbu_um());
      table["x_max_um"].add_real(static_cast<double>(box.x_max) * layout.dbu_um());
      table["y_max_um"].add_real(static_cast<double>(box.y_max) * layout.dbu_um());
    }
  }
  table["shapes"].add_int(
      static_cast<std::int64_t>(std::accumulate(shapes.begin(), shapes.end(), std::uint64_t{0})));
  table["instances"].add_int(
      static_cast<std::int64_t>(std::min<std::uint64_t>(layout.array_elements(), INT64_MAX)));
  table.finish_row();
}

void put_layer_rows(const Layout& layout, Input& input, store::Table& table) {
  const std::vector<std::uint64_t> shapes = layout.shape_records();
  for (std::size_t i = 0; i < layout.layers().size(); ++i) {
    const layout::LayerKey key = layout.layers()[i];
    table["layout"].add_text(input.digest().hex());
    table["position"].add_int(static_cast<std::int64_t>(i));
    table["name"].add_text(to_string(key));
    table["gds_layer"].add_int(key.layer);
    table["gds_datatype"].add_int(key.datatype);
    table["shapes"].add_int(static_cast<std::int64_t>(shapes[i]));
    table.finish_row();
  }
}

void fill_counts(const Layout& layout, ReadSummary& summary) {
  summary.counts["dbu_um"] = layout.dbu_um();
  summary.counts["cells"] = static_cast<double>(layout.cells().size());
  summary.counts["placements"] = static_cast<double>(layout.placements());
  summary.counts["instances"] = static_cast<double>(layout.array_elements());
  summary.counts["texts"] = static_cast<double>(layout.texts());
  summary.counts["unresolved_cells"] = static_cast<double>(layout.unresolved_cells());
  summary.counts["top_cells"] = static_cast<double>(layout.top_cells().size());
  for (const layout::CellIndex top : layout.top_cells()) {
    const layout::Box box = layout.cell(top).extent;
    if (box.empty()) continue;
    auto& group = summary.grouped_counts["bbox_um:" + to_valid_utf8(layout.cell(top).name)];
    group["x_min"] = static_cast<double>(box.x_min) * layout.dbu_um();
    group["y_min"] = static_cast<double>(box.y_min) * layout.dbu_um();
    group["x_max"] = static_cast<double>(box.x_max) * layout.dbu_um();
    group["y_max"] = static_cast<double>(box.y_max) * layout.dbu_um();
  }
  const std::vector<std::uint64_t> records = layout.shape_records();
  const std::vector<std::uint64_t> expanded = layout.shapes_expanded();
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::string key = to_string(layout.layers()[i]);
    summary.grouped_counts["shapes"][key] = static_cast<double>(records[i]);
    summary.grouped_counts["shapes_expanded"][key] = static_cast<double>(expanded[i]);
  }
}

}  // namespace

Result<ReadSummary> summarise_layout(const Layout& layout, std::string_view kind, Input& input,
                                     const Rejects& rejects, store::RowSink& sink) {
  if (layout.cells().empty() && !rejects.empty())
    return Error{Errc::kNoData, "READ-0012",
                 fmt::format("No cell of {} is left. {}", escape_controls(input.name()),
                             rejects.kept().front().message)};
  ReadSummary summary;
  fill_counts(layout, summary);
  if (layout.cells().empty())
    summary.warnings.push_back("The layout holds no cell; check the export that wrote it.");
  if (const std::uint64_t missing = layout.unresolved_cells(); missing > 0)
    summary.warnings.push_back(
        fmt::format("{} cells are placed but not drawn in the file.", missing));
  store::Table layouts = store::Table::of("layouts");
  put_layout_row(layout, kind, input, layouts);
  store::Table layers = store::Table::of("layers");
  put_layer_rows(layout, input, layers);
  summary.rows = layouts.rows() + layers.rows();
  const Error cancelled{Errc::kCancelled, "READ-0011", "Reading the layout was cancelled."};
  if (!sink.put(std::move(layouts))) return cancelled;
  if (layers.rows() > 0 && !sink.put(std::move(layers))) return cancelled;
  return summary;
}

}  // namespace yieldloop::ingest
