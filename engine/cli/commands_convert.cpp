#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/console.h"
#include "engine/cli/conversions.h"
#include "engine/core/text.h"
#include "ingest/pipeline/builtin_readers.h"
#include "ingest/readers/gzip_sink.h"
#include "ingest/readers/input.h"

namespace yieldloop::cli {
namespace {

/// What the output's name asks for.
struct Target {
  std::string extension;  ///< Without ".gz".
  bool packed = false;
};

Target target_of(const fs::path& output) {
  Target target;
  fs::path name = output.filename();
  target.packed = to_lower(name.extension().string()) == ".gz";
  if (target.packed) name = name.stem();
  target.extension = to_lower(name.extension().string());
  return target;
}

/// ".gds, .oas": what a kind can become.
std::string targets_of(std::string_view kind) {
  std::vector<std::string> names;
  for (const ConversionRow& row : conversions())
    if (row.from == kind) names.emplace_back(row.extension);
  return join(names, ", ");
}

Result<const ConversionRow*> find_row(std::string_view kind, const ConvertArguments& a,
                                      const Target& target) {
  for (const ConversionRow& row : conversions())
    if (row.from == kind && row.extension == target.extension) return &row;
  const std::string known = targets_of(kind);
  if (known.empty())
    return Error{
        Errc::kUnsupported, "CLIC-0027",
        fmt::format("{} is of kind {}, which is not written as anything else.", a.input, kind)};
  return Error{Errc::kInvalidOptions, "CLIC-0028",
               fmt::format("{} is of kind {}, which does not become \"{}\": end the output's name "
                           "in one of {}.",
                           a.input, kind, target.extension, known)};
}

Status check_paths(const ConvertArguments& a) {
  std::error_code ignored;
  if (fs::exists(a.output, ignored) && !fs::is_regular_file(a.output, ignored))
    return Error{
        Errc::kInvalidOptions, "CLIC-0029",
        fmt::format("{} is no regular file and is not replaced: name a file to write.", a.output)};
  if (fs::equivalent(a.input, a.output, ignored))
    return Error{
        Errc::kInvalidOptions, "CLIC-0030",
        fmt::format("{} is the input itself and is not replaced: name another file.", a.output)};
  return Ok{};
}

Result<Conversion> run_row(const ConversionRow& row, ingest::Input& input, bool packed,
                           WritableFile& file) {
  const auto to_file = [&file](ingest::Bytes bytes) { return file.write(bytes); };
  if (!packed) return row.convert(input, to_file);
  ingest::GzipSink gzip{to_file};
  const auto to_gzip = [&gzip](ingest::Bytes bytes) { return gzip.write(bytes); };
  YL_ASSIGN(auto done, row.convert(input, to_gzip));
  YL_TRY(gzip.finish());
  return done;
}

/// Writes under another name first: a reader sees the whole output or none.
Result<Conversion> write_output(const ConversionRow& row, ingest::Input& input,
                                const ConvertArguments& a, bool packed) {
  FileSystem& files = real_file_system();
  const fs::path folder =
      fs::path(a.output).has_parent_path() ? fs::path(a.output).parent_path() : fs::path(".");
  const fs::path temporary = fmt::format("{}.{}.tmp", a.output, ::getpid());
  const auto write = [&]() -> Result<Conversion> {
    YL_ASSIGN(auto file, files.create(temporary));
    YL_ASSIGN(auto done, run_row(row, input, packed, *file));
    YL_TRY(file->sync());
    YL_TRY(file->close());
    YL_TRY(files.rename(temporary, a.output));
    YL_TRY(files.sync_folder(folder));
    return done;
  };
  auto done = write();
  if (!done) (void)files.remove(temporary);
  return done;
}

struct Converted {
  std::string kind;
  Conversion what;
};

Result<Converted> convert(const ConvertArguments& a) {
  YL_TRY(check_paths(a));
  YL_ASSIGN(auto input, ingest::open_input(real_file_system(), a.input));
  const auto readers = ingest::builtin_readers();
  const auto* reader = readers.find(input->name(), input->head());
  if (reader == nullptr)
    return Error{
        Errc::kUnsupported, "CLIC-0026",
        fmt::format("No reader recognises {}; `yieldloop check` says what is known.", a.input)};
  const Target target = target_of(a.output);
  YL_ASSIGN(const auto* row, find_row(reader->id, a, target));
  YL_ASSIGN(auto what, write_output(*row, *input, a, target.packed));
  return Converted{reader->id, std::move(what)};
}

std::string as_json(const Converted& done, const ConvertArguments& a) {
  nlohmann::ordered_json rejects = nlohmann::ordered_json::array();
  for (const ingest::Reject& r : done.what.rejects.kept()) {
    rejects.push_back({{"id", r.id},
                       {"byte_offset", r.byte_offset},
                       {"line", r.line ? nlohmann::ordered_json(*r.line) : nullptr},
                       {"message", r.message}});
  }
  return nlohmann::ordered_json{{"schema", "yieldloop.convert/1"},
                                {"input", to_valid_utf8(a.input)},
                                {"kind", done.kind},
                                {"output", to_valid_utf8(a.output)},
                                {"rejects", std::move(rejects)},
                                {"rejects_total", done.what.rejects.total()},
                                {"warnings", done.what.warnings}}
      .dump(1);
}

std::string as_text(const Converted& done, const ConvertArguments& a) {
  std::string text = fmt::format("Wrote {} from {} ({}).\n", a.output, a.input, done.kind);
  for (const std::string& warning : done.what.warnings) text += warning + "\n";
  const auto& rejects = done.what.rejects;
  if (!rejects.empty())
    text += fmt::format("{} pieces of the input were dropped; the first: {} ({})\n",
                        rejects.total(), rejects.kept().front().message, rejects.kept().front().id);
  return text;
}

}  // namespace

ExitStatus run_convert(const Context& context, const ConvertArguments& arguments) {
  const auto done = convert(arguments);
  if (!done) return fail(done.error());
  const ExitStatus printed =
      print(context.json ? as_json(*done, arguments) : as_text(*done, arguments));
  return printed == ExitStatus::kDone && !done->what.rejects.empty() ? ExitStatus::kSomeRefused
                                                                     : printed;
}

}  // namespace yieldloop::cli
