/// \file
/// Makes a Layout from the bytes of a GDSII stream.
///
/// BOUNDARY, PATH, BOX, TEXT, SREF and AREF become shapes, texts and instances; NODE and
/// properties are passed over; reading stops at ENDLIB, whatever pads the file behind it. Layer and
/// data type numbers are taken as unsigned. KLayout's own `$$$CONTEXT_INFO$$$` cells are passed
/// over as KLayout does. A cell that is placed but not drawn counts as unresolved, no more.
///
/// Rejects:
///   GDSI-0002  the file ends inside a record or before ENDLIB; what came before is kept
///   GDSI-0003  a record length below 4; nothing behind it can be trusted and what came before is
///   kept GDSI-0004  an element without a layer, name, array size or coordinates; it is dropped
///   GDSI-0005  a record that must not stand where it does; it (or the open element) is dropped
///   GDSI-0006  a path whose outline leaves 32 bits; it is dropped
///   GDSI-0007  a cell drawn twice; the first one is kept
///   GDSI-0008  a placement with a magnification, angle or array size that places nothing
///   GDSI-0009  a BOUNDARY with fewer than three corners
///
/// Source: "GDSII Stream Format Manual", Calma Company, release 6.0.
#pragma once

#include <functional>
#include <string>

#include "engine/layout/layout.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest::gdsii {

struct GdsiiOptions {
  bool keep_texts = true;
  /// Told now and then how many bytes from the start will not be looked at again.
  std::function<void(std::uint64_t)> done;
};

struct GdsiiFile {
  layout::Layout layout;
  int version = 0;  ///< Of HEADER, e.g. 600.
  double user_units_per_dbu = 0.001;
  std::uint64_t records = 0;
};

/// Errors: kFormat GDSI-0001 (no HEADER first), GDSI-0010 (UNITS missing or impossible),
/// LAYO-0001, LAYO-0002 (a cell that contains itself or nests too deep).
Result<GdsiiFile> read_gdsii_file(Bytes bytes, Rejects& rejects, const GdsiiOptions& options = {});
Result<layout::Layout> read_gdsii(Bytes bytes, Rejects& rejects, const GdsiiOptions& options = {});

/// HEADER comes first, as in every GDSII stream.
bool may_be_gdsii(Bytes head);
/// The bytes begin as a GDSII stream does: HEADER with a version, then BGNLIB.
bool looks_like_gdsii(Bytes head);

}  // namespace yieldloop::ingest::gdsii
