// Writes every shape of a placed and routed design as text, for comparing it with other programs.
//
//   lefdef_shapes [--no-cells] DESIGN.def LIBRARY.lef ...
//
// One line a shape: part, layer, then the corners x y x y ... in database units; first a line
// "dbu", database units a micrometre; last a line of counts.

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "engine/core/file_system.h"
#include "ingest/readers/input.h"
#include "ingest/readers/lefdef/design.h"

namespace {

using namespace yieldloop;
using namespace yieldloop::ingest;

std::string unpacked(const char* path) {
  auto input = open_input(real_file_system(), path);
  if (!input) return {};
  auto bytes = (*input)->bytes();
  if (!bytes) return {};
  return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

Bytes as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string layer_word(const lefdef::Design& design, std::uint32_t layer) {
  return layer == lefdef::kNone ? "-" : design.layer_name(layer);
}

void write(const lefdef::Design& design, bool with_cells) {
  std::printf("dbu %g\n", design.dbu_per_um());
  design.for_each(with_cells, [&](const lefdef::FlatShape& shape) {
    std::string line = std::string(lefdef::to_word(shape.part));
    for (char& c : line) c = c == ' ' ? '_' : c;
    line += " " + layer_word(design, shape.layer);
    if (shape.polygon.empty()) {
      const auto& b = shape.box;
      for (const auto& p : geometry::Polygon{
               {b.x_min, b.y_min}, {b.x_max, b.y_min}, {b.x_max, b.y_max}, {b.x_min, b.y_max}}) {
        line += " " + std::to_string(p.x) + " " + std::to_string(p.y);
      }
    } else {
      for (const auto& p : shape.polygon) {
        line += " " + std::to_string(p.x) + " " + std::to_string(p.y);
      }
    }
    std::puts(line.c_str());
  });
}

}  // namespace

int main(int argc, char** argv) {
  bool with_cells = true;
  std::vector<std::string> texts;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--no-cells") {
      with_cells = false;
    } else {
      texts.push_back(unpacked(argv[i]));
    }
  }
  if (texts.empty()) return 2;
  Rejects rejects;
  const double start = seconds();
  auto def = lefdef::parse_def(as_bytes(texts[0]), rejects);
  const double parsed = seconds();
  if (!def) return std::fprintf(stderr, "%s\n", def.error().message.c_str()), 1;
  std::vector<lefdef::Lef> libraries;
  for (std::size_t i = 1; i < texts.size(); ++i) {
    auto lef = lefdef::parse_lef(as_bytes(texts[i]), rejects);
    if (!lef) return std::fprintf(stderr, "%s\n", lef.error().message.c_str()), 1;
    libraries.push_back(std::move(*lef));
  }
  const double read = seconds();
  auto design = lefdef::Design::make(std::move(*def), std::move(libraries));
  if (!design) return std::fprintf(stderr, "%s\n", design.error().message.c_str()), 1;
  const double made = seconds();
  write(*design, with_cells);
  std::fprintf(stderr, "def %.1f MB in %.4f s, lef %.4f s, design %.4f s, rejects %zu\n",
               static_cast<double>(texts[0].size()) / 1e6, parsed - start, read - parsed,
               made - read, rejects.total());
  for (std::size_t i = 0; i < rejects.kept().size() && i < 5; ++i) {
    const Reject& reject = rejects.kept()[i];
    std::fprintf(stderr, "  line %llu %s %s\n",
                 static_cast<unsigned long long>(reject.line.value_or(0)), reject.id.c_str(),
                 reject.message.c_str());
  }
  for (const std::string& caveat : design->caveats())
    std::fprintf(stderr, "  %s\n", caveat.c_str());
  return 0;
}
