#include "engine/tracing/blur_search.h"

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "engine/stats/multiplicity.h"
#include "engine/tracing/blur_places.h"
#include "engine/tracing/blur_width.h"
#include "engine/tracing/zones.h"

namespace yieldloop::tracing {
namespace {

using Places = std::vector<std::uint32_t>;

constexpr std::uint32_t kNoClass = static_cast<std::uint32_t>(-1);
/// Places within this many position errors of one that is explained are set aside.
constexpr double kEchoReach = 5.0;
/// Classes less remarkable than this at first are not asked again when others are explained.
constexpr double kAskAgain = 0.25;
constexpr double kLeastPerTool = 50.0;
constexpr std::size_t kMostForWidth = 2000;  ///< Places.

double log_choose(double n, double k) {
  return std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0);
}

/// Defects with the pairs, background and tests that rest on one set of position errors.
class Scene {
 public:
  Scene(const BlurInput& input, std::vector<PointUm> defects, std::span<const std::uint32_t> tool,
        std::span<const double> sigma)
      : input_(input), defects_(std::move(defects)) {
    std::vector<double> each;
    for (const std::uint32_t t : tool) each.push_back(sigma[t]);
    pairs_ = std::make_unique<NearPairs>(input.places, defects_, each);
    background_ = std::make_unique<BlurBackground>(*input.strata, defects_, input.tile_seen);
    scan_ =
        std::make_unique<BlurScan>(*pairs_, *background_, input.places, defects_, input.place_seen);
    scan_->set_explained(std::vector<double>(defects_.size(), 0.0));
  }

  /// Tests of the classes that are asked, on the places that are not blocked.
  void test_all(std::span<const char> asked, std::span<const char> blocked,
                std::vector<ClassTest>& tests) const {
    tbb::enumerable_thread_specific<DensityGatherer> gatherers(defects_.size());
    tbb::parallel_for(std::size_t{0}, tests.size(), [&](std::size_t c) {
      if (!asked[c]) return;
      tests[c] = test(input_.classes[c], blocked, gatherers.local());
    });
  }

  ClassTest test(std::span<const std::uint32_t> places, std::span<const char> blocked,
                 DensityGatherer& gatherer) const {
    if (blocked.empty()) return scan_->test(places, gatherer);
    Places open;
    for (const std::uint32_t a : places) {
      if (!blocked[a]) open.push_back(a);
    }
    return open.empty() ? ClassTest{} : scan_->test(open, gatherer);
  }

  const std::vector<PointUm>& defects() const { return defects_; }
  const NearPairs& pairs() const { return *pairs_; }
  BlurBackground& background() { return *background_; }
  BlurScan& scan() { return *scan_; }
  const BlurScan& scan() const { return *scan_; }
  std::unique_ptr<BlurBackground> take_background() { return std::move(background_); }

 private:
  const BlurInput& input_;
  std::vector<PointUm> defects_;
  std::unique_ptr<NearPairs> pairs_;
  std::unique_ptr<BlurBackground> background_;
  std::unique_ptr<BlurScan> scan_;
};

class Search {
 public:
  Search(const BlurInput& input, const BlurOptions& options) : input_(input), options_(options) {
    for (const std::uint32_t t : input.tool) tools_ = std::max<std::size_t>(tools_, t + 1);
    find_levels();
  }

  BlurFound run() {
    BlurFound found;
    found.tests = static_cast<std::int64_t>(input_.classes.size() * options_.sigmas_um.size());
    if (input_.defects.empty() || input_.classes.empty()) return found;
    choose_width();
    for (int attempt = 0; attempt < 3; ++attempt) {
      select(found);
      if (found.classes.empty()) return found;
      const auto used = found.sigma;
      estimate_sigmas(found.classes.front().places);
      double moved = 0.0;
      for (std::size_t t = 0; t < tools_; ++t) {
        moved = std::max(moved, std::abs(std::log(sigma_[t] / used[t])));
      }
      if (moved < 0.08) break;
    }
    found.sigma_error = sigma_error_;
    return found;
  }

