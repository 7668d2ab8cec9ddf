#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/console.h"
#include "engine/cli/critical_area_subject.h"
#include "engine/core/file_system.h"
#include "engine/core/text.h"
#include "engine/layout/critical_area.h"
#include "engine/layout/critical_vias.h"
#include "engine/yield/yield_models.h"

namespace yieldloop::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Layouts up to so many shapes on a layer get pieces of the whole layer as nets.
constexpr std::uint64_t kWholePieces = 20'000'000;

/// Defects per cm2 by layer; "" for all others.
using Densities = std::map<std::string, double>;

struct LayerResult {
  std::string layer;
  layout::CriticalArea shorts, opens;
};
struct ViaResult {
  std::string layer;
  layout::CriticalVias vias;
};
struct Results {
  std::vector<LayerResult> layers;
  std::vector<ViaResult> vias;
  double dbu_um = 0.001;
  bool whole_pieces = true;
};

Result<Densities> densities_of(const std::vector<std::string>& texts) {
  Densities densities;
  for (const std::string& text : texts) {
    const auto parts = split(text, '=');
    const auto value = parse_real(trim(parts.back()));
    if (parts.size() > 2 || !value || !(*value >= 0.0) || !std::isfinite(*value))
      return Error{Errc::kInvalidOptions, "CLIC-0061",
                   fmt::format("\"{}\" is no defect density: write a number of defects per cm2, or "
                               "LAYER=NUMBER.",
                               text)};
    densities[parts.size() == 2 ? std::string(trim(parts[0])) : std::string()] = *value;
  }
  return densities;
}

std::optional<double> density_of(const Densities& densities, const std::string& layer) {
  for (const std::string& name : {layer, std::string()})
    if (const auto it = densities.find(name); it != densities.end()) return it->second;
  return std::nullopt;
}

/// Faults per die and the yields that they alone would leave.
struct Limit {
  double faults = 0.0, poisson = 1.0, clustered = 1.0;
};
Result<Limit> limit_of(double faults, double alpha) {
  Limit limit{.faults = faults};
  YL_ASSIGN(limit.poisson, yield::model_yield(faults));
  YL_ASSIGN(
      limit.clustered,
      yield::model_yield(faults, {.model = yield::YieldModel::kNegativeBinomial, .alpha = alpha}));
  return limit;
}

/// Adds faults and limited yields to a row and to the total.
Status add_limit(double faults, double alpha, Json& json, double& total) {
  YL_ASSIGN(const Limit limit, limit_of(faults, alpha));
  json["faults_per_die"] = limit.faults;
  json["limited_yield"] = limit.poisson;
  json["limited_yield_clustered"] = limit.clustered;
  total += faults;
  return Ok{};
}

Json area_json(const layout::CriticalArea& c, double dbu_um) {
  return {{"um2", c.um2},
          {"ci95", {c.ci95_low_um2, c.ci95_high_um2}},
          {"smallest_fault_um", c.curve.empty() ? Json(nullptr) : Json(c.curve.onset() * dbu_um)},
          {"tiles", {c.tiles_done, c.tiles_total}},
          {"tiles_oblique", c.tiles_oblique}};
}

Json via_json(const layout::CriticalVias& v) {
  Json by_cuts = Json::object();
  for (const auto& [cuts, connections] : v.by_cuts) by_cuts[std::to_string(cuts)] = connections;
  return {{"cuts", v.cuts},
          {"connections", v.connections.size()},
          {"by_cuts", std::move(by_cuts)},
          {"unconnected", v.unconnected},
          {"expected_fails", v.expected_fails},
          {"um2", v.um2}};
}

Result<Json> result_json(const Results& results, const CriticalAreaArguments& a) {
  YL_ASSIGN(const Densities densities, densities_of(a.d0));
  double total = 0.0;
  Json layers = Json::array();
  for (const LayerResult& r : results.layers) {
    Json row = {{"layer", r.layer}};
    const auto d0 = density_of(densities, r.layer);
    row["d0_per_cm2"] = d0 ? Json(*d0) : Json(nullptr);
    for (const auto* c : {&r.shorts, &r.opens}) {
      Json& json = row[c == &r.shorts ? "shorts" : "opens"];
      json = area_json(*c, results.dbu_um);
      if (d0) YL_TRY(add_limit(c->um2 * 1e-8 * *d0, a.alpha, json, total));
    }
    layers.push_back(std::move(row));
  }
  Json vias = Json::array();
  for (const ViaResult& r : results.vias) {
    Json row = {{"layer", r.layer}};
    row.update(via_json(r.vias));
    if (a.via_fail_rate > 0.0) YL_TRY(add_limit(r.vias.expected_fails, a.alpha, row, total));
    vias.push_back(std::move(row));
  }
  Json json = {{"schema", "yieldloop.critical_area/1"},
               {"size_law", a.law},
               {"x0_um", a.x0_um},
               {"xmax_um", a.xmax_um},
               {"nets", results.whole_pieces ? "pieces of the layer"
                                             : "pieces of the layer within a tile and its margin"},
               {"via_fail_rate", a.via_fail_rate},
               {"alpha", a.alpha},
               {"layers", std::move(layers)},
               {"vias", std::move(vias)}};
  if (!densities.empty() || a.via_fail_rate > 0.0) {
    double ignored = 0.0;
    YL_TRY(add_limit(total, a.alpha, json["total"], ignored));
  }
  return json;
}

std::string yield_cell(const Json& row) {
  return row.contains("limited_yield") ? fmt::format("{:.4f}", row["limited_yield"].get<double>())
                                       : std::string("-");
}

