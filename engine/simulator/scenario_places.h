/// \file
/// Base of the causes that lie in the layout: something fails at some of its places.
#pragma once

#include <vector>

#include "engine/simulator/effect.h"

namespace yieldloop::simulator {

/// Events are Poisson with mean rate x places x factor for every die, and vary from wafer to wafer
/// by a gamma factor of mean 1. Each leaves a defect (of which a part may be seen) and kills with
/// kill_share.
class PlaceEffect : public Effect {
 public:
  bool exposed(const World&, std::size_t) const override { return true; }

  void apply(const World& world, std::size_t wafer, WaferFate& fate, int cause,
             Random& random) const override;

 protected:
  /// Of the rate, for one wafer.
  virtual double factor(const World&, std::size_t) const { return 1.0; }

  /// Chooses a tight figure that no other effect has, draws the rate, fills the cause.
  /// `need_twin`: one with the same figure drawn wider beside it. Returns false when there is none.
  bool take_figure(World& world, bool need_twin, Random& random);

  /// The rate that makes a die fail with this probability by the planted cause alone.
  void set_rate(double loss);

  void write_places(const World& world, const char* layer, double loss);

  std::vector<Box> places_;
  double rate_ = 0.0;
  double kill_share_ = 0.9;
  double seen_share_ = 1.0;  ///< Of the events, by any inspection at all.
  InspectedLayer layer_{};
  DefectClass kind_{};
  FailKind fail_{};
  bool fails_block_ = false;  ///< In a tested block the block's own test fails.

 private:
  void hit(const World& world, WaferFate& fate, std::size_t die, int cause, Random& random) const;
};

/// Boxes of the top cell as locations in um, at most kListedLocations.
std::vector<Location> listed(const char* layer, const std::vector<Box>& boxes);

/// Log-uniform, so that small losses are as common as large ones.
double draw_loss(double low, double high, Random& random);

}  // namespace yieldloop::simulator
