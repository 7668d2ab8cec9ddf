/// \file
/// LEF libraries and DEF designs as files of the store.
///
/// A file is recognised by its statements, not by its name. Its bytes are kept as a blob of the
/// store, and one row goes to `layouts`; what it says is read again by whoever names defects by
/// cell and net (lefdef/design.h).
///
/// Counts of both: macros, layers, vias (those that the file defines), components, nets, pins
/// and wire_segments (pairs of consecutive points of wires); DEF adds special_nets.
/// Errors: those of parse_lef and parse_def; kCancelled LEFD-0020.
#pragma once

#include "ingest/readers/reader.h"

namespace yieldloop::ingest::lefdef {

/// Id "lef".
ReaderDeclaration lef_reader();
/// Id "def".
ReaderDeclaration def_reader();

}  // namespace yieldloop::ingest::lefdef
