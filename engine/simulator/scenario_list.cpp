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
       "A tight figure of one cell bridges at a fixed rate wherever it is placed.",
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
      {"hotspot_interaction",
       "A tight figure bridges mostly on wafers of one tool or chamber, or out of focus.",
       {make_interacting_figure}},
      {"single_via_open",
       "Vias that are not doubled open; inspection hardly sees it, the tests of blocks do.",
       {make_unseen_open_vias}},
      {"cmp_density",
       "Polishing leaves residue where the metal density or its gradient is high.",
       {make_density_residue}},
      {"decoy",
       "As hotspot, and beside every bad figure stands the same one with a wider, innocent space.",
       {make_twinned_figure}},
      {"registration",
       "As hotspot, seen by inspection tools whose places are shifted, turned and scaled.",
       {make_misregistered_tools, make_bridging_figure}},
      {"two_patterns",
       "Two tight figures bridge, each at a rate of its own.",
       {make_bridging_figure, make_bridging_figure}},
      {"tool_scratch",
       "One of two polishers that share every lot out scratches some of its wafers.",
       {make_scratches}},
      {"fdc_drift",
       "A sensor of one chamber drifts away and die are lost in proportion; traces are given.",
       {make_drift}},
      {"confounded_tools",
       "Two chambers are always met together; one is bad and no data can tell which.",
       {make_tied_tools}},
      {"slot_position",
       "One place of the furnace boats or one slot of the carriers loses die.",
       {make_bad_place}},
      {"two_causes",
       "A cause in the process and one in layout, reticle or test at once.",
       {make_process_cause, make_other_cause}},
      {"probe_card_wear",
       "A probe card fails more good die the more it has touched: a test artefact.",
       {make_worn_card}},
      {"recipe_change",
       "A new recipe loses die; it came to half of each lot first, then to all.",
       {make_new_recipe}},
      {"lot_split",
       "Lots were split and some exposures reworked; a tool that parts of lots met is bad.",
       {make_split_lots}},
      {"chiplet_assembly",
       "Packages of four die fail by an assembly tool, a place or a lot of substrates.",
       {make_bad_assembly}},
      {"ecid_errors",
       "Some identities of packaged die are blank, and one assembly lot's are off by some die.",
       {make_wrong_identities}},
      {"intermittent_tool",
       "One chamber loses die in some separate windows of time.",
       {make_now_and_then}},
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

FabRules rules_of(const Options& options, const Effects& effects) {
  FabRules rules;
  const Random base = stream(options, Stream::kRules);
  for (std::size_t i = 0; i < effects.size(); ++i) {
    Random random = base.fork(i);
    effects[i]->set_rules(rules, random);
  }
  return rules;
}

}  // namespace yieldloop::simulator
