#include "ingest/readers/lefdef/def.h"

#include <algorithm>
#include <array>

#include "ingest/readers/lefdef/def_parts.h"

namespace yieldloop::ingest::lefdef {
namespace {

/// Statements of the whole design without influence on names or shapes.
constexpr std::array<std::string_view, 8> kPlainStatements = {
    "NAMESCASESENSITIVE", "TECHNOLOGY",        "ARRAY", "FLOORPLAN", "HISTORY", "GCELLGRID",
    "CANPLACE",           "COMPONENTMASKSHIFT"};

class DefParser {
 public:
  DefParser(TokenStream& tokens, Rejects& rejects)
      : tokens_(tokens), complaints_(tokens, rejects), parts_(tokens, complaints_, def_) {}

  Result<Def> parse() {
    while (!tokens_.at_end() && !closed_) statement();
    if (understood_ == 0) {
      return Error{Errc::kFormat, "LEFD-0002",
                   "Nothing in the file is a DEF statement; check that it is a DEF design."};
    }
    if (!closed_) {
      complaints_.add(tokens_.size(), "LEFD-0012",
                      "The file does not end with END DESIGN, so it may be cut short; what came "
                      "before is kept.");
    }
    if (tokens_.open_quote()) {
      complaints_.add(tokens_.size(), "LEFD-0008",
                      "A quote is opened and never closed; check the file for damage.");
    }
    check_via_names();
    return std::move(def_);
  }

 private:
  using Entry = bool (DefParser::*)();

  void statement() {
    const std::size_t from = tokens_.offset();
    ++understood_;
    if (tokens_.take("VERSION")) return word_statement(def_.version);
    if (tokens_.take("DIVIDERCHAR")) return word_statement(def_.divider);
    if (tokens_.take("BUSBITCHARS")) return word_statement(def_.bus_bits);
    if (tokens_.take("DESIGN")) return design();
    if (tokens_.take("UNITS")) return units();
    if (tokens_.take("DIEAREA")) return die_area();
    if (tokens_.take("ROW")) return row();
    if (tokens_.take("TRACKS")) return track();
    if (tokens_.take("PROPERTYDEFINITIONS")) return skip_section("PROPERTYDEFINITIONS", from);
    if (tokens_.take("BEGINEXT")) return skip_extension(from);
    if (tokens_.take("END")) return end(from);
    if (section()) return;
    for (const std::string_view word : kPlainStatements) {
      if (tokens_.is(word)) return skip_statement();
    }
    --understood_;
    const std::string word = shown(tokens_.text());
    tokens_.advance();
    parts_.skip_entry();
    complaints_.add(from, "LEFD-0003",
                    fmt::format("\"{}\" is no statement of DEF; it was skipped.", word));
  }

  bool section() {
    constexpr std::array<std::pair<std::string_view, Entry>, 16> kSections = {
        {{"COMPONENTS", &DefParser::component},
         {"PINS", &DefParser::pin},
         {"SPECIALNETS", &DefParser::special_net},
         {"NETS", &DefParser::net},
         {"VIAS", &DefParser::via},
         {"BLOCKAGES", &DefParser::blockage},
         {"FILLS", &DefParser::fill},
         {"GROUPS", &DefParser::group},
         {"REGIONS", &DefParser::region},
         {"NONDEFAULTRULES", &DefParser::rule},
         {"STYLES", &DefParser::style},
         {"SLOTS", &DefParser::fill},
         {"PINPROPERTIES", &DefParser::skipped},
         {"SCANCHAINS", &DefParser::skipped},
         {"CONSTRAINTS", &DefParser::skipped},
         {"ASSERTIONS", &DefParser::skipped}}};
    for (const auto& [name, entry] : kSections) {
      if (!tokens_.is(name)) continue;
      in_slots_ = name == "SLOTS";
      tokens_.advance();
      entries(name, entry);
      return true;
    }
    return false;
  }

