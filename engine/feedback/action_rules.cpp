#include "engine/feedback/action_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace yieldloop::feedback {
namespace {

std::string get(const Finding& finding, const std::string& key) {
  const auto it = finding.subject.find(key);
  return it == finding.subject.end() ? std::string() : it->second;
}

bool mentions(const Finding& finding, std::string_view word) {
  return std::ranges::any_of(finding.evidence, [&](const Evidence& e) {
    return e.analysis.find(word) != std::string::npos;
  });
}

/// A tool that went bad at a time, or whose sensors or maintenance say so, can be mended.
bool is_mendable(const Finding& f) {
  return !get(f, "from").empty() || !get(f, "to").empty() || !get(f, "sensor").empty() ||
         mentions(f, "fdc") || mentions(f, "maintenance") || mentions(f, "sensor") ||
         mentions(f, "change_point");
}

std::vector<ActionChoice> tool_actions(const Finding& f) {
  if (is_mendable(f)) {
    return {{"process", "maintain_tool", 1.0}, {"process", "hold_tool", 1.0}};
  }
  return {{"process", "hold_tool", 1.0}, {"process", "maintain_tool", 0.9}};
}

bool is_open_type(const Finding& f) {
  const std::string failure = get(f, "failure");
  return failure == "open" || get(f, "feature") == "narrow_wire" || get(f, "feature") == "width";
}

std::vector<ActionChoice> layout_actions(const Finding& f) {
  const std::string feature = get(f, "feature");
  if (feature.starts_with("via_density")) {
    return {{"design", "spread_wires", 0.4}, {"process", "retarget_step", 0.5}};
  }
  if (feature.find("via") != std::string::npos) {
    return {{"design", "double_via", 1.0}, {"process", "retarget_step", 0.5}};
  }
  if (feature == "density_low" || feature == "empty_area" || feature == "density_gradient" ||
      (feature == "density" && get(f, "direction") == "falls")) {
    return {{"design", "add_fill", 0.8}, {"process", "retarget_step", 0.5}};
  }
  if (feature == "density_high" || feature == "wide_metal" || feature == "perimeter_high" ||
      feature == "density" || feature == "perimeter" || feature == "wire_length") {
    return {{"design", "spread_wires", 0.7}, {"process", "retarget_step", 0.5}};
  }
  if (is_open_type(f)) {
    return {{"design", "widen_wire", 1.0}, {"design", "replace_pattern", 0.9}};
  }
  return {{"design", "widen_space", 1.0}, {"design", "replace_pattern", 0.9}};
}

std::vector<ActionChoice> test_actions(const Finding& f) {
  std::vector<ActionChoice> actions;
  const bool card = !get(f, "probe_card").empty();
  const bool site = !get(f, "site").empty();
  if (site || !card) actions.push_back({"test", "recalibrate_site", 1.0});
  if (card) actions.push_back({"test", "fix_probe_card", site ? 0.9 : 1.0});
  actions.push_back({"test", "retest", 0.9});
  return actions;
}

std::vector<ActionChoice> assembly_actions(const Finding& f) {
  if (!get(f, "tool").empty())
    return {{"process", "maintain_tool", 1.0}, {"process", "hold_tool", 0.8}};
  if (!get(f, "position").empty())
    return {{"process", "clean_position", 0.8}, {"process", "inspect_more", 0.5}};
  return {{"process", "inspect_more", 0.5}, {"process", "resample_lots", 0.5}};
}

/// What answers the process side of an interaction, by what it names.
std::vector<ActionChoice> process_side_actions(const Finding& f) {
  const auto names = [&](const char* key) { return !get(f, key).empty(); };
  if (names("limit_minutes")) return {{"process", "limit_queue_time", 1.0}};
  if (names("reticle")) return {{"process", "replace_reticle", 1.0}};
  if (names("recipe")) return {{"process", "change_recipe", 1.0}};
  if (names("slot") || names("position")) return {{"process", "clean_position", 1.0}};
  if (names("tool") || names("chamber")) return tool_actions(f);
  if (names("parameter") || names("sensor")) {
    return {{"process", "retarget_step", 0.8}, {"process", "tighten_spc", 0.6}};
  }
  if (names("from") || names("to")) return {{"process", "inspect_more", 0.5}};
  return tool_actions(f);
}

/// Both ways of redrawing a pattern, then the process side.
std::vector<ActionChoice> interaction_actions(const Finding& f) {
  auto actions = layout_actions(f);
  std::erase_if(actions, [](const ActionChoice& a) { return a.side != "design"; });
  for (const ActionChoice& a : process_side_actions(f)) actions.push_back(a);
  return actions;
}

std::string tool_words(const Finding& f) {
  std::string words = get(f, "tool");
  if (!get(f, "chamber").empty()) words += "/" + get(f, "chamber");
  if (words.empty()) words = "the tool";
  if (!get(f, "step").empty()) words += " at " + get(f, "step");
  return words;
}

std::string layout_words(const Finding& f) {
  std::string words;
  if (!get(f, "pattern_id").empty()) {
    words = "pattern " + get(f, "pattern_id");
  } else if (!get(f, "feature").empty()) {
    words = get(f, "feature");
    std::ranges::replace(words, '_', ' ');
  } else if (!get(f, "cell").empty()) {
    words = "cell " + get(f, "cell");
  } else {
    words = "the marked places";
  }
  if (!get(f, "layer").empty()) words += " on " + get(f, "layer");
  return words;
}

std::string test_words(const Finding& f) {
  std::string words;
  if (!get(f, "site").empty()) words = "site " + get(f, "site");
  if (!get(f, "probe_card").empty()) {
    words += (words.empty() ? "" : " of ") + std::string("probe card ") + get(f, "probe_card");
  }
  if (words.empty()) words = "the tester";
  if (!get(f, "insertion").empty()) words += " at " + get(f, "insertion");
  return words;
}

std::string subject_words(const Finding& f) {
  static const std::set<std::string> layout = {"layout_pattern", "layout_feature", "via",
                                               "net_or_cell", "design_process_interaction"};
  if (layout.contains(f.kind)) return layout_words(f);
  if (f.kind == "test_artefact") return test_words(f);
  for (const char* key : {"supplier_lot", "assembly_lot_id", "reticle", "recipe", "sensor",
                          "parameter", "signature"}) {
    if (get(f, key).empty()) continue;
    const std::string step = get(f, "step");
    return std::string(key) + " " + get(f, key) + (step.empty() ? "" : " at " + step);
  }
  if (f.kind == "repeater" && !get(f, "field_x").empty()) {
    return fmt::format("the reticle at field position ({}, {})", get(f, "field_x"),
                       get(f, "field_y"));
  }
  return tool_words(f);
}

std::string position_words(const Finding& f) {
  const std::string slot = get(f, "slot");
  const std::string words = slot.empty() ? "position " + get(f, "position") : "slot " + slot;
  return words + " of " + tool_words(f);
}

}  // namespace

