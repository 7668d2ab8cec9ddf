#include "engine/tracing/registration_search.h"

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace yieldloop::tracing {
namespace {

constexpr std::array<double, 4> kWidths{0.2, 0.4, 0.8, 1.6};
/// A place counts at most this often in one square micrometre of shifts.
constexpr std::uint16_t kMostPerCell = 3;
/// Peaks lower than this are not worth refining: chance reaches it in a few thousand looks.
constexpr double kLeastGain = 8.0;
/// Classes with more pairs of defect and place are binned.
constexpr double kSparse = 200.0;

double poisson_gain(double count, double mean) {
  return count > mean ? count * std::log(count / mean) - (count - mean) : 0.0;
}

struct Shift {
  float x = 0.0F, y = 0.0F;
};

/// Displacements from the defects near each place to its middle.
class ShiftsByPlace {
 public:
  ShiftsByPlace(std::span<const RectUm> places, std::span<const PointUm> defects, double search) {
    const PointGrid grid(defects, search);
    first_.assign(places.size() + 1, 0);
    constexpr std::size_t kChunk = 8192;
    const std::size_t chunks = (places.size() + kChunk - 1) / kChunk;
    std::vector<std::vector<Shift>> found(chunks);
    tbb::parallel_for(std::size_t{0}, chunks, [&](std::size_t k) {
      for (std::size_t a = k * kChunk; a < std::min(places.size(), (k + 1) * kChunk); ++a) {
        const PointUm c{0.5 * (places[a].x_min + places[a].x_max),
                        0.5 * (places[a].y_min + places[a].y_max)};
        const std::size_t before = found[k].size();
        grid.for_in({c.x - search, c.y - search, c.x + search, c.y + search}, [&](std::uint32_t,
                                                                                  PointUm p) {
          found[k].push_back({static_cast<float>(c.x - p.x), static_cast<float>(c.y - p.y)});
        });
        first_[a + 1] = found[k].size() - before;
      }
    });
    for (std::size_t a = 0; a < places.size(); ++a) first_[a + 1] += first_[a];
    shifts_.reserve(first_.back());
    for (const auto& part : found) shifts_.insert(shifts_.end(), part.begin(), part.end());
  }
  std::span<const Shift> of(std::uint32_t place) const {
    return std::span(shifts_).subspan(first_[place], first_[place + 1] - first_[place]);
  }

 private:
  std::vector<std::size_t> first_;
  std::vector<Shift> shifts_;
};

/// Counts of shifts, reused from class to class.
class ShiftMap {
 public:
  explicit ShiftMap(double search)
      : search_(search),
        side_(2 * static_cast<int>(std::ceil(search / kShiftBin)) + 1),
        cells_(static_cast<int>(std::ceil(2.0 * search)) + 1),
        counts_(static_cast<std::size_t>(side_ * side_)),
        cell_(static_cast<std::size_t>(cells_ * cells_)) {}

  int side() const { return side_; }
  double shift_of(int bin) const {
    const int middle = side_ / 2;
    return (bin - middle) * kShiftBin;
  }

  void count(const ShiftsByPlace& shifts, std::span<const std::uint32_t> places) {
    kept_.clear();
    for (const std::uint32_t a : places) {
      const auto of = shifts.of(a);
      if (of.empty()) continue;
      if (of.size() > kMostPerCell) std::ranges::fill(cell_, std::uint16_t{0});
      for (const Shift s : of) {
        if (of.size() > kMostPerCell && ++cell_[cell_of(s)] > kMostPerCell) continue;
        kept_.push_back(s);
      }
    }
  }
  /// Puts what was counted into bins.
  void bin() {
    std::ranges::fill(counts_, 0.0);
    for (const Shift s : kept_) counts_[bin_of(s)] += 1.0;
  }

  double total() const { return static_cast<double>(kept_.size()); }
  const std::vector<Shift>& kept() const { return kept_; }

  /// The sum of the normal weight of height 1 about a shift.
  double weight_at(double x, double y, double width) const {
    double sum = 0.0;
    const double scale = 0.5 / (width * width), most = 9.0 * width * width;
    for (const Shift s : kept_) {
      const double dx = static_cast<double>(s.x) - x, dy = static_cast<double>(s.y) - y;
      const double square = dx * dx + dy * dy;
      if (square <= most) sum += std::exp(-square * scale);
    }
    return sum;
  }

  /// The best gain of any square of two by two micrometres: whether to look closer.
  double rough_gain() const {
    constexpr int kStep = 5;  // One micrometre.
    const int n = side_ / kStep + 2;
    std::vector<double> rough(static_cast<std::size_t>(n * n), 0.0);
    for (int y = 0; y < side_; ++y) {
      for (int x = 0; x < side_; ++x) {
        rough[static_cast<std::size_t>(y / kStep * n + x / kStep)] +=
            counts_[static_cast<std::size_t>(y * side_ + x)];
      }
    }
    const double mean = total() * 4.0 * kStep * kStep / static_cast<double>(side_ * side_);
    double best = 0.0;
    for (int y = 0; y + 1 < n; ++y) {
      for (int x = 0; x + 1 < n; ++x) {
        const auto at = static_cast<std::size_t>(y * n + x), up = at + static_cast<std::size_t>(n);
        best = std::max(best,
                        poisson_gain(rough[at] + rough[at + 1] + rough[up] + rough[up + 1], mean));
      }
    }
    return best;
  }

  /// Counts under a normal weight of height 1.
  void smooth(double width, std::vector<double>& out) const {
    const int reach = static_cast<int>(std::ceil(2.5 * width / kShiftBin));
    std::vector<double> weight;
    for (int i = -reach; i <= reach; ++i) {
      const double u = i * kShiftBin / width;
      weight.push_back(std::exp(-0.5 * u * u));
    }
    const auto pass = [&](const std::vector<double>& in, std::vector<double>& to, int dx, int dy) {
      for (int y = 0; y < side_; ++y) {
        for (int x = 0; x < side_; ++x) {
          double sum = 0.0;
          for (int i = -reach; i <= reach; ++i) {
            const int u = x + i * dx, v = y + i * dy;
            if (u < 0 || v < 0 || u >= side_ || v >= side_) continue;
            sum += weight[static_cast<std::size_t>(i + reach)] *
                   in[static_cast<std::size_t>(v * side_ + u)];
          }
          to[static_cast<std::size_t>(y * side_ + x)] = sum;
        }
      }
    };
    std::vector<double> half(counts_.size());
    out.resize(counts_.size());
    pass(counts_, half, 1, 0);
    pass(half, out, 0, 1);
  }

 private:
  std::size_t bin_of(Shift s) const {
    const auto at = [&](float v) {
      const int b = static_cast<int>(std::lround(static_cast<double>(v) / kShiftBin)) + side_ / 2;
      return std::clamp(b, 0, side_ - 1);
    };
    return static_cast<std::size_t>(at(s.y) * side_ + at(s.x));
  }
  std::size_t cell_of(Shift s) const {
    const auto at = [&](float v) {
      return std::clamp(static_cast<int>(static_cast<double>(v) + search_), 0, cells_ - 1);
    };
    return static_cast<std::size_t>(at(s.y) * cells_ + at(s.x));
  }

  double search_;
  int side_, cells_;
  std::vector<double> counts_;
  std::vector<std::uint16_t> cell_;
  std::vector<Shift> kept_;
};

/// Robust spread of values over the spread that Poisson counts would have.
double dispersion_of(std::vector<double> values, double mean, double weight_square_share) {
  const auto n = static_cast<std::ptrdiff_t>(values.size());
  const auto low = values.begin() + n / 4, high = values.begin() + 3 * n / 4;
  std::ranges::nth_element(values, low);
  const double q1 = *low;
  std::ranges::nth_element(values, high);
  const double spread = (*high - q1) / 1.349;
  const double poisson = mean * weight_square_share;
  return poisson > 0.0 ? std::max(1.0, spread * spread / poisson) : 1.0;
}

/// What a sum of normal weights of height 1 is expected to be.
double expected_weight(const ShiftMap& map, double search, double width) {
  const double side = 2.0 * search;
  return std::max(map.total() * 6.283185307179586 * width * width / (side * side), 1e-9);
}

/// Twice the sum of weights is the count of equal mean and variance; its gain is twice too large.
double weight_gain(double weight, double mean) {
  return 0.5 * poisson_gain(2.0 * weight, 2.0 * mean);
}

/// Every pair's own shift as the middle of a peak: for classes with few pairs.
void add_sparse_peaks(const ShiftMap& map, double search, std::uint32_t feature,
                      std::vector<ShiftPeak>& peaks) {
  for (const double width : kWidths) {
    const double mean = expected_weight(map, search, width);
    for (const Shift s : map.kept()) {
      const PointUm at{static_cast<double>(s.x), static_cast<double>(s.y)};
      const double gain = weight_gain(map.weight_at(at.x, at.y, width), mean);
      if (gain >= kLeastGain) peaks.push_back({feature, at, width, gain});
    }
  }
}

/// No shift at all, whatever its gain.
void add_at_zero(const ShiftMap& map, double search, std::uint32_t feature,
                 std::vector<ShiftPeak>& peaks) {
  for (const double width : kWidths) {
    const double gain =
        weight_gain(map.weight_at(0.0, 0.0, width), expected_weight(map, search, width));
    if (gain > 0.0) peaks.push_back({feature, {}, width, gain});
  }
}

/// The highest bins of the smoothed map.
void add_dense_peaks(const ShiftMap& map, double search, std::uint32_t feature,
                     std::vector<ShiftPeak>& peaks) {
  std::vector<double> smooth;
  const int side = map.side();
  for (const double width : kWidths) {
    map.smooth(width, smooth);
    const double mean = expected_weight(map, search, width);
    const double dispersion = dispersion_of(smooth, mean, 0.5);
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x) {
        const double v = smooth[static_cast<std::size_t>(y * side + x)];
        const double gain = weight_gain(v, mean) / dispersion;
        if (gain >= kLeastGain) {
          peaks.push_back({feature, {map.shift_of(x), map.shift_of(y)}, width, gain});
        }
      }
    }
  }
}

