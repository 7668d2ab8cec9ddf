// Causes in tools: a polisher that scratches, a chamber that drifts, one that is bad now and then,
// and one that the routing never separates from another.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/simulator/log_writers.h"
#include "engine/simulator/output_folder.h"
#include "engine/simulator/scenario_list.h"
#include "engine/simulator/scenario_wafers.h"

namespace yieldloop::simulator {
namespace {

UtcMicros whole_minute(UtcMicros time) {
  time.count -= time.count % (60 * kMicrosPerSecond);
  return time;
}

/// Every lot is shared out to two polishers; one of them draws an arc of scratches over some
/// wafers.
class Scratches final : public WaferEffect {
 public:
  void set_rules(FabRules& rules, Random& random) override {
    rules.parallel = step_index(random.chance(0.5) ? "M1_CMP" : "M2_CMP");
    step_ = *rules.parallel;
  }

  bool plan(World& world, Random& random) override {
    const auto chosen = draw_step_tool(world, {route()[step_].name.data()}, 3, random);
    if (!chosen) return false;
    tool_ = chosen->tool;
    share_ = random.uniform(0.4, 0.75);
    kill_ = random.uniform(0.6, 0.9);
    cause_.kind = "tool";
    cause_.subject = tool_subject(world);
    cause_.parameters = {{"scratched_share", share_}, {"kill_share", kill_}};
    cause_.expected_actions = {"maintain_tool", "hold_tool"};
    return true;
  }

  bool exposed(const World& world, std::size_t wafer) const override {
    return on_tool(world, wafer);
  }

  void apply(const World& world, std::size_t wafer, WaferFate& fate, int cause,
             Random& random) const override {
    if (!exposed(world, wafer) || !random.chance(share_)) return;
    const InspectedLayer layer = layer_after(step_);
    std::vector<char> crossed(world.grid.size(), 0);
    for (const auto& [x_mm, y_mm] : draw_arc(random)) {
      double x = 0.0;
      double y = 0.0;
      const auto die = die_at(world, x_mm, y_mm, x, y);
      if (die == world.grid.size()) continue;
      if (random.chance(0.7)) {
        plant_defect(fate, layer, die, x, y, random.uniform(1.0, 8.0), DefectClass::kResidue);
      }
      if (crossed[die]++ != 0) continue;
      const int block = block_at(world, x, y, random);
      if (random.chance(kill_)) fate.kill(die, FailKind::kOpen, layer, block, cause);
    }
  }

 private:
  using Points = std::vector<std::pair<double, double>>;

  /// Points every 1.5 mm along an arc of 60 to 200 mm, from the wafer's centre in mm.
  static Points draw_arc(Random& random) {
    const double radius = random.uniform(10.0, 130.0);
    const double angle = random.uniform(0.0, 2.0 * std::numbers::pi);
    double heading = random.uniform(0.0, 2.0 * std::numbers::pi);
    const double bend = random.uniform(-0.015, 0.015);
    double x = radius * std::cos(angle);
    double y = radius * std::sin(angle);
    const double length = random.uniform(60.0, 200.0);
    Points points;
    for (double s = 0.0; s < length; s += 1.5) {
      points.emplace_back(x, y);
      x += 1.5 * std::cos(heading);
      y += 1.5 * std::sin(heading);
      heading += bend * 1.5;
    }
    return points;
  }

  /// The die under a place of the wafer and the place in it; grid.size() when there is none.
  static std::size_t die_at(const World& world, double x_mm, double y_mm, double& x, double& y) {
    const double width = world.product.die_width_um;
    const double height = world.product.die_height_um;
    const auto column = static_cast<int>(std::floor(x_mm * 1000.0 / width + 0.5));
    const auto row = static_cast<int>(std::floor(y_mm * 1000.0 / height + 0.5));
    x = x_mm * 1000.0 - (column - 0.5) * width;
    y = y_mm * 1000.0 - (row - 0.5) * height;
    const auto same = [&](const GridDie& d) { return d.x == column && d.y == row; };
    return static_cast<std::size_t>(std::ranges::find_if(world.grid, same) - world.grid.begin());
  }