std::vector<ActionChoice> actions_for(const Finding& f) {
  const std::string& k = f.kind;
  if (k == "tool" || k == "chamber") return tool_actions(f);
  if (k == "maintenance") return {{"process", "maintain_tool", 1.0}, {"process", "hold_tool", 1.0}};
  if (k == "recipe") return {{"process", "change_recipe", 1.0}, {"process", "retarget_step", 0.8}};
  if (k == "reticle" || k == "repeater") {
    return {{"process", "replace_reticle", 1.0}, {"process", "inspect_more", 0.5}};
  }
  if (k == "slot_or_position") {
    return {{"process", "clean_position", 1.0}, {"process", "maintain_tool", 0.8}};
  }
  if (k == "queue_time") return {{"process", "limit_queue_time", 1.0}};
  if (k == "metrology") return {{"process", "retarget_step", 0.8}, {"process", "tighten_spc", 0.6}};
  if (k == "sensor_drift") {
    return {{"process", "tighten_spc", 0.7}, {"process", "maintain_tool", 0.7}};
  }
  if (k == "layout_pattern" || k == "layout_feature") return layout_actions(f);
  if (k == "via") return {{"design", "double_via", 1.0}, {"process", "retarget_step", 0.5}};
  if (k == "net_or_cell") return {{"design", "recell", 0.8}, {"process", "inspect_more", 0.5}};
  if (k == "design_process_interaction") return interaction_actions(f);
  if (k == "test_artefact") return test_actions(f);
  if (k == "assembly") return assembly_actions(f);
  if (k == "supplier_lot") return {{"process", "resample_lots", 0.5}};
  if (k == "time_change" || k == "outlier_wafer") {
    return {{"process", "inspect_more", 0.5}, {"process", "tighten_spc", 0.5}};
  }
  return {{"process", "tighten_spc", 0.5}, {"process", "inspect_more", 0.5}};
}

