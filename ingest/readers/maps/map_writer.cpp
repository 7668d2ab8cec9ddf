#include "ingest/readers/maps/map_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/text.h"
#include "ingest/readers/maps/map_parsers.h"

namespace yieldloop::ingest::maps {
namespace {

bool is_hex(std::string_view code) {
  return !code.empty() && std::ranges::all_of(code, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

bool is_decimal(std::string_view code) {
  return !code.empty() && std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; });
}

std::size_t longest(const WaferMap& map) {
  std::size_t n = 0;
  for (const Bin& bin : map.bins) n = std::max(n, bin.code.size());
  return n;
}

template <class Test>
bool all_codes(const WaferMap& map, Test test) {
  return std::ranges::all_of(map.bins, [&](const Bin& bin) { return test(bin.code); });
}

std::string padded(std::string_view code, std::size_t width) {
  return fmt::format("{:0>{}}", code, width);
}

Error cannot_hold(std::string_view dialect, const WaferMap& map) {
  return {Errc::kUnsupported, "WMAP-0030",
          fmt::format("The bin codes of wafer {} cannot be written in {}: they are too long or "
                      "not numbers.",
                      one_line(map.wafer_id), dialect)};
}

/// How codes are written in XML: the type's word, digits, and a code that no bin has.
struct Coding {
  std::string_view type;
  std::size_t width = 1;
  std::string null_code;
};

std::optional<Coding> coding_of(const WaferMap& map) {
  const auto free_code = [&](std::initializer_list<std::string_view> wanted, int base) {
    for (const std::string_view code : wanted) {
      const std::string same = base == 0 ? std::string(code) : same_code(code, base);
      const bool taken = std::ranges::any_of(map.bins, [&](const Bin& bin) {
        return (base == 0 ? bin.code : same_code(bin.code, base)) == same;
      });
      if (!taken) return std::string(code);
    }
    return std::string();
  };
  std::optional<Coding> coding;
  if (all_codes(map, [](std::string_view c) {
        return c.size() == 1 && c.front() > ' ' && c.front() < 0x7f && c != "_";
      })) {
    coding = {"ASCII", 1, free_code({".", "-", "~"}, 0)};
  } else if (longest(map) <= 2 && all_codes(map, is_hex)) {
    coding = {"HexaDecimal", 2, free_code({"FF", "00", "EE", "DD"}, 16)};
  } else if (longest(map) <= 3 && all_codes(map, is_decimal)) {
    coding = {"Decimal", 3, free_code({"255", "999", "000"}, 10)};
  } else if (longest(map) <= 4 && all_codes(map, is_hex)) {
    coding = {"Integer2", 4, free_code({"FFFF", "EEEE", "0000"}, 16)};
  }
  if (coding && coding->null_code.empty()) coding.reset();
  return coding;
}

std::string cells_of_row(const WaferMap& map, std::size_t row, const Coding& coding) {
  std::string text;
  for (std::size_t column = 0; column < map.columns; ++column) {
    const std::int32_t cell = map.cell(row, column);
    text += cell == kNoDie ? coding.null_code
                           : padded(map.bins[static_cast<std::size_t>(cell)].code, coding.width);
  }
  return text;
}

std::string_view quality_word(Quality quality) {
  return quality == Quality::kPass ? "Pass" : quality == Quality::kFail ? "Fail" : "";
}

/// A closing of CDATA within a row would end it; codes hold no such sign.
std::string attribute(std::string_view name, std::string_view value) {
  return fmt::format(" {}=\"{}\"", name, escape_markup(to_valid_utf8(value)));
}

std::string sinf_text(std::string_view text) { return one_line(text); }

Result<std::string> write_sinf(const std::vector<WaferMap>& maps) {
  std::string out;
  for (const WaferMap& listed : maps) {
    const WaferMap map = notch_down(listed);
    const std::size_t width = std::max<std::size_t>(2, longest(map));
    if (width > 3 || !all_codes(map, is_hex)) return cannot_hold("SINF", map);
    std::string good;
    for (const Bin& bin : map.bins) {
      if (bin.quality != Quality::kPass) continue;
      if (!good.empty()) good += ' ';
      good += padded(bin.code, width);
    }
    out += fmt::format("DEVICE:{}\nLOT:{}\nWAFER:{}\nFNLOC:180\nROWCT:{}\nCOLCT:{}\nBCEQU:{}\n",
                       sinf_text(map.product), sinf_text(map.lot_id), sinf_text(map.wafer_id),
                       map.rows, map.columns, good);
    if (map.reference)
      out += fmt::format("REFPX:{}\nREFPY:{}\n", map.reference->x, map.reference->y);
    out += "DUTMS:MM\n";
    if (map.step_x_um) out += fmt::format("XDIES:{:.6f}\n", *map.step_x_um / 1000.0);
    if (map.step_y_um) out += fmt::format("YDIES:{:.6f}\n", *map.step_y_um / 1000.0);
    for (std::size_t row = 0; row < map.rows; ++row) {
      out += "RowData:";
      for (std::size_t column = 0; column < map.columns; ++column) {
        const std::int32_t cell = map.cell(row, column);
        if (column > 0) out += ' ';
        out += cell == kNoDie ? std::string(width, '_')
                              : padded(map.bins[static_cast<std::size_t>(cell)].code, width);
      }
      out += '\n';
    }
  }
  return out;
}

Result<std::string> write_g85(const std::vector<WaferMap>& maps) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Maps>\n";
  for (const WaferMap& listed : maps) {
    const WaferMap map = notch_down(listed);
    const auto coding = coding_of(map);
    if (!coding) return cannot_hold("SEMI G85", map);
    const Tally counted = tally(map);
    out += "  <Map xmlns:semi=\"http://www.semi.org\"" + attribute("WaferId", map.wafer_id) +
           " FormatRevision=\"SEMI G85-1101\">\n    <Device" + attribute("ProductId", map.product) +
           attribute("LotId", map.lot_id) +
           fmt::format(
               " Rows=\"{}\" Columns=\"{}\" Orientation=\"0\" OriginLocation=\"2\" "
               "BinType=\"{}\"",
               map.rows, map.columns, coding->type) +
           attribute("NullBin", coding->null_code);
    if (map.step_x_um) out += fmt::format(" DeviceSizeX=\"{}\"", *map.step_x_um);
    if (map.step_y_um) out += fmt::format(" DeviceSizeY=\"{}\"", *map.step_y_um);
    if (map.diameter_mm) out += fmt::format(" WaferSize=\"{}\"", *map.diameter_mm);
    out += ">\n";
    if (map.reference) {
      out +=
          fmt::format("      <ReferenceDevice ReferenceDeviceX=\"{}\" ReferenceDeviceY=\"{}\"/>\n",
                      map.reference->x, map.reference->y);
    }
    for (std::size_t i = 0; i < map.bins.size(); ++i) {
      const Bin& bin = map.bins[i];
      out += "      <Bin" + attribute("BinCode", bin.code) +
             attribute("BinQuality", quality_word(bin.quality)) +
             fmt::format(" BinCount=\"{}\"", counted.by_bin[i]) +
             attribute("BinDescription", bin.name) + "/>\n";
    }
    out += "      <Data MapName=\"BinMap\" MapVersion=\"1\">\n";
    for (std::size_t row = 0; row < map.rows; ++row) {
      out += fmt::format("        <Row><![CDATA[{}]]></Row>\n", cells_of_row(map, row, *coding));
    }
    out += "      </Data>\n    </Device>\n  </Map>\n";
  }
  return out + "</Maps>\n";
}

std::string e142_layout(const WaferMap& map, std::size_t ordinal) {
  std::string out = fmt::format(
      "    <Layout LayoutId=\"Device{0}\" TopLevel=\"true\" DefaultUnits=\"micron\">\n"
      "      <Dimension X=\"{1}\" Y=\"{2}\"/>\n",
      ordinal, map.columns, map.rows);
  if (map.step_x_um && map.step_y_um) {
    out += fmt::format("      <StepSize X=\"{}\" Y=\"{}\" Units=\"micron\"/>\n", *map.step_x_um,
                       *map.step_y_um);
  }
  if (!map.product.empty()) {
    out +=
        fmt::format("      <ProductId>{}</ProductId>\n", escape_markup(to_valid_utf8(map.product)));
  }
  return out + "    </Layout>\n";
}

std::string e142_map(const WaferMap& map, const Coding& coding, std::size_t ordinal) {
  const Tally counted = tally(map);
  std::string out = "    <SubstrateMap SubstrateType=\"Wafer\"" +
                    attribute("SubstrateId", map.wafer_id) +
                    fmt::format(
                        " LayoutSpecifier=\"Device{}\" SubstrateSide=\"TopSide\" Orientation=\"0\" "
                        "OriginLocation=\"LowerLeft\" AxisDirection=\"UpRight\">\n"
                        "      <Overlay MapName=\"BinCodeMap\" MapVersion=\"1\">\n",
                        ordinal);
  if (map.reference) {
    out += fmt::format(
        "        <ReferenceDevices><ReferenceDevice><Coordinates X=\"{}\" Y=\"{}\"/>"
        "</ReferenceDevice></ReferenceDevices>\n",
        map.reference->x, static_cast<std::int64_t>(map.rows) - 1 - map.reference->y);
  }
  out += fmt::format("        <BinCodeMap BinType=\"{}\"", coding.type) +
         attribute("NullBin", coding.null_code) + ">\n          <BinDefinitions>\n";
  for (std::size_t i = 0; i < map.bins.size(); ++i) {
    const Bin& bin = map.bins[i];
    out += "            <BinDefinition" + attribute("BinCode", bin.code) +
           fmt::format(" BinCount=\"{}\"", counted.by_bin[i]);
    if (!bin.name.empty()) out += attribute("BinDescription", bin.name);
    if (bin.quality != Quality::kUnknown) out += attribute("BinQuality", quality_word(bin.quality));
    out += "/>\n";
  }
  out += "          </BinDefinitions>\n";
  for (std::size_t row = map.rows; row-- > 0;) {
    out += "          <BinCode>" + escape_markup(cells_of_row(map, row, coding)) + "</BinCode>\n";
  }
  return out + "        </BinCodeMap>\n      </Overlay>\n    </SubstrateMap>\n";
}

Result<std::string> write_e142(const std::vector<WaferMap>& maps) {
  std::string layouts, substrates, bodies;
  std::size_t ordinal = 0;
  for (const WaferMap& listed : maps) {
    const WaferMap map = notch_down(listed);
    const auto coding = coding_of(map);
    if (!coding) return cannot_hold("SEMI E142", map);
    layouts += e142_layout(map, ++ordinal);
    substrates += "    <Substrate SubstrateType=\"Wafer\"" +
                  attribute("SubstrateId", map.wafer_id) + ">\n      <LotId>" +
                  escape_markup(to_valid_utf8(map.lot_id)) +
                  fmt::format("</LotId>\n      <GoodDevices>{}</GoodDevices>\n    </Substrate>\n",
                              tally(map).pass);
    bodies += e142_map(map, *coding, ordinal);
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MapData "
      "xmlns=\"urn:semi-org:xsd.E142-1.V1005.SubstrateMap\">\n  <Layouts>\n{}  </Layouts>\n"
      "  <Substrates>\n{}  </Substrates>\n  <SubstrateMaps>\n{}  </SubstrateMaps>\n</MapData>\n",
      layouts, substrates, bodies);
}

Result<std::string> write_csv(const std::vector<WaferMap>& maps) {
  if (maps.size() != 1) {
    return Error{Errc::kUnsupported, "WMAP-0031",
                 fmt::format("A CSV map holds one wafer, but there are {}; write G85 or E142, "
                             "which hold several.",
                             maps.size())};
  }
  const WaferMap map = notch_down(maps.front());
  const auto fits = [](std::string_view c) {
    return c.size() <= 5 && c.find_first_of(",;\t\"\r\n#") == std::string_view::npos;
  };
  if (!all_codes(map, fits)) return cannot_hold("CSV", map);
  std::string good;
  for (const Bin& bin : map.bins) {
    if (bin.quality != Quality::kPass) continue;
    if (!good.empty()) good += ' ';
    good += bin.code;
  }
  std::string out =
      fmt::format("# lot: {}\n# wafer: {}\n# product: {}\n# notch: down\n", one_line(map.lot_id),
                  one_line(map.wafer_id), one_line(map.product));
  if (!good.empty()) out += fmt::format("# pass_bins: {}\n", good);
  if (map.step_x_um) out += fmt::format("# step_x: {}\n", *map.step_x_um);
  if (map.step_y_um) out += fmt::format("# step_y: {}\n", *map.step_y_um);
  out += fmt::format("# rows: {}\n# columns: {}\n# total_die: {}\n", map.rows, map.columns,
                     tally(map).die);
  for (std::size_t row = 0; row < map.rows; ++row) {
    for (std::size_t column = 0; column < map.columns; ++column) {
      const std::int32_t cell = map.cell(row, column);
      if (column > 0) out += ',';
      if (cell != kNoDie) out += map.bins[static_cast<std::size_t>(cell)].code;
    }
    out += '\n';
  }
  return out;
}

}  // namespace

