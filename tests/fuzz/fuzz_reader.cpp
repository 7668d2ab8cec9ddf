// Any bytes into one reader: it must return, with rows, rejects or an error, whatever they are.
// YIELDLOOP_FUZZ_READER is the reader's id in ingest/pipeline/builtin_readers.cpp.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "ingest/pipeline/builtin_readers.h"
#include "ingest/readers/input.h"
#include "ingest/readers/logs/mapping.h"
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

/// What the readers of messages need to know; the others look for the file's name in vain.
const ingest::Mapping& mapping() {
  static const auto parsed = ingest::parse_mapping(real_file_system(), R"(
[[sml]]
match = "*"
tool = "T"
[sml.reports]
100 = ["CHAMBER", "LOT", "VALUE"]
[[sml.event]]
ceid = 4001
table = "equipment_states"
state = "productive"
columns = { chamber = "CHAMBER" }
[[sml.event]]
ceid = 6000
table = "fdc_trace"
columns = { chamber = "CHAMBER" }
values = ["VALUE"]
)");
  if (!parsed) std::abort();
  return *parsed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto input =
      ingest::input_from_memory("fuzz", std::string(reinterpret_cast<const char*>(data), size));
  if (!input) return 0;
  NullSink sink;
  ingest::Rejects rejects;
  (void)reader().read(**input, {.mapping = &mapping()}, sink, rejects);
  return 0;
}
