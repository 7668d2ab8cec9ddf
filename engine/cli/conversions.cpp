#include "engine/cli/conversions.h"

#include <array>

#include "ingest/pipeline/read_layout.h"
#include "ingest/readers/gdsii/gdsii_writer.h"
#include "ingest/readers/oasis/oasis_writer.h"

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

constexpr std::array kConversions{
    ConversionRow{"gdsii", ".gds", convert_layout<to_gdsii>},
    ConversionRow{"gdsii", ".oas", convert_layout<ingest::oasis::write_oasis>},
    ConversionRow{"oasis", ".gds", convert_layout<to_gdsii>},
    ConversionRow{"oasis", ".oas", convert_layout<ingest::oasis::write_oasis>},
};

}  // namespace

std::span<const ConversionRow> conversions() { return kConversions; }

}  // namespace yieldloop::cli
