#include "engine/feedback/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "engine/core/sha256.h"
#include "engine/core/text.h"
#include "engine/feedback/action_rules.h"
#include "engine/feedback/portfolio.h"

namespace yieldloop::feedback {
namespace {

struct Gain {
  double value = 0.0;
  Interval ci;
};

/// The finding's loss spread over the scope, its interval scaled from the effect's.
Gain gain_of(const Finding& f, std::int64_t wafers) {
  Gain gain;
  if (wafers <= 0) return gain;
  gain.value = f.loss_die_total / static_cast<double>(wafers);
  if (f.die_per_wafer < 0.0) {
    const double scale = gain.value / -f.die_per_wafer;
    gain.ci = {-f.die_per_wafer_ci.high * scale, -f.die_per_wafer_ci.low * scale};
  } else {
    gain.ci = {0.0, gain.value};
  }
  return gain;
}

/// What mending one side of an interaction alone would bring; nothing where it does not say.
std::optional<Gain> side_gain(const Finding& f, const std::string& side) {
  if (f.kind != "design_process_interaction") return std::nullopt;
  for (const Evidence& e : f.evidence) {
    const auto value = e.detail.find(side + "_gain");
    const auto low = e.detail.find(side + "_gain_low"), high = e.detail.find(side + "_gain_high");
    if (value == e.detail.end() || low == e.detail.end() || high == e.detail.end()) continue;
    return Gain{value->second, {low->second, high->second}};
  }
  return std::nullopt;
}

bool is_layout(const Finding& f) {
  return f.kind == "layout_pattern" || f.kind == "layout_feature" || f.kind == "via" ||
         f.kind == "net_or_cell";
}

bool subject_contains(const std::map<std::string, std::string>& whole,
                      const std::map<std::string, std::string>& part) {
  return !part.empty() && std::ranges::all_of(part, [&](const auto& field) {
    const auto it = whole.find(field.first);
    return it != whole.end() && it->second == field.second;
  });
}

std::string field(const Finding& f, const std::string& key) {
  const auto it = f.subject.find(key);
  return it == f.subject.end() ? std::string() : it->second;
}

/// Shared wafers over all wafers of the two; 0 when either lists none.
double wafer_overlap(const Finding& a, const Finding& b) {
  const std::set<std::string> left(a.wafers.begin(), a.wafers.end());
  const std::set<std::string> right(b.wafers.begin(), b.wafers.end());
  if (left.empty() || right.empty()) return 0.0;
  const auto shared = std::ranges::count_if(left, [&](const auto& w) { return right.contains(w); });
  return static_cast<double>(shared) /
         static_cast<double>(left.size() + right.size() - static_cast<std::size_t>(shared));
}

/// Two findings that one change would both remove.
bool same_cause(const Finding& a, const Finding& b) {
  const auto names = [](const Finding& f, const Finding& other) {
    return std::ranges::any_of(f.confounded_with, [&](const auto& subject) {
      return subject_contains(other.subject, subject);
    });
  };
  if (names(a, b) || names(b, a)) return true;
  if (is_layout(a) && is_layout(b)) {
    const bool feature = a.kind == "layout_feature" || b.kind == "layout_feature" ||
                         a.kind == "via" || b.kind == "via";
    return feature && !field(a, "layer").empty() && field(a, "layer") == field(b, "layer") &&
           actions_for(a).front().action == actions_for(b).front().action;
  }
  if (is_layout(a) || is_layout(b)) return false;
  const bool test_a = a.kind == "test_artefact", test_b = b.kind == "test_artefact";
  return test_a == test_b && !test_a && wafer_overlap(a, b) >= 0.9;
}

/// Cause number of each finding: findings joined by same_cause share one.
std::vector<std::size_t> causes_of(const std::vector<Finding>& findings) {
  std::vector<std::size_t> cause(findings.size());
  std::iota(cause.begin(), cause.end(), std::size_t{0});
  for (std::size_t i = 0; i < findings.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (cause[i] == cause[j] || !same_cause(findings[i], findings[j])) continue;
      const std::size_t low = std::min(cause[i], cause[j]), high = std::max(cause[i], cause[j]);
      std::ranges::replace(cause, high, low);
    }
  }
  return cause;
}

void add_side_effects(const std::string& action, const Finding& f, const FeedbackOptions& options,
                      double die_per_wafer, double gain, Suggestion& s) {
  if (s.side != "design" || die_per_wafer <= gain || gain <= 0.0) return;
  // Good die rise from G to G + gain when lambda falls by log((G + gain) / G).
  const double removed = std::log(die_per_wafer / (die_per_wafer - gain));
  const bool via = action == "double_via";
  const bool opens = action == "widen_wire";
  s.side_effects[via ? "vias" : opens ? "opens" : "shorts"] = -removed;
  double net = -removed;
  const auto geometry = options.geometry.find(f.id);
  const auto risk = options.risks.find(field(f, "layer"));
  if (action == "widen_space" && geometry != options.geometry.end() &&
      risk != options.risks.end()) {
    const PatternGeometry& g = geometry->second;
    const double move = g.move_um > 0.0 ? g.move_um : 0.25 * g.space_um;
    if (g.wire_width_um > move) {
      const double length = static_cast<double>(f.locations_total) * g.facing_length_um;
      const double area_um2 = length * risk->second.x0_um * risk->second.x0_um *
                              (1.0 / (g.wire_width_um - move) - 1.0 / g.wire_width_um);
      s.side_effects["opens"] = risk->second.open_density_per_cm2 * area_um2 * 1e-8;
      s.side_effects["vias"] = 0.0;  // Edges of wires move; no via is touched.
      net += s.side_effects["opens"];
    }
  }
  s.side_effects["net_lambda"] = net;
}

void add_cost(const std::vector<std::string>& masks, const Product& product, Suggestion& s) {
  s.cost_kind = cost_kind(s.action);
  s.cost_layers = masks;
  if (masks.empty()) {
    if (s.cost_kind == "none") s.cost_money = 0.0;
    return;
  }
  if (product.economics.mask_layer_cost) {
    s.cost_money = *product.economics.mask_layer_cost * static_cast<double>(masks.size());
  }
}

std::optional<double> money_per_die_week(const Economics& prices) {
  if (!prices.die_price || !prices.wafers_per_week) return std::nullopt;
  return *prices.die_price * *prices.wafers_per_week;
}

/// A suggestion with what ordering and the portfolio need beside it.
struct Draft {
  Suggestion suggestion;
  std::size_t cause = 0;
  std::size_t preference = 0;  ///< 0 for the first answer to its finding.
};

struct Context {
  const FindingsDocument& findings;
  const Product& product;
  const FeedbackOptions& options;
  double die_per_wafer = 0.0;
};

Draft draft_of(const Context& context, const Finding& f, const ActionChoice& choice,
               std::size_t cause, std::size_t preference) {
  Draft draft{.suggestion = {}, .cause = cause, .preference = preference};
  Suggestion& s = draft.suggestion;
  const Gain gain = side_gain(f, choice.side).value_or(gain_of(f, context.findings.wafers));
  s.side = choice.side;
  s.action = choice.action;
  s.subject = action_subject(choice.action, f);
  s.id = suggestion_id(s.action, s.subject);
  s.because = {f.id};
  s.statement = action_statement(choice.action, f, gain.value);
  s.good_die_per_wafer = gain.value;
  s.good_die_per_wafer_ci = gain.ci;
  if (const auto price = money_per_die_week(context.product.economics)) {
    s.money_per_week = gain.value * *price;
  }
  s.confidence = std::clamp(f.confidence * choice.certainty, 0.0, 1.0);
  s.disproved_by = disproof(choice.action, f);
  if (choice.side == "design") s.locations = f.locations;
  add_cost(masks_for(choice.action, f, context.product), context.product, s);
  add_side_effects(choice.action, f, context.options, context.die_per_wafer, gain.value, s);
  return draft;
}

/// The same action on the same subject, found twice, is one suggestion with two reasons.
void merge_into(std::vector<Draft>& drafts, Draft draft) {
  const auto same = std::ranges::find_if(
      drafts, [&](const Draft& d) { return d.suggestion.id == draft.suggestion.id; });
  if (same == drafts.end()) {
    drafts.push_back(std::move(draft));
    return;
  }
  auto because = same->suggestion.because;
  because.push_back(draft.suggestion.because.front());
  if (draft.suggestion.good_die_per_wafer > same->suggestion.good_die_per_wafer) {
    draft.cause = same->cause;
    draft.preference = std::min(draft.preference, same->preference);
    *same = std::move(draft);
  }
  same->suggestion.because = std::move(because);
}

/// A design change that would break more by its side effects than it mends.
bool costs_more_than_it_gains(const Suggestion& s) {
  const auto net = s.side_effects.find("net_lambda");
  return s.side == "design" && net != s.side_effects.end() && net->second > 0.0;
}

std::vector<Draft> drafts_of(const Context& context) {
  const auto causes = causes_of(context.findings.findings);
  std::vector<Draft> drafts;
  for (std::size_t i = 0; i < causes.size(); ++i) {
    const Finding& f = context.findings.findings[i];
    if (f.loss_die_total <= 0.0) continue;
    const auto choices = actions_for(f);
    for (std::size_t k = 0; k < choices.size(); ++k) {
      Draft draft = draft_of(context, f, choices[k], causes[i], k);
      if (!costs_more_than_it_gains(draft.suggestion)) merge_into(drafts, std::move(draft));
    }
  }
  return drafts;
}

void order(std::vector<Draft>& drafts) {
  std::ranges::sort(drafts, [](const Draft& a, const Draft& b) {
    const Suggestion &s = a.suggestion, &t = b.suggestion;
    const double left = s.money_per_week.value_or(s.good_die_per_wafer);
    const double right = t.money_per_week.value_or(t.good_die_per_wafer);
    if (left != right) return left > right;
    if (a.preference != b.preference) return a.preference < b.preference;
    return s.id < t.id;
  });
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    drafts[i].suggestion.rank = static_cast<int>(i) + 1;
    for (const Draft& other : drafts) {
      if (other.cause != drafts[i].cause || other.suggestion.id == drafts[i].suggestion.id)
        continue;
      drafts[i].suggestion.alternatives.push_back(other.suggestion.id);
    }
  }
}