  void entries(std::string_view name, Entry entry) {
    const std::size_t from = tokens_.offset();
    Coord declared = -1;
    if (!tokens_.is(";")) parts_.coord(declared, name);
    parts_.close_entry(name);
    Coord seen = 0;
    while (!tokens_.at_end() && !tokens_.is("END")) {
      if (tokens_.take("-")) {
        ++seen;
        if ((this->*entry)()) {
          parts_.close_entry(name);
        } else {
          parts_.skip_entry();
        }
        continue;
      }
      parts_.damaged(name);
      tokens_.advance();
      parts_.skip_entry();
    }
    if (tokens_.at_end()) {
      complaints_.add(from, "LEFD-0005",
                      fmt::format("The file ends inside {}; what came before is kept.", name));
    } else {
      const std::size_t end = tokens_.offset();
      tokens_.advance();
      if (!tokens_.take(name)) wrong_end(name, end);
    }
    if (declared >= 0 && declared != seen) {
      complaints_.add(
          from, "LEFD-0010",
          fmt::format("{} says that it holds {} entries, but it holds {}.", name, declared, seen));
    }
  }

  void wrong_end(std::string_view name, std::size_t from) {
    complaints_.add(from, "LEFD-0006",
                    fmt::format("The block {} is closed as \"{}\".", name, shown(tokens_.text())));
    if (tokens_.take("DESIGN"))
      closed_ = true;
    else if (!tokens_.is(";"))
      tokens_.advance();
  }

  void end(std::size_t from) {
    if (tokens_.take("DESIGN")) {
      closed_ = true;
      return;
    }
    complaints_.add(from, "LEFD-0006",
                    fmt::format("END {} closes nothing that is open.", shown(tokens_.text())));
    tokens_.advance();
  }

  void skip_statement() {
    while (!tokens_.at_end() && !tokens_.is(";")) tokens_.advance();
    tokens_.advance();
  }

  void skip_section(std::string_view name, std::size_t from) {
    for (;;) {
      while (!tokens_.at_end() && !tokens_.is("END")) tokens_.advance();
      if (tokens_.at_end()) {
        complaints_.add(from, "LEFD-0005",
                        fmt::format("The file ends inside {}; what came before is kept.", name));
        return;
      }
      tokens_.advance();
      if (tokens_.take(name)) return;
    }
  }

  void skip_extension(std::size_t from) {
    while (!tokens_.at_end() && !tokens_.is("ENDEXT")) tokens_.advance();
    if (tokens_.at_end()) {
      complaints_.add(from, "LEFD-0005",
                      "The file ends inside an extension; what came before is kept.");
    }
    tokens_.advance();
  }

  void word_statement(std::string& into) {
    into = std::string(tokens_.text());
    tokens_.advance();
    parts_.close_entry("A statement");
  }

  void design() {
    def_.design = unescaped(tokens_.text());
    tokens_.advance();
    parts_.close_entry("DESIGN");
  }

  void units() {
    double units = 0.0;
    tokens_.take("DISTANCE");
    tokens_.take("MICRONS");
    if (parts_.real(units, "UNITS")) {
      if (units > 0.0) {
        def_.dbu_per_um = units;
      } else {
        parts_.damaged("UNITS");
      }
    }
    parts_.close_entry("UNITS");
  }

  void die_area() {
    Polygon points;
    Point last;
    while (tokens_.is("(")) {
      if (!parts_.point(last, "DIEAREA", last)) return parts_.skip_entry();
      points.push_back(last);
    }
    if (points.size() == 2) {
      const Box box = geometry::box_of(points[0], points[1]);
      points = {{box.x_min, box.y_min},
                {box.x_max, box.y_min},
                {box.x_max, box.y_max},
                {box.x_min, box.y_max}};
    }
    if (points.size() < 3) {
      parts_.damaged("DIEAREA");
      return parts_.skip_entry();
    }
    def_.die_area = std::move(points);
    parts_.close_entry("DIEAREA");
  }

  void row() {
    Row row;
    if (row_words(row)) {
      def_.rows.push_back(std::move(row));
      parts_.close_entry("ROW");
    } else {
      parts_.skip_entry();
    }
  }

