#include "engine/cli/conversions.h"

#include <array>

#include "ingest/readers/gdsii/gdsii_layout.h"
#include "ingest/readers/gdsii/gdsii_writer.h"

namespace yieldloop::cli {
namespace {

Result<Conversion> gdsii_to_gdsii(ingest::Input& input, ingest::ByteSink out) {
  Conversion done;
  YL_ASSIGN(const auto bytes, input.bytes());
  YL_ASSIGN(const auto layout, ingest::gdsii::read_gdsii(bytes, done.rejects));
  YL_TRY(ingest::gdsii::write_gdsii(layout, out));
  return done;
}

constexpr std::array kConversions{
    ConversionRow{"gdsii", ".gds", gdsii_to_gdsii},
};

}  // namespace

std::span<const ConversionRow> conversions() { return kConversions; }

}  // namespace yieldloop::cli
