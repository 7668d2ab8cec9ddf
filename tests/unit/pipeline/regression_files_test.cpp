// Every input that once broke a reader is read again: it must return with rows, rejects or an
// error.

#include <filesystem>
#include <map>

#include "catch_portable.h"
#include "engine/core/file_system.h"
#include "ingest/pipeline/builtin_readers.h"
#include "ingest/readers/input.h"

namespace yieldloop::ingest {
namespace {

class CountingSink final : public store::RowSink {
 public:
  bool put(store::Table) override { return true; }
};

TEST_CASE("inputs that once broke a reader") {
  const std::filesystem::path root = YIELDLOOP_SOURCE_DIR "/tests/fuzz/regressions";
  const ReaderRegistry readers = builtin_readers();
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    const std::string id = entry.path().parent_path().filename().string();
    INFO(entry.path().string());
    const auto reader = std::ranges::find(readers.all(), id, &ReaderDeclaration::id);
    REQUIRE(reader != readers.all().end());
    auto input = open_input(real_file_system(), entry.path());
    REQUIRE(input);
    CountingSink sink;
    Rejects rejects;
    const auto summary = reader->read(**input, {}, sink, rejects);
    CHECK((summary.has_value() || !summary.error().message.empty()));
    ++files;
  }
  CHECK(files > 0);
}

}  // namespace
}  // namespace yieldloop::ingest