std::map<std::string, std::string> action_subject(const std::string& action,
                                                  const Finding& finding) {
  static const std::set<std::string> process_side = {
      "hold_tool",      "maintain_tool", "change_recipe", "replace_reticle", "limit_queue_time",
      "clean_position", "retarget_step", "tighten_spc",   "inspect_more"};
  static const std::set<std::string> design_keys = {"layer",   "pattern_id", "feature",   "cell",
                                                    "failure", "class",      "direction", "radius"};
  static const std::set<std::string> process_keys = {
      "step",   "tool",      "chamber",   "recipe",        "reticle", "slot", "position",
      "sensor", "parameter", "statistic", "limit_minutes", "from",    "to"};
  if (finding.kind != "design_process_interaction") return finding.subject;
  const auto& keys = process_side.contains(action) ? process_keys : design_keys;
  std::map<std::string, std::string> subject;
  for (const auto& [key, value] : finding.subject) {
    if (keys.contains(key)) subject[key] = value;
  }
  return subject;
}

std::vector<std::string> masks_for(const std::string& action, const Finding& finding,
                                   const Product& product) {
  static const std::set<std::string> design = {"widen_space", "widen_wire",      "spread_wires",
                                               "add_fill",    "replace_pattern", "move_shape",
                                               "recell",      "double_via"};
  if (action == "replace_reticle") {
    const std::string reticle = get(finding, "reticle");
    return {reticle.empty() ? "reticle" : reticle};
  }
  const std::string layer = get(finding, "layer");
  if (!design.contains(action) || layer.empty()) return {};
  std::vector<std::string> masks{layer};
  if (action != "double_via") return masks;
  // A second cut needs metal around it on both sides.
  for (const ProductLayer& l : product.layers) {
    if (l.name == layer) masks.insert(masks.end(), l.connects.begin(), l.connects.end());
  }
  return masks;
}

std::string cost_kind(const std::string& action) {
  static const std::map<std::string, std::string> kinds = {
      {"widen_space", "mask_layers"},       {"widen_wire", "mask_layers"},
      {"double_via", "mask_layers"},        {"spread_wires", "mask_layers"},
      {"replace_pattern", "mask_layers"},   {"add_fill", "mask_layers"},
      {"move_shape", "mask_layers"},        {"recell", "mask_layers"},
      {"replace_reticle", "reticle"},       {"hold_tool", "tool_time"},
      {"maintain_tool", "tool_time"},       {"clean_position", "tool_time"},
      {"limit_queue_time", "cycle_time"},   {"inspect_more", "inspection_time"},
      {"resample_lots", "inspection_time"}, {"retest", "test_time"},
      {"recalibrate_site", "test_time"},    {"fix_probe_card", "test_time"}};
  const auto it = kinds.find(action);
  return it == kinds.end() ? "none" : it->second;
}

