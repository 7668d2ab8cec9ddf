#include "engine/findings/step_defects.h"

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

std::vector<char> near_locations(const std::vector<LayoutLocation>& locations, double reach_um,
                                 const std::vector<tracing::PointUm>& points) {
  std::vector<tracing::RectUm> rects;
  for (const LayoutLocation& l : locations) {
    rects.push_back({l.x_um, l.y_um, l.x_um + l.w_um, l.y_um + l.h_um});
  }
  const tracing::ZoneIndex index(std::move(rects), reach_um);
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