std::vector<std::string> notes_of(const FindingsDocument& findings,
                                  const std::vector<Draft>& drafts, const Portfolio& portfolio) {
  std::vector<std::string> notes;
  if (findings.findings.empty()) {
    notes.push_back("No finding in this scope, so nothing is suggested.");
  } else if (drafts.empty()) {
    notes.push_back("The findings cost no die in this scope, so nothing is suggested.");
  }
  if (!findings.undecided.empty()) {
    notes.push_back(std::to_string(findings.undecided.size()) +
                    " set(s) of causes cannot be told apart yet; see the deciding experiments of "
                    "the findings before acting on them.");
  }
  if (!portfolio.exact) {
    notes.push_back("More than " + std::to_string(kMostMasks) +
                    " masks could be changed; the portfolio considers those with the largest "
                    "gains.");
  }
  return notes;
}

}  // namespace

SuggestionsDocument suggest(const FindingsDocument& findings, const Product& product,
                            const FeedbackOptions& options) {
  double die_per_wafer = options.die_per_wafer;
  if (die_per_wafer <= 0.0 && findings.wafers > 0) {
    die_per_wafer =
        static_cast<double>(findings.baseline.die) / static_cast<double>(findings.wafers);
  }
  const Context context{findings, product, options, die_per_wafer};
  auto drafts = drafts_of(context);
  order(drafts);
  SuggestionsDocument document;
  document.product = findings.product;
  document.wafers = findings.wafers;
  std::vector<PortfolioItem> items;
  for (const Draft& d : drafts) {
    items.push_back({d.suggestion.id, d.cause, d.suggestion.cost_layers,
                     d.suggestion.good_die_per_wafer, d.suggestion.good_die_per_wafer_ci});
  }
  document.portfolio =
      choose_portfolio(items, options.budget,
                       {product.economics.mask_layer_cost, money_per_die_week(product.economics),
                        options.horizon_weeks});
  document.notes = notes_of(findings, drafts, document.portfolio);
  for (Draft& d : drafts) document.suggestions.push_back(std::move(d.suggestion));
  return document;
}

