#include "engine/findings/assembly_causes.h"

#include <algorithm>
#include <cmath>

#include "engine/process/identity_shift.h"
#include "engine/process/package_fails.h"

namespace yieldloop::findings {
namespace {

using process::PackageCause;
using process::PackageFailResult;
using process::PackageLevel;

std::string percent(double share) { return fmt::format("{:.2f} %", 100.0 * share); }

std::map<std::string, std::string> subject_of(const PackageLevel& level, const NameTable& names) {
  std::map<std::string, std::string> subject;
  const auto put = [&](const char* key, NameId name) {
    if (name != NameId{}) subject[key] = names[name];
  };
  put("step", level.step);
  put("tool", level.tool);
  put("position", level.position);
  put("supplier_lot", level.supplier_lot);
  put("assembly_lot_id", level.assembly_lot);
  return subject;
}

std::string describe(const PackageLevel& level, const NameTable& names) {
  std::string text;
  const auto add = [&](std::string_view what, NameId name) {
    if (name == NameId{}) return;
    text += fmt::format("{}{}{}", text.empty() ? "" : " of ", what, names[name]);
  };
  add("position ", level.position);
  add("", level.tool);
  add("supplier lot ", level.supplier_lot);
  add("assembly lot ", level.assembly_lot);
  if (level.step != NameId{}) text += " at " + names[level.step];
  return text;
}

Candidate candidate_of(const PackageCause& cause, const PackageFailResult& result,
                       const FabData& data) {
  Candidate c;
  c.family = result.family_text;
  c.wafers = cause.wafers;
  Finding& f = c.finding;
  f.kind = cause.level.supplier_lot != NameId{} ? "supplier_lot" : "assembly";
  f.subject = subject_of(cause.level, data.names);
  f.statement = fmt::format(
      "Die packaged with {} fail final test {} of the time instead of {}: {:.0f} packages are "
      "lost (95 % interval {:.0f} to {:.0f})",
      describe(cause.level, data.names), percent(cause.fail_rate), percent(cause.other_rate),
      cause.packages_lost, std::max(0.0, cause.packages_lost_ci.low), cause.packages_lost_ci.high);
  // A package that fails takes all its die along.
  const double die = result.die_per_package;
  const auto wafers = static_cast<double>(std::max<std::size_t>(1, cause.wafers.size()));
  f.die_per_wafer = -cause.packages_lost * die / wafers;
  f.die_per_wafer_ci = {-cause.packages_lost_ci.high * die / wafers,
                        -cause.packages_lost_ci.low * die / wafers};
  f.loss_die_total = std::max(0.0, cause.packages_lost * die);
  f.q_value = cause.q_value;
  f.confidence = std::clamp(1.0 - cause.q_value, 0.0, 1.0);
  f.evidence.push_back(
      {.analysis = "package_fails",
       .test = cause.within_lots ? "fails within assembly lots and wafer rings, Mantel-Haenszel"
                                 : "rates of assembly lots less what their rings expect, Student",
       .n = {cause.fails, cause.die, cause.lots},
       .p_value = cause.p_value,
       .detail = {{"fail_rate", cause.fail_rate}, {"other_rate", cause.other_rate}}});
  for (const PackageLevel& other : cause.same_die)
    f.confounded_with.push_back(subject_of(other, data.names));
  return c;
}

Candidate candidate_of(const process::ShiftedLot& lot, const FabData& data) {
  Candidate c;
  c.family = "shifts of die identities by assembly lot";
  c.wafers = lot.wafers;
  Finding& f = c.finding;
  f.kind = "assembly";
  f.subject = {{"assembly_lot_id", data.names[lot.assembly_lot]},
               {"parameter", fmt::format("identity ({}, {})", lot.dx, lot.dy)}};
  f.statement = fmt::format(
      "Identities of the die of assembly lot {} are off by ({}, {}) die: {} of the die they name "
      "passed wafer sort, {} when moved back",
      data.names[lot.assembly_lot], lot.dx, lot.dy, percent(lot.good_as_named),
      percent(lot.good_when_moved));
  f.q_value = std::exp(-lot.evidence);
  f.confidence = 1.0 - f.q_value;
  f.evidence.push_back(
      {.analysis = "identity_shift",
       .test = "die named against wafer sort, likelihood over shifts",
       .n = {lot.die},
       .p_value = std::exp(-lot.evidence),
       .detail = {
           {"die_x_off", lot.dx}, {"die_y_off", lot.dy}, {"log_likelihood_ratio", lot.evidence}}});
  return c;
}

}  // namespace

Result<FamilyResult> assembly_causes(const FabData& data, double alpha) {
  FamilyResult family;
  if (data.packages.empty()) return family;
  const auto identities = process::check_identities(data);
  if (identities) {
    for (const process::ShiftedLot& lot : identities->shifted)
      family.candidates.push_back(candidate_of(lot, data));
    if (identities->blank > 0) {
      family.caveats.push_back(fmt::format(
          "{} of {} die in packages have no identity, or one that names no wafer of this scope.",
          identities->blank, identities->die));
    }
  } else if (identities.error().code != Errc::kNoData) {
    return identities.error();
  }
  const auto fails = process::package_fails(data, {.alpha = alpha});
  if (!fails) {
    if (fails.error().code != Errc::kNoData) return fails.error();
    return family;
  }
  family.expected_false = alpha;
  for (const PackageCause& cause : fails->causes)
    family.candidates.push_back(candidate_of(cause, *fails, data));
  return family;
}

}  // namespace yieldloop::findings
