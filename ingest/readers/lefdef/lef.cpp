#include "ingest/readers/lefdef/lef.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include "ingest/readers/lefdef/complaints.h"
#include "ingest/readers/lefdef/lef_parts.h"

namespace yieldloop::ingest::lefdef {
namespace {

bool is_one_of(const TokenStream& tokens, std::span<const std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return tokens.is_like(word); });
}

/// Statements without influence on shapes, each up to its `;`.
constexpr std::array<std::string_view, 17> kPlainStatements = {
    "NAMESCASESENSITIVE",   "MANUFACTURINGGRID",   "USEMINSPACING",
    "CLEARANCEMEASURE",     "FIXEDMASK",           "MAXVIASTACK",
    "MINFEATURE",           "DIELECTRIC",          "UNIVERSALNOISEMARGIN",
    "EDGERATETHRESHOLD1",   "EDGERATETHRESHOLD2",  "EDGERATESCALEFACTOR",
    "NOWIREEXTENSIONATPIN", "INPUTPINANTENNASIZE", "OUTPUTPINANTENNASIZE",
    "INOUTPINANTENNASIZE",  "ANTENNASIZE"};

/// Blocks that end with END and their own first word.
constexpr std::array<std::string_view, 6> kSkippedBlocks = {
    "PROPERTYDEFINITIONS", "SPACING", "IRDROP", "NOISETABLE", "CORRECTIONTABLE", "MINENCLOSEDAREA"};

class LefParser {
 public:
  LefParser(TokenStream& tokens, Rejects& rejects)
      : tokens_(tokens), complaints_(tokens, rejects), parts_(tokens, complaints_) {}

  Result<Lef> parse() {
    while (!tokens_.at_end()) statement();
    if (understood_ == 0) {
      return Error{Errc::kFormat, "LEFD-0001",
                   "Nothing in the file is a LEF statement; check that it is a LEF library."};
    }
    if (!lef_.closed) {
      complaints_.add(tokens_.size(), "LEFD-0007",
                      "The file does not end with END LIBRARY, so it may be cut short; what came "
                      "before is kept.");
    }
    if (tokens_.open_quote()) {
      complaints_.add(tokens_.size(), "LEFD-0008",
                      "A quote is opened and never closed; check the file for damage.");
    }
    return std::move(lef_);
  }

 private:
  void statement() {
    const std::size_t from = tokens_.offset();
    ++understood_;
    lef_.closed = false;
    if (tokens_.take_like("LAYER")) return named(from, lef_.layers, &LefParser::layer);
    if (tokens_.take_like("VIA")) return named(from, lef_.vias, &LefParser::via);
    if (tokens_.take_like("VIARULE")) return named(from, lef_.via_rules, &LefParser::via_rule);
    if (tokens_.take_like("MACRO")) return named(from, lef_.macros, &LefParser::macro);
    if (tokens_.take_like("SITE")) return named(from, lef_.sites, &LefParser::site);
    if (tokens_.take_like("NONDEFAULTRULE")) return named(from, lef_.rules, &LefParser::rule);
    if (tokens_.take_like("ARRAY")) return skip_named_block(from);
    if (tokens_.take_like("UNITS")) return units(from);
    if (tokens_.take_like("VERSION")) return word_statement(lef_.version);
    if (tokens_.take_like("BUSBITCHARS")) return word_statement(lef_.bus_bits);
    if (tokens_.take_like("DIVIDERCHAR")) return word_statement(lef_.divider);
    if (tokens_.take_like("BEGINEXT")) return parts_.skip_to_word(from, "ENDEXT");
    if (tokens_.take_like("END")) return end(from);
    if (tokens_.is_like("PROPERTY") || is_one_of(tokens_, kPlainStatements)) {
      tokens_.advance();
      return parts_.skip_statement();
    }
    if (is_one_of(tokens_, kSkippedBlocks)) {
      const std::string_view name = tokens_.text();
      tokens_.advance();
      return parts_.skip_block(from, name);
    }
    --understood_;
    unknown("LEF");
  }

  void end(std::size_t from) {
    if (tokens_.take_like("LIBRARY")) {
      lef_.closed = true;
      return;
    }
    complaints_.add(from, "LEFD-0006",
                    fmt::format("END {} closes nothing that is open.", shown(tokens_.text())));
    tokens_.advance();
  }

  void word_statement(std::string& into) {
    into = std::string(tokens_.text());
    tokens_.advance();
    parts_.skip_statement();
  }

  void unknown(std::string_view where) {
    const std::size_t from = tokens_.offset();
    const std::string word = shown(tokens_.text());
    parts_.skip_damaged();
    complaints_.add(from, "LEFD-0003",
                    fmt::format("\"{}\" is no statement of {}; it was skipped.", word, where));
  }

