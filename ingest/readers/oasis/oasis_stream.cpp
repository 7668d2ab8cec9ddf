#include "ingest/readers/oasis/oasis_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/core/text.h"
#include "ingest/readers/oasis/block_codec.h"

namespace yieldloop::ingest::oasis {

using layout::CellIndex;

namespace {

/// 1/1000 rather than 0.0009999999999999998: units are whole or simple parts nearly always.
double dbu_of(double steps_per_um) {
  const double nearest = std::round(steps_per_um);
  const bool whole = nearest >= 1.0 && std::abs(steps_per_um - nearest) < 1e-9 * nearest;
  return 1.0 / (whole ? nearest : steps_per_um);
}

const char* name_of(RecordId id) {
  switch (id) {
    case RecordId::kPlacement:
    case RecordId::kPlacementTurned: return "PLACEMENT";
    case RecordId::kText: return "TEXT";
    case RecordId::kRectangle: return "RECTANGLE";
    case RecordId::kPolygon: return "POLYGON";
    case RecordId::kPath: return "PATH";
    case RecordId::kTrapezoid:
    case RecordId::kTrapezoidA:
    case RecordId::kTrapezoidB: return "TRAPEZOID";
    case RecordId::kCTrapezoid: return "CTRAPEZOID";
    case RecordId::kCircle: return "CIRCLE";
    case RecordId::kXGeometry: return "XGEOMETRY";
    default: return "record";
  }
}

}  // namespace

std::string OasisStream::here() const {
  if (cell_ == layout::kNoCell) return "";
  const std::string& name = builder_.cell_name(cell_);
  if (!name.empty()) return " in cell " + escape_controls(name);
  const auto number = number_of_cell_.find(cell_);
  return number == number_of_cell_.end() ? "" : fmt::format(" in cell {}", number->second);
}

void OasisStream::reject(std::uint64_t dropped, std::string id, const std::string& what) {
  Reject row;
  row.byte_offset = record_offset_;
  row.record = static_cast<std::size_t>(file_.records);
  row.bytes_dropped = static_cast<std::size_t>(dropped);
  row.id = std::move(id);
  row.message = what;
  rejects_.push_back(std::move(row));
}

Result<OasisFile> OasisStream::read() {
  YL_TRY(start());
  YL_ASSIGN(const EndRecord end, check_end(bytes_, tables_at_end_));
  file_.validation = end.validation;
  walk(outer_, false);
  if (!ended_ && !outer_.bad()) {
    record_offset_ = bytes_.size();
    reject(0, "OASI-0002",
           fmt::format("The stream stops at byte {}{} without END; send the file again.",
                       bytes_.size(), here()));
  } else if (ended_ && !end.found) {
    reject(0, "OASI-0012",
           fmt::format("END at byte {} is not the last 256 bytes of the file, so nothing could be "
                       "checked against a signature.",
                       record_offset_));
  }
  resolve_names();
  file_.unpacked += bytes_.size();
  YL_ASSIGN(file_.layout, builder_.build());
  return std::move(file_);
}

Result<Ok> OasisStream::start() {
  const Error none{Errc::kFormat, "OASI-0001",
                   "The file does not begin with the OASIS magic and a START record; check that it "
                   "is an OASIS stream and was not cut at its start."};
  if (!looks_like_oasis(bytes_)) return none;
  (void)outer_.bytes(kMagic.size());
  if (outer_.byte() != static_cast<std::uint8_t>(RecordId::kStart)) return none;
  file_.version = std::string(outer_.string());
  const double unit = outer_.real();
  tables_at_end_ = outer_.unsigned_int() != 0;
  if (!tables_at_end_)
    for (int i = 0; i < 12; ++i) (void)outer_.unsigned_int();
  if (outer_.bad()) return none;
  if (!(unit > 0.0) || !std::isfinite(unit))
    return Error{Errc::kFormat, "OASI-0014",
                 "The OASIS stream states an impossible unit; export it again."};
  builder_.set_dbu_um(dbu_of(unit));
  file_.records = 1;
  return Ok{};
}

void OasisStream::walk(OasisCursor& cursor, bool in_block) {
  while (!ended_ && !cursor.at_end()) {
    if (!in_block) record_offset_ = cursor.position();
    const std::size_t left = cursor.left();
    const std::uint8_t id = cursor.byte();
    ++file_.records;
    const bool known = id <= static_cast<std::uint8_t>(RecordId::kCBlock) &&
                       record(cursor, static_cast<RecordId>(id), in_block);
    if (known && !cursor.bad()) continue;
    reject(left, "OASI-0002",
           fmt::format("Record {} at byte {}{}{} is broken; it and the {} bytes behind it{} were "
                       "dropped, send the file again.",
                       id, record_offset_, in_block ? " inside its CBLOCK" : "", here(), left - 1,
                       in_block ? " there" : ""));
    cursor.set_bad();
    cell_ = layout::kNoCell;  // nothing behind it is known to belong to the cell
    return;
  }
}

bool OasisStream::record(OasisCursor& cursor, RecordId id, bool in_block) {
  switch (id) {
    case RecordId::kPad: return true;
    case RecordId::kStart: return false;
    case RecordId::kEnd:
      if (in_block) return false;
      ended_ = true;
      return true;
    case RecordId::kCellName:
    case RecordId::kCellNameNumbered:
    case RecordId::kTextString:
    case RecordId::kTextStringNumbered:
    case RecordId::kPropName:
    case RecordId::kPropNameNumbered:
    case RecordId::kPropString:
    case RecordId::kPropStringNumbered:
    case RecordId::kLayerName:
    case RecordId::kTextLayerName:
    case RecordId::kXName:
    case RecordId::kXNameNumbered: name_record(cursor, id); return true;
    case RecordId::kCellByNumber: {
      const std::uint64_t number = cursor.unsigned_int();
      if (!cursor.bad()) begin_cell(cell_of(number));
      return true;
    }
    case RecordId::kCellByName: {
      const std::string_view name = cursor.string();
      if (!cursor.bad()) begin_cell(builder_.cell(name));
      return true;
    }
    case RecordId::kXyAbsolute: modal_.relative = false; return true;
    case RecordId::kXyRelative: modal_.relative = true; return true;
    case RecordId::kProperty: skip_property(cursor); return true;
    case RecordId::kPropertyRepeated: return true;
    case RecordId::kXElement:
      (void)cursor.unsigned_int();
      (void)cursor.string();
      return true;
    case RecordId::kCBlock:
      if (in_block) return false;
      block(cursor);
      return true;
    default: {
      const Outcome outcome = element(cursor, id);
      if (outcome != Outcome::kDone && !cursor.bad()) report(outcome, id);
      return true;
    }
  }
}

void OasisStream::report(Outcome outcome, RecordId id) {
  const std::string what = fmt::format("{} at byte {}{}", name_of(id), record_offset_, here());
  switch (outcome) {
    case Outcome::kUnset:
      return reject(0, "OASI-0005",
                    what + " uses a modal value that no record has set; it was dropped.");
    case Outcome::kTooFar:
      return reject(0, "OASI-0006",
                    what + " reaches past the 32-bit numbers a layout may have; it was dropped.");
    case Outcome::kBadTurn:
      return reject(0, "OASI-0008",
                    what + " has an angle or a magnification that places nothing; it was dropped.");
    case Outcome::kBadShape:
      return reject(0, "OASI-0009", what + " has sizes that make no shape; it was dropped.");
    case Outcome::kTooMuch:
      return reject(0, "OASI-0011",
                    what + " repeats a long point list beyond reason; it was dropped.");
    case Outcome::kMisplaced:
      return reject(0, "OASI-0004", what + " stands outside of any cell; it was dropped.");
    case Outcome::kDone: break;
  }
}

void OasisStream::begin_cell(CellIndex cell) {
  modal_ = Modals{};
  in_cell_ = true;
  cell_ = cell;
  if (builder_.define(cell)) return;
  reject(0, "OASI-0007",
         fmt::format("The cell at byte {}{} is drawn a second time; the first one was kept.",
                     record_offset_, here()));
  cell_ = layout::kNoCell;
}

CellIndex OasisStream::cell_of(std::uint64_t number) {
  NumberedCell& numbered = cells_[number];
  if (numbered.cell == layout::kNoCell) {
    numbered.cell = builder_.new_cell();
    number_of_cell_[numbered.cell] = number;
  }
  return numbered.cell;
}

std::string* OasisStream::text_of(std::uint64_t number) {
  NumberedText& numbered = texts_[number];
  if (numbered.string == nullptr) numbered.string = builder_.add_string("");
  return numbered.string;
}

std::uint64_t OasisStream::number_of(OasisCursor& cursor, Numbering& numbering,
                                     bool explicit_number, const char* table) {
  (explicit_number ? numbering.explicit_numbers : numbering.implicit) = true;
  if (numbering.implicit && numbering.explicit_numbers && !numbering.reported) {
    numbering.reported = true;
    reject(0, "OASI-0010",
           fmt::format("The {} at byte {} is numbered in another way than those before it; names "
                       "may be wrong from here on.",
                       table, record_offset_));
  }
  return explicit_number ? cursor.unsigned_int() : numbering.next++;
}

void OasisStream::name_record(OasisCursor& cursor, RecordId id) {
  in_cell_ = false;
  cell_ = layout::kNoCell;
  const bool xname = id == RecordId::kXName || id == RecordId::kXNameNumbered;
  if (xname) (void)cursor.unsigned_int();
  const std::string_view name = cursor.string();
  switch (id) {
    case RecordId::kCellName:
    case RecordId::kCellNameNumbered: {
      const auto number =
          number_of(cursor, cell_numbers_, id == RecordId::kCellNameNumbered, "CELLNAME");
      if (!cursor.bad()) give_cell_name(number, name);
      return;
    }
    case RecordId::kTextString:
    case RecordId::kTextStringNumbered: {
      const auto number =
          number_of(cursor, text_numbers_, id == RecordId::kTextStringNumbered, "TEXTSTRING");
      if (!cursor.bad()) give_text(number, name);
      return;
    }
    case RecordId::kPropName:
    case RecordId::kPropNameNumbered:
      (void)number_of(cursor, prop_name_numbers_, id == RecordId::kPropNameNumbered, "PROPNAME");
      return;
    case RecordId::kPropString:
    case RecordId::kPropStringNumbered:
      (void)number_of(cursor, prop_string_numbers_, id == RecordId::kPropStringNumbered,
                      "PROPSTRING");
      return;
    case RecordId::kLayerName:
    case RecordId::kTextLayerName: return skip_layer_name(cursor);
    case RecordId::kXNameNumbered: (void)cursor.unsigned_int(); return;
    default: return;
  }
}

void OasisStream::give_cell_name(std::uint64_t number, std::string_view name) {
  (void)cell_of(number);
  NumberedCell& numbered = cells_[number];
  if (numbered.named) {
    if (numbered.name == name) return;
    return reject(0, "OASI-0010",
                  fmt::format("Cell {} gets a second name at byte {}; the first one was kept.",
                              number, record_offset_));
  }
  numbered.named = true;
  numbered.name = std::string(name);
}

void OasisStream::give_text(std::uint64_t number, std::string_view text) {
  std::string* string = text_of(number);
  NumberedText& numbered = texts_[number];
  if (!numbered.given) {
    numbered.given = true;
    *string = std::string(text);
  } else if (*string != text) {
    reject(0, "OASI-0010",
           fmt::format("Text {} is given a second time at byte {}; the first one was kept.", number,
                       record_offset_));
  }
}

void OasisStream::resolve_names() {
  cells_.for_each([this](std::uint64_t number, const NumberedCell& numbered) {
    if (numbered.cell == layout::kNoCell) return;
    const std::string name = numbered.named ? numbered.name : fmt::format("#{}", number);
    if (!numbered.named)
      reject(0, "OASI-0010",
             fmt::format("Cell {} has no name; it was given the name {}.", number, name));
    if (!builder_.name_cell(numbered.cell, name))
      reject(0, "OASI-0007",
             fmt::format("Cell {} is drawn a second time under number {}; the first one was kept.",
                         escape_controls(name), number));
  });
  std::uint64_t missing = 0;
  texts_.for_each([&missing](std::uint64_t, const NumberedText& text) {
    missing += text.string != nullptr && !text.given ? 1U : 0U;
  });
  if (missing > 0)
    reject(0, "OASI-0010",
           fmt::format("{} text strings are used by number but never given; they are empty.",
                       missing));
}

void OasisStream::skip_layer_name(OasisCursor& cursor) {
  for (int interval = 0; interval < 2; ++interval) {
    const std::uint64_t type = cursor.unsigned_int();
    if (type > 4) return cursor.set_bad();
    const int bounds = type == 0 ? 0 : type == 4 ? 2 : 1;
    for (int i = 0; i < bounds; ++i) (void)cursor.unsigned_int();
  }
}

void OasisStream::skip_property(OasisCursor& cursor) {
  const std::uint8_t info = cursor.byte();  // UUUUVCNS
  if ((info & 0x04) != 0) {
    if ((info & 0x02) != 0)
      (void)cursor.unsigned_int();
    else
      (void)cursor.string();
  }
  if ((info & 0x08) != 0) return;
  const std::uint64_t few = info >> 4;
  skip_values(cursor, few == 15 ? cursor.unsigned_int() : few);
}

void OasisStream::skip_values(OasisCursor& cursor, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count && !cursor.bad(); ++i) {
    const std::uint64_t type = cursor.unsigned_int();
    if (type <= 7) {
      (void)cursor.real_of(type);
    } else if (type == 9) {
      (void)cursor.signed_int();
    } else if (type == 8 || (type >= 13 && type <= 15)) {
      (void)cursor.unsigned_int();
    } else if (type <= 12) {
      (void)cursor.string();
    } else {
      cursor.set_bad();
    }
  }
}

