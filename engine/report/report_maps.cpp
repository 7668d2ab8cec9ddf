#include <algorithm>

#include "engine/report/report_parts.h"

namespace yieldloop::report {
namespace {

ReportGeometry geometry_of(const FabData& data) {
  const Product& product = data.product;
  ReportGeometry g{.die_width_um = product.die_width_um,
                   .die_height_um = product.die_height_um,
                   .wafer_diameter_mm = product.wafer_diameter_mm,
                   .edge_exclusion_mm = product.edge_exclusion_mm};
  if (product.reticle_columns * product.reticle_rows > 1) {
    g.reticle_columns = product.reticle_columns;
    g.reticle_rows = product.reticle_rows;
    g.reticle_origin = product.reticle_origin;
  }
  for (const Inspection& inspection : data.inspections) {
    if (!(inspection.die_pitch_x_um > 0) || !(inspection.die_pitch_y_um > 0)) continue;
    if (!(g.die_width_um > 0)) g.die_width_um = inspection.die_pitch_x_um;
    if (!(g.die_height_um > 0)) g.die_height_um = inspection.die_pitch_y_um;
    g.centre_x_um = inspection.sample_center_x_um;
    g.centre_y_um = inspection.sample_center_y_um;
    break;
  }
  return g;
}

void add_defects_to(const ReportBasis& basis, std::map<WaferId, ReportMap>& maps) {
  for (const Defect& defect : basis.data.defects) {
    const auto it = maps.find(defect.wafer);
    if (it == maps.end() || defect.inspection >= basis.data.inspections.size()) continue;
    const Inspection& inspection = basis.data.inspections[defect.inspection];
    if (!(inspection.die_pitch_x_um > 0)) continue;
    it->second.defects_um.emplace_back(
        defect.die.x * inspection.die_pitch_x_um + defect.x_um - inspection.sample_center_x_um,
        defect.die.y * inspection.die_pitch_y_um + defect.y_um - inspection.sample_center_y_um);
  }
}

}  // namespace

void add_maps(const ReportBasis& basis, ReportContent& content) {
  content.geometry = geometry_of(basis.data);
  std::vector<const WaferRow*> rows;
  for (const LotRow& lot : content.lots) {
    for (const WaferRow& wafer : lot.wafer_rows) rows.push_back(&wafer);
  }
  content.maps_total = rows.size();
  std::set<std::string> wanted;
  for (const Excursion& excursion : content.excursions) {
    wanted.insert(excursion.maps.begin(), excursion.maps.end());
  }
  std::ranges::stable_sort(rows, {}, [](const WaferRow* row) { return row->final_yield; });
  for (std::size_t i = 0; i < std::min(rows.size(), basis.options.max_maps); ++i) {
    wanted.insert(rows[i]->label);
  }
  std::vector<bool> tonight(basis.data.wafers.size(), false);
  std::map<WaferId, ReportMap> maps;
  for (std::size_t w = 0; w < tonight.size(); ++w) {
    const WaferId id{static_cast<std::uint32_t>(w)};
    tonight[w] = is_tonight(basis, id);
    const std::string label = basis.data.wafer_label(id);
    if (tonight[w] && wanted.contains(label)) maps[id].label = label;
  }
  for (const DieOutcome& die : basis.final_dies) {
    const auto it = maps.find(die.wafer);
    if (it != maps.end()) it->second.dies.push_back({die.die, die.hard_bin, die.pass});
  }
  add_defects_to(basis, maps);
  for (auto& [wafer, map] : maps) {
    const auto good = std::ranges::count(map.dies, true, &MapResult::pass);
    map.final_yield =
        map.dies.empty() ? 0.0 : static_cast<double>(good) / static_cast<double>(map.dies.size());
    content.maps.push_back(std::move(map));
  }
  std::ranges::stable_sort(content.maps, {}, &ReportMap::final_yield);
  content.stack = stack_of(basis.final_dies, tonight);
}

}  // namespace yieldloop::report
