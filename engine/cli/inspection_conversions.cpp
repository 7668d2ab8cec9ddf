#include "engine/cli/inspection_conversions.h"

#include "ingest/readers/klarf/klarf_reader.h"
#include "ingest/readers/klarf/klarf_writer.h"
#include "ingest/readers/maps/map_reader.h"
#include "ingest/readers/maps/map_writer.h"

namespace yieldloop::cli {
namespace {

Status put(ingest::ByteSink out, const std::string& text) {
  return out(std::as_bytes(std::span(text.data(), text.size())));
}

Result<Conversion> convert_klarf(ingest::Input& input, ingest::ByteSink out,
                                 ingest::klarf::Dialect dialect) {
  Conversion done;
  ingest::klarf::TableKeeper keeper;
  YL_ASSIGN(const auto summary,
            ingest::klarf::klarf_reader().read(input, {}, keeper, done.rejects));
  YL_ASSIGN(auto written, ingest::klarf::write_klarf(keeper.tables(), dialect));
  done.warnings = summary.warnings;
  done.warnings.insert(done.warnings.end(), written.warnings.begin(), written.warnings.end());
  YL_TRY(put(out, written.text));
  return done;
}

Result<Conversion> convert_map(ingest::Input& input, ingest::ByteSink out, std::string_view kind) {
  Conversion done;
  YL_ASSIGN(const auto maps,
            ingest::maps::read_maps(input, ingest::maps::map_kind_of(input.head()), done.rejects));
  YL_ASSIGN(const std::string text, ingest::maps::write_maps(maps, kind));
  YL_TRY(put(out, text));
  return done;
}

}  // namespace

Result<Conversion> klarf_to_flat(ingest::Input& input, ingest::ByteSink out) {
  return convert_klarf(input, out, ingest::klarf::Dialect::kFlat12);
}
Result<Conversion> klarf_to_nested(ingest::Input& input, ingest::ByteSink out) {
  return convert_klarf(input, out, ingest::klarf::Dialect::kNested18);
}
Result<Conversion> map_to_sinf(ingest::Input& input, ingest::ByteSink out) {
  return convert_map(input, out, "sinf");
}
Result<Conversion> map_to_g85(ingest::Input& input, ingest::ByteSink out) {
  return convert_map(input, out, "g85");
}
Result<Conversion> map_to_e142(ingest::Input& input, ingest::ByteSink out) {
  return convert_map(input, out, "e142");
}
Result<Conversion> map_to_csv(ingest::Input& input, ingest::ByteSink out) {
  return convert_map(input, out, "csv_map");
}

}  // namespace yieldloop::cli
