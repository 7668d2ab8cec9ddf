// One site of one probe card reads some good die as contact fails. Testing such a die again at
// another site finds it good, which not every die gets.

#include <map>

#include "engine/simulator/scenario_list.h"
#include "engine/simulator/test_model.h"

namespace yieldloop::simulator {
namespace {

class MisreadingSite final : public Effect {
 public:
  bool plan(World& world, Random& random) override {
    std::map<std::string, std::size_t> lots;
    for (const SimLot& lot : world.fab.lots) ++lots[lot.probe_card];
    std::vector<std::string> candidates;
    for (const auto& [card, count] : lots) {
      if (count >= 3 && count + 3 <= world.fab.lots.size()) candidates.push_back(card);
    }
    if (candidates.empty()) return false;
    card_ = candidates[random.below(candidates.size())];
    site_ = static_cast<int>(random.below(kSites));
    chance_ = random.uniform(0.08, 0.20);
    cause_.kind = "test_artefact";
    cause_.subject = {{"insertion", std::string(kInsertion)},
                      {"probe_card", card_},
                      {"site", std::int64_t{site_}}};
    cause_.parameters = {{"misread_chance", chance_}, {"retest_share", kRetestShare}};
    cause_.expected_actions = {"fix_probe_card", "recalibrate_site", "retest"};
    return true;
  }

  bool exposed(const World& world, std::size_t wafer) const override {
    return world.lot_of(world.fab.wafers[wafer]).probe_card == card_;
  }

  double misread_chance(const World& world, const Touch& touch) const override {
    return touch.site == site_ && exposed(world, touch.wafer) ? chance_ : 0.0;
  }

 private:
  std::string card_;
  int site_ = 0;
  double chance_ = 0.0;
};

}  // namespace

std::unique_ptr<Effect> make_misreading_site() { return std::make_unique<MisreadingSite>(); }

}  // namespace yieldloop::simulator
