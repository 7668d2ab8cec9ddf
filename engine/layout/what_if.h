/// \file
/// What an edit of the layout would change: critical area, rule violations, via fails.
///
/// Only the places that the edit can reach are worked out, before and after it:
///
///   change of A(x) = A_after(x) - A_before(x)   for centres within x_max / 2 of the edit
///
/// as whole numbers, so that the change equals that of a full recomputation and changes of edits
/// that are farther than 2 x_max apart add up exactly. Nets beyond what is looked at come from
/// the pieces of the whole layer, found once per layer. An edit that joins two pieces or may tear
/// one changes who is a short to whom far away: then the whole layer is worked out again, and the
/// result says so (`whole_layer`).
/// Oblique shapes near the edit are staircases, as in critical_area.h (`oblique`).
/// Units: database units where the name does not say um.
/// Source: methods for net effects of edits: the change of shorts, opens and vias together;
/// docs/analyses/critical_area.md.
#pragma once

#include <map>
#include <memory>
#include <utility>

#include "engine/layout/critical_vias.h"
#include "engine/layout/layer_pieces.h"

namespace yieldloop::layout {

struct LayerRule {
  Coord width = 0;  ///< 0: not checked.
  Coord space = 0;
};

struct WhatIfOptions {
  SizeLaw law = SizeLaw::kInverseCube;
  double x0_um = 0.05;
  double x_max_um = 2.0;
  bool end_effects = true;
  double via_fail_rate = 0.0;  ///< q of critical_vias.h.
  std::map<LayerIndex, LayerRule> rules;
  std::vector<ViaLayer> vias;
};

/// On one layer, after minus before.
struct LayerEffect {
  LayerIndex layer = 0;
  double shorts_um2 = 0.0;
  double opens_um2 = 0.0;
  FaultCurve shorts;  ///< Change of A(x), in database units.
  FaultCurve opens;
  std::int64_t space_violations = 0;
  std::int64_t width_violations = 0;
  bool whole_layer = false;
  bool oblique = false;
  friend bool operator==(const LayerEffect&, const LayerEffect&) = default;
};

struct ViaEffect {
  LayerIndex cut = 0;
  std::int64_t cuts = 0;
  std::int64_t connections = 0;
  double expected_fails = 0.0;  ///< Change of the sum of q^m.
  double um2 = 0.0;             ///< Change of the area where one defect covers a connection.
  friend bool operator==(const ViaEffect&, const ViaEffect&) = default;
};

struct EditEffect {
  std::vector<LayerEffect> layers;  ///< The edited layers that no via layer is, ascending.
  std::vector<ViaEffect> vias;      ///< Those the edit reaches, in the order of the options.
  friend bool operator==(const EditEffect&, const EditEffect&) = default;
};

/// Keeps what it has found of the layout between edits. Not thread-safe.
class WhatIf {
 public:
  /// The view's layout must outlive this.
  WhatIf(const FlatView& view, WhatIfOptions options);
  ~WhatIf();

  /// `edits`: at most one for each layer.
  /// Errors: kInvalidOptions LAYO-0031 (options as for critical_area or critical_vias, a layer
  /// twice, or an edit without a box), kCancelled LAYO-0007.
  Result<EditEffect> effect(std::span<const BoxEdit> edits, Progress& progress);

 private:
  Result<LayerEffect> on_layer(const BoxEdit& edit, Progress& progress);
  Result<LayerEffect> on_whole_layer(const BoxEdit& edit, Progress& progress);
  ViaEffect on_vias(const ViaLayer& via, std::span<const BoxEdit> edits);
  const LayerPieces& pieces(LayerIndex layer);

  /// Cuts by the pieces they join.
  using Joins = std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<Box>>;
  const Joins& joins(const ViaLayer& via);

  FlatView view_;
  WhatIfOptions options_;
  Coord x_max_ = 0;
  std::map<LayerIndex, std::unique_ptr<LayerPieces>> pieces_;
  std::map<LayerIndex, Joins> joins_;
};

}  // namespace yieldloop::layout