WaferMap notch_down(const WaferMap& map) {
  WaferMap turned = map;
  const Place extent = wafer_extent(map);
  turned.frame = Frame();
  turned.origin = turned.axis = "";
  turned.rows = static_cast<std::size_t>(extent.y);
  turned.columns = static_cast<std::size_t>(extent.x);
  if (map.frame.notch == 90 || map.frame.notch == 270)
    std::swap(turned.step_x_um, turned.step_y_um);
  const auto listed = [&](Place place) { return Place{place.x, extent.y - 1 - place.y}; };
  for (std::size_t row = 0; row < map.rows; ++row) {
    for (std::size_t column = 0; column < map.columns; ++column) {
      const Place to = listed(wafer_place(map, row, column));
      turned.cell(static_cast<std::size_t>(to.y), static_cast<std::size_t>(to.x)) =
          map.cell(row, column);
    }
  }
  if (map.reference) {
    turned.reference = listed(wafer_place(map, static_cast<std::size_t>(map.reference->y),
                                          static_cast<std::size_t>(map.reference->x)));
  }
  return turned;
}

Result<std::string> write_maps(const std::vector<WaferMap>& maps, std::string_view kind) {
  if (kind == "sinf") return write_sinf(maps);
  if (kind == "g85") return write_g85(maps);
  if (kind == "e142") return write_e142(maps);
  if (kind == "csv_map") return write_csv(maps);
  return Error{Errc::kUnsupported, "WMAP-0032",
               fmt::format("Maps are written as sinf, g85, e142 or csv_map, not as \"{}\".",
                           escape_controls(kind))};
}

}  // namespace yieldloop::ingest::maps