std::string suggestion_id(const std::string& action,
                          const std::map<std::string, std::string>& subject) {
  std::string key = action;
  for (const auto& [name, value] : subject)
    fmt::format_to(std::back_inserter(key), "\n{}={}", name, value);
  return "s-" + Sha256Digest(Sha256::of(key)).hex().substr(0, 12);
}

const std::vector<std::pair<std::string, std::string>>& suggestion_actions() {
  static const std::vector<std::pair<std::string, std::string>> actions = {
      {"design", "widen_space"},       {"design", "widen_wire"},
      {"design", "double_via"},        {"design", "spread_wires"},
      {"design", "replace_pattern"},   {"design", "add_fill"},
      {"design", "move_shape"},        {"design", "recell"},
      {"process", "hold_tool"},        {"process", "maintain_tool"},
      {"process", "retarget_step"},    {"process", "change_recipe"},
      {"process", "limit_queue_time"}, {"process", "replace_reticle"},
      {"process", "clean_position"},   {"process", "tighten_spc"},
      {"process", "inspect_more"},     {"process", "resample_lots"},
      {"test", "fix_probe_card"},      {"test", "recalibrate_site"},
      {"test", "change_limit"},        {"test", "retest"}};
  return actions;
}

}  // namespace yieldloop::feedback
