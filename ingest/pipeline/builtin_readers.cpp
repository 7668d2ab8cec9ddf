#include "ingest/pipeline/builtin_readers.h"

#include <cassert>

#include "ingest/readers/gdsii/gdsii_reader.h"
#include "ingest/readers/klarf/klarf_reader.h"
#include "ingest/readers/lefdef/lefdef_reader.h"
#include "ingest/readers/logs/log_reader.h"
#include "ingest/readers/maps/map_reader.h"
#include "ingest/readers/oasis/oasis_reader.h"
#include "ingest/readers/stdf/atdf_reader.h"
#include "ingest/readers/stdf/stdf_reader.h"

namespace yieldloop::ingest {

ReaderRegistry builtin_readers() {
  ReaderRegistry registry;
  auto add = [&registry](ReaderDeclaration reader) {
    [[maybe_unused]] const auto position = registry.add(std::move(reader));
    assert(position.has_value() && "built-in readers have different ids");
  };
  add(klarf::klarf_reader());
  add(stdf::stdf_reader());
  add(stdf::atdf_reader());
  add(gdsii::gdsii_reader());
  add(oasis::oasis_reader());
  add(lefdef::lef_reader());
  add(lefdef::def_reader());
  add(product_reader());
  add(sml_reader());
  // Last: a table is told by its header, which is the weakest sign.
  for (ReaderDeclaration& reader : log_table_readers()) add(std::move(reader));
  for (ReaderDeclaration& reader : maps::map_readers()) add(std::move(reader));
  return registry;
}

}  // namespace yieldloop::ingest
