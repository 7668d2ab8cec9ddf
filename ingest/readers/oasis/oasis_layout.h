/// \file
/// Makes a Layout from the bytes of an OASIS stream.
///
/// All records of the standard are read: the six name tables (in any place, names by number may
/// be used before they are given), CELL, the modal variables, PLACEMENT of both kinds, TEXT and
/// every shape with every repetition, and CBLOCKs. Repetitions stay symbolic. Properties, layer
/// names and extension records (XNAME, XELEMENT, XGEOMETRY) are walked and passed over. A file
/// that signs itself (CRC32 or checksum at its END) is checked whole before anything is read.
///
/// Rejects:
///   OASI-0002  the stream ends or breaks inside a record; what came before is kept
///   OASI-0003  a CBLOCK that does not unpack; the rest of it is dropped, reading goes on behind it
///   OASI-0004  a record that must not stand where it does
///   OASI-0005  a record that uses a modal variable nothing has set
///   OASI-0006  a shape, text or placement past the 32-bit coordinates a layout may have
///   OASI-0007  a cell drawn twice; the first one is kept
///   OASI-0008  a placement with a magnification or angle that places nothing
///   OASI-0009  a shape whose sizes make no shape
///   OASI-0010  a name that is missing, given twice or numbered in two ways
///   OASI-0011  a file that repeats long lists beyond reason
///   OASI-0012  END is not what the standard says
///
/// Source: SEMI P39 (OASIS), all sections.
#pragma once

#include <string>

#include "engine/layout/layout.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest::oasis {

struct OasisFile {
  layout::Layout layout;
  std::string version;         ///< Of START, "1.0".
  std::string validation;      ///< "none", "crc32" or "checksum32"; checked when there is one.
  std::uint64_t records = 0;   ///< CBLOCKs' records included.
  std::uint64_t unpacked = 0;  ///< Bytes of records, CBLOCKs unpacked.
};

/// Errors: kFormat OASI-0001 (no START first), OASI-0013 (the signature does not match),
/// OASI-0014 (the unit is impossible), LAYO-0001, LAYO-0002 (a cell that contains itself or nests
/// too deep).
Result<OasisFile> read_oasis_file(Bytes bytes, Rejects& rejects);
Result<layout::Layout> read_oasis(Bytes bytes, Rejects& rejects);

/// The bytes begin as every OASIS file does.
bool looks_like_oasis(Bytes head);

}  // namespace yieldloop::ingest::oasis
