/// \file
/// From findings to suggestions: what to do, on which side, for what gain, and what would prove
/// it wrong.
///
/// The gain of a suggestion is what the scope would have gained had its cause been absent:
///
///   good die per wafer = loss_die_total / wafers of the scope
///   interval           = that gain * (effect's interval / effect)
///   money per week     = gain * die_price * wafers_per_week
///
/// Suggestions that answer the same cause are alternatives of each other: they are not added
/// up, and a portfolio takes at most one of them.
///
/// A design change is judged by its net effect on shorts, opens and vias. Moving an edge by d
/// to widen a space narrows the wire behind it, and its critical area for opens grows by
///
///   dA_open = n * L * x0^2 * (1/(w - d) - 1/w)      (size law 2 x0^2 / x^3, no end effect)
///
/// with n occurrences of facing length L. What cannot be computed is left out, never set to 0.
/// Value at a known point: L = 1000 um, x0 = 0.05 um, w = 0.2 -> 0.1 um adds 12.5 um^2.
/// Source: the critical-area closed forms in docs/analyses/suggestions.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/finding.h"
#include "engine/core/product.h"
#include "engine/feedback/suggestion_document.h"

namespace yieldloop::feedback {

/// What the layout says about one pattern (key: the finding's id), for the side effects.
struct PatternGeometry {
  double space_um = 0.0;          ///< Between the facing edges.
  double facing_length_um = 0.0;  ///< Mean over the occurrences.
  double wire_width_um = 0.0;     ///< Of the wire whose edge would move.
  double move_um = 0.0;           ///< How far; 0 asks for half the missing space to 1.5 x.
  friend bool operator==(const PatternGeometry&, const PatternGeometry&) = default;
};

/// Measured random defects of one layer (key: its name).
struct LayerRisk {
  double open_density_per_cm2 = 0.0;
  double x0_um = 0.05;  ///< Peak of the size law the density belongs to.
  friend bool operator==(const LayerRisk&, const LayerRisk&) = default;
};

struct FeedbackOptions {
  Budget budget;
  double horizon_weeks = 26.0;  ///< Over which masks must pay when no budget is given.
  std::map<std::string, PatternGeometry> geometry;
  std::map<std::string, LayerRisk> risks;
  double die_per_wafer = 0.0;  ///< Tested die per wafer; 0: baseline.die / wafers.
};

/// REQUIRES: nothing; no findings give an empty list and a note that says so.
SuggestionsDocument suggest(const FindingsDocument& findings, const Product& product,
                            const FeedbackOptions& options = {});

/// "s-" and 12 hex digits of the SHA-256 of action and subject: the same in every run.
std::string suggestion_id(const std::string& action,
                          const std::map<std::string, std::string>& subject);

/// Every action a suggestion may name, by side: {"design", "widen_space"}, ...
const std::vector<std::pair<std::string, std::string>>& suggestion_actions();

}  // namespace yieldloop::feedback