  double share_ = 0.5;
  double kill_ = 0.7;
};

/// From a date on one sensor of one chamber drifts away, and die are lost in proportion to it.
class Drift final : public WaferEffect {
 public:
  bool plan(World& world, Random& random) override {
    const auto chosen = draw_step_tool(
        world, {"POLY_ETCH", "CONT_ETCH", "M1_ETCH", "VIA1_ETCH", "M2_ETCH", "M1_SEED"}, 5, random);
    if (!chosen) return false;
    step_ = chosen->step;
    tool_ = chosen->tool;
    chamber_ = static_cast<int>(random.below(world.fab.tools[tool_].chambers.size()));
    const std::size_t lots = chosen->starts.size();
    from_ = whole_minute(after_minutes(chosen->starts[lots / 4], -30.0));
    days_ = std::max(1.0, minutes_between(from_, chosen->starts.back()) / 1440.0);
    loss_ = random.uniform(0.14, 0.22);  // at the end
    sensor_ = world.fab.tools[tool_].kind == ToolKind::kEtch
                  ? (random.chance(0.5) ? "PRESSURE" : "ESC_TEMP")
                  : (random.chance(0.5) ? "HEATER_TEMP" : "RF_POWER");
    sigmas_at_end_ = random.uniform(7.0, 12.0) * (random.chance(0.5) ? 1.0 : -1.0);
    world.sensor_shifts.push_back({.step = step_,
                                   .tool = tool_,
                                   .chamber = chamber_,
                                   .sensor = sensor_,
                                   .from = from_,
                                   .to = UtcMicros{INT64_MAX},
                                   .sigmas_per_day = sigmas_at_end_ / days_});
    cause_.kind = "sensor_drift";
    cause_.subject = tool_subject(world);
    cause_.subject.emplace_back("sensor", std::string(sensor_));
    cause_.from = from_;
    cause_.parameters = {
        {"loss_at_end", loss_}, {"sensor_sigmas_at_end", sigmas_at_end_}, {"days", days_}};
    cause_.expected_actions = {"maintain_tool", "hold_tool", "tighten_spc"};
    return true;
  }

  bool exposed(const World& world, std::size_t wafer) const override {
    return on_tool(world, wafer) && visit(world, wafer).started >= from_;
  }

  Status write_files(const World& world, const GoodDie&, OutputFolder& out, Random&) override;

 protected:
  double severity(const World& world, std::size_t wafer) const override {
    const double days = minutes_between(from_, visit(world, wafer).started) / 1440.0;
    return std::min(1.0, days / days_);
  }

 private:
  UtcMicros from_;
  double days_ = 1.0;
  double sigmas_at_end_ = 0.0;
  const char* sensor_ = "";
};

Status Drift::write_files(const World& world, const GoodDie&, OutputFolder& out, Random&) {
  return out.write_gzip("fdc_trace.csv", to_fdc_trace_csv(world, step_));
}

/// One chamber is bad in three or more separate windows of time.
class NowAndThen final : public WaferEffect {
 public:
  bool plan(World& world, Random& random) override {
    const auto chosen = draw_step_tool(
        world, {"POLY_ETCH", "CONT_ETCH", "M1_ETCH", "M2_ETCH", "M2_SEED"}, 5, random);
    if (!chosen) return false;
    step_ = chosen->step;
    tool_ = chosen->tool;
    chamber_ = static_cast<int>(random.below(world.fab.tools[tool_].chambers.size()));
    loss_ = random.uniform(0.12, 0.20);
    draw_windows(chosen->starts, random);
    cause_.kind = "chamber";
    cause_.subject = tool_subject(world);
    cause_.parameters = {{"loss_fraction", loss_},
                         {"windows", static_cast<std::int64_t>(windows_.size())}};
    for (std::size_t i = 0; i < windows_.size(); ++i) {
      const std::string name = "window_" + std::to_string(i + 1);
      cause_.parameters.emplace_back(name + "_from", to_iso8601(windows_[i].first));
      cause_.parameters.emplace_back(name + "_to", to_iso8601(windows_[i].second));
    }
    cause_.expected_actions = {"maintain_tool", "hold_tool"};
    return true;
  }

