#include "ingest/readers/oasis/oasis_writer.h"

#include "ingest/readers/oasis/cell_writer.h"

namespace yieldloop::ingest::oasis {
namespace {

using layout::Cell;
using layout::Layout;

/// Offset of a table that END names; 0 when there is none.
struct Tables {
  std::uint64_t cell_names = 0;
  std::uint64_t text_strings = 0;
};

TextNumbers number_texts(const Layout& layout) {
  TextNumbers numbers;
  for (const Cell& cell : layout.cells())
    for (const layout::Text& text : cell.texts) numbers.try_emplace(*text.string);
  std::uint64_t next = 0;
  for (auto& [text, number] : numbers) number = next++;
  return numbers;
}

/// Numbers are implied: a cell's is its position.
Status put_names(const Layout& layout, const TextNumbers& texts, OasisOutput& out, Tables& tables) {
  RecordBytes names;
  for (const Cell& cell : layout.cells()) {
    names.id(RecordId::kCellName);
    names.string(cell.name);
  }
  if (!layout.cells().empty()) tables.cell_names = out.position();
  YL_TRY(out.packed(names));
  names.clear();
  for (const auto& [text, number] : texts) {
    names.id(RecordId::kTextString);
    names.string(text);
  }
  if (!texts.empty()) tables.text_strings = out.position();
  return texts.empty() ? Status(Ok{}) : out.packed(names);
}

/// Tables, padding up to 256 bytes, the signature over all before it.
Status put_end(const Tables& tables, OasisOutput& out) {
  constexpr std::uint64_t kCrc32 = 1;
  RecordBytes end;
  end.id(RecordId::kEnd);
  // CELLNAME TEXTSTRING PROPNAME PROPSTRING LAYERNAME XNAME: strict, offset. An empty table
  // stands nowhere.
  for (const std::uint64_t offset : {tables.cell_names, tables.text_strings, std::uint64_t{0},
                                     std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{0}}) {
    end.unsigned_int(1);
    end.unsigned_int(offset);
  }
  // The padding's own length takes two bytes.
  end.string(std::string(kEndBytes - end.size() - 2 - 5, '\0'));
  end.unsigned_int(kCrc32);
  YL_TRY(out.plain(end));
  const std::uint32_t crc = out.crc();
  RecordBytes signature;
  for (unsigned i = 0; i < 4; ++i) signature.byte(static_cast<std::uint8_t>(crc >> (8 * i) & 0xFF));
  return out.plain(signature);
}

}  // namespace

Status write_oasis(const Layout& layout, ByteSink sink) {
  OasisOutput out(sink);
  RecordBytes start;
  start.append(std::as_bytes(std::span(kMagic.data(), kMagic.size())));
  start.id(RecordId::kStart);
  start.string("1.0");
  start.real(1.0 / layout.dbu_um());
  start.unsigned_int(1);  // the tables' offsets are in END
  YL_TRY(out.plain(start));
  const TextNumbers texts = number_texts(layout);
  Tables tables;
  YL_TRY(put_names(layout, texts, out, tables));
  for (const layout::CellIndex index : layout.bottom_up()) {
    const Cell& cell = layout.cell(index);
    if (!cell.defined) continue;
    RecordBytes head;
    head.id(RecordId::kCellByNumber);
    head.unsigned_int(index);
    YL_TRY(out.plain(head));
    YL_TRY(CellWriter(layout, texts, out).write(cell));
  }
  return put_end(tables, out);
}

Result<std::vector<std::byte>> oasis_bytes(const Layout& layout) {
  std::vector<std::byte> all;
  YL_TRY(write_oasis(layout, [&all](Bytes bytes) -> Status {
    all.insert(all.end(), bytes.begin(), bytes.end());
    return Ok{};
  }));
  return all;
}

}  // namespace yieldloop::ingest::oasis