void OasisStream::block(OasisCursor& cursor) {
  const std::uint64_t type = cursor.unsigned_int();
  const std::uint64_t size = cursor.unsigned_int();
  const Bytes packed = cursor.bytes(cursor.unsigned_int());
  if (cursor.bad()) return;
  const UnpackedBlock result =
      type == 0 ? unpack_block(packed, size, bytes_.size(), file_.unpacked, unpacked_)
                : UnpackedBlock::kDamaged;
  if (result == UnpackedBlock::kTooLarge || result == UnpackedBlock::kDamaged) {
    reject(packed.size(), "OASI-0003",
           result == UnpackedBlock::kTooLarge
               ? fmt::format("The CBLOCK at byte {}{} unpacks to {} bytes, which no layout of this "
                             "size does; it was dropped.",
                             record_offset_, here(), size)
               : fmt::format("The CBLOCK at byte {}{} does not unpack; it was dropped, send the "
                             "file again.",
                             record_offset_, here()));
    cell_ = layout::kNoCell;
    return;
  }
  OasisCursor inner{Bytes(unpacked_)};
  walk(inner, true);
}

bool looks_like_oasis(Bytes head) {
  return std::string_view(reinterpret_cast<const char*>(head.data()), head.size())
      .starts_with(kMagic);
}

Result<OasisFile> read_oasis_file(Bytes bytes, Rejects& rejects) {
  return OasisStream(bytes, rejects).read();
}

Result<layout::Layout> read_oasis(Bytes bytes, Rejects& rejects) {
  YL_ASSIGN(OasisFile file, read_oasis_file(bytes, rejects));
  return std::move(file.layout);
}

}  // namespace yieldloop::ingest::oasis
