// Traces defects against one layer of a layout: census, registration, EM and tests.
// Usage: yieldloop-bench-trace LAYOUT DEFECTS [LAYER]. DEFECTS is how many are drawn: 95 % uniform,
// 5 % at the places of one pattern class, all reported by a tool that is off by (1.2, -0.8) um with
// an error of 0.5 um per axis. LAYER is 68/20 when not given. Prints CPU and wall seconds of each
// part and the largest memory.

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "engine/core/random.h"
#include "engine/tracing/pattern.h"
#include "engine/tracing/registration.h"
#include "ingest/pipeline/read_layout.h"

namespace {

using namespace yieldloop;

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

/// Prints what a part took since it was made.
class Part {
 public:
  explicit Part(const char* name) : name_(name) {}
  ~Part() {
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - wall_;
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    std::printf("%-14s %8.2f CPU s %8.2f s   largest %6.0f MB\n", name_, cpu_seconds() - cpu_,
                wall.count(), static_cast<double>(usage.ru_maxrss) / 1024.0);
    std::fflush(stdout);
  }

 private:
  const char* name_;
  double cpu_ = cpu_seconds();
  std::chrono::steady_clock::time_point wall_ = std::chrono::steady_clock::now();
};

template <class T>
T need(Result<T> result) {
  if (result) return std::move(result).value();
  std::fprintf(stderr, "%s (%s)\n", result.error().message.c_str(), result.error().id.c_str());
  std::exit(1);
}

constexpr tracing::PointUm kOff{1.2, -0.8};
constexpr double kSigma = 0.5;

/// One product of one die, seen once.
FabData small_fab(const tracing::RectUm& window) {
  FabData data;
  data.product.name = "BENCH";
  data.product.layout_file = "bench";
  data.product.die_width_um = window.x_max - window.x_min;
  data.product.die_height_um = window.y_max - window.y_min;
  data.product.layout_origin_x_um = -window.x_min;
  data.product.layout_origin_y_um = -window.y_min;
  data.wafers.emplace_back();
  Inspection i;
  i.step = data.names.intern("INSP");
  i.inspected.push_back({0, 0});
  data.inspections.push_back(i);
  return data;
}

/// The class nearest to a thousand places.
std::size_t chosen_class(const tracing::PatternCensus& census) {
  std::size_t best = 0;
  double nearest = HUGE_VAL;
  for (std::size_t c = 0; c < census.classes.size(); ++c) {
    if (census.classes[c].radius_um <= 0.0) continue;
    const double off =
        std::abs(std::log(static_cast<double>(census.classes[c].anchors.size()) / 1000.0));
    if (off < nearest) nearest = off, best = c;
  }
  return best;
}

void draw_defects(const tracing::PatternCensus& census, std::size_t hot, std::size_t count,
                  const tracing::RectUm& window, FabData& data) {
  Random random(7);
  const auto& places = census.classes[hot].anchors;
  for (std::size_t i = 0; i < count; ++i) {
    Defect d;
    d.defect_id = static_cast<std::int64_t>(i);
    if (i % 20 == 0) {
      const auto r =
          tracing::to_um(census.anchors[places[random.below(places.size())]].gap, census.dbu_um);
      d.x_um = random.uniform(r.x_min, r.x_max) + random.normal(-kOff.x, kSigma);
      d.y_um = random.uniform(r.y_min, r.y_max) + random.normal(-kOff.y, kSigma);
    } else {
      d.x_um = random.uniform(window.x_min, window.x_max);
      d.y_um = random.uniform(window.y_min, window.y_max);
    }
    d.x_um -= window.x_min, d.y_um -= window.y_min;
    data.defects.push_back(d);
  }
}

int run(const char* path, std::size_t count, const std::string& key) {
  ingest::Rejects rejects;
  const auto layout = need(ingest::read_layout(real_file_system(), path, rejects));
  const auto view = need(layout::view_of(layout));
  const auto layer_key = layout::parse_layer_key(key);
  const auto layer = need(layout::require_layer(layout, layer_key.value_or(layout::LayerKey{})));
  const auto window = tracing::to_um(view.bbox(), layout.dbu_um());
  NoProgress progress;
  tracing::PatternCensus census;
  {
    const Part part("census");
    census = need(tracing::census_patterns(view, layer, view.bbox(), {}, progress));
  }
  FabData data = small_fab(window);
  const std::size_t hot = chosen_class(census);
  draw_defects(census, hot, count, window, data);
  std::printf("%zu places, %zu classes; planted at %s (%zu places)\n", census.anchors.size(),
              census.classes.size(), census.classes[hot].id.c_str(),
              census.classes[hot].anchors.size());
  const auto frame = need(tracing::Frame::make(data.product, window));
  const Part whole("all but census");
  auto exposure = need(tracing::step_exposure(data, frame, "INSP"));
  tracing::Registration registration;
  {
    const Part part("registration");
    std::vector<tracing::RectUm> places;
    for (const auto& a : census.anchors) places.push_back(tracing::to_um(a.gap, census.dbu_um));
    tracing::RegistrationInput input{places, {}, {}, exposure.window};
    for (const auto& c : census.classes) input.classes.emplace_back(c.anchors);
    for (const auto& d : exposure.defects) input.defects.push_back(d.at);
    registration = tracing::register_defects(input);
  }
  std::printf("%s\n", tracing::describe(registration).c_str());
  const auto alignment = registration.alignment();
  for (auto& d : exposure.defects) d.at = alignment(d.at);
  tracing::PatternResult result;
  {
    const Part part("strata and EM");
    const auto strata = tracing::DensityStrata::of(view, layer, exposure.window);
    result = need(tracing::trace_patterns(data, exposure, "layer", census, strata));
  }
  for (const auto& p : result.patterns) {
    std::printf("%s: %lld places, %.0f defects, sigma %.3f um, q %.1e\n", p.pattern_id.c_str(),
                static_cast<long long>(p.occurrences), p.attributable, p.position_sigma_um,
                p.q_value);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "Usage: %s LAYOUT DEFECTS [LAYER]\n", argv[0]);
    return 2;
  }
  return run(argv[1], std::strtoull(argv[2], nullptr, 10), argc > 3 ? argv[3] : "68/20");
}
