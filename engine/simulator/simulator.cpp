#include "engine/simulator/simulator.h"

#include <fmt/format.h>

#include "engine/core/text.h"
#include "engine/simulator/gds_writer.h"
#include "engine/simulator/inspection_model.h"
#include "engine/simulator/klarf_writer.h"
#include "engine/simulator/log_writers.h"
#include "engine/simulator/output_folder.h"
#include "engine/simulator/scenario_list.h"
#include "engine/simulator/stdf_writer.h"
#include "engine/simulator/truth_writer.h"

namespace yieldloop::simulator {
namespace {

Error unknown_scenario(const std::string& name) {
  std::vector<std::string> known;
  for (const ScenarioInfo& info : scenarios()) known.push_back(info.name);
  return {Errc::kInvalidOptions, "SIMU-0001",
          fmt::format("There is no scenario \"{}\"; the known ones are {}.", escape_controls(name),
                      join(known, ", "))};
}

Status plan_effects(World& world, const Effects& effects) {
  const Random base = stream(world.options, Stream::kPlan);
  for (std::size_t i = 0; i < effects.size(); ++i) {
    Random random = base.fork(i);
    if (effects[i]->plan(world, random)) continue;
    return Error{Errc::kInternal, "SIMU-0005",
                 fmt::format("Seed {} gives a history in which scenario {} has nothing to hit; "
                             "take another seed.",
                             world.options.seed, world.options.scenario)};
  }
  return Ok{};
}

Status write_logs(const World& world, OutputFolder& out) {
  YL_TRY(out.write("product.toml", to_product_toml(world.product)));
  YL_TRY(out.write(kLayoutFile, to_gdsii(world.layout)));
  YL_TRY(out.write("lots.csv", to_lots_csv(world)));
  YL_TRY(out.write("wafers.csv", to_wafers_csv(world)));
  YL_TRY(out.write("lot_history.csv", to_lot_history_csv(world)));
  YL_TRY(out.write("maintenance.csv", to_maintenance_csv(world)));
  YL_TRY(out.write("equipment_states.csv", to_equipment_states_csv(world)));
  YL_TRY(out.write_gzip("fdc_summary.csv", to_fdc_summary_csv(world)));
  return out.write_gzip("metrology.csv", to_metrology_csv(world));
}

/// Draws, inspects and tests the wafers of one lot after another.
class Line {
 public:
  Line(const World& world, const Effects& effects, OutputFolder& out)
      : world_(world), effects_(effects), out_(out) {
    tally_.costs.resize(effects.size());
    for (std::size_t i = 0; i < effects.size(); ++i) {
      tally_.costs[i].lost_by_wafer.resize(world.fab.wafers.size());
    }
    good_.resize(world.fab.wafers.size());
  }

  Status run_lot(std::size_t lot_index) {
    const SimLot& lot = world_.fab.lots[lot_index];
    StdfWriter stdf(world_, lot_index);
    for (std::size_t i = 0; i < lot.wafer_count; ++i) {
      const std::size_t wafer = lot.first_wafer + i;
      const WaferFate background =
          draw_background(world_, wafer, wafer_stream(Stream::kBackground, wafer));
      WaferFate fate = background;
      apply_effects(wafer, fate);
      YL_TRY(write_inspections(wafer, fate));
      const WaferTest test =
          test_wafer(world_, wafer, background, fate, effects_, wafer_stream(Stream::kTest, wafer));
      stdf.add_wafer(wafer, test);
      count(wafer, test);
    }
    return out_.write(fmt::format("stdf/{}_WS1.stdf", lot.id), stdf.finish());
  }

  const Tally& tally() const { return tally_; }
  std::size_t defects() const { return defects_; }
  const GoodDie& good() const { return good_; }

 private:
  Random wafer_stream(Stream which, std::size_t wafer) const {
    return stream(world_.options, which).fork(wafer);
  }

