#include "ingest/readers/oasis/oasis_reader.h"

#include "engine/core/text.h"
#include "ingest/readers/layout_summary.h"
#include "ingest/readers/oasis/oasis_layout.h"

namespace yieldloop::ingest::oasis {
namespace {

Confidence sniff(std::string_view, Bytes head) {
  return looks_like_oasis(head) ? Confidence::kCertain : Confidence::kNo;
}

Result<ReadSummary> read(Input& input, const ReadOptions&, store::RowSink& sink, Rejects& rejects) {
  YL_ASSIGN(const Bytes bytes, input.bytes());
  YL_ASSIGN(const OasisFile file, read_oasis_file(bytes, rejects));
  YL_ASSIGN(ReadSummary summary, summarise_layout(file.layout, "oasis", input, rejects, sink));
  summary.version = escape_controls(file.version.substr(0, 40));
  return summary;
}

}  // namespace

ReaderDeclaration oasis_reader() {
  ReaderDeclaration reader;
  reader.id = "oasis";
  reader.title = "OASIS layout";
  reader.patterns = "*.oas *.oasis";
  reader.sniff = sniff;
  reader.read = read;
  return reader;
}

}  // namespace yieldloop::ingest::oasis
