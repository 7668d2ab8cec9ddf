#include "engine/process/reticle_repeater.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/process/label_excess.h"
#include "engine/stats/distributions.h"
#include "engine/stats/multiplicity.h"

namespace yieldloop::process {
namespace {

int floor_mod(int a, int b) { return ((a % b) + b) % b; }
int floor_div(int a, int b) { return (a - floor_mod(a, b)) / b; }

/// Wafers printed with one reticle; several names when they printed the same wafers.
struct WaferSet {
  std::vector<ReticleName> names;
  std::vector<char> in;
  std::int64_t size = 0;
};

struct Row {
  std::size_t set = 0;
  int label = 0;
  LabelEvidence evidence;
  double z = 0, p = 1;
  std::int64_t fields = 0, fields_hit = 0;
};

class Search {
 public:
  Search(const FabData& data, const ReticleRepeaterOptions& options)
      : data_(data), options_(options), outcomes_(die_outcomes(data)) {}

  bool empty() const { return outcomes_.empty(); }

  ReticleRepeaterResult run() {
    fold();
    const LabelExcess excess(outcomes_, equal_area_rings(data_.product, outcomes_, options_.rings),
                             labels_, columns() * rows(), data_.wafers.size());
    collect_sets();
    std::vector<Row> all;
    std::vector<double> p;
    for (std::size_t s = 0; s < sets_.size(); ++s) {
      for (int label = 0; label < columns() * rows(); ++label) {
        Row row{.set = s, .label = label, .evidence = excess.evidence(label, sets_[s].in)};
        if (row.evidence.wafers < 2) continue;
        row.z = row.evidence.z;
        // Only what the wafers support is worth asking the fields.
        if (row.z > 1.5) confirm_by_fields(row, excess.residuals());
        row.p = stats::normal_upper_p(row.z);
        p.push_back(row.p);
        all.push_back(row);
      }
    }
    ReticleRepeaterResult result;
    result.family = p.size();
    result.family_text = fmt::format("{} field positions x {} wafer sets, Benjamini-Hochberg",
                                     columns() * rows(), sets_.size());
    const std::vector<double> q = stats::benjamini_hochberg(p);
    for (int label = 0; label < columns() * rows(); ++label) {
      add_best(label, all, q, excess, result);
    }
    std::ranges::stable_sort(result.repeaters, [](const auto& a, const auto& b) {
      return a.p_value != b.p_value ? a.p_value < b.p_value : a.z > b.z;
    });
    return result;
  }

 private:
  int columns() const { return data_.product.reticle_columns; }
  int rows() const { return data_.product.reticle_rows; }

  void fold() {
    std::map<std::pair<int, int>, int> fields;
    labels_.reserve(outcomes_.size());
    for (const DieOutcome& o : outcomes_) {
      const int x = o.die.x - data_.product.reticle_origin.x;
      const int y = o.die.y - data_.product.reticle_origin.y;
      labels_.push_back(floor_mod(y, rows()) * columns() + floor_mod(x, columns()));
      const std::pair field{floor_div(x, columns()), floor_div(y, rows())};
      const auto next = static_cast<int>(fields.size());
      field_of_.push_back(fields.try_emplace(field, next).first->second);
    }
    field_count_ = fields.size();
  }

  void collect_sets() {
    const std::size_t n = data_.wafers.size();
    sets_.push_back(
        {.names = {}, .in = std::vector<char>(n, 1), .size = static_cast<std::int64_t>(n)});
    std::map<ReticleName, std::vector<char>> by_name;
    for (const StepRun& run : data_.step_runs) {
      if (run.reticle == NameId{}) continue;
      auto& in = by_name.try_emplace({run.step, run.reticle}, n, char{0}).first->second;
      in[run.wafer.raw()] = 1;
    }
    for (auto& [name, in] : by_name) {
      const auto same =
          std::ranges::find_if(sets_, [&in = in](const WaferSet& s) { return s.in == in; });
      if (same != sets_.end()) {
        same->names.push_back(name);
        continue;
      }
      const auto size = std::count(in.begin(), in.end(), 1);
      sets_.push_back({.names = {name}, .in = std::move(in), .size = size});
    }
  }

  void confirm_by_fields(Row& row, std::span<const float> residuals) const {
    std::vector<double> sum(field_count_, 0.0), seen(field_count_, 0.0);
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
      if (labels_[i] != row.label || !sets_[row.set].in[outcomes_[i].wafer.raw()]) continue;
      const auto f = static_cast<std::size_t>(field_of_[i]);
      sum[f] += static_cast<double>(residuals[i]);
      seen[f] += 1;
    }
    double n = 0, total = 0, squares = 0;
    for (std::size_t f = 0; f < field_count_; ++f) {
      if (!(seen[f] > 0)) continue;
      const double mean = sum[f] / seen[f];
      n += 1;
      total += mean;
      squares += mean * mean;
      row.fields_hit += mean > 0 ? 1 : 0;
    }
    row.fields = static_cast<std::int64_t>(n);
    if (n < 3) return;
    const double mean = total / n;
    const double spread = std::max((squares - n * mean * mean) / (n - 1), 1e-9);
    row.z = std::min(row.z, stats::student_t_to_z(mean / std::sqrt(spread / n), n - 1));
  }