  bool row_words(Row& row) {
    if (!parts_.name(row.name) || !parts_.name(row.site)) return false;
    if (!parts_.coord(row.at.x, "ROW") || !parts_.coord(row.at.y, "ROW")) return false;
    const auto turned = orientation_of(tokens_.text());
    if (!turned) return parts_.damaged("ROW");
    row.orientation = *turned;
    tokens_.advance();
    if (tokens_.take("DO")) {
      Coord columns = 0, rows = 0;
      if (!parts_.coord(columns, "DO")) return false;
      if (!tokens_.take("BY")) return parts_.damaged("DO");
      if (!parts_.coord(rows, "DO")) return false;
      if (columns < 0 || rows < 0 || columns > INT32_MAX || rows > INT32_MAX) {
        return parts_.damaged("DO");
      }
      row.columns = static_cast<std::int32_t>(columns);
      row.rows = static_cast<std::int32_t>(rows);
    }
    if (tokens_.take("STEP") &&
        (!parts_.coord(row.step.x, "STEP") || !parts_.coord(row.step.y, "STEP"))) {
      return false;
    }
    if (tokens_.is("+")) parts_.tokens().advance(), skip_to_semicolon();
    return true;
  }

  void skip_to_semicolon() {
    while (!parts_.at_border() && !tokens_.is(";")) tokens_.advance();
  }

  void track() {
    Tracks tracks;
    if (track_words(tracks)) {
      def_.tracks.push_back(std::move(tracks));
      parts_.close_entry("TRACKS");
    } else {
      parts_.skip_entry();
    }
  }

  bool track_words(Tracks& tracks) {
    tracks.vertical = tokens_.is("X");
    if (!tracks.vertical && !tokens_.is("Y")) return parts_.damaged("TRACKS");
    tokens_.advance();
    if (!parts_.coord(tracks.start, "TRACKS")) return false;
    Coord count = 0;
    if (!tokens_.take("DO")) return parts_.damaged("TRACKS");
    if (!parts_.coord(count, "DO")) return false;
    if (!tokens_.take("STEP")) return parts_.damaged("TRACKS");
    if (!parts_.coord(tracks.step, "STEP")) return false;
    if (count < 0 || count > INT32_MAX) return parts_.damaged("DO");
    tracks.count = static_cast<std::int32_t>(count);
    parts_.mask();
    tokens_.take("SAMEMASK");
    if (tokens_.take("LAYER")) {
      while (!parts_.at_border() && !tokens_.is(";")) tracks.layers.push_back(parts_.layer());
    }
    return true;
  }

  bool component() {
    Component component;
    const std::string_view written = tokens_.text();
    if (!parts_.name(component.name)) return false;
    if (tokens_.is(";") || tokens_.is("+") || parts_.at_border()) {
      return parts_.damaged("A component");
    }
    component.macro = def_.masters.id(unescaped(tokens_.text()));
    tokens_.advance();
    bool good = true;
    while (good && tokens_.take("+")) good = component_option(component);
    component_index_.emplace(written, static_cast<std::uint32_t>(def_.components.size()));
    def_.components.push_back(std::move(component));
    return good;
  }

  bool component_option(Component& component) {
    constexpr std::array<std::string_view, 10> kOptions = {
        "SOURCE", "WEIGHT",   "EEQMASTER", "GENERATE",  "REGION",
        "HALO",   "PROPERTY", "MASKSHIFT", "ROUTEHALO", "FOREIGN"};
    if (tokens_.is("PLACED") || tokens_.is("FIXED") || tokens_.is("COVER")) {
      tokens_.advance();
      component.placed = parts_.placement(component.at, component.orientation);
      return component.placed;
    }
    if (tokens_.take("UNPLACED")) {
      if (tokens_.is("(")) return parts_.placement(component.at, component.orientation);
      return true;
    }
    const bool known =
        std::ranges::any_of(kOptions, [&](std::string_view word) { return tokens_.is(word); });
    if (!known) parts_.damaged("A component");
    parts_.skip_option();
    return true;
  }

