/// \file
/// The scenarios there are, and the effects each is made of.
#pragma once

#include <optional>
#include <string_view>

#include "engine/simulator/effect.h"

namespace yieldloop::simulator {

std::unique_ptr<Effect> make_bad_chamber();
std::unique_ptr<Effect> make_bridging_figure();
std::unique_ptr<Effect> make_reticle_defect();
std::unique_ptr<Effect> make_misreading_site();
std::unique_ptr<Effect> make_long_queue();
std::unique_ptr<Effect> make_open_vias();
std::unique_ptr<Effect> make_unseen_open_vias();
std::unique_ptr<Effect> make_twinned_figure();
std::unique_ptr<Effect> make_interacting_figure();
std::unique_ptr<Effect> make_density_residue();
std::unique_ptr<Effect> make_misregistered_tools();
std::unique_ptr<Effect> make_scratches();
std::unique_ptr<Effect> make_drift();
std::unique_ptr<Effect> make_now_and_then();
std::unique_ptr<Effect> make_tied_tools();
std::unique_ptr<Effect> make_bad_place();
std::unique_ptr<Effect> make_new_recipe();
std::unique_ptr<Effect> make_split_lots();
std::unique_ptr<Effect> make_worn_card();
std::unique_ptr<Effect> make_bad_assembly();
std::unique_ptr<Effect> make_wrong_identities();
/// A bad chamber, a long queue or a bad place, by seed.
std::unique_ptr<Effect> make_process_cause();
/// A bridging figure, a reticle defect or a misreading site, by seed.
std::unique_ptr<Effect> make_other_cause();

/// Nothing when there is no such scenario.
std::optional<Effects> effects_of(std::string_view scenario);

/// What the effects ask of the routing.
FabRules rules_of(const Options& options, const Effects& effects);

}  // namespace yieldloop::simulator
