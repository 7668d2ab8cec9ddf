#include "engine/session/analysis.h"

#include <algorithm>
#include <cmath>

#include "engine/core/text.h"
#include "engine/session/load_block_tests.h"
#include "ingest/pipeline/read_layout.h"
#include "ingest/readers/input.h"

namespace yieldloop::session {
namespace {

/// Mean facing length of a finding's gaps and the widths the side effects need.
void describe_geometry(const Analysis& analysis, feedback::FeedbackOptions& options) {
  for (const Finding& f : analysis.findings.findings) {
    if (f.kind != "layout_pattern" || f.locations.empty()) continue;
    const auto layer = std::ranges::find(analysis.fab.data.product.layers, f.subject.at("layer"),
                                         &ProductLayer::name);
    if (layer == analysis.fab.data.product.layers.end()) continue;
    double length = 0.0, space = 0.0;
    for (const LayoutLocation& l : f.locations) {
      length += std::max(l.w_um, l.h_um);
      space += std::min(l.w_um, l.h_um);
    }
    const auto n = static_cast<double>(f.locations.size());
    options.geometry[f.id] = {.space_um = space / n,
                              .facing_length_um = length / n,
                              .wire_width_um = layer->min_width_um.value_or(0.0)};
  }
}

Status load_layout(store::Snapshot& snapshot, Analysis& analysis) {
  if (analysis.fab.layout_digest.empty()) return Ok{};
  YL_ASSIGN(auto blob, snapshot.blob(analysis.fab.layout_digest));
  const Sha256Digest not_needed{};
  YL_ASSIGN(auto input, ingest::input_from_mapped(analysis.fab.data.product.layout_file,
                                                  std::move(blob), {}, &not_needed));
  YL_ASSIGN(const auto bytes, input->bytes());
  auto layout = ingest::read_layout(bytes);
  if (layout) {
    analysis.layout = std::make_shared<const layout::Layout>(std::move(*layout));
  } else {
    analysis.fab.caveats.push_back(layout.error().message);
  }
  return Ok{};
}

/// Tests that speak of a part of the layout; its top cell is the whole die and no block.
Status load_blocks(store::Snapshot& snapshot, const layout::FlatView& view, Analysis& analysis) {
  std::vector<std::string> cells;
  for (layout::CellIndex c = 0; c < view.layout().cells().size(); ++c) {
    if (c != view.top()) cells.push_back(view.layout().cell(c).name);
  }
  YL_ASSIGN(analysis.block_tests, load_block_tests(snapshot, analysis.fab, cell_names(cells)));
  return Ok{};
}

}  // namespace

std::optional<layout::FlatView> Analysis::view() const {
  if (layout == nullptr) return std::nullopt;
  const std::string& top = fab.data.product.top_cell;
  auto view = top.empty() ? layout::view_of(*layout) : layout::view_of(*layout, top);
  if (!view) return std::nullopt;
  return *view;
}

Result<Analysis> open_scope(store::Snapshot& snapshot, const Scope& scope, Progress& progress) {
  Analysis analysis;
  progress.report("Reading the store", 0, 0);
  YL_ASSIGN(analysis.fab, load_fab(snapshot, scope));
  analysis.snapshot = snapshot.number();
  YL_TRY(load_layout(snapshot, analysis));
  const auto view = analysis.view();
  YL_ASSIGN(analysis.design, load_design(snapshot, analysis.fab, view ? &*view : nullptr));
  if (view) YL_TRY(load_blocks(snapshot, *view, analysis));
  if (analysis.layout != nullptr && !view) {
    analysis.fab.caveats.push_back(
        fmt::format("The layout has no cell \"{}\", which product.toml names as top_cell: "
                    "defects are not traced.",
                    analysis.fab.data.product.top_cell));
  }
  return analysis;
}

Result<Analysis> analyse(store::Snapshot& snapshot, const Scope& scope,
                         const AnalysisOptions& options, Progress& progress) {
  YL_ASSIGN(Analysis analysis, open_scope(snapshot, scope, progress));
  const auto view = analysis.view();
  findings::FindOptions find = options.find;
  find.block_tests = &analysis.block_tests;
  YL_ASSIGN(analysis.findings, findings::find_causes(analysis.fab.data, view ? &*view : nullptr,
                                                     analysis.fab.caveats, find, progress));
  if (analysis.design != nullptr) {
    for (Finding& f : analysis.findings.findings) {
      name_places(*analysis.design, analysis.fab.data.product, f);
    }
  }
  feedback::FeedbackOptions feedback{.budget = options.budget};
  describe_geometry(analysis, feedback);
  analysis.suggestions = feedback::suggest(analysis.findings, analysis.fab.data.product, feedback);
  return analysis;
}

}  // namespace yieldloop::session
