// `yieldloop patterns`: what it prints and writes, and that KLayout reads it.

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "catch_portable.h"
#include "engine/cli/commands.h"
#include "engine/cli/pattern_files.h"
#include "engine/layout/layout_builder.h"
#include "ingest/readers/gdsii/gdsii_writer.h"
#include "temporary_folder.h"

using namespace yieldloop;
using cli::ExitStatus;

namespace {

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Wires with gaps and a via each, repeated.
void write_layout(const fs::path& path) {
  layout::LayoutBuilder builder(0.001);
  const auto cell = builder.add_cell("cell"), top = builder.add_cell("top");
  builder.add_box(cell, {31, 0}, {0, 0, 2000, 200});
  builder.add_box(cell, {31, 0}, {2200, 0, 4000, 200});
  builder.add_box(cell, {32, 0}, {50, 50, 150, 150});
  layout::Instance array;
  array.cell = cell;
  array.columns = 5, array.rows = 4;
  array.column_step = {6000, 0}, array.row_step = {0, 3000};
  builder.add_instance(top, array);
  const auto bytes = ingest::gdsii::gdsii_bytes(builder.build().value()).value();
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

TEST_CASE("patterns: a library is kept, exported and found again", "[cli][patterns]") {
  const test::TemporaryFolder folder;
  const fs::path file = folder.path() / "chip.gds";
  write_layout(file);
  cli::Context context;
  context.quiet = true;
  context.json = true;
  cli::PatternArguments a;
  a.layout = file.string();
  a.layers = {"31/0"};
  a.via_layers = {"32/0"};
  a.radii_um = {0.3};
  a.kinds = "line_end,via";
  a.places = 2;
  a.library = (folder.path() / "library").string();
  REQUIRE(cli::run_patterns(context, a) == ExitStatus::kDone);
  const auto library = cli::read_pattern_library(a.library).value();
  // Two ends at the gap, two alone of which one has a via beside it, the via itself.
  std::uint64_t places = 0;
  for (const auto& p : library.patterns) {
    CHECK(p.occurrences % 20 == 0);
    CHECK(p.places.size() == 2);
    places += p.occurrences;
  }
  CHECK(places == 100);
  const std::string before = read(folder.path() / "library" / "patterns.json");
  REQUIRE(cli::run_patterns(context, a) == ExitStatus::kDone);
  CHECK(read(folder.path() / "library" / "patterns.json") == before);

  cli::PatternArguments match;
  match.layout = file.string();
  match.match = a.library;
  CHECK(cli::run_patterns(context, match) == ExitStatus::kDone);

  a.kinds = "corners";
  CHECK(cli::run_patterns(context, a) == ExitStatus::kUsage);
  a.kinds = "";
  a.layers = {"77/0"};
  CHECK(cli::run_patterns(context, a) != ExitStatus::kDone);
  a.layers = {};
  CHECK(cli::run_patterns(context, a) == ExitStatus::kUsage);
  a.layers = {"31/0"};
  a.radii_um = {0.0};
  CHECK(cli::run_patterns(context, a) == ExitStatus::kUsage);
}

TEST_CASE("patterns: KLayout opens the clips and their index", "[cli][patterns]") {
  if (std::system("command -v klayout >/dev/null 2>&1") != 0) {
    WARN("KLayout is not installed: its reading of the clips was not tried.");
    return;
  }
  const test::TemporaryFolder folder;
  const fs::path file = folder.path() / "chip.gds", clips = folder.path() / "clips.gds";
  write_layout(file);
  cli::Context context;
  context.quiet = true;
  context.json = true;
  cli::PatternArguments a;
  a.layout = file.string();
  a.layers = {"31/0"};
  a.radii_um = {0.3};
  a.exported = clips.string();
  REQUIRE(cli::run_patterns(context, a) == ExitStatus::kDone);
  const fs::path script = folder.path() / "count.py", answer = folder.path() / "answer.json";
  std::ofstream(script) << "import pya, json\n"
                           "l = pya.Layout(); l.read('"
                        << clips.string()
                        << "')\n"
                           "i = l.find_layer(255, 0)\n"
                           "s = l.top_cell().shapes(i)\n"
                           "r = pya.ReportDatabase('x'); r.load('"
                        << fs::path(clips).replace_extension(".lyrdb").string()
                        << "')\n"
                           "json.dump({'frames': sum(1 for x in s.each() if not x.is_text()),\n"
                           "  'texts': sum(1 for x in s.each() if x.is_text()),\n"
                           "  'items': r.num_items(), 'categories': "
                           "sum(1 for c in r.each_category())}, open('"
                        << answer.string() << "', 'w'))\n";
  REQUIRE(std::system(("klayout -b -z -r " + script.string() + " >/dev/null 2>&1").c_str()) == 0);
  const auto counted = nlohmann::json::parse(read(answer));
  CHECK(counted["frames"].get<int>() >= 4);
  CHECK(counted["texts"] == counted["frames"]);
  CHECK(counted["items"] == counted["frames"]);
  CHECK(counted["categories"] == counted["frames"]);
}
