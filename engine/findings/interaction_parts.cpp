// An interaction and the findings that are its sides seen alone.

#include <algorithm>
#include <set>

#include "engine/findings/interaction_causes.h"

namespace yieldloop::findings {
namespace {

std::string field(const Finding& f, const std::string& key) {
  const auto it = f.subject.find(key);
  return it == f.subject.end() ? std::string() : it->second;
}

bool same_field(const Finding& a, const Finding& b, const std::string& key) {
  return !field(a, key).empty() && field(a, key) == field(b, key);
}

/// The layout side of the interaction, found on its own.
bool is_layout_part(const Finding& part, const Finding& whole) {
  static const std::set<std::string> kLayout = {"layout_pattern", "via", "layout_feature"};
  if (!kLayout.contains(part.kind) || !same_field(part, whole, "layer")) return false;
  if (part.kind == "layout_pattern") return same_field(part, whole, "pattern_id");
  return field(whole, "pattern_id").empty() && same_field(part, whole, "feature");
}

/// The process side, found on its own, where it costs no more than the interaction explains.
bool is_process_part(const Finding& part, const Finding& whole) {
  constexpr double kMore = 2.0;
  static const std::set<std::string> kKeys = {"tool", "chamber",  "recipe", "reticle",
                                              "slot", "position", "sensor", "parameter"};
  if (part.kind == whole.kind || !field(part, "layer").empty() || !same_field(part, whole, "step"))
    return false;
  bool named = false;
  for (const std::string& key : kKeys) {
    const std::string a = field(part, key), b = field(whole, key);
    if (!a.empty() && !b.empty() && a != b) return false;
    named = named || (!a.empty() && a == b);
  }
  return named &&
         (part.loss_die_total <= kMore * whole.loss_die_total || whole.loss_die_total <= 0.0);
}

}  // namespace

void absorb_parts(std::vector<Candidate>& candidates) {
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].finding.kind != "design_process_interaction") continue;
    for (std::size_t k = candidates.size(); k-- > 0;) {
      Finding& whole = candidates[i].finding;
      const Finding& part = candidates[k].finding;
      if (k == i || part.kind == whole.kind) continue;
      const bool layout = is_layout_part(part, whole);
      if (!layout && !is_process_part(part, whole)) continue;
      for (const Evidence& e : part.evidence) whole.evidence.push_back(e);
      if (layout && !field(part, "cell").empty()) whole.subject["cell"] = field(part, "cell");
      if (layout) {
        whole.rate_per_opportunity = part.rate_per_opportunity;
        whole.rate_per_opportunity_ci = part.rate_per_opportunity_ci;
        whole.attributable_defects =
            std::max(whole.attributable_defects, part.attributable_defects);
      }
      whole.loss_die_total = std::max(whole.loss_die_total, part.loss_die_total);
      candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(k));
      if (k < i) --i;
    }
  }
}

}  // namespace yieldloop::findings
