#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/console.h"
#include "engine/simulator/simulator.h"

namespace yieldloop::cli {
namespace {

using Json = nlohmann::ordered_json;

ExitStatus list_scenarios(const Context& context) {
  if (context.json) {
    Json list = Json::array();
    for (const auto& s : simulator::scenarios()) {
      list.push_back({{"name", s.name}, {"description", s.description}});
    }
    return print(Json{{"schema", "yieldloop.scenarios/1"}, {"scenarios", list}}.dump());
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& s : simulator::scenarios()) rows.push_back({s.name, s.description});
  return print(text_table({"scenario", "what it plants"}, rows));
}

}  // namespace

ExitStatus run_simulate(const Context& context, const SimulateArguments& arguments) {
  if (arguments.list) return list_scenarios(context);
  if (arguments.scenario.empty() || arguments.folder.empty()) {
    return fail({Errc::kInvalidOptions, "CLIC-0003",
                 "Name a scenario and a folder: yieldloop simulate SCENARIO -o DIR (see --list)."});
  }
  simulator::Options options{.scenario = arguments.scenario, .seed = arguments.seed};
  if (arguments.size == "medium") options.size = simulator::Size::kMedium;
  ConsoleProgress progress(context.quiet);
  const auto done = simulator::simulate(options, real_file_system(), arguments.folder, progress);
  if (!done) return fail(done.error());
  if (context.json) {
    return print(Json{{"schema", "yieldloop.simulation/1"},
                      {"scenario", done->scenario},
                      {"seed", done->seed},
                      {"lots", done->lots},
                      {"wafers", done->wafers},
                      {"die_tested", done->die_tested},
                      {"die_good", done->die_good},
                      {"die_lost", done->die_lost},
                      {"defects", done->defects},
                      {"files", done->files},
                      {"bytes", done->bytes}}
                     .dump());
  }
  return print(
      fmt::format("{} files, {:.1f} MB in {}: {} lots, {} wafers, {} die tested, {} lost to what "
                  "was planted (truth.json says what).",
                  done->files, static_cast<double>(done->bytes) * 1e-6, arguments.folder,
                  done->lots, done->wafers, done->die_tested, done->die_lost));
}

}  // namespace yieldloop::cli
