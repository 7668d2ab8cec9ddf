// Any bytes into one reader: it must return, with rows, rejects or an error, whatever they are.

#include <cstddef>
#include <cstdint>
#include <string>

#include "ingest/readers/input.h"
#include "ingest/readers/reader.h"

#if defined(YIELDLOOP_FUZZ_KLARF)
#include "ingest/readers/klarf/klarf_reader.h"
#elif defined(YIELDLOOP_FUZZ_STDF)
#include "ingest/readers/stdf/stdf_reader.h"
#elif defined(YIELDLOOP_FUZZ_GDSII)
#include "ingest/readers/gdsii/gdsii_reader.h"
#else
#include "ingest/readers/logs/log_reader.h"
#endif

namespace {

using namespace yieldloop;

class NullSink final : public store::RowSink {
 public:
  bool put(store::Table) override { return true; }
};

ingest::ReaderDeclaration reader() {
#if defined(YIELDLOOP_FUZZ_KLARF)
  return ingest::klarf::klarf_reader();
#elif defined(YIELDLOOP_FUZZ_STDF)
  return ingest::stdf::stdf_reader();
#elif defined(YIELDLOOP_FUZZ_GDSII)
  return ingest::gdsii::gdsii_reader();
#else
  return ingest::log_table_readers().front();
#endif
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ingest::ReaderDeclaration declaration = reader();
  auto input =
      ingest::input_from_memory("fuzz", std::string(reinterpret_cast<const char*>(data), size));
  if (!input) return 0;
  NullSink sink;
  ingest::Rejects rejects;
  (void)declaration.read(**input, {}, sink, rejects);
  return 0;
}
