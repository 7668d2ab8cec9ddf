#include "ingest/readers/lefdef/lefdef_reader.h"

#include <algorithm>
#include <array>

#include "engine/core/text.h"
#include "ingest/readers/lefdef/def.h"
#include "ingest/readers/lefdef/lef.h"
#include "ingest/readers/lefdef/tokens.h"

namespace yieldloop::ingest::lefdef {
namespace {

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

enum class Dialect : std::uint8_t { kNone, kLef, kDef, kEither };

/// What the first word of a statement says about the file.
Dialect dialect_of(const TokenStream& tokens) {
  constexpr std::array<std::string_view, 7> kEither = {
      "VERSION", "BUSBITCHARS", "DIVIDERCHAR", "NAMESCASESENSITIVE", "PROPERTYDEFINITIONS",
      "END",     "HISTORY"};
  constexpr std::array<std::string_view, 12> kLef = {"LAYER",
                                                     "VIA",
                                                     "VIARULE",
                                                     "MACRO",
                                                     "SITE",
                                                     "MANUFACTURINGGRID",
                                                     "SPACING",
                                                     "USEMINSPACING",
                                                     "CLEARANCEMEASURE",
                                                     "MAXVIASTACK",
                                                     "NONDEFAULTRULE",
                                                     "FIXEDMASK"};
  constexpr std::array<std::string_view, 16> kDef = {"DESIGN",
                                                     "TECHNOLOGY",
                                                     "DIEAREA",
                                                     "ROW",
                                                     "TRACKS",
                                                     "GCELLGRID",
                                                     "COMPONENTS",
                                                     "PINS",
                                                     "SPECIALNETS",
                                                     "NETS",
                                                     "VIAS",
                                                     "BLOCKAGES",
                                                     "FILLS",
                                                     "REGIONS",
                                                     "NONDEFAULTRULES",
                                                     "COMPONENTMASKSHIFT"};
  const auto among = [&](const auto& words) {
    return std::ranges::any_of(words, [&](std::string_view word) { return tokens.is(word); });
  };
  if (among(kDef)) return Dialect::kDef;
  if (among(kLef)) return Dialect::kLef;
  return among(kEither) || tokens.is("UNITS") ? Dialect::kEither : Dialect::kNone;
}

void skip_past(TokenStream& tokens, std::string_view word) {
  while (!tokens.at_end() && !tokens.is(word)) tokens.advance();
  tokens.advance();
}

/// Walks over statements that both languages know until one tells which it is.
Dialect sniff_dialect(Bytes head) {
  constexpr int kMostStatements = 64;
  TokenStream tokens(as_text(head));
  Dialect found = Dialect::kNone;
  for (int i = 0; i < kMostStatements && !tokens.at_end(); ++i) {
    const Dialect dialect = dialect_of(tokens);
    if (dialect == Dialect::kNone) return found;
    if (dialect != Dialect::kEither) return dialect;
    found = Dialect::kEither;
    if (tokens.take("UNITS")) {
      if (tokens.is("DISTANCE")) return Dialect::kDef;
      if (tokens.is("DATABASE") || tokens.is("CAPACITANCE") || tokens.is("TIME") ||
          tokens.is("RESISTANCE") || tokens.is("POWER") || tokens.is("CURRENT")) {
        return Dialect::kLef;
      }
    }
    if (tokens.take("PROPERTYDEFINITIONS")) {
      skip_past(tokens, "END");
      tokens.advance();
    } else if (tokens.take("END")) {
      if (tokens.is("LIBRARY")) return Dialect::kLef;
      tokens.advance();
    } else {
      skip_past(tokens, ";");
    }
  }
  return found;
}

bool is_text(Bytes head) {
  return std::ranges::none_of(as_text(head), [](char c) { return c == '\0'; });
}

/// The words of the first statement alone are weak: HISTORY is an English word too.
Confidence confidence(std::string_view name, Bytes head, Dialect wanted, std::string_view suffix) {
  if (head.empty() || !is_text(head)) return Confidence::kNo;
  const Dialect dialect = sniff_dialect(head);
  if (dialect == wanted) return Confidence::kCertain;
  const bool named = to_lower(name).ends_with(suffix);
  return dialect == Dialect::kEither && named ? Confidence::kCertain : Confidence::kNo;
}

Result<ReadSummary> put_row(store::Table row, ReadSummary summary, store::RowSink& sink) {
  summary.rows = row.rows();
  if (sink.put(std::move(row))) return summary;
  return Error{Errc::kCancelled, "LEFD-0020", "Reading the LEF or DEF file was cancelled."};
}

void set_counts(ReadSummary& summary, std::array<std::size_t, 7> counts) {
  constexpr std::array<const char*, 7> kNames = {"macros", "layers", "vias",         "components",
                                                 "nets",   "pins",   "wire_segments"};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    summary.counts[kNames[i]] = static_cast<double>(counts[i]);
  }
}

std::size_t shape_count(const Lef& lef) {
  std::size_t shapes = 0;
  for (const Macro& macro : lef.macros) {
    shapes += macro.obstructions.shapes.size();
    for (const MacroPin& pin : macro.pins) shapes += pin.geometry.shapes.size();
  }
  return shapes;
}

Result<ReadSummary> read_lef(Input& input, const ReadOptions&, store::RowSink& sink,
                             Rejects& rejects) {
  YL_ASSIGN(const Bytes bytes, input.bytes());
  YL_ASSIGN(const Lef lef, parse_lef(bytes, rejects));
  ReadSummary summary;
  summary.version = lef.version;
  set_counts(summary,
             {lef.macros.size(), lef.layers.size(), lef.vias.size(), 0, 0, lef.pin_count(), 0});
  store::Table row = store::Table::of("layouts");
  row["layout"].add_text(input.digest().hex());
  row["file_name"].add_text(input.name());
  row["kind"].add_text("lef");
  row["dbu_um"].add_real(1.0 / lef.database_microns);
  row["cells"].add_int(static_cast<std::int64_t>(lef.macros.size()));
  row["shapes"].add_int(static_cast<std::int64_t>(shape_count(lef)));
  row["instances"].add_int(0);
  row.finish_row();
  return put_row(std::move(row), std::move(summary), sink);
}

Result<ReadSummary> read_def(Input& input, const ReadOptions&, store::RowSink& sink,
                             Rejects& rejects) {
  YL_ASSIGN(const Bytes bytes, input.bytes());
  YL_ASSIGN(const Def def, parse_def(bytes, rejects));
  ReadSummary summary;
  summary.version = def.version;
  const std::size_t special = def.special_nets();
  set_counts(summary, {0, 0, def.via_definitions.size(), def.components.size(),
                       def.nets.size() - special, def.pins.size(), def.wire_segments()});
  summary.counts["special_nets"] = static_cast<double>(special);
  summary.texts["design"] = def.design;
  store::Table row = store::Table::of("layouts");
  row["layout"].add_text(input.digest().hex());
  row["file_name"].add_text(input.name());
  row["kind"].add_text("def");
  row["dbu_um"].add_real(1.0 / def.dbu_per_um);
  row["cells"].add_int(static_cast<std::int64_t>(def.masters.size()));
  row["top_cell"].add_text(to_valid_utf8(def.design));
  if (const Box box = def.bbox(); !box.empty()) {
    row["x_min_um"].add_real(static_cast<double>(box.x_min) / def.dbu_per_um);
    row["y_min_um"].add_real(static_cast<double>(box.y_min) / def.dbu_per_um);
    row["x_max_um"].add_real(static_cast<double>(box.x_max) / def.dbu_per_um);
    row["y_max_um"].add_real(static_cast<double>(box.y_max) / def.dbu_per_um);
  }
  row["shapes"].add_int(static_cast<std::int64_t>(def.wire_segments()));
  row["instances"].add_int(static_cast<std::int64_t>(def.components.size()));
  row.finish_row();
  return put_row(std::move(row), std::move(summary), sink);
}

}  // namespace

ReaderDeclaration lef_reader() {
  return {.id = "lef",
          .title = "LEF library",
          .patterns = "*.lef *.tlef",
          .sniff = [](std::string_view name,
                      Bytes head) { return confidence(name, head, Dialect::kLef, "lef"); },
          .read = read_lef};
}

ReaderDeclaration def_reader() {
  return {.id = "def",
          .title = "DEF design",
          .patterns = "*.def",
          .sniff = [](std::string_view name,
                      Bytes head) { return confidence(name, head, Dialect::kDef, ".def"); },
          .read = read_def};
}

}  // namespace yieldloop::ingest::lefdef