std::string result_text(const Json& json) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& layer : json["layers"]) {
    for (const std::string fault : {"shorts", "opens"}) {
      const Json& c = layer[fault];
      rows.push_back(
          {layer["layer"].get<std::string>(), fault, fmt::format("{:.6g}", c["um2"].get<double>()),
           fmt::format("{:.4g} to {:.4g}", c["ci95"][0].get<double>(), c["ci95"][1].get<double>()),
           fmt::format("{} of {}", c["tiles"][0].get<std::size_t>(),
                       c["tiles"][1].get<std::size_t>()),
           yield_cell(c)});
    }
  }
  for (const Json& via : json["vias"])
    rows.push_back({via["layer"].get<std::string>(), "vias",
                    fmt::format("{:.6g}", via["um2"].get<double>()),
                    fmt::format("{} cuts in {} connections", via["cuts"].get<std::uint64_t>(),
                                via["connections"].get<std::size_t>()),
                    "all", yield_cell(via)});
  std::string text = fmt::format(
      "Size law {}, x0 {:g} um, xmax {:g} um: nothing above xmax counts. Nets are {}.\n",
      json["size_law"].get<std::string>(), json["x0_um"].get<double>(),
      json["xmax_um"].get<double>(), json["nets"].get<std::string>());
  text += text_table(
      {"layer", "fault", "critical area um2", "95 % interval", "tiles", "limited yield"}, rows);
  if (json.contains("total"))
    text += fmt::format("\nAll of them: {:.6g} faults per die, limited yield {:.4f}\n",
                        json["total"]["faults_per_die"].get<double>(),
                        json["total"]["limited_yield"].get<double>());
  return text;
}

/// One row a tile: its place, its critical area, and the share of its area.
Status write_map(const Results& results, const std::string& path) {
  std::string csv = "layer,fault,x_um,y_um,width_um,height_um,critical_area_um2,density\n";
  for (const LayerResult& r : results.layers)
    for (const auto* c : {&r.shorts, &r.opens})
      for (const layout::TileCriticalArea& t : c->tiles) {
        const double u = results.dbu_um;
        fmt::format_to(
            std::back_inserter(csv), "{},{},{:.6g},{:.6g},{:.6g},{:.6g},{:.9g},{:.6g}\n", r.layer,
            c == &r.shorts ? "short" : "open", static_cast<double>(t.tile.x_min) * u,
            static_cast<double>(t.tile.y_min) * u, static_cast<double>(t.tile.width()) * u,
            static_cast<double>(t.tile.height()) * u, t.um2, t.um2 / (t.tile.area() * u * u));
      }
  return write_file_atomically(real_file_system(), path, csv);
}

Result<LayerResult> compute_layer(const CriticalAreaSubject& subject, const NamedLayer& named,
                                  layout::CriticalAreaOptions options, Results& results,
                                  Progress& progress) {
  LayerResult r{.layer = named.name, .shorts = {}, .opens = {}};
  progress.report("Critical area of " + named.name, 0, 0);
  std::optional<layout::LayerPieces> pieces;
  if (subject.view->count_shapes_expanded(named.layer) <= kWholePieces) {
    pieces.emplace(layout::LayerPieces::of(*subject.view, named.layer));
    options.nets = pieces->finder();
  } else {
    results.whole_pieces = false;
  }
  options.kind = layout::FaultKind::kShort;
  YL_ASSIGN(r.shorts, layout::critical_area(*subject.view, named.layer, options, progress));
  options.kind = layout::FaultKind::kOpen;
  YL_ASSIGN(r.opens, layout::critical_area(*subject.view, named.layer, options, progress));
  return r;
}

Result<Results> compute(const CriticalAreaSubject& subject, const CriticalAreaArguments& a,
                        Progress& progress) {
  const auto law = a.law == "peaked" ? layout::SizeLaw::kPeaked : layout::SizeLaw::kInverseCube;
  const layout::CriticalAreaOptions options{.law = law,
                                            .x0_um = a.x0_um,
                                            .x_max_um = a.xmax_um,
                                            .window = {},
                                            .nets = {},
                                            .tile_um = a.tile_um,
                                            .max_tiles = a.tiles,
                                            .seed = a.seed};
  Results results{.layers = {}, .vias = {}, .dbu_um = subject.layout->dbu_um()};
  for (const NamedLayer& named : subject.layers) {
    YL_ASSIGN(LayerResult r, compute_layer(subject, named, options, results, progress));
    results.layers.push_back(std::move(r));
  }
  for (const NamedVia& named : subject.vias) {
    progress.report("Vias of " + named.name, 0, 0);
    YL_ASSIGN(
        auto vias,
        layout::critical_vias(
            *subject.view, named.layers,
            {.fail_rate = a.via_fail_rate, .law = law, .x0_um = a.x0_um, .x_max_um = a.xmax_um},
            progress));
    results.vias.push_back({named.name, std::move(vias)});
  }
  return results;
}

Result<std::string> answer(const Context& context, const CriticalAreaArguments& a,
                           Progress& progress) {
  YL_TRY(densities_of(a.d0));
  YL_ASSIGN(const CriticalAreaSubject subject, critical_area_subject(context, a, progress));
  YL_ASSIGN(const Results results, compute(subject, a, progress));
  if (!a.map.empty()) YL_TRY(write_map(results, a.map));
  YL_ASSIGN(const Json json, result_json(results, a));
  return context.json ? json.dump(1) : result_text(json);
}

}  // namespace

ExitStatus run_critical_area(const Context& context, const CriticalAreaArguments& arguments) {
  ConsoleProgress progress(context.quiet);
  const auto text = answer(context, arguments, progress);
  return text ? print(*text) : fail(text.error());
}

}  // namespace yieldloop::cli
