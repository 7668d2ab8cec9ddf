#include <algorithm>
#include <cmath>
#include <optional>

#include "engine/layout/edited_place.h"
#include "engine/layout/what_if.h"

namespace yieldloop::layout {
namespace {

using Pair = std::pair<std::uint64_t, std::uint64_t>;

/// What a set of cuts that stand for each other is worth.
struct Worth {
  double fails = 0.0;
  FaultCurve curve;
};

Worth worth_of(const std::vector<Box>& cuts, double fail_rate, Coord x_max) {
  if (cuts.empty()) return {};
  ViaConnection connection;
  for (const Box& cut : cuts) connection.box.include(cut);
  return {std::pow(fail_rate, static_cast<double>(cuts.size())),
          connection_curve(connection, x_max)};
}

const BoxEdit* edit_of(std::span<const BoxEdit> edits, LayerIndex layer) {
  const auto it = std::ranges::find(edits, layer, &BoxEdit::layer);
  return it == edits.end() ? nullptr : &*it;
}

/// The pieces of a metal layer before and after its edit, if it has one.
class EditedMetal {
 public:
  EditedMetal(const FlatView& view, const LayerPieces& pieces, const BoxEdit* edit, Coord margin)
      : pieces_(pieces) {
    if (edit != nullptr)
      place_.emplace(view, *edit, pieces, edit->bbox().enlarged(margin), margin, 1);
    if (place_ && place_->changes_pieces())
      whole_.emplace(LayerPieces::of(view, edit->layer, edit));
  }
  bool renamed() const { return whole_.has_value(); }
  std::optional<std::uint64_t> before(Point p) const { return pieces_.at(p); }
  std::optional<std::uint64_t> after(Point p) const {
    if (whole_) return whole_->at(p);
    return place_ && place_->holds(p) ? place_->piece_after(p) : before(p);
  }

 private:
  const LayerPieces& pieces_;
  std::optional<EditedPlace> place_;
  std::optional<LayerPieces> whole_;
};

std::vector<Box> distinct(std::vector<Box> cuts) {
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  return cuts;
}

}  // namespace

const WhatIf::Joins& WhatIf::joins(const ViaLayer& via) {
  const auto [it, fresh] = joins_.try_emplace(via.cut);
  if (!fresh) return it->second;
  bool oblique = false;
  const LayerPieces& below = pieces(via.below);
  const LayerPieces& above = pieces(via.above);
  for (const Box& cut : distinct(boxes_in(view_, via.cut, view_.bbox(via.cut), 1, oblique))) {
    const auto low = below.at(cut.center());
    const auto high = above.at(cut.center());
    if (low && high) it->second[{*low, *high}].push_back(cut);
  }
  return it->second;
}

ViaEffect WhatIf::on_vias(const ViaLayer& via, std::span<const BoxEdit> edits) {
  const BoxEdit* cut_edit = edit_of(edits, via.cut);
  const BoxEdit* low_edit = edit_of(edits, via.below);
  const BoxEdit* high_edit = edit_of(edits, via.above);
  const Coord margin = x_max_ + 1;
  const EditedMetal low(view_, pieces(via.below), low_edit, margin);
  const EditedMetal high(view_, pieces(via.above), high_edit, margin);
  Box reach;
  for (const BoxEdit* e : {cut_edit, low_edit, high_edit})
    if (e != nullptr) reach.include(e->bbox().enlarged(3 * margin));
  // Renamed pieces rename every cut.
  if (low.renamed() || high.renamed()) reach.include(view_.bbox(via.cut));
  bool oblique = false;
  const std::vector<Box> before = distinct(boxes_in(view_, via.cut, reach, 1, oblique));
  std::vector<Box> after = before;
  if (cut_edit != nullptr) apply_edit(*cut_edit, after);
  after = distinct(std::move(after));
  // Cuts that leave or enter a pair of pieces; what is in neither list stays.
  std::map<Pair, std::pair<std::vector<Box>, std::vector<Box>>> moved;
  for (const Box& cut : before) {
    const auto b = low.before(cut.center());
    const auto a = high.before(cut.center());
    if (b && a) moved[{*b, *a}].first.push_back(cut);
  }
  for (const Box& cut : after) {
    const auto b = low.after(cut.center());
    const auto a = high.after(cut.center());
    if (b && a) moved[{*b, *a}].second.push_back(cut);
  }
  ViaEffect effect{.cut = via.cut};
  effect.cuts = static_cast<std::int64_t>(after.size()) - static_cast<std::int64_t>(before.size());
  const Joins& all = joins(via);
  FaultCurve curve;
  for (const auto& [pair, change] : moved) {
    if (change.first == change.second) continue;
    const auto known = all.find(pair);
    const std::vector<Box> had = known == all.end() ? std::vector<Box>{} : known->second;
    std::vector<Box> has;
    std::ranges::set_difference(had, change.first, std::back_inserter(has));
    has.insert(has.end(), change.second.begin(), change.second.end());
    const Worth then = worth_of(had, options_.via_fail_rate, x_max_);
    const Worth now = worth_of(has, options_.via_fail_rate, x_max_);
    effect.expected_fails += now.fails - then.fails;
    effect.connections += (has.empty() ? 0 : 1) - (had.empty() ? 0 : 1);
    curve.add(now.curve);
    curve.add(then.curve, -1);
  }
  const double dbu = view_.layout().dbu_um();
  effect.um2 =
      curve.integral({options_.law, options_.x0_um / dbu, options_.x_max_um / dbu}) * dbu * dbu;
  return effect;
}

}  // namespace yieldloop::layout