std::string action_statement(const std::string& action, const Finding& f, double gain) {
  const std::string what = subject_words(f);
  const std::string worth = fmt::format("expected gain {:.2f} good die per wafer", gain);
  const std::string tool = tool_words(f);
  const std::map<std::string, std::string> sentences = {
      {"widen_space", fmt::format("Widen the space at {}; {}.", what, worth)},
      {"widen_wire", fmt::format("Widen the wire at {}; {}.", what, worth)},
      {"double_via", fmt::format("Double the single vias of {}; {}.", what, worth)},
      {"spread_wires", fmt::format("Spread the wires at {}; {}.", what, worth)},
      {"replace_pattern", fmt::format("Draw {} another way everywhere; {}.", what, worth)},
      {"add_fill", fmt::format("Add fill at {}; {}.", what, worth)},
      {"move_shape", fmt::format("Move the shapes at {} apart; {}.", what, worth)},
      {"recell", fmt::format("Replace or redraw {}; {}.", what, worth)},
      {"hold_tool",
       fmt::format("Keep wafers away from {} until it is understood; {}.", tool, worth)},
      {"maintain_tool", fmt::format("Service {} and qualify it again; {}.", tool, worth)},
      {"retarget_step", fmt::format("Retarget the process for {}; {}.", what, worth)},
      {"change_recipe", fmt::format("Correct or replace {}; {}.", what, worth)},
      {"limit_queue_time",
       fmt::format(
           "Limit the queue time before {}{}; {}.",
           get(f, "step").empty() ? "the step" : get(f, "step"),
           get(f, "limit_minutes").empty() ? "" : " to " + get(f, "limit_minutes") + " minutes",
           worth)},
      {"replace_reticle", fmt::format("Inspect, then clean or replace {}; {}.", what, worth)},
      {"clean_position", fmt::format("Clean and check {}; {}.", position_words(f), worth)},
      {"tighten_spc",
       fmt::format("Put a control limit on {} and stop on it; at stake: {}.", what, worth)},
      {"inspect_more",
       fmt::format("Inspect and review more wafers for {} to name the cause; at stake: {}.", what,
                   worth)},
      {"resample_lots",
       fmt::format("Sample the next lots so that {} can be told apart; at stake: {}.", what,
                   worth)},
      {"fix_probe_card", fmt::format("Clean or repair the probe card: {}; {}.", what, worth)},
      {"recalibrate_site", fmt::format("Recalibrate {}; {}.", what, worth)},
      {"change_limit", fmt::format("Review the test limit for {}; {}.", what, worth)},
      {"retest", fmt::format("Retest the die that failed on {} elsewhere; {}.", what, worth)}};
  const auto it = sentences.find(action);
  return it == sentences.end() ? worth : it->second;
}

std::string disproof(const std::string& action, const Finding& f) {
  const std::string what = subject_words(f);
  const std::string loss = fmt::format("{:.1f}", 0.5 * std::abs(f.die_per_wafer));
  static const std::set<std::string> design = {"widen_space", "widen_wire",      "spread_wires",
                                               "add_fill",    "replace_pattern", "move_shape",
                                               "recell"};
  if (design.contains(action)) {
    return fmt::format("The defect rate at {} is unchanged on the first 3 lots of the new mask",
                       what);
  }
  if (action == "double_via") {
    return fmt::format(
        "The fail rate at the doubled vias of {} is unchanged on the first 3 lots of the new masks",
        what);
  }
  if (action == "hold_tool") {
    return fmt::format(
        "The next 3 lots that avoid {} still lose at least {} die per wafer to the same fails",
        tool_words(f), loss);
  }
  if (action == "maintain_tool" || action == "clean_position" || action == "change_recipe") {
    return fmt::format(
        "The first 3 lots through {} after the work still lose at least {} die per wafer",
        tool_words(f), loss);
  }
  if (action == "replace_reticle") {
    return "The same field positions still fail on the first 3 lots with the cleaned or new "
           "reticle";
  }
  if (action == "limit_queue_time") {
    return fmt::format("Wafers within the limit still lose at least {} die each over 3 lots", loss);
  }
  if (action == "recalibrate_site" || action == "fix_probe_card") {
    return fmt::format("Yield at {} stays below the other sites on the first 3 lots after the work",
                       what);
  }
  if (action == "retest") {
    return "Fewer than half of the failing die from there pass when tested elsewhere";
  }
  return fmt::format("The loss of {} die per wafer does not follow {} over the next 5 lots", loss,
                     what);
}

}  // namespace yieldloop::feedback
