#include "engine/tracing/blur_pairs.h"

#include <tbb/parallel_for.h>

#include <algorithm>

#include "engine/tracing/zones.h"

namespace yieldloop::tracing {

PointGrid::PointGrid(std::span<const PointUm> points, double side_min) {
  if (points.empty()) return;
  PointUm high = low_ = points.front();
  for (const PointUm p : points) {
    low_ = {std::min(low_.x, p.x), std::min(low_.y, p.y)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y)};
  }
  // Emptier cells than this cost more to make than they save.
  const double most_cells = std::clamp(4.0 * static_cast<double>(points.size()), 1e3, 4e6);
  const double w = high.x - low_.x, h = high.y - low_.y;
  side_ = std::max({side_min, 1e-9, std::sqrt(w * h / most_cells), (w + h) / most_cells});
  columns_ = static_cast<std::size_t>(w / side_) + 1;
  rows_ = static_cast<std::size_t>(h / side_) + 1;
  first_.assign(columns_ * rows_ + 1, 0);
  std::vector<std::uint32_t> cell(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    cell[i] = static_cast<std::uint32_t>(row(points[i].y) * columns_ + column(points[i].x));
    ++first_[cell[i] + 1];
  }
  for (std::size_t c = 1; c < first_.size(); ++c) first_[c] += first_[c - 1];
  auto next = first_;
  order_.resize(points.size());
  sorted_.resize(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::size_t at = next[cell[i]]++;
    order_[at] = static_cast<std::uint32_t>(i);
    sorted_[at] = points[i];
  }
}

NearPairs::NearPairs(std::span<const RectUm> places, std::span<const PointUm> defects,
                     std::span<const double> sigma) {
  first_.assign(places.size() + 1, 0);
  if (defects.empty()) return;
  sigma_max_ = *std::ranges::max_element(sigma);
  const double reach = kBlurReach * sigma_max_;
  const PointGrid grid(defects, reach);
  constexpr std::size_t kChunk = 8192;
  const std::size_t chunks = (places.size() + kChunk - 1) / kChunk;
  std::vector<std::vector<NearPair>> found(chunks);
  tbb::parallel_for(std::size_t{0}, chunks, [&](std::size_t k) {
    for (std::size_t a = k * kChunk; a < std::min(places.size(), (k + 1) * kChunk); ++a) {
      const RectUm& r = places[a];
      const std::size_t before = found[k].size();
      const RectUm near{r.x_min - reach, r.y_min - reach, r.x_max + reach, r.y_max + reach};
      grid.for_in(near, [&](std::uint32_t d, PointUm p) {
        if (distance(r, p) > kBlurReach * sigma[d]) return;
        const auto density = static_cast<float>(blur_density(r, p, sigma[d]));
        if (density > 0.0F) found[k].push_back({d, density});
      });
      first_[a + 1] = found[k].size() - before;
    }
  });
  for (std::size_t a = 0; a < places.size(); ++a) first_[a + 1] += first_[a];
  pairs_.resize(first_.back());
  tbb::parallel_for(std::size_t{0}, chunks, [&](std::size_t k) {
    std::ranges::copy(found[k], pairs_.begin() + static_cast<std::ptrdiff_t>(first_[k * kChunk]));
    std::vector<NearPair>().swap(found[k]);
  });
}

DefectDensities DensityGatherer::gather(const NearPairs& pairs,
                                        std::span<const std::uint32_t> places) {
  touched_.clear();
  for (const std::uint32_t a : places) {
    for (const NearPair& pair : pairs.of(a)) {
      double& sum = sum_[pair.defect];
      if (sum == 0.0) touched_.push_back(pair.defect);
      sum += static_cast<double>(pair.density);
    }
  }
  std::ranges::sort(touched_);
  DefectDensities out;
  out.defect = touched_;
  out.density.reserve(touched_.size());
  for (const std::uint32_t d : touched_) {
    out.density.push_back(sum_[d]);
    sum_[d] = 0.0;
  }
  return out;
}

}  // namespace yieldloop::tracing
