#include <fstream>
#include <iterator>
#include <string>

#include "catch_portable.h"
#include "engine/core/random.h"
#include "ingest/readers/input.h"
#include "ingest/readers/lefdef/design.h"
#include "ingest/readers/lefdef/lefdef_reader.h"

using namespace yieldloop;
using namespace yieldloop::ingest;
using namespace yieldloop::ingest::lefdef;

namespace {

constexpr const char* kSamples = YIELDLOOP_SOURCE_DIR "/sample_data/lefdef/";

std::string sample(const std::string& name) {
  auto input = open_input(real_file_system(), kSamples + name);
  REQUIRE(input);
  const auto bytes = (*input)->bytes();
  REQUIRE(bytes);
  return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

Bytes as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

class KeepingSink final : public store::RowSink {
 public:
  bool put(store::Table batch) override {
    tables.push_back(std::move(batch));
    return true;
  }
  std::vector<store::Table> tables;
};

struct ReadBack {
  Result<ReadSummary> summary;
  Rejects rejects;
  KeepingSink sink;
};

ReadBack read(const ReaderDeclaration& reader, const std::string& text) {
  ReadBack result{Error{}, {}, {}};
  auto input = input_from_memory("x.def", text);
  REQUIRE(input);
  result.summary = reader.read(**input, {}, result.sink, result.rejects);
  return result;
}

Lef lef_of(const std::string& text) {
  Rejects rejects;
  auto lef = parse_lef(as_bytes(text), rejects);
  REQUIRE(lef);
  return std::move(lef).value();
}

/// A DEF file with the given statements; 2000 units a micrometre.
Def def_of(const std::string& body, std::size_t rejected = 0) {
  Rejects rejects;
  auto def = parse_def(
      as_bytes("DESIGN d ;\nUNITS DISTANCE MICRONS 2000 ;\n" + body + "\nEND DESIGN\n"), rejects);
  REQUIRE(def);
  CHECK(rejects.total() == rejected);
  return std::move(def).value();
}

Design design_of(const std::string& body) {
  auto design = Design::make(def_of(body), {lef_of(sample("every_statement.lef"))});
  REQUIRE(design);
  return std::move(design).value();
}

std::vector<FlatShape> shapes_of(const Design& design, Part part) {
  std::vector<FlatShape> shapes;
  design.for_each(true, [&](const FlatShape& shape) {
    if (shape.part == part) shapes.push_back(shape);
  });
  return shapes;
}

}  // namespace

TEST_CASE("lef: every statement that is read, and nothing of the others", "[lefdef]") {
  Rejects rejects;
  const std::string text = sample("every_statement.lef");
  const auto lef = parse_lef(as_bytes(text), rejects);

  REQUIRE(lef);
  CHECK(rejects.empty());
  CHECK(lef->version == "5.8");
  CHECK(lef->database_microns == 1000.0);
  REQUIRE(lef->layers.size() == 7);
  const LefLayer& m1 = lef->layers[1];
  CHECK(m1.type == LayerType::kRouting);
  CHECK(m1.direction == Direction::kHorizontal);
  CHECK(m1.width == 0.1);  // Not the widths of the tables.
  CHECK(m1.wrong_way_width == 0.15);
  CHECK(m1.spacing == 0.1);
  CHECK(lef->layers[5].masks == 2);
  REQUIRE(lef->vias.size() == 2);
  CHECK(lef->vias[0].is_default);
  CHECK(lef->vias[0].shapes.size() == 3);
  CHECK(lef->vias[1].generated->columns == 3);
  CHECK(lef->via_rules.size() == 1);
  CHECK(lef->rules.at(0).widths.size() == 2);
  CHECK(lef->sites.at(0).size == RealPoint{0.4, 2.0});
  REQUIRE(lef->macros.size() == 2);
  const Macro& gate = lef->macros[0];
  CHECK(gate.origin == RealPoint{0.2, 0.1});
  CHECK(gate.size == RealPoint{1.2, 2.0});
  REQUIRE(gate.pins.size() == 3);
  CHECK(gate.pins[0].name == "A[0]");
  CHECK(gate.pins[0].geometry.shapes.size() == 3);  // One, and two of ITERATE.
  CHECK(gate.pins[1].geometry.vias.size() == 1);
  CHECK(gate.obstructions.shapes.size() == 2);
  CHECK(lef->pin_count() == 4);
}

TEST_CASE("lef: END LIBRARY may come early and often", "[lefdef]") {
  Rejects rejects;
  const std::string text =
      "VERSION 5.7 ;\nEND LIBRARY\nLAYER a\nTYPE CUT ;\nEND a\nEND LIBRARY\n"
      "LAYER b\nTYPE CUT ;\nEND b\nEND LIBRARY\n";
  const auto lef = parse_lef(as_bytes(text), rejects);
  REQUIRE(lef);
  CHECK(lef->layers.size() == 2);
  CHECK(rejects.empty());
}

TEST_CASE("lef: what is damaged is told and costs itself alone", "[lefdef][damage]") {
  struct Case {
    const char* text;
    const char* id;
    std::size_t macros;
  };
  const auto c = GENERATE(Case{"MACRO a\nSIZE 1 BY 1 ;\nEND a\n", "LEFD-0007", 1},
                          Case{"MACRO a\nSIZE 1 BY 1 ;\nEND b\nEND LIBRARY\n", "LEFD-0006", 1},
                          Case{"MACRO a\nSIZE 1 BX 1 ;\nEND a\nEND LIBRARY\n", "LEFD-0004", 1},
                          Case{"MACRO a\nPIX A\nEND a\nEND LIBRARY\n", "LEFD-0003", 1},
                          Case{"MACRO a\nEND a\nMACRO a\nEND a\nEND LIBRARY\n", "LEFD-0009", 1},
                          Case{"MACRO a\nSIZE 1 BY 1 ;\n", "LEFD-0005", 1},
                          Case{"MACRO a\nSITE \"core ;\nEND a\nEND LIBRARY\n", "LEFD-0008", 1});
  CAPTURE(c.text);
  Rejects rejects;
  const std::string text = c.text;
  const auto lef = parse_lef(as_bytes(text), rejects);
  REQUIRE(lef);
  CHECK(lef->macros.size() == c.macros);
  REQUIRE_FALSE(rejects.empty());
  bool said = false;
  for (const Reject& reject : rejects.kept()) said = said || reject.id == c.id;
  CHECK(said);
}

TEST_CASE("lef and def: what is neither is refused", "[lefdef][error]") {
  Rejects rejects;
  const std::string text = "lot,wafer\n1,2\n";
  CHECK(parse_lef(as_bytes(text), rejects).error().id == "LEFD-0001");
  CHECK(parse_def(as_bytes(text), rejects).error().id == "LEFD-0002");
}

TEST_CASE("def: every statement that is read", "[lefdef]") {
  Rejects rejects;
  const std::string text = sample("every_statement.def");
  const auto def = parse_def(as_bytes(text), rejects);
  REQUIRE(def);
  CHECK(rejects.empty());
  CHECK(def->design == "every[statement]");
  CHECK(def->dbu_per_um == 2000.0);
  CHECK(def->die_area.size() == 6);
  CHECK(def->rows.size() == 2);
  CHECK(def->tracks.size() == 2);
  CHECK(def->via_definitions.size() == 3);
  CHECK(def->components.size() == 10);
  CHECK(def->components[7].name == "top/u_fw[1]");
  CHECK(def->components[7].orientation == *orientation_of("FW"));
  CHECK_FALSE(def->components[9].placed);
  CHECK(def->pins.size() == 4);
  CHECK(def->pins[1].ports.size() == 2);
  CHECK(def->blockages.size() == 4);
  CHECK(def->fills.size() == 3);
  CHECK(def->groups.at(0).members.size() == 2);
  CHECK(def->regions.at(0).boxes.size() == 2);
  CHECK(def->special_nets() == 2);
  CHECK(def->nets.size() == 7);
}

TEST_CASE("def: words that other programs leave out or write otherwise", "[lefdef]") {
  const Def def = def_of(R"(
BLOCKAGES 2 ;
- LAYER M1 PUSHDOWN RECT ( 0 0 ) ( 10 10 ) POLYGON ( 0 0 ) ( 10 0 ) ( 10 10 ) ;
- PLACEMENT SOFT RECT ( 0 0 ) ( 5 5 ) ;
END BLOCKAGES
PINS 2 ;
- p + NET p + LAYER M1 ( 0 0 ) ( 1 1 ) + PLACED ( 0 0 ) R90 ;
- q + NET q + VIA v ( 3 4 ) + PORT + POLYGON M1 ( 0 0 ) ( 2 0 ) ( 2 2 ) + FIXED ( 5 5 ) S;
END PINS
FILLS 1 ;
- VIA v + MASK 111 ( 1 2 ) ( * 3 ) ;
END FILLS
SPECIALNETS 1 ;
- s ( PIN p ) ( u VDD + SYNTHESIZED ) + ROUTED M1 20 (0 0) (* 100) + VIA v FE ( 1 1 ) ( 2 2 )
  + SHIELD s M1 20 + SHAPE SHIELDWIRE ( 50 0 ) ( * 100 ) ;
END SPECIALNETS
NETS 1 ;
- n + ROUTED M1 ( 0 0 ) MASK 1 ( 100 0.0 ) MASK 12 v DO 2 BY 3 STEP 5 6 ;
END NETS)");
  CHECK(def.blockages[0].shapes.size() == 2);
  CHECK(def.pins[0].ports[0].orientation == Orientation::kR90);
  CHECK(def.pins[1].ports.size() == 2);
  CHECK(def.fill_vias.size() == 2);
  CHECK(def.nets[0].vias.size() == 2);
  CHECK(def.nets[0].routes.size() == 2);
  CHECK(def.vias[1].columns == 2);
  CHECK(def.vias[1].rows == 3);
  CHECK(def.wire_segments() == 3);
}

TEST_CASE("def: a wire is what its points, extensions and stars say", "[lefdef]") {
  const Design design = design_of(R"(
NETS 1 ;
- n + ROUTED M3 ( 1000 500 ) ( 3000 * ) ( * 2500 100 )
  NEW M3 ( 0 0 0 ) ( 1000 * 50 ) VIRTUAL ( 5000 5000 ) ( 6000 * ) RECT ( -10 -20 30 40 ) ;
END NETS)");
  const auto wires = shapes_of(design, Part::kWire);
  REQUIRE(wires.size() == 5);  // M3 is 0.2 um = 400 units wide.
  CHECK(wires[0].box == Box{800, 300, 3200, 700});
  CHECK(wires[1].box == Box{2800, 300, 3200, 2600});
  CHECK(wires[2].box == Box{0, -200, 1050, 200});
  CHECK(wires[3].box == Box{5990, 4980, 6030, 5040});
  CHECK(wires[4].box == Box{4800, 4800, 6200, 5200});
}

TEST_CASE("def: a wire changes its layer at a via, and its width with rule and direction",
          "[lefdef]") {
  const Design design = design_of(R"(
NETS 2 ;
- a + ROUTED M2 ( 0 0 ) ( * 2000 ) V1_drawn ( 3000 * ) ;
- b + NONDEFAULTRULE wide + ROUTED M1 ( 0 9000 ) ( 1000 * ) NEW M1 TAPER ( 0 9500 ) ( * 9900 ) ;
END NETS)");
  const auto wires = shapes_of(design, Part::kWire);
  REQUIRE(wires.size() == 4);
  CHECK(design.layer_name(wires[1].layer) == "M1");
  CHECK(wires[1].box == Box{-100, 1900, 3100, 2100});
  CHECK(wires[2].box.height() == 600);  // The rule's 0.3 um.
  CHECK(wires[3].box.width() == 300);   // Across M1's direction: 0.15 um.
}

TEST_CASE("def: a generated via has its cuts between two enclosures", "[lefdef]") {
  const Design design = design_of(R"(
VIAS 1 ;
- v + VIARULE r + CUTSIZE 200 100 + LAYERS M1 V1 M2 + CUTSPACING 200 100 + ENCLOSURE 100 60 70 80
  + ROWCOL 2 3 + ORIGIN 20 -10 + OFFSET 10 20 -30 40 ;
END VIAS
SPECIALNETS 1 ;
- s + ROUTED M1 0 ( 1000 1000 ) v ;
END SPECIALNETS)");
  const auto vias = shapes_of(design, Part::kVia);
  // The array is 3*200 + 2*200 = 1000 wide and 2*100 + 100 = 300 high, centred on (1020, 990).
  REQUIRE(vias.size() == 8);
  CHECK(vias[0].box == Box{520 - 100 + 10, 840 - 60 + 20, 1520 + 100 + 10, 1140 + 60 + 20});
  CHECK(vias[1].box == Box{520 - 70 - 30, 840 - 80 + 40, 1520 + 70 - 30, 1140 + 80 + 40});
  CHECK(vias[2].box == Box{520, 840, 720, 940});
  CHECK(vias[7].box == Box{1320, 1040, 1520, 1140});
}

TEST_CASE("def: a component's lower-left corner lies where it is placed, however it is turned",
          "[lefdef]") {
  const auto word = GENERATE(as<std::string>{}, "N", "S", "E", "W", "FN", "FS", "FE", "FW");
  CAPTURE(word);
  const Design design =
      design_of("COMPONENTS 1 ;\n- u gate + PLACED ( 1000 3000 ) " + word + " ;\nEND COMPONENTS");
  const bool lying = word == "E" || word == "W" || word == "FE" || word == "FW";
  // gate is 1.2 by 2.0 um: 2400 by 4000 units.
  const Coord width = lying ? 4000 : 2400, height = lying ? 2400 : 4000;
  const auto corner = [&](Coord x, Coord y) { return design.at({x, y, x, y}).size(); };
  CHECK(corner(1000, 3000) > 0);
  CHECK(corner(1000 + width, 3000 + height) > 0);
  CHECK(corner(999, 3000) == 0);
  CHECK(corner(1000 + width + 1, 3000) == 0);
  CHECK(corner(1000, 2999) == 0);
  CHECK(corner(1000, 3000 + height + 1) == 0);
}

TEST_CASE("design: a place is named by cell, pin, net and layer", "[lefdef]") {
  const Design design = design_of(R"(
COMPONENTS 2 ;
- u1 gate + PLACED ( 0 0 ) N ;
- u2 gate + PLACED ( 2400 0 ) FN ;
END COMPONENTS
SPECIALNETS 1 ;
- VSS ( * VSS ) + ROUTED M1 200 ( 0 0 ) ( 4800 * ) ;
END SPECIALNETS
NETS 1 ;
- n ( u1 A[0] ) + ROUTED M1 ( 500 1200 ) ( 2000 * ) ;
END NETS)");
  // u1/A[0]: (0.0..0.2, 0.4..0.6) um plus ORIGIN (0.2, 0.1): 400..800, 1000..1400.
  const auto found = design.at({450, 1150, 480, 1250});
  REQUIRE(found.size() == 3);
  CHECK(found[0] == Occupant{Part::kWire, "", "", "", "n", "M1"});
  CHECK(found[1] == Occupant{Part::kCellPin, "u1", "gate", "A[0]", "n", "M1"});
  CHECK(found[2] == Occupant{Part::kCell, "u1", "gate", "", "", ""});
  // The pin of the flipped neighbour is not connected; its rail is, by ( * VSS ).
  const auto rail = design.at_um(2.0, 0.0, 2.05, 0.04, design.find_layer("m1"));
  REQUIRE(rail.size() == 3);
  CHECK(rail[1] == Occupant{Part::kCellPin, "u2", "gate", "VSS", "VSS", "M1"});
  CHECK(design.at({100'000, 100'000, 100'010, 100'010}).empty());
  CHECK(design.find_layer("nowhere") == kNone);
}

TEST_CASE("design: a layout that is displaced is recognised by its cells", "[lefdef]") {
  const Design design = design_of(R"(
COMPONENTS 3 ;
- u1 gate + PLACED ( 0 0 ) N ;
- u2 gate + PLACED ( 2400 0 ) FN ;
- u3 block + PLACED ( 9000 0 ) N ;
END COMPONENTS)");
  // gate's (0,0) lies at ORIGIN in its box; the layout is moved by (10, -5) um.
  const std::vector<PlacedCell> cells = {{"gate", 10.2, -4.9, Orientation::kR0},
                                         {"gate", 12.2, -4.9, Orientation::kM180},
                                         {"block", 14.5, -5.0, Orientation::kR0},
                                         {"other", 0.0, 0.0, Orientation::kR0}};
  const Match match = design.match(cells);
  CHECK(match.components == 3);
  CHECK(match.matched == 3);
  CHECK(match.x_um == 10.0);
  CHECK(match.y_um == -5.0);
}

TEST_CASE("design: what no LEF file defines is said", "[lefdef]") {
  Rejects rejects;
  auto design = Design::make(def_of(R"(
COMPONENTS 1 ;
- u strange + PLACED ( 0 0 ) N ;
END COMPONENTS
NETS 1 ;
- n + ROUTED Mx ( 0 0 ) ( 100 0 ) vx ( 100 50 ) ;
END NETS)"),
                             {});
  REQUIRE(design);
  CHECK(design->caveats().size() == 3);  // The macro, the via, the width of Mx.
}

TEST_CASE("def: damage is told with its line and costs its own entry", "[lefdef][damage]") {
  struct Case {
    const char* body;
    const char* id;
  };
  const auto c = GENERATE(
      Case{"COMPONENTS 2 ;\n- u gate + PLACED ( 0 0 ) N ;\nEND COMPONENTS", "LEFD-0010"},
      Case{"COMPONENTS 1 ;\n- u gate + PLACED ( 0 x ) N ;\nEND COMPONENTS", "LEFD-0004"},
      Case{"COMPONENTS 1 ;\n- u gate + PLACXD ( 0 0 ) N ;\nEND COMPONENTS", "LEFD-0004"},
      Case{"NETS 1 ;\n- n + ROUTED M1 ( 0 0 ) ( 100 50 ) ;\nEND NETS", "LEFD-0011"},
      Case{"NETS 1 ;\n- n + ROUTED M1 ( 0 0 ) ( 9 * )\n# NEW M1 ( 0 0 ) ( 5 * )\n ;\nEND NETS",
           "LEFD-0013"},
      Case{"NETS 1 ;\n- n + ROUTED M1 ( 0 0 ) ( 9 * ) NEX M1 ( * 5 ) ;\nEND NETS", "LEFD-0014"},
      Case{"NETS 1 ;\n- n + ROUTED M1 ( 0 0 ) ( 9 * ) ;\nEND NOTS", "LEFD-0006"},
      Case{"NOTS 1 ;\n- n ;\nEND NETS", "LEFD-0003"});
  CAPTURE(c.body);
  Rejects rejects;
  const std::string text = std::string("DESIGN d ;\n") + c.body + "\nEND DESIGN\n";
  const auto def = parse_def(as_bytes(text), rejects);
  REQUIRE(def);
  bool said = false;
  for (const Reject& reject : rejects.kept()) {
    said = said || (reject.id == c.id && reject.line.value_or(0) > 1);
  }
  CHECK(said);
}

TEST_CASE("lefdef readers: sniffed by content; counts and one row of layouts", "[lefdef]") {
  const std::string lef = sample("every_statement.lef"), def = sample("every_statement.def");
  CHECK(lef_reader().sniff("a.txt", as_bytes(lef)) == Confidence::kCertain);
  CHECK(def_reader().sniff("a.txt", as_bytes(lef)) == Confidence::kNo);
  CHECK(lef_reader().sniff("a.txt", as_bytes(def)) == Confidence::kNo);
  CHECK(def_reader().sniff("a.txt", as_bytes(def)) == Confidence::kCertain);
  const std::string text = "VERSION of the log ;\nlot,wafer\n";
  CHECK(lef_reader().sniff("a.txt", as_bytes(text)) == Confidence::kNo);

  auto read_def = read(def_reader(), def);
  REQUIRE(read_def.summary);
  CHECK(read_def.summary->counts.at("components") == 10);
  CHECK(read_def.summary->counts.at("nets") == 5);
  CHECK(read_def.summary->counts.at("special_nets") == 2);
  CHECK(read_def.summary->counts.at("pins") == 4);
  CHECK(read_def.summary->counts.at("vias") == 3);
  REQUIRE(read_def.sink.tables.size() == 1);
  CHECK(read_def.sink.tables[0].name() == "layouts");
  CHECK(read_def.sink.tables[0]["kind"].as_text(0) == "def");
  CHECK(read_def.sink.tables[0]["x_max_um"].as_real(0) == 20.0);

  auto read_lef = read(lef_reader(), lef);
  REQUIRE(read_lef.summary);
  CHECK(read_lef.summary->counts.at("macros") == 2);
  CHECK(read_lef.summary->counts.at("layers") == 7);
  CHECK(read_lef.summary->counts.at("pins") == 4);
}

TEST_CASE("lefdef: a routed block of a real process", "[lefdef]") {
  Rejects rejects;
  const std::string text = sample("user_proj_example.def.gz");
  auto def = parse_def(as_bytes(text), rejects);
  REQUIRE(def);
  CHECK(rejects.empty());
  // The sections say so themselves.
  CHECK(def->components.size() == 16'601);
  CHECK(def->nets.size() - def->special_nets() == 1'008);
  CHECK(def->pins.size() == 417);
  CHECK(def->via_definitions.size() == 3);
  auto design = Design::make(std::move(*def), {lef_of(sample("gf180mcu_5LM_1TM_9K_7t_tech.lef")),
                                               lef_of(sample("gf180mcu_5LM_1TM_9K_7t_sc.lef.gz"))});
  REQUIRE(design);
  CHECK(design->caveats().empty());
  // Line "- ANTENNA__346__I ... ( 920640 70560 ) FS".
  bool named = false;
  for (const Occupant& o : design->at({920700, 70700, 920700, 70700})) {
    named = named || o.instance == "ANTENNA__346__I";
  }
  CHECK(named);
}

TEST_CASE("lefdef: no truncation is silent", "[lefdef][damage]") {
  const auto name = GENERATE(as<std::string>{}, "every_statement.lef", "every_statement.def");
  const std::string text = sample(name);
  const ReaderDeclaration reader = name.ends_with("lef") ? lef_reader() : def_reader();
  for (std::size_t i = 0; i < 200; ++i) {
    const std::size_t cut = 1 + i * (text.size() - 12) / 200;
    const auto result = read(reader, text.substr(0, cut));
    CAPTURE(name, cut);
    CHECK((!result.summary || !result.rejects.empty()));
  }
}

TEST_CASE("lefdef: no single damaged byte changes a count in silence", "[lefdef][damage]") {
  const auto name = GENERATE(as<std::string>{}, "every_statement.lef", "every_statement.def");
  const std::string clean = sample(name);
  const ReaderDeclaration reader = name.ends_with("lef") ? lef_reader() : def_reader();
  const auto expected = read(reader, clean).summary.value().counts;
  Random random(2026);
  for (int i = 0; i < 2000; ++i) {
    std::string text = clean;
    const std::size_t at = random.below(text.size());
    text[at] = static_cast<char>(random.below(256));
    const auto result = read(reader, text);
    if (!result.summary || !result.rejects.empty()) continue;
    CAPTURE(name, at, static_cast<int>(text[at]), clean.substr(at, 30));
    CHECK(result.summary->counts == expected);
  }
}
