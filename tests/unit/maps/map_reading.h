/// \file
/// What the tests of wafer maps read with.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "catch_portable.h"
#include "ingest/readers/maps/map_reader.h"
#include "reader_fixture.h"

namespace yieldloop::test {

inline ingest::ReaderDeclaration reader(const std::string& kind) {
  for (auto& declaration : ingest::maps::map_readers()) {
    if (declaration.id == kind) return declaration;
  }
  FAIL("no reader " << kind);
  return {};
}

inline Reading read(const std::string& kind, const std::string& text) {
  return read_text(reader(kind), "file_name.txt", text);
}

/// The surest reader of a text, or "".
inline std::string kind_of(const std::string& text) {
  std::string best;
  auto sure = ingest::Confidence::kNo;
  for (const auto& declaration : ingest::maps::map_readers()) {
    const auto confidence = sniff_text(declaration, "file", text);
    if (confidence > sure) {
      sure = confidence;
      best = declaration.id;
    }
  }
  return best;
}

using Die = std::map<std::pair<int, int>, std::string>;

/// Bin and quality by place on the wafer.
inline Die die_of(const Reading& r) {
  Die die;
  for (std::size_t i = 0; i < r.sink.rows("wafer_maps"); ++i) {
    const auto cell = [&](const char* column) { return r.sink.cell("wafer_maps", i, column); };
    die[{std::stoi(cell("die_x")), std::stoi(cell("die_y"))}] = cell("bin") + " " + cell("quality");
  }
  return die;
}

}  // namespace yieldloop::test