  bool exposed(const World& world, std::size_t wafer) const override {
    const UtcMicros at = visit(world, wafer).started;
    const auto in = [&](const auto& window) { return window.first <= at && at < window.second; };
    return on_tool(world, wafer) && std::ranges::any_of(windows_, in);
  }

 protected:
  double shape(const GridDie& die) const override { return 0.4 + die.radius * die.radius; }

 private:
  /// Every second or third run of the tool is bad, three lots at least.
  void draw_windows(const std::vector<UtcMicros>& starts, Random& random) {
    const std::size_t stride = starts.size() >= 9 ? 3 : 2;
    const std::size_t first = random.below(starts.size() - 2 * stride);
    for (std::size_t i = first; i < starts.size(); i += stride) {
      const UtcMicros from = whole_minute(after_minutes(starts[i], -5.0));
      windows_.emplace_back(from, after_minutes(from, 200.0));
    }
  }

  std::vector<std::pair<UtcMicros, UtcMicros>> windows_;
};

/// Two steps whose tools and chambers always go together, one of them bad.
class TiedTools final : public WaferEffect {
 public:
  void set_rules(FabRules& rules, Random& random) override {
    static constexpr std::array<std::array<const char*, 2>, 4> kPairs{
        {{"M1_ETCH", "M1_SEED"},
         {"M2_ETCH", "M2_SEED"},
         {"STI_ETCH", "STI_FILL"},
         {"POLY_ETCH", "SPACER_DEP"}}};
    const auto& pair = kPairs[random.below(kPairs.size())];
    rules.tie = FabRules::Tie{step_index(pair[1]), step_index(pair[0])};
    tie_ = *rules.tie;
    first_is_bad_ = random.chance(0.5);
  }

  bool plan(World& world, Random& random) override {
    step_ = first_is_bad_ ? tie_.follows : tie_.step;
    const auto used = used_tools(world, step_, 3);
    if (used.empty()) return false;
    tool_ = std::next(used.begin(), static_cast<std::ptrdiff_t>(random.below(used.size())))->first;
    chamber_ = static_cast<int>(random.below(world.fab.tools[tool_].chambers.size()));
    loss_ = random.uniform(0.07, 0.12);
    cause_.kind = "chamber";
    cause_.subject = tool_subject(world);
    cause_.parameters = {{"loss_fraction", loss_}};
    cause_.expected_actions = {"resample_lots", "maintain_tool", "hold_tool"};
    cause_.undecided = {cause_.subject, tied_subject(world)};
    return true;
  }

  bool exposed(const World& world, std::size_t wafer) const override {
    return on_tool(world, wafer);
  }

 private:
  TruthFields tied_subject(const World& world) const {
    const std::size_t other = first_is_bad_ ? tie_.step : tie_.follows;
    const std::size_t tool =
        world.fab.tools_of(other).first + (tool_ - world.fab.tools_of(step_).first);
    return {{"step", std::string(route()[other].name)},
            {"tool", world.fab.tools[tool].name},
            {"chamber", chamber_name(world)}};
  }

  FabRules::Tie tie_;
  bool first_is_bad_ = true;
};

}  // namespace

std::unique_ptr<Effect> make_scratches() { return std::make_unique<Scratches>(); }
std::unique_ptr<Effect> make_drift() { return std::make_unique<Drift>(); }
std::unique_ptr<Effect> make_now_and_then() { return std::make_unique<NowAndThen>(); }
std::unique_ptr<Effect> make_tied_tools() { return std::make_unique<TiedTools>(); }

}  // namespace yieldloop::simulator
