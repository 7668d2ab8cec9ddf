/// \file
/// A tiny seeded fab for the tests of engine/process: lots, wafers, routes and a yield per
/// wafer to which a test adds its own cause.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/random.h"
#include "engine/process/response.h"

namespace yieldloop::test {

struct LotsOptions {
  int lots = 20;
  int wafers = 12;
  int steps = 8;
  int tools = 3;
  int chambers = 3;
  double lot_sd = 0.02;
  double wafer_sd = 0.02;
  int die = 300;
  std::uint64_t seed = 1;
};

inline constexpr std::int64_t kHour = 3600 * kMicrosPerSecond;

/// Lots start a day apart and pass the steps an hour apart; each lot takes one tool at a step,
/// its wafers go to chambers in turn from a random start.
inline FabData make_lots(const LotsOptions& o) {
  FabData data;
  Random random(o.seed);
  const auto name = [&data](const std::string& text) { return data.names.intern(text); };
  for (int l = 0; l < o.lots; ++l) {
    for (int w = 0; w < o.wafers; ++w) {
      Wafer wafer;
      wafer.lot = name("L" + std::to_string(100 + l));
      wafer.id = name("W" + std::to_string(10 + w));
      wafer.slot = w + 1;
      data.wafers.push_back(wafer);
    }
    for (int s = 0; s < o.steps; ++s) {
      const auto tool = static_cast<int>(random.below(static_cast<std::uint64_t>(o.tools)));
      const auto step = "S" + std::to_string(s);
      std::vector<int> order(static_cast<std::size_t>(o.wafers));
      for (int w = 0; w < o.wafers; ++w) order[static_cast<std::size_t>(w)] = w % o.chambers;
      random.shuffle(order);
      for (int w = 0; w < o.wafers; ++w) {
        StepRun run;
        run.wafer = WaferId{static_cast<std::uint32_t>(l * o.wafers + w)};
        run.step_seq = s;
        run.step = name(step);
        run.tool = name("T" + std::to_string(s) + std::to_string(tool));
        run.chamber =
            name(std::string(1, static_cast<char>('A' + order[static_cast<std::size_t>(w)])));
        run.recipe = name("R" + std::to_string(s));
        run.slot = w + 1;
        run.queue_minutes = 30 + random.exponential(60);
        run.started = {1'700'000'000 * kMicrosPerSecond + l * 24 * kHour + s * kHour +
                       w * kHour / 20};
        run.ended = {run.started.count + kHour / 20};
        data.step_runs.push_back(run);
      }
    }
  }
  return data;
}

/// Wafer yields: mean 0.9, lot and wafer scatter, then binomial die; `shift` adds a cause.
template <class Shift>
process::Response make_yield(const FabData& data, const LotsOptions& o, Shift shift) {
  Random random = Random(o.seed).fork(77);
  process::Response response;
  response.name = "yield";
  response.unit = "good die per wafer";
  response.in_die = true;
  response.scale = o.die;
  std::vector<double> lot(static_cast<std::size_t>(o.lots));
  for (double& l : lot) l = random.normal(0, o.lot_sd);
  for (std::size_t w = 0; w < data.wafers.size(); ++w) {
    double y = 0.9 + lot[w / static_cast<std::size_t>(o.wafers)] + random.normal(0, o.wafer_sd);
    y = std::min(1.0, std::max(0.0, y + shift(w)));
    response.value.push_back(
        static_cast<double>(random.binomial(static_cast<std::uint64_t>(o.die), y)) / o.die);
    response.items.push_back(o.die);
  }
  return response;
}

/// Runs of a wafer at a step: the first.
inline const StepRun& run_at(const FabData& data, std::size_t wafer, const std::string& step) {
  for (const StepRun& run : data.step_runs) {
    if (run.wafer.raw() == wafer && data.names[run.step] == step) return run;
  }
  return data.step_runs.front();
}

}  // namespace yieldloop::test
