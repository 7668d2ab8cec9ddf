#include "engine/findings/boosted_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "engine/core/random.h"
#include "models/predictors/booster.h"

namespace yieldloop::findings {
namespace {

using models::FeatureTable;
using models::RowSet;
using tracing::RegressionTable;

constexpr std::uint32_t kFolds = 3;

/// Evenly drawn positions 0..count-1, at most `most`, ascending.
std::vector<std::size_t> thin(std::size_t first, std::size_t count, std::size_t most) {
  std::vector<std::size_t> kept;
  const std::size_t n = std::min(count, most);
  for (std::size_t i = 0; i < n; ++i) kept.push_back(first + i * count / n);
  return kept;
}

/// The rows in use, as the trainer wants them, with their folds.
class BoostedTable {
 public:
  BoostedTable(const RegressionTable& source, const BoostedOptions& options) {
    const auto cases = thin(0, source.cases, options.most_cases);
    const auto controls =
        thin(source.cases, source.rows() - source.cases, options.controls_per_case * cases.size());
    table_.schema.target = models::Target::kDieFail;
    for (const std::string& name : source.columns) {
      models::FeatureColumn column;
      column.source = models::Source::kRadius;
      column.name = name;
      column.group = "layout";
      table_.schema.columns.push_back(std::move(column));
    }
    Random random(options.seed);
    const auto lot_fold = folds_of(source.lot), tile_fold = folds_of(source.tile);
    for (const bool is_case : {true, false}) {
      for (const std::size_t r : is_case ? cases : controls) {
        for (std::size_t c = 0; c < source.columns.size(); ++c)
          table_.values.push_back(static_cast<float>(source.at(r, c)));
        table_.target.push_back(is_case ? 1.0F : 0.0F);
        tile_.push_back(source.tile[r]);
        tile_fold_.push_back(fold_at(tile_fold, source.tile[r]));
        // A control stands for every lot; it is dealt to one fold.
        lot_fold_.push_back(is_case ? fold_at(lot_fold, source.lot[r])
                                    : static_cast<std::uint32_t>(random.below(kFolds)));
      }
    }
    table_.rows.resize(table_.target.size());
    table_.lot.assign(table_.target.size(), 0);
    table_.lots.push_back({});
  }

  /// Gain on the judged rows of all folds.
  Result<double> gain(const std::vector<float>& target, std::uint64_t seed, Progress& progress) {
    table_.target = target;
    double sum = 0.0, rows = 0.0;
    for (std::uint32_t fold = 0; fold < kFolds; ++fold) {
      RowSet train, judge;
      for (std::uint32_t r = 0; r < target.size(); ++r) {
        if (lot_fold_[r] != fold && tile_fold_[r] != fold) train.push_back(r);
        if (lot_fold_[r] == fold && tile_fold_[r] == fold) judge.push_back(r);
      }
      if (!usable(target, train) || !usable(target, judge)) continue;
      YL_ASSIGN(const auto fit, models::fit(table_, train, {}, trees(seed), progress));
      YL_ASSIGN(const auto booster,
                models::Booster::load(fit.model_json, table_.columns(), trees(seed).threads));
      YL_ASSIGN(const auto p, booster.predict(table_, judge));
      const double base = share(target, train);
      for (std::size_t i = 0; i < judge.size(); ++i) {
        const double y = static_cast<double>(target[judge[i]]);
        const double q = std::clamp(p[i], 1e-6, 1.0 - 1e-6);
        sum += y > 0.5 ? std::log(q / base) : std::log((1.0 - q) / (1.0 - base));
        rows += 1.0;
      }
    }
    return rows > 0.0 ? sum / rows : -INFINITY;
  }

  /// The labels of each tile given to another tile's rows, as far as they go.
  std::vector<float> exchanged(const std::vector<float>& target, Random random) const {
    std::map<std::uint32_t, std::vector<std::uint32_t>> members;
    for (std::uint32_t r = 0; r < tile_.size(); ++r) members[tile_[r]].push_back(r);
    std::vector<std::uint32_t> tiles;
    std::vector<double> shares;
    for (const auto& [tile, rows] : members) {
      tiles.push_back(tile);
      double cases = 0.0;
      for (const std::uint32_t r : rows) cases += static_cast<double>(target[r]);
      shares.push_back(cases / static_cast<double>(rows.size()));
    }
    for (std::size_t i = tiles.size(); i > 1; --i)
      std::swap(shares[i - 1], shares[random.below(i)]);
    std::vector<float> labels(target.size(), 0.0F);
    for (std::size_t t = 0; t < tiles.size(); ++t) {
      for (const std::uint32_t r : members[tiles[t]])
        labels[r] = random.chance(shares[t]) ? 1.0F : 0.0F;
    }
    return labels;
  }

