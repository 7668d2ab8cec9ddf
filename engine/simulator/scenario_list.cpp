#include "engine/simulator/scenario_list.h"

#include <algorithm>
#include <array>

namespace yieldloop::simulator {
namespace {

using Maker = std::unique_ptr<Effect> (*)();

struct Row {
  const char* name;
  const char* description;
  std::vector<Maker> makers;
};

const std::vector<Row>& table() {
  static const std::vector<Row> rows{
      {"chamber",
       "From a date on, one chamber of an etch tool loses die at the wafer's edge.",
       {make_bad_chamber}},
      {"hotspot",
       "A tight M1 figure of one cell bridges at a fixed rate wherever it is placed.",
       {make_bridging_figure}},
      {"reticle",
       "One reticle prints a defect at a fixed place of its exposure field.",
       {make_reticle_defect}},
      {"probe_site",
       "One site of a probe card fails good die: a test artefact.",
       {make_misreading_site}},
      {"queue_time",
       "Wafers that wait longer than a limit between two steps lose die.",
       {make_long_queue}},
      {"single_via", "Vias that are not doubled open at a fixed rate.", {make_open_vias}},
      {"null", "Nothing is planted: natural variation only.", {}},
  };
  return rows;
}

}  // namespace

std::vector<ScenarioInfo> scenarios() {
  std::vector<ScenarioInfo> infos;
  for (const Row& row : table()) infos.push_back({row.name, row.description});
  return infos;
}

std::optional<Effects> effects_of(std::string_view scenario) {
  const auto row = std::ranges::find(table(), scenario, &Row::name);
  if (row == table().end()) return std::nullopt;
  Effects effects;
  for (const Maker maker : row->makers) effects.push_back(maker());
  return effects;
}

}  // namespace yieldloop::simulator
