#include "ingest/readers/gdsii/gdsii_reader.h"

#include "ingest/readers/gdsii/gdsii_layout.h"
#include "ingest/readers/layout_summary.h"

namespace yieldloop::ingest::gdsii {
namespace {

Confidence sniff(std::string_view, Bytes head) {
  if (looks_like_gdsii(head)) return Confidence::kCertain;
  return may_be_gdsii(head) ? Confidence::kMaybe : Confidence::kNo;
}

Result<ReadSummary> read(Input& input, const ReadOptions&, store::RowSink& sink, Rejects& rejects) {
  YL_ASSIGN(const Bytes bytes, input.bytes());
  YL_ASSIGN(const GdsiiFile file, read_gdsii_file(bytes, rejects));
  YL_ASSIGN(ReadSummary summary, summarise_layout(file.layout, "gdsii", input, rejects, sink));
  summary.version = std::to_string(file.version);
  return summary;
}

}  // namespace

ReaderDeclaration gdsii_reader() {
  ReaderDeclaration reader;
  reader.id = "gdsii";
  reader.title = "GDSII layout";
  reader.patterns = "*.gds *.gds2 *.gdsii *.sf";
  reader.sniff = sniff;
  reader.read = read;
  return reader;
}

}  // namespace yieldloop::ingest::gdsii