  void apply_effects(std::size_t wafer, WaferFate& fate) const {
    const Random base = wafer_stream(Stream::kEffects, wafer);
    for (std::size_t i = 0; i < effects_.size(); ++i) {
      Random random = base.fork(i);
      effects_[i]->apply(world_, wafer, fate, static_cast<int>(i), random);
    }
  }

  Status write_inspections(std::size_t wafer_index, const WaferFate& fate) {
    const SimWafer& wafer = world_.fab.wafers[wafer_index];
    if (!wafer.inspected) return Ok{};
    for (const auto layer : {InspectedLayer::kM1, InspectedLayer::kM2}) {
      const auto index = static_cast<std::size_t>(layer);
      const auto report =
          inspect(world_, wafer_index, fate, layer,
                  wafer_stream(Stream::kInspection, wafer_index).fork(index),
                  wafer_stream(Stream::kPlantedInspection, wafer_index).fork(index));
      defects_ += report.size();
      YL_TRY(out_.write(fmt::format("klarf/{}_{}_{}.klarf", world_.lot_of(wafer).id, wafer.id,
                                    kInspectionSteps[index]),
                        to_klarf(world_, wafer_index, layer, report)));
    }
    return Ok{};
  }

  void count(std::size_t wafer, const WaferTest& test) {
    for (std::size_t i = 0; i < effects_.size(); ++i) {
      if (effects_[i]->exposed(world_, wafer)) ++tally_.costs[i].exposed_wafers;
    }
    for (std::size_t die = 0; die < test.final_parts.size(); ++die) {
      const bool good = test.final_parts[die].fail == FailKind::kNone;
      const int cause = test.lost_to[die];
      ++tally_.die_tested;
      good_[wafer].push_back(good);
      if (good) ++tally_.die_good;
      if (good || cause >= 0) ++tally_.good_without_causes;
      if (cause < 0) continue;
      CauseCost& cost = tally_.costs[static_cast<std::size_t>(cause)];
      ++cost.die_lost;
      ++cost.lost_by_wafer[wafer];
    }
  }

  const World& world_;
  const Effects& effects_;
  OutputFolder& out_;
  Tally tally_;
  GoodDie good_;
  std::size_t defects_ = 0;
};

}  // namespace

Result<Summary> simulate(const Options& options, FileSystem& files, const fs::path& folder,
                         Progress& progress) {
  auto effects = effects_of(options.scenario);
  if (!effects) return unknown_scenario(options.scenario);
  YL_ASSIGN(OutputFolder out, OutputFolder::open(files, folder));
  World world = make_world(options, rules_of(options, *effects));
  YL_TRY(plan_effects(world, *effects));
  YL_TRY(write_logs(world, out));

  Line line(world, *effects, out);
  const std::size_t lots = world.fab.lots.size();
  for (std::size_t lot = 0; lot < lots; ++lot) {
    progress.report("simulate", lot, lots);
    if (progress.cancelled()) {
      return Error{Errc::kCancelled, "SIMU-0003",
                   fmt::format("The simulation was stopped; {} holds a part of it and no "
                               "truth.json, remove it.",
                               folder.string())};
    }
    YL_TRY(line.run_lot(lot));
  }
  progress.report("simulate", lots, lots);
  for (std::size_t i = 0; i < effects->size(); ++i) {
    Random random = stream(options, Stream::kRules).fork(100 + i);
    YL_TRY((*effects)[i]->write_files(world, line.good(), out, random));
  }
  const Tally& tally = line.tally();
  YL_TRY(out.write("truth.json", to_truth_json(world, *effects, tally)));

  Summary summary{.scenario = options.scenario,
                  .seed = options.seed,
                  .lots = lots,
                  .wafers = world.fab.wafers.size(),
                  .die_tested = tally.die_tested,
                  .die_good = tally.die_good,
                  .die_lost = tally.good_without_causes - tally.die_good,
                  .defects = line.defects(),
                  .files = out.files_written(),
                  .bytes = out.bytes_written()};
  return summary;
}

}  // namespace yieldloop::simulator
