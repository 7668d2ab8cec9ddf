#include "engine/cli/pattern_files.h"

#include <fmt/format.h>

#include "engine/core/text.h"
#include "engine/feedback/lyrdb.h"
#include "ingest/readers/gdsii/gdsii_writer.h"

namespace yieldloop::cli {
namespace {

feedback::MarkerDatabase index_of(const layout::PatternLibrary& library,
                                  const layout::ClipSheet& sheet) {
  const double dbu = sheet.layout.dbu_um();
  feedback::MarkerDatabase markers{
      .description = "Patterns", .top_cell = "PATTERNS", .categories = {}, .items = {}};
  for (const layout::ClipFrame& frame : sheet.frames) {
    const layout::KnownPattern& p = library.patterns[frame.pattern];
    markers.categories.push_back(
        {p.id, fmt::format("{}: {} occurrences in {}", p.name.empty() ? "no name" : p.name,
                           p.occurrences, p.source)});
    markers.items.push_back(
        {markers.categories.size() - 1, static_cast<double>(frame.box.x_min) * dbu,
         static_cast<double>(frame.box.y_min) * dbu, static_cast<double>(frame.box.width()) * dbu,
         static_cast<double>(frame.box.height()) * dbu,
         p.note.empty() ? std::vector<std::string>{} : std::vector<std::string>{p.note}});
  }
  return markers;
}

}  // namespace

Result<layout::PatternLibrary> read_pattern_library(const fs::path& folder) {
  const fs::path path = folder / "patterns.json";
  YL_ASSIGN(const std::string text, read_text_file(real_file_system(), path));
  auto library = layout::parse_library(text);
  if (!library) {
    return Error{library.error().code, library.error().id,
                 path.string() + ": " + library.error().message};
  }
  return library;
}

Status update_pattern_library(const fs::path& folder, std::vector<layout::KnownPattern> patterns) {
  FileSystem& files = real_file_system();
  layout::PatternLibrary library;
  if (files.exists(folder / "patterns.json")) {
    YL_ASSIGN(library, read_pattern_library(folder));
  } else {
    YL_TRY(files.create_folders(folder));
  }
  layout::add_patterns(library, std::move(patterns));
  YL_TRY(write_clips(folder / "clips.gds", library));
  return write_file_atomically(files, folder / "patterns.json", layout::library_text(library));
}

Status write_clips(const fs::path& path, const layout::PatternLibrary& library) {
  if (to_lower(path.extension().string()) != ".gds") {
    return Error{Errc::kInvalidOptions, "CPAT-0006",
                 fmt::format("Clips are written as GDSII, not as \"{}\": end the name in .gds.",
                             path.string())};
  }
  YL_ASSIGN(const auto sheet, layout::clips_layout(library));
  YL_ASSIGN(const auto bytes, ingest::gdsii::gdsii_bytes(sheet.layout));
  YL_ASSIGN(const std::string index, feedback::lyrdb_text(index_of(library, sheet)));
  FileSystem& files = real_file_system();
  YL_TRY(write_file_atomically(files, path,
                               {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  return write_file_atomically(files, fs::path(path).replace_extension(".lyrdb"), index);
}

}  // namespace yieldloop::cli
