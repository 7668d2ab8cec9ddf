#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/console.h"
#include "engine/cli/open_scope.h"
#include "engine/layout/critical_area.h"
#include "ingest/pipeline/read_layout.h"

namespace yieldloop::cli {
namespace {

using Json = nlohmann::ordered_json;

/// A layout with the layers to work on, by the names the user knows.
struct Subject {
  std::shared_ptr<const layout::Layout> layout;
  std::optional<layout::FlatView> view;
  std::vector<std::pair<std::string, layout::LayerIndex>> layers;
};

struct LayerResult {
  std::string layer;
  layout::CriticalArea shorts, opens;
};

Result<layout::LayerIndex> find_layer(const layout::Layout& layout, const Product& product,
                                      const std::string& name) {
  const auto it = std::ranges::find(product.layers, name, &ProductLayer::name);
  if (it != product.layers.end())
    return layout::require_layer(layout, {it->gds_layer, it->gds_datatype});
  const auto key = layout::parse_layer_key(name);
  if (key) return layout::require_layer(layout, *key);
  return Error{
      Errc::kInvalidOptions, "CLIC-0008",
      fmt::format("\"{}\" is no layer: write LAYER/DATATYPE, e.g. 31/0, or a name of product.toml.",
                  name)};
}

Result<Subject> from_file(const CriticalAreaArguments& a) {
  ingest::Rejects rejects;
  auto read = ingest::read_layout(real_file_system(), a.layout, rejects);
  if (!read)
    return Error{read.error().code, read.error().id, a.layout + ": " + read.error().message};
  auto loaded = std::move(*read);
  Subject s{.layout = std::make_shared<const layout::Layout>(std::move(loaded)),
            .view = {},
            .layers = {}};
  YL_ASSIGN(s.view, layout::view_of(*s.layout));
  for (const std::string& name : a.layers) {
    YL_ASSIGN(const auto layer, find_layer(*s.layout, {}, name));
    s.layers.emplace_back(name, layer);
  }
  if (a.layers.empty()) {
    return Error{Errc::kInvalidOptions, "CLIC-0009",
                 "Name the layers with --layer LAYER/DATATYPE: a layout file alone does not say "
                 "which are wires."};
  }
  return s;
}

Result<Subject> from_store(const Context& context, const CriticalAreaArguments& a,
                           Progress& progress) {
  YL_ASSIGN(auto opened, open_for(context, a.scope, store::Store::Mode::kRead));
  YL_ASSIGN(const auto analysis, session::open_scope(opened.snapshot, opened.scope, progress));
  Subject s{.layout = analysis.layout, .view = analysis.view(), .layers = {}};
  if (!s.view) {
    return Error{
        Errc::kNoData, "CLIC-0010",
        fmt::format("The store holds no layout of {}: ingest the file that product.toml names.",
                    analysis.fab.data.product.name)};
  }
  std::vector<std::string> names = a.layers;
  if (names.empty()) {
    for (const ProductLayer& l : analysis.fab.data.product.layers) {
      const bool there = s.layout->find_layer({l.gds_layer, l.gds_datatype}).has_value();
      if (l.kind == LayerKind::kMetal && there) names.push_back(l.name);
    }
    if (names.empty()) {
      return Error{
          Errc::kNoData, "CLIC-0025",
          "product.toml names no metal layer that the layout draws on: name a layer with --layer."};
    }
  }
  for (const std::string& name : names) {
    YL_ASSIGN(const auto layer, find_layer(*s.layout, analysis.fab.data.product, name));
    s.layers.emplace_back(name, layer);
  }
  return s;
}

Json area_json(const layout::CriticalArea& c, double d0) {
  Json json = {{"um2", c.um2},
               {"ci95", {c.ci95_low_um2, c.ci95_high_um2}},
               {"tiles", {c.tiles_done, c.tiles_total}}};
  if (d0 > 0.0) {
    const double faults = c.um2 * 1e-8 * d0;
    json["faults_per_die"] = faults;
    json["limited_yield"] = std::exp(-faults);
  }
  return json;
}

Json result_json(const std::vector<LayerResult>& results, const CriticalAreaArguments& a) {
  Json layers = Json::array();
  for (const LayerResult& r : results) {
    layers.push_back({{"layer", r.layer},
                      {"shorts", area_json(r.shorts, a.d0_per_cm2)},
                      {"opens", area_json(r.opens, a.d0_per_cm2)}});
  }
  return {{"schema", "yieldloop.critical_area/1"},
          {"size_law", a.law},
          {"x0_um", a.x0_um},
          {"xmax_um", a.xmax_um},
          {"d0_per_cm2", a.d0_per_cm2 > 0.0 ? Json(a.d0_per_cm2) : Json(nullptr)},
          {"layers", std::move(layers)}};
}

std::string result_text(const std::vector<LayerResult>& results, const CriticalAreaArguments& a) {
  std::vector<std::vector<std::string>> rows;
  for (const LayerResult& r : results) {
    for (const auto* c : {&r.shorts, &r.opens}) {
      rows.push_back({r.layer, c == &r.shorts ? "shorts" : "opens", fmt::format("{:.4g}", c->um2),
                      fmt::format("{:.4g} to {:.4g}", c->ci95_low_um2, c->ci95_high_um2),
                      fmt::format("{} of {}", c->tiles_done, c->tiles_total),
                      a.d0_per_cm2 > 0.0
                          ? fmt::format("{:.4f}", std::exp(-c->um2 * 1e-8 * a.d0_per_cm2))
                          : "-"});
    }
  }
  return fmt::format("Size law {}, x0 {:g} um, xmax {:g} um: nothing above xmax counts.\n", a.law,
                     a.x0_um, a.xmax_um) +
         text_table(
             {"layer", "fault", "critical area um2", "95 % interval", "tiles", "limited yield"},
             rows);
}

Result<std::string> compute(const Context& context, const CriticalAreaArguments& a,
                            Progress& progress) {
  YL_ASSIGN(const Subject subject,
            a.layout.empty() ? from_store(context, a, progress) : from_file(a));
  layout::CriticalAreaOptions options{
      .law = a.law == "peaked" ? layout::SizeLaw::kPeaked : layout::SizeLaw::kInverseCube,
      .x0_um = a.x0_um,
      .x_max_um = a.xmax_um,
      .max_tiles = a.tiles,
      .seed = a.seed};
  std::vector<LayerResult> results;
  for (const auto& [name, layer] : subject.layers) {
    LayerResult r{.layer = name, .shorts = {}, .opens = {}};
    progress.report("Critical area of " + name, 0, 0);
    options.kind = layout::FaultKind::kShort;
    YL_ASSIGN(r.shorts, layout::critical_area(*subject.view, layer, options, progress));
    options.kind = layout::FaultKind::kOpen;
    YL_ASSIGN(r.opens, layout::critical_area(*subject.view, layer, options, progress));
    results.push_back(std::move(r));
  }
  return context.json ? result_json(results, a).dump(1) : result_text(results, a);
}

}  // namespace

ExitStatus run_critical_area(const Context& context, const CriticalAreaArguments& arguments) {
  ConsoleProgress progress(context.quiet);
  const auto text = compute(context, arguments, progress);
  return text ? print(*text) : fail(text.error());
}

}  // namespace yieldloop::cli