  void units(std::size_t from) {
    parts_.block(from, "UNITS", [this] {
      if (tokens_.take_like("DATABASE")) {
        tokens_.take_like("MICRONS");
        const auto value = to_number(tokens_.text());
        if (value && *value > 0) {
          lef_.database_microns = *value;
        } else {
          parts_.damaged("UNITS");
        }
      }
      parts_.skip_statement();
    });
  }

  /// Reads `NAME ... END NAME` into a new member of `list`.
  template <class T>
  void named(std::size_t from, std::vector<T>& list, void (LefParser::*read)(std::size_t, T&)) {
    T value;
    value.name = unescaped(tokens_.text());
    tokens_.advance();
    (this->*read)(from, value);
    if (names_.insert(fmt::format("{} {}", reinterpret_cast<std::uintptr_t>(&list), value.name))
            .second) {
      list.push_back(std::move(value));
    } else {
      complaints_.add(
          from, "LEFD-0009",
          fmt::format("\"{}\" is defined twice; the first definition is kept.", shown(value.name)));
    }
  }

  void skip_named_block(std::size_t from) {
    const std::string name = unescaped(tokens_.text());
    tokens_.advance();
    parts_.block(from, name, [this] {
      if (tokens_.take_like("FLOORPLAN")) {
        const std::string inner = unescaped(tokens_.text());
        tokens_.advance();
        return parts_.skip_block(tokens_.offset(), inner);
      }
      if (tokens_.is_like("DEFAULTCAP")) return parts_.skip_block(tokens_.offset(), "DEFAULTCAP");
      parts_.skip_statement();
    });
  }

  void layer(std::size_t from, LefLayer& layer) {
    LayerReader reader(tokens_, parts_, layer);
    parts_.block(from, layer.name, [&] { reader.statement(); });
  }

  void via(std::size_t from, ViaDefinition& via) {
    ViaReader reader(tokens_, parts_, via);
    reader.head();
    parts_.block(from, via.name, [&] {
      if (!reader.statement()) unknown("VIA");
    });
  }

  void via_rule(std::size_t from, ViaRule& rule) {
    rule.generate = tokens_.take_like("GENERATE");
    tokens_.take_like("DEFAULT");
    parts_.block(from, rule.name, [&] {
      if (tokens_.take_like("LAYER")) rule.layers.push_back(unescaped(tokens_.text()));
      parts_.skip_statement();
    });
  }

  void rule(std::size_t from, WireRule& rule) {
    parts_.block(from, rule.name, [&] {
      const std::size_t at = tokens_.offset();
      if (tokens_.take_like("LAYER")) return rule_layer(at, rule);
      if (tokens_.take_like("VIA")) {
        ViaDefinition via;
        via.name = unescaped(tokens_.text());
        tokens_.advance();
        this->via(at, via);
        if (!std::ranges::any_of(lef_.vias, [&](const auto& v) { return v.name == via.name; })) {
          lef_.vias.push_back(std::move(via));
        }
        return;
      }
      if (tokens_.take_like("SPACING")) return parts_.skip_block(at, "SPACING");
      parts_.skip_statement();
    });
  }

  void rule_layer(std::size_t from, WireRule& rule) {
    RuleWidth width{.layer = unescaped(tokens_.text())};
    tokens_.advance();
    parts_.block(from, width.layer, [&] {
      if (tokens_.take_like("WIDTH")) {
        width.width = parts_.number("WIDTH").value_or(0.0);
      } else if (tokens_.take_like("WIREEXTENSION")) {
        width.wire_extension = parts_.number("WIREEXTENSION").value_or(-1.0);
      }
      parts_.skip_statement();
    });
    rule.widths.push_back(std::move(width));
  }

  void site(std::size_t from, Site& site) {
    parts_.block(from, site.name, [&] {
      if (tokens_.take_like("CLASS")) {
        site.site_class = std::string(tokens_.text());
      } else if (tokens_.take_like("SIZE")) {
        parts_.size(site.size);
      }
      parts_.skip_statement();
    });
  }

  void macro(std::size_t from, Macro& macro) {
    MacroReader reader(tokens_, parts_, macro);
    parts_.block(from, macro.name, [&] {
      if (!reader.statement()) unknown("MACRO");
    });
  }

  TokenStream& tokens_;
  Complaints complaints_;
  LefParts parts_;
  Lef lef_;
  std::size_t understood_ = 0;
  std::set<std::string> names_;
};

}  // namespace

std::size_t Lef::pin_count() const {
  return std::accumulate(
      macros.begin(), macros.end(), std::size_t{0},
      [](std::size_t sum, const Macro& macro) { return sum + macro.pins.size(); });
}

Result<Lef> parse_lef(Bytes bytes, Rejects& rejects) {
  TokenStream tokens({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return LefParser(tokens, rejects).parse();
}

}  // namespace yieldloop::ingest::lefdef
