// Any bytes into one reader: it must return, with rows, rejects or an error, whatever they are.
// YIELDLOOP_FUZZ_READER is the reader's id in ingest/pipeline/builtin_readers.cpp.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "ingest/pipeline/builtin_readers.h"
#include "ingest/readers/input.h"
#include "ingest/readers/reader.h"

namespace {

using namespace yieldloop;

class NullSink final : public store::RowSink {
 public:
  bool put(store::Table) override { return true; }
};

const ingest::ReaderDeclaration& reader() {
  static const ingest::ReaderRegistry readers = ingest::builtin_readers();
  for (const auto& declaration : readers.all()) {
    if (declaration.id == YIELDLOOP_FUZZ_READER) return declaration;
  }
  std::fputs("there is no reader named " YIELDLOOP_FUZZ_READER "\n", stderr);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto input =
      ingest::input_from_memory("fuzz", std::string(reinterpret_cast<const char*>(data), size));
  if (!input) return 0;
  NullSink sink;
  ingest::Rejects rejects;
  (void)reader().read(**input, {}, sink, rejects);
  return 0;
}
