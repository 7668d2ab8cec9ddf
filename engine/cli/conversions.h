/// \file
/// The table of file conversions behind `yieldloop convert`: one row a pair of formats.
///
/// To add one, write a function of type `Convert` and list it in conversions.cpp. The source kind
/// is what the file's content says (the id of the reader that claims it), the target is what the
/// output's name says; a ".gz" behind the extension packs the output, which needs no row.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/readers/byte_sink.h"
#include "ingest/readers/reader.h"

namespace yieldloop::cli {

/// What a conversion leaves out or had to drop.
struct Conversion {
  ingest::Rejects rejects;            ///< Pieces of the input that were not usable.
  std::vector<std::string> warnings;  ///< What the target format cannot hold, one sentence each.
};

/// Reads the (unpacked) input and writes the other format.
/// Errors: those of the reader and the writer; nothing is kept of the output then.
using Convert = Result<Conversion> (*)(ingest::Input& input, ingest::ByteSink out);

struct ConversionRow {
  std::string_view from;       ///< Reader id, e.g. "gdsii".
  std::string_view extension;  ///< Lower case with its dot, e.g. ".oas".
  Convert convert;
};

/// In the order help and messages list them.
std::span<const ConversionRow> conversions();

}  // namespace yieldloop::cli