  Status explain(const std::vector<float>& target, const BoostedOptions& options,
                 Progress& progress, BoostedView& view) {
    table_.target = target;
    RowSet all(table_.target.size());
    std::iota(all.begin(), all.end(), 0u);
    YL_ASSIGN(const auto fit, models::fit(table_, all, {}, trees(options.seed), progress));
    YL_ASSIGN(const auto booster,
              models::Booster::load(fit.model_json, table_.columns(), trees(options.seed).threads));
    const auto cases = static_cast<std::size_t>(
        std::ranges::count_if(table_.target, [](float y) { return y > 0.5F; }));
    RowSet rows;
    for (const std::size_t r : thin(0, cases, options.explained))
      rows.push_back(static_cast<std::uint32_t>(r));
    for (const std::size_t r : thin(cases, table_.target.size() - cases, options.explained))
      rows.push_back(static_cast<std::uint32_t>(r));
    YL_ASSIGN(const auto shap, booster.contributions(table_, rows));
    summarise(rows, shap, view);
    return Ok{};
  }

  const std::vector<float>& target() const { return table_.target; }

 private:
  using Folds = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

  /// Distinct ids dealt in turn by a hash of the id, so that neighbours part.
  static Folds folds_of(const std::vector<std::uint32_t>& ids) {
    const std::set<std::uint32_t> distinct(ids.begin(), ids.end());
    std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
    for (const std::uint32_t id : distinct) order.emplace_back(Random(id).bits(), id);
    std::ranges::sort(order);
    Folds folds;
    for (std::uint32_t i = 0; i < order.size(); ++i)
      folds.emplace_back(order[i].second, i % kFolds);
    std::ranges::sort(folds);
    return folds;
  }
  static std::uint32_t fold_at(const Folds& folds, std::uint32_t id) {
    return std::ranges::lower_bound(folds, std::pair(id, 0u))->second;
  }

  static models::BoostOptions trees(std::uint64_t seed) {
    return {.rounds = 40,
            .depth = 3,
            .learning_rate = 0.15,
            .min_child_weight = 10.0,
            .early_stopping_rounds = 0,
            .seed = seed,
            .threads = 1};
  }
  static double share(const std::vector<float>& target, const RowSet& rows) {
    double sum = 0.0;
    for (const std::uint32_t r : rows) sum += static_cast<double>(target[r]);
    return sum / static_cast<double>(rows.size());
  }
  static bool usable(const std::vector<float>& target, const RowSet& rows) {
    if (rows.size() < 20) return false;
    const double s = share(target, rows);
    return s > 0.0 && s < 1.0;
  }

  void summarise(const RowSet& rows, const std::vector<double>& shap, BoostedView& view) const {
    const std::size_t k = table_.columns();
    double total = 0.0;
    for (std::size_t c = 0; c < k; ++c) {
      BoostedColumn column{.column = table_.schema.columns[c].name};
      std::vector<std::pair<float, double>> by_value;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const double v = shap[i * (k + 1) + c];
        column.share += std::abs(v);
        const float x = table_.values[rows[i] * k + c];
        if (!std::isnan(x)) by_value.emplace_back(x, v);
      }
      total += column.share;
      std::ranges::sort(by_value);
      const std::size_t tenth = by_value.size() / 10;
      for (std::size_t i = 0; i < tenth; ++i) {
        column.low_high += (by_value[by_value.size() - 1 - i].second - by_value[i].second) /
                           static_cast<double>(tenth);
      }
      view.columns.push_back(std::move(column));
    }
    for (BoostedColumn& c : view.columns) c.share = total > 0.0 ? c.share / total : 0.0;
    std::ranges::stable_sort(view.columns, std::greater{}, &BoostedColumn::share);
  }

  FeatureTable table_;
  std::vector<std::uint32_t> tile_, tile_fold_, lot_fold_;
};

}  // namespace

Result<BoostedView> boosted_view(const RegressionTable& source, const BoostedOptions& options,
                                 Progress& progress) {
  BoostedView view;
  const std::set<std::uint32_t> lots(source.lot.begin(), source.lot.end());
  const std::set<std::uint32_t> tiles(source.tile.begin(), source.tile.end());
  if (lots.size() < kFolds || tiles.size() < 4 * kFolds || source.cases < 100) {
    view.why_not = fmt::format(
        "{} defects of {} lots on {} parts of the die are too few to judge trees on lots and "
        "places "
        "that they have not seen.",
        source.cases, lots.size(), tiles.size());
    return view;
  }
  BoostedTable table(source, options);
  const std::vector<float> target = table.target();
  YL_ASSIGN(view.gain, table.gain(target, options.seed, progress));
  if (!(view.gain > 0.0)) {
    view.why_not =
        "On lots and places that they have not seen the trees do no better than a constant rate.";
    return view;
  }
  std::size_t as_good = 0;
  for (; view.copies < options.copies && as_good < 2; ++view.copies) {
    const auto labels = table.exchanged(target, Random(options.seed).fork(view.copies + 1));
    YL_ASSIGN(const double gain, table.gain(labels, options.seed, progress));
    as_good += gain >= view.gain ? 1 : 0;
  }
  view.p_value = static_cast<double>(1 + as_good) / static_cast<double>(1 + view.copies);
  view.generalises = view.p_value <= options.alpha;
  if (!view.generalises) {
    view.why_not = "The trees do as well where the places' properties are exchanged.";
    return view;
  }
  YL_TRY(table.explain(target, options, progress, view));
  return view;
}

}  // namespace yieldloop::findings