 private:
  /// For every radius, which class of it a place belongs to.
  void find_levels() {
    std::map<double, std::vector<std::uint32_t>> by_radius;
    for (std::uint32_t c = 0; c < input_.classes.size(); ++c) {
      auto& of = by_radius[input_.radius[c]];
      of.resize(input_.places.size(), kNoClass);
      for (const std::uint32_t a : input_.classes[c]) of[a] = c;
    }
    for (auto& [radius, of] : by_radius) {
      radii_.push_back(radius);
      class_at_.push_back(std::move(of));
    }
  }

  /// The width under which some class explains most, on an even draw of the defects.
  void choose_width() {
    const std::size_t n = input_.defects.size();
    const std::size_t taken = std::min(n, std::max<std::size_t>(options_.width_defects, 1));
    std::vector<PointUm> drawn;
    for (std::size_t i = 0; i < taken; ++i) drawn.push_back(input_.defects[i * n / taken]);
    const std::vector<std::uint32_t> tool(taken, 0);
    const std::vector<char> asked(input_.classes.size(), 1);
    double best = -1.0, width = options_.sigmas_um.front();
    std::uint32_t seed = kNoClass;
    for (const double sigma : options_.sigmas_um) {
      const Scene scene(input_, drawn, tool, std::vector<double>{sigma});
      std::vector<ClassTest> tests(input_.classes.size());
      scene.test_all(asked, {}, tests);
      for (std::uint32_t c = 0; c < tests.size(); ++c) {
        if (tests[c].statistic <= best || tests[c].defects < options_.min_defects) continue;
        best = tests[c].statistic, width = sigma, seed = c;
      }
    }
    sigma_.assign(tools_, width);
    sigma_error_.assign(tools_, 0.0);
    const double family = static_cast<double>(input_.classes.size() * options_.sigmas_um.size());
    if (seed == kNoClass || boundary_p(best) * family > options_.q_limit) return;
    estimate_sigmas(Places(input_.classes[seed].begin(), input_.classes[seed].end()));
  }

  /// Profile likelihood at the places, all tools together and each that has enough.
  void estimate_sigmas(const Places& places) {
    // An even draw of a large class tells the width as well.
    const std::size_t taken = std::min(places.size(), kMostForWidth);
    std::vector<RectUm> boxes;
    for (std::size_t i = 0; i < taken; ++i) {
      boxes.push_back(input_.places[places[i * places.size() / taken]]);
    }
    const double start = *std::ranges::max_element(sigma_);
    // Only what may lie near a place at the widest width can tell the width.
    const ZoneIndex index(boxes, 5.0 * kBlurReach * start);
    std::vector<PointUm> near;
    std::vector<std::uint32_t> tool;
    for (std::size_t d = 0; d < input_.defects.size(); ++d) {
      if (!index.is_near(input_.defects[d], 5.0 * kBlurReach * start)) continue;
      near.push_back(input_.defects[d]);
      tool.push_back(input_.tool[d]);
    }
    const BlurBackground whole(*input_.strata, input_.defects, input_.tile_seen);
    std::vector<double> background;
    for (const PointUm p : near) {
      background.push_back(whole.rate_of_tile(input_.strata->tile_at(p)));
    }
    const WidthEstimate all = estimate_width(boxes, near, background, start);
    sigma_.assign(tools_, all.sigma);
    sigma_error_.assign(tools_, tools_ == 1 ? all.standard_error : 0.0);
    if (tools_ == 1) return;
    std::vector<double> seen(tools_, 0.0);
    for (const std::uint32_t t : input_.tool) seen[t] += 1.0;
    for (std::uint32_t t = 0; t < tools_; ++t) {
      std::vector<PointUm> own;
      std::vector<double> rate;
      for (std::size_t i = 0; i < near.size(); ++i) {
        if (tool[i] != t) continue;
        own.push_back(near[i]);
        rate.push_back(background[i] * seen[t] / static_cast<double>(input_.defects.size()));
      }
      const WidthEstimate one = estimate_width(boxes, own, rate, all.sigma);
      if (one.defects < kLeastPerTool) continue;
      sigma_[t] = one.sigma;
      sigma_error_[t] = one.standard_error;
    }
  }

