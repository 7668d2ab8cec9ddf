#include "engine/cli/conversions.h"

#include <array>

#include "engine/cli/inspection_conversions.h"
#include "ingest/pipeline/read_layout.h"
#include "ingest/readers/gdsii/gdsii_writer.h"
#include "ingest/readers/oasis/oasis_writer.h"
#include "ingest/readers/stdf/atdf_convert.h"

namespace yieldloop::cli {
namespace {

/// Shapes without area, which a Layout counts but does not keep.
std::uint64_t left_out(const layout::Layout& layout) {
  std::uint64_t drawn = 0, kept = 0;
  for (const layout::Cell& cell : layout.cells()) {
    for (const layout::LayerShapes& shapes : cell.layers) {
      drawn += shapes.counts.total();
      kept += shapes.boxes.size() + shapes.polygons.size() + shapes.paths.size() +
              shapes.repeated.size();
    }
  }
  return drawn - kept;
}

using WriteLayout = Status (*)(const layout::Layout&, ingest::ByteSink);

template <WriteLayout write>
Result<Conversion> convert_layout(ingest::Input& input, ingest::ByteSink out) {
  Conversion done;
  YL_ASSIGN(const auto bytes, input.bytes());
  YL_ASSIGN(const auto layout, ingest::read_layout(bytes, done.rejects));
  YL_TRY(write(layout, out));
  if (const std::uint64_t lost = left_out(layout); lost > 0)
    done.warnings.push_back(fmt::format("{} shapes without area were left out.", lost));
  return done;
}

Status to_gdsii(const layout::Layout& layout, ingest::ByteSink out) {
  return ingest::gdsii::write_gdsii(layout, out);
}

Result<Conversion> stdf_to_atdf(ingest::Input& input, ingest::ByteSink out) {
  Conversion done;
  YL_TRY(ingest::stdf::stdf_to_atdf(input, out, done.rejects, done.warnings));
  return done;
}

Result<Conversion> atdf_to_stdf(ingest::Input& input, ingest::ByteSink out) {
  Conversion done;
  YL_TRY(ingest::stdf::atdf_to_stdf(input, out, done.rejects));
  return done;
}

constexpr std::array kConversions{
    ConversionRow{"gdsii", ".gds", convert_layout<to_gdsii>},
    ConversionRow{"gdsii", ".oas", convert_layout<ingest::oasis::write_oasis>},
    ConversionRow{"oasis", ".gds", convert_layout<to_gdsii>},
    ConversionRow{"oasis", ".oas", convert_layout<ingest::oasis::write_oasis>},
    ConversionRow{"stdf", ".atdf", stdf_to_atdf},
    ConversionRow{"atdf", ".stdf", atdf_to_stdf},
    ConversionRow{"klarf", ".001", klarf_to_flat},
    ConversionRow{"klarf", ".klarf", klarf_to_nested},
    ConversionRow{"sinf", ".sinf", map_to_sinf},
    ConversionRow{"sinf", ".g85", map_to_g85},
    ConversionRow{"sinf", ".e142", map_to_e142},
    ConversionRow{"sinf", ".xml", map_to_e142},
    ConversionRow{"sinf", ".csv", map_to_csv},
    ConversionRow{"g85", ".sinf", map_to_sinf},
    ConversionRow{"g85", ".g85", map_to_g85},
    ConversionRow{"g85", ".e142", map_to_e142},
    ConversionRow{"g85", ".xml", map_to_e142},
    ConversionRow{"g85", ".csv", map_to_csv},
    ConversionRow{"e142", ".sinf", map_to_sinf},
    ConversionRow{"e142", ".g85", map_to_g85},
    ConversionRow{"e142", ".e142", map_to_e142},
    ConversionRow{"e142", ".xml", map_to_e142},
    ConversionRow{"e142", ".csv", map_to_csv},
    ConversionRow{"ascii_map", ".sinf", map_to_sinf},
    ConversionRow{"ascii_map", ".g85", map_to_g85},
    ConversionRow{"ascii_map", ".e142", map_to_e142},
    ConversionRow{"ascii_map", ".xml", map_to_e142},
    ConversionRow{"ascii_map", ".csv", map_to_csv},
    ConversionRow{"csv_map", ".sinf", map_to_sinf},
    ConversionRow{"csv_map", ".g85", map_to_g85},
    ConversionRow{"csv_map", ".e142", map_to_e142},
    ConversionRow{"csv_map", ".xml", map_to_e142},
    ConversionRow{"csv_map", ".csv", map_to_csv},
};

}  // namespace

std::span<const ConversionRow> conversions() { return kConversions; }

}  // namespace yieldloop::cli
