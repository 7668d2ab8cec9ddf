// What an analysis hands to others: marker files for layout tools, clips and content for the
// report.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/feedback/gds_markers.h"
#include "engine/feedback/lyrdb.h"
#include "engine/session/analysis.h"
#include "engine/session/draw_edits.h"
#include "engine/tracing/frame.h"

namespace yieldloop::session {
namespace {

std::string top_cell_name(const Analysis& analysis) {
  const auto view = analysis.view();
  return view ? view->layout().cell(view->top()).name : analysis.fab.data.product.top_cell;
}

std::vector<report::ClipShape> clip_shapes(const layout::FlatView& view, layout::LayerIndex layer,
                                           const geometry::Box& window) {
  const double dbu = view.layout().dbu_um();
  std::vector<report::ClipShape> shapes;
  for (const auto& polygon : view.clip(layer, window)) {
    report::ClipShape shape;
    for (const geometry::Point& p : polygon) {
      shape.points.emplace_back(static_cast<double>(p.x + window.x_min) * dbu,
                                static_cast<double>(p.y + window.y_min) * dbu);
    }
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

}  // namespace

Status write_suggestion_files(Analysis& analysis, FileSystem& files, const fs::path& folder,
                              Progress& progress) {
  YL_TRY(files.create_folders(folder));
  const std::string top = top_cell_name(analysis);
  for (Suggestion& s : analysis.suggestions.suggestions) {
    if (s.locations.empty() || top.empty()) continue;
    YL_ASSIGN(const std::string text, feedback::lyrdb_text(feedback::markers_of(s, top)));
    const fs::path markers = folder / (s.id + ".lyrdb");
    YL_TRY(write_file_atomically(files, markers, text));
    s.markers = markers.string();
    YL_ASSIGN(const DrawnEdits drawn, draw_edits(analysis, s, progress));
    s.edits_words = drawn.words;
    // What was drawn is known better than what was estimated before.
    for (const auto& [fault, change] : drawn.side_effects) s.side_effects[fault] = change;
    if (drawn.rectangles.empty()) continue;
    YL_ASSIGN(const auto stream, feedback::gds_markers(top, drawn.rectangles, drawn.dbu_um));
    const fs::path edits = folder / (s.id + ".gds");
    YL_TRY(write_file_atomically(
        files, edits,
        std::string_view(reinterpret_cast<const char*>(stream.data()), stream.size())));
    s.edits = edits.string();
  }
  return Ok{};
}

std::vector<report::ReportClip> finding_clips(const Analysis& analysis) {
  std::vector<report::ReportClip> clips;
  const auto view = analysis.view();
  if (!view) return clips;
  const Product& product = analysis.fab.data.product;
  for (const Finding& f : analysis.findings.findings) {
    if (f.locations.empty()) continue;
    const LayoutLocation& place = f.locations.front();
    // Wide enough to show the surroundings that make the pattern.
    const double half = std::max({2.0, place.w_um * 2.0, place.h_um * 2.0});
    const double x = place.x_um + place.w_um / 2, y = place.y_um + place.h_um / 2;
    const auto window =
        tracing::to_dbu({x - half, y - half, x + half, y + half}, view->layout().dbu_um());
    report::ReportClip clip{.finding = f.id, .place = place, .layers = {}};
    for (const ProductLayer& layer : product.layers) {
      if (layer.kind == LayerKind::kMarker) continue;
      const auto index = view->layout().find_layer({layer.gds_layer, layer.gds_datatype});
      if (index) clip.layers.emplace_back(layer.name, clip_shapes(*view, *index, window));
    }
    clips.push_back(std::move(clip));
  }
  return clips;
}

Result<report::ReportContent> make_report(const store::Snapshot& snapshot, const Analysis& analysis,
                                          const AnalysisOptions& options, const std::string& night,
                                          const std::string& store_name,
                                          const std::string& command) {
  report::ReportOptions r{.night = night};
  YL_ASSIGN(const auto bins,
            snapshot.query("SELECT bin, min(name) AS name FROM test_bins WHERE kind = 'hard' AND "
                           "name <> '' GROUP BY bin ORDER BY bin"));
  for (std::size_t i = 0; i < bins.rows(); ++i) {
    r.bin_names[static_cast<int>(bins["bin"].as_int(i))] = std::string(bins["name"].as_text(i));
  }
  YL_ASSIGN(const auto sources, snapshot.sources());
  for (const store::SourceRecord& s : sources) {
    if (s.rejects_total > 0) {
      r.skipped_files.push_back(
          fmt::format("{}: {} records were rejected", s.name, s.rejects_total));
    }
  }
  r.clips = finding_clips(analysis);
  r.provenance.version = std::string("yieldloop ") + kVersion;
  r.provenance.store = store_name;
  r.provenance.snapshot = std::to_string(analysis.snapshot);
  r.provenance.command = command;
  r.provenance.options = {{"q", fmt::format("{}", options.find.q)}, {"night", night}};
  r.provenance.seeds = {options.find.seed};
  return report::build_report(analysis.fab.data, analysis.findings,
                              analysis.suggestions.suggestions, r);
}

}  // namespace yieldloop::session