  /// Forward selection with the present position errors.
  void select(BlurFound& found) {
    found.classes.clear();
    found.fit.reset();
    found.sigma = sigma_;
    Scene scene(input_, input_.defects, input_.tool, sigma_);
    found.fit = std::make_unique<BlurFit>(scene.background(), input_.defects.size());
    std::vector<char> asked(input_.classes.size(), 1), blocked;
    std::vector<ClassTest> tests(input_.classes.size());
    DensityGatherer gatherer(input_.defects.size());
    while (found.classes.size() < options_.most_classes) {
      scene.test_all(asked, blocked, tests);
      auto taken = best_class(scene, tests, blocked, gatherer);
      if (!taken) break;
      found.fit->add({gatherer.gather(scene.pairs(), taken->places),
                      scene.scan().seen_of(taken->places), taken->test.rate});
      found.fit->fit();
      found.classes.push_back(std::move(*taken));
      scene.scan().set_explained(found.fit->explained());
      block_echoes(found.classes.back().places, blocked);
      for (std::size_t c = 0; c < tests.size(); ++c) {
        asked[c] = tests[c].p_value < kAskAgain ? 1 : 0;
      }
    }
    drop_needless(found);
    if (found.classes.empty()) {
      found.fit.reset();
    } else {
      found.background = scene.take_background();
    }
  }

  void block_echoes(const Places& places, std::vector<char>& blocked) const {
    blocked.resize(input_.places.size(), 0);
    const double reach = kEchoReach * *std::ranges::max_element(sigma_);
    std::vector<RectUm> boxes;
    for (const std::uint32_t a : places) boxes.push_back(input_.places[a]);
    const ZoneIndex index(boxes, reach);
    tbb::parallel_for(std::size_t{0}, blocked.size(), [&](std::size_t a) {
      const RectUm& r = input_.places[a];
      // Corners and middle stand for the box, which is not much longer than the reach.
      const PointUm middle{0.5 * (r.x_min + r.x_max), 0.5 * (r.y_min + r.y_max)};
      for (const PointUm p : {middle, PointUm{r.x_min, r.y_min}, PointUm{r.x_max, r.y_max}}) {
        if (!blocked[a] && index.is_near(p, reach)) blocked[a] = 1;
      }
    });
  }

  std::optional<FoundClass> best_class(const Scene& scene, const std::vector<ClassTest>& tests,
                                       std::span<const char> blocked, DensityGatherer& gatherer) {
    const auto widths = static_cast<double>(options_.sigmas_um.size());
    std::vector<double> p;
    for (const ClassTest& t : tests) {
      p.push_back(t.defects < options_.min_defects ? 1.0 : std::min(1.0, widths * t.p_value));
    }
    const auto q = stats::benjamini_hochberg(p);
    std::uint32_t best = kNoClass;
    for (std::uint32_t c = 0; c < tests.size(); ++c) {
      if (q[c] > options_.q_limit || p[c] >= 1.0) continue;
      if (best == kNoClass || tests[c].statistic > tests[best].statistic) best = c;
    }
    if (best == kNoClass) return std::nullopt;
    FoundClass found;
    found.pattern = best;
    found.places.assign(input_.classes[best].begin(), input_.classes[best].end());
    found.test = tests[best];
    settle_places(scene, blocked, gatherer, found);
    found.test.p_value = p[best];
    found.q_value = q[best];
    return found;
  }

