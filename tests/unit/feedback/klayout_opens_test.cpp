#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "catch_portable.h"
#include "engine/core/file_system.h"
#include "engine/feedback/gds_markers.h"
#include "engine/feedback/lyrdb.h"
#include "temporary_folder.h"

using namespace yieldloop;
using namespace yieldloop::feedback;

namespace {

/// Findings whose names need every kind of quoting.
FindingsDocument two_findings() {
  FindingsDocument document;
  document.product = "demo <28>";
  for (int rank = 1; rank <= 2; ++rank) {
    Finding f;
    f.rank = rank;
    f.id = "f-00000000000" + std::to_string(rank);
    f.statement = rank == 1 ? "A tip's end at 0.1 um bridges: 3x \"hot\" \\ spot & more."
                            : "Gl\xc3\xbchend, \xe3\x83\x93\xe3\x82\xa2 2.R1 opens.";
    for (int i = 0; i < 3 * rank; ++i)
      f.locations.push_back({"m1", 10.0 * i, 5.0 * rank, 0.4, 0.2});
    f.locations_total = 100;
    document.findings.push_back(f);
  }
  return document;
}

void write(const fs::path& path, const std::string& text) {
  REQUIRE(write_file_atomically(real_file_system(), path, text));
}
void write(const fs::path& path, const std::vector<std::byte>& bytes) {
  write(path, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

/// Counts, as KLayout reads them, into counts.txt: one "name value" a line.
constexpr const char* kScript = R"(
import pya
out = open(folder + "/counts.txt", "w")
rdb = pya.ReportDatabase("")
rdb.load(folder + "/markers.lyrdb")
out.write("items %d\n" % rdb.num_items())
for i, category in enumerate(rdb.each_category()):
    out.write("category%d %d\n" % (i, category.num_items()))
texts = 0
width = 0.0
for item in rdb.each_item():
    for value in item.each_value():
        if value.is_string() and value.string().endswith("."):
            texts += 1
        if value.is_box():
            width += value.box().width()
out.write("whole_texts %d\n" % texts)
out.write("width_nm %d\n" % round(width * 1000))
for name in ("gds", "oas"):
    layout = pya.Layout()
    layout.read(folder + "/markers." + name)
    for info in layout.layer_infos():
        shapes = layout.top_cell().shapes(layout.find_layer(info))
        out.write("%s%d %d\n" % (name, info.layer, shapes.size()))
out.close()
)";

}  // namespace

TEST_CASE("klayout: opens our markers and counts what we wrote", "[feedback][klayout]") {
  if (std::system("command -v klayout >/dev/null 2>&1") != 0) {
    WARN("KLayout is not installed; whether it opens marker files was not tested.");
    return;
  }
  const test::TemporaryFolder folder;
  const auto document = two_findings();
  const auto text = lyrdb_text(markers_of(document, "chip"));
  REQUIRE(text);
  write(folder / "markers.lyrdb", *text);
  std::vector<MarkerRectangle> rectangles;
  for (const Finding& f : document.findings)
    for (const LayoutLocation& l : f.locations)
      rectangles.push_back({900 + f.rank, 0, l.x_um, l.y_um, l.w_um, l.h_um});
  write(folder / "markers.gds", gds_markers("chip", rectangles).value());
  write(folder / "markers.oas", oasis_markers("chip", rectangles).value());
  write(folder / "count.py", std::string(kScript));
  const std::string place = (folder / "").string();
  const std::string command = "QT_QPA_PLATFORM=offscreen HOME=\"" + place +
                              "\" klayout -b -z -rd folder=\"" + place + "\" -r \"" + place +
                              "count.py\" >/dev/null 2>&1";
  REQUIRE(std::system(command.c_str()) == 0);

  std::map<std::string, int> counts;
  std::ifstream lines(folder / "counts.txt");
  std::string name;
  for (int value = 0; lines >> name >> value;) counts[name] = value;
  CHECK(counts == std::map<std::string, int>{{"items", 9},
                                             {"category0", 3},
                                             {"category1", 6},
                                             {"whole_texts", 9},
                                             {"width_nm", 3600},
                                             {"gds901", 3},
                                             {"gds902", 6},
                                             {"oas901", 3},
                                             {"oas902", 6}});
}