bool larger(const ShiftPeak& a, const ShiftPeak& b) {
  if (a.gain != b.gain) return a.gain > b.gain;
  if (a.feature != b.feature) return a.feature < b.feature;
  if (a.shift.x != b.shift.x) return a.shift.x < b.shift.x;
  return a.shift.y < b.shift.y;
}

/// Keeps the best three that are not the same peak at another width.
void thin(std::vector<ShiftPeak>& peaks) {
  std::ranges::sort(peaks, larger);
  std::vector<ShiftPeak> kept;
  for (const ShiftPeak& p : peaks) {
    const bool same = std::ranges::any_of(kept, [&](const ShiftPeak& k) {
      const double near = std::max(1.0, k.width);
      return std::abs(k.shift.x - p.shift.x) < near && std::abs(k.shift.y - p.shift.y) < near;
    });
    if (!same) kept.push_back(p);
    if (kept.size() == 3) break;
  }
  peaks = std::move(kept);
}

}  // namespace

double looks_per_class(double search) {
  double looks = 0.0;
  for (const double w : kWidths) looks += (search / w) * (search / w);
  return looks;
}

std::vector<ShiftPeak> find_peaks(const RegistrationInput& input, std::span<const PointUm> defects,
                                  double search, bool near_zero, std::size_t most) {
  const ShiftsByPlace shifts(input.places, defects, search);
  tbb::enumerable_thread_specific<ShiftMap> maps([&] { return ShiftMap(search); });
  std::vector<std::vector<ShiftPeak>> by_class(input.classes.size());
  tbb::parallel_for(std::size_t{0}, input.classes.size(), [&](std::size_t c) {
    ShiftMap& map = maps.local();
    const auto feature = static_cast<std::uint32_t>(c);
    map.count(shifts, input.classes[c]);
    if (map.total() < 4.0) return;
    if (near_zero) {
      add_at_zero(map, search, feature, by_class[c]);
    } else if (map.total() <= kSparse) {
      add_sparse_peaks(map, search, feature, by_class[c]);
    } else {
      map.bin();
      if (map.rough_gain() >= kLeastGain) add_dense_peaks(map, search, feature, by_class[c]);
    }
    thin(by_class[c]);
  });
  std::vector<ShiftPeak> peaks;
  for (const auto& of : by_class) peaks.insert(peaks.end(), of.begin(), of.end());
  std::ranges::sort(peaks, larger);
  if (peaks.size() > most) peaks.resize(most);
  return peaks;
}

}  // namespace yieldloop::tracing