  /// The wafer set that explains a position best, if any does.
  void add_best(int label, const std::vector<Row>& all, const std::vector<double>& q,
                const LabelExcess& excess, ReticleRepeaterResult& result) const {
    const Row* best = nullptr;
    double best_q = 1, best_contrast = 0;
    const Row* pooled = nullptr;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].label != label || q[i] > options_.alpha || all[i].z <= 0) continue;
      if (all[i].set == 0) {
        pooled = &all[i];
        if (best == nullptr) best_q = q[i];
        continue;
      }
      const double contrast = excess.contrast_z(label, sets_[all[i].set].in);
      if (contrast > 3.0 && contrast > best_contrast) {
        best = &all[i];
        best_q = q[i];
        best_contrast = contrast;
      }
    }
    if (best == nullptr) best = pooled;
    if (best == nullptr) return;
    result.repeaters.push_back(describe_row(*best, best_q, best_contrast));
  }

  ReticleRepeater describe_row(const Row& row, double q, double contrast) const {
    const WaferSet& set = sets_[row.set];
    ReticleRepeater out{.field_x = row.label % columns(), .field_y = row.label / columns()};
    if (row.set != 0 || set.names.size() == 1) out.reticle = set.names.front();
    if (set.names.size() > 1) out.candidates = set.names;
    const LabelEvidence& e = row.evidence;
    out.fail_rate = e.fails / e.die;
    out.background_rate = std::max(0.0, (e.fails - e.excess) / e.die);
    const auto n = static_cast<double>(e.wafers);
    // The position's own fails raise what its ring predicts: undo that share of the excess.
    const double share = 1.0 / (columns() * rows());
    const double per_wafer = 1.0 / (n * (1 - share));
    out.die_per_wafer = -e.excess * per_wafer;
    out.die_per_wafer_ci = {-e.excess_ci.high * per_wafer, -e.excess_ci.low * per_wafer};
    out.background_rate = std::max(0.0, out.fail_rate + out.die_per_wafer * n / e.die);
    out.p_value = row.p;
    out.q_value = q;
    out.z = row.z;
    out.contrast_z = contrast;
    out.die = static_cast<std::int64_t>(e.die);
    out.fields = row.fields;
    out.fields_hit = row.fields_hit;
    out.leading_bin = leading_bin(row);
    for (std::uint32_t w = 0; w < set.in.size(); ++w) {
      if (set.in[w]) out.wafers.push_back(WaferId{w});
    }
    return out;
  }

  int leading_bin(const Row& row) const {
    std::map<int, std::pair<double, double>> counts;  // At the position, elsewhere.
    double here = 0, there = 0;
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
      const DieOutcome& o = outcomes_[i];
      if (!sets_[row.set].in[o.wafer.raw()]) continue;
      const bool at = labels_[i] == row.label;
      (at ? here : there) += 1;
      if (!o.pass) (at ? counts[o.hard_bin].first : counts[o.hard_bin].second) += 1;
    }
    int best = 0;
    double largest = 0;
    for (const auto& [bin, count] : counts) {
      const double difference = count.first / here - count.second / std::max(1.0, there);
      if (difference > largest) {
        largest = difference;
        best = bin;
      }
    }
    return best;
  }

  const FabData& data_;
  ReticleRepeaterOptions options_;
  std::vector<DieOutcome> outcomes_;
  std::vector<int> labels_, field_of_;
  std::size_t field_count_ = 0;
  std::vector<WaferSet> sets_;
};

}  // namespace

Result<ReticleRepeaterResult> reticle_repeaters(const FabData& data,
                                                const ReticleRepeaterOptions& options) {
  if (!(options.alpha > 0) || options.alpha > 0.5 || options.rings < 1 || options.rings > 16 ||
      data.product.reticle_columns < 1 || data.product.reticle_rows < 1) {
    return Error{Errc::kInvalidOptions, "RETI-0001",
                 "Reticle repeaters need alpha in (0, 0.5], 1 to 16 rings and a field of at least "
                 "one die each way."};
  }
  if (data.product.reticle_columns * data.product.reticle_rows < 2) {
    return Error{Errc::kNoData, "RETI-0003",
                 "The product has one die in a field, so a reticle defect hits every die; give "
                 "reticle_columns and reticle_rows in product.toml."};
  }
  Search search(data, options);
  if (search.empty()) {
    return Error{Errc::kNoData, "RETI-0002",
                 "No tested die was found; load test results of this product first."};
  }
  return search.run();
}

}  // namespace yieldloop::process
