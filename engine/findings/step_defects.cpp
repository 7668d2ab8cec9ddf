#include "engine/findings/step_defects.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_map>

#include "engine/defects/clusters.h"
#include "engine/tracing/zones.h"

namespace yieldloop::findings {

std::vector<char> clustered_defects_of(const FabData& data) {
  std::vector<char> clustered(data.defects.size(), 0);
  const auto clusters = defects::find_clusters(data);
  if (!clusters) return clustered;
  for (std::size_t i = 0; i < clustered.size(); ++i) {
    clustered[i] = clusters->cluster_of[i] == defects::kNoCluster ? 0 : 1;
  }
  return clustered;
}

Result<tracing::StepExposure> located_defects(const FabData& data, const layout::FlatView& view,
                                              const std::string& step,
                                              const std::vector<char>& clustered,
                                              const std::vector<StepRegistration>& registrations) {
  const auto box = tracing::to_um(view.bbox(), view.layout().dbu_um());
  YL_ASSIGN(const auto frame, tracing::Frame::make(data.product, box));
  YL_ASSIGN(auto exposure, tracing::step_exposure(data, frame, step, clustered));
  move_registered(data, registrations, exposure);
  return exposure;
}

double explained_reach(double reach_um, double position_sigma_um) {
  // What is left of many defects is still many.
  constexpr double kExplainedSigmas = 4.0;
  return std::max(reach_um, kExplainedSigmas * position_sigma_um);
}

void leave_few_at_a_place(const std::vector<tracing::PointUm>& points, std::vector<char>& aside) {
  constexpr double kPlaceUm = 2.0;
  constexpr int kMostAtPlace = 3;
  const auto cell = [](double v) {
    return static_cast<std::uint64_t>(std::llround(std::floor(v / kPlaceUm)));
  };
  std::unordered_map<std::uint64_t, int> at_place;
  for (std::size_t d = 0; d < points.size(); ++d) {
    if (aside[d] != 0) continue;
    const std::uint64_t place = cell(points[d].x) << 32 ^ (cell(points[d].y) & 0xFFFFFFFFu);
    if (++at_place[place] > kMostAtPlace) aside[d] = 1;
  }
}

std::vector<char> near_places(const std::vector<tracing::RectUm>& places, double reach_um,
                              const std::vector<tracing::PointUm>& points) {
  const tracing::ZoneIndex index(places, reach_um);
  std::vector<char> near;
  near.reserve(points.size());
  for (const tracing::PointUm p : points) near.push_back(index.is_near(p, reach_um) ? 1 : 0);
  return near;
}

std::vector<tracing::PointUm> points_of(const tracing::StepExposure& exposure) {
  std::vector<tracing::PointUm> points;
  points.reserve(exposure.defects.size());
  for (const tracing::LocatedDefect& d : exposure.defects) points.push_back(d.at);
  return points;
}

}  // namespace yieldloop::findings