  bool pin() { return entries_.pin(); }
  bool via() { return entries_.via(); }
  bool blockage() { return entries_.blockage(); }
  bool fill() { return entries_.fill(in_slots_); }
  bool special_net() { return NetReader(parts_).read(true, component_index_); }
  bool net() { return NetReader(parts_).read(false, component_index_); }

  bool skipped() {
    skip_to_semicolon();
    return true;
  }

  bool group() {
    Group group;
    if (!parts_.name(group.name)) return false;
    while (!parts_.at_border() && !tokens_.is("+") && !tokens_.is(";")) {
      group.members.push_back(unescaped(tokens_.text()));
      tokens_.advance();
    }
    while (tokens_.take("+")) {
      if (tokens_.take("REGION") && !tokens_.is("(")) group.region = unescaped(tokens_.text());
      parts_.skip_option();
    }
    def_.groups.push_back(std::move(group));
    return true;
  }

  bool region() {
    Region region;
    if (!parts_.name(region.name)) return false;
    while (tokens_.is("(")) {
      Box box;
      if (!parts_.box(box, "A region")) return false;
      region.boxes.push_back(box);
    }
    skip_to_semicolon();
    def_.regions.push_back(std::move(region));
    return true;
  }

  bool rule() {
    WireRule rule;
    if (!parts_.name(rule.name)) return false;
    while (!parts_.at_border() && !tokens_.is(";")) {
      tokens_.take("+");
      if (!tokens_.take("LAYER")) {
        parts_.skip_option();
        continue;
      }
      RuleWidth width{.layer = unescaped(tokens_.text())};
      tokens_.advance();
      while (!parts_.at_border() && !tokens_.is("+") && !tokens_.is(";")) {
        if (tokens_.take("WIDTH")) {
          if (!parts_.real(width.width, "WIDTH")) return false;
        } else if (tokens_.take("WIREEXT")) {
          if (!parts_.real(width.wire_extension, "WIREEXT")) return false;
        } else {
          tokens_.advance();
        }
      }
      rule.widths.push_back(std::move(width));
    }
    def_.rules.push_back(std::move(rule));
    return true;
  }

  bool style() {
    Coord number = 0;
    if (!tokens_.take("STYLE")) return parts_.damaged("A style");
    if (!parts_.coord(number, "A style")) return false;
    Polygon points;
    if (!parts_.polygon(points, "A style")) return false;
    if (number >= 0 && number <= INT32_MAX) {
      def_.styles.emplace(static_cast<std::int32_t>(number), std::move(points));
    }
    return true;
  }

  /// A layer in a via's place means that a NEW before it was lost.
  void check_via_names() {
    for (std::uint32_t id = 0; id < def_.via_names.size(); ++id) {
      const std::string& name = def_.via_names[id];
      const bool defined = std::ranges::any_of(
          def_.via_definitions, [&](const ViaDefinition& via) { return via.name == name; });
      if (defined || def_.layers.find(name) == kNone) continue;
      complaints_.add(tokens_.size(), "LEFD-0014",
                      fmt::format("{} is a layer of this design, but stands where a via is named; "
                                  "a word before it may be damaged.",
                                  shown(name)));
    }
  }

  TokenStream& tokens_;
  Complaints complaints_;
  Def def_;
  DefParts parts_;
  EntryReader entries_{parts_};
  ComponentIndex component_index_;
  std::size_t understood_ = 0;
  bool in_slots_ = false;
  bool closed_ = false;
};

}  // namespace

Box Def::bbox() const {
  Box box;
  for (const Point& p : die_area) box.include(p);
  return box;
}

std::size_t Def::wire_segments() const {
  std::size_t segments = 0;
  for (const Route& route : routes) {
    if (route.points.size() > 1) segments += route.points.size() - 1;
  }
  return segments;
}

std::size_t Def::special_nets() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(nets, [](const Net& net) { return net.special; }));
}

Result<Def> parse_def(Bytes bytes, Rejects& rejects) {
  TokenStream tokens({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return DefParser(tokens, rejects).parse();
}

}  // namespace yieldloop::ingest::lefdef