  /// The seed's places or those of a wider class that share its rate (blur_places.h).
  void settle_places(const Scene& scene, std::span<const char> blocked, DensityGatherer& gatherer,
                     FoundClass& found) const {
    const std::uint32_t seed = found.pattern;
    const std::uint32_t first = input_.classes[seed].front();
    double best = found.test.statistic;
    for (std::size_t wide = 0; wide < radii_.size(); ++wide) {
      if (radii_[wide] > input_.radius[seed]) break;
      const std::uint32_t parent = class_at_[wide][first];
      if (parent == kNoClass) continue;
      for (std::size_t fine = wide + 1; fine < radii_.size(); ++fine) {
        consider(scene, blocked, gatherer, parent, fine, best, found);
      }
    }
  }

  void consider(const Scene& scene, std::span<const char> blocked, DensityGatherer& gatherer,
                std::uint32_t parent, std::size_t fine, double& best, FoundClass& found) const {
    std::map<std::uint32_t, Places> groups;
    for (const std::uint32_t a : input_.classes[parent]) {
      if (blocked.empty() || !blocked[a]) groups[class_at_[fine][a]].push_back(a);
    }
    if (groups.size() < 2) return;
    std::vector<double> events, places;
    std::vector<std::uint32_t> names;
    for (const auto& [name, members] : groups) {
      names.push_back(name);
      places.push_back(scene.scan().seen_of(members));
      const auto near = gatherer.gather(scene.pairs(), members);
      const auto share =
          scene.scan().shares(members, near, found.test.rate, found.test.local_factor);
      double sum = 0.0;
      for (const double s : share) sum += s;
      events.push_back(sum);
    }
    const auto high = high_groups(events, places);
    Places together;
    std::vector<std::uint32_t> members;
    double taken = 0.0;
    for (std::size_t g = 0; g < names.size(); ++g) {
      if (!high[g]) continue;
      taken += 1.0;
      if (names[g] != kNoClass) members.push_back(names[g]);
      const Places& of = groups.at(names[g]);
      together.insert(together.end(), of.begin(), of.end());
    }
    if (together.empty()) return;
    std::ranges::sort(together);
    const ClassTest test = scene.test(together, {}, gatherer);
    const double score =
        test.statistic - 2.0 * log_choose(static_cast<double>(names.size()), taken);
    if (score <= best) return;
    best = score;
    const double p = found.test.p_value;
    found.test = test;
    found.test.p_value = p;
    found.places = std::move(together);
    found.members = taken == static_cast<double>(names.size()) ? std::vector<std::uint32_t>{}
                                                               : std::move(members);
    if (found.members.empty()) found.pattern = parent;
  }

  /// Backward: what the joint fit does not need is taken out again.
  void drop_needless(BlurFound& found) const {
    const double family = static_cast<double>(found.tests);
    for (;;) {
      std::size_t worst = found.classes.size();
      double least = options_.q_limit / std::max(1.0, family) *
                     static_cast<double>(std::max<std::size_t>(1, found.classes.size()));
      for (std::size_t c = 0; c < found.classes.size(); ++c) {
        const double p = boundary_p(found.fit->statistic_of(c) / found.classes[c].test.dispersion);
        if (p > least) worst = c, least = p;
      }
      if (worst == found.classes.size()) return;
      found.classes.erase(found.classes.begin() + static_cast<std::ptrdiff_t>(worst));
      found.fit->remove(worst);
      found.fit->fit();
    }
  }

  const BlurInput& input_;
  const BlurOptions& options_;
  std::size_t tools_ = 1;
  std::vector<double> radii_;
  std::vector<std::vector<std::uint32_t>> class_at_;  ///< Shape: [radii][places].
  std::vector<double> sigma_, sigma_error_;           ///< Shape: [tools].
};

}  // namespace

BlurFound search_blurred(const BlurInput& input, const BlurOptions& options) {
  return Search(input, options).run();
}

}  // namespace yieldloop::tracing
