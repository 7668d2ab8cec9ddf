/// \file
/// What the end-to-end tests of the program share: one small virtual fab, a store of two of its
/// lots, and the checks that every refusal must pass.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>

#include "catch_portable.h"
#include "child_process.h"
#include "engine/simulator/simulator.h"
#include "engine/store/care.h"

namespace yieldloop::test {

inline Finished run_program(std::vector<std::string> arguments, const ChildOptions& options = {}) {
  return Child(YIELDLOOP_BIN_DIR "/yieldloop", std::move(arguments), options).wait();
}

inline bool is_plain(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

/// One sentence a person can act on: not empty, on one line, bounded, ended.
inline void check_sentence(const std::string& sentence) {
  CAPTURE(sentence);
  CHECK(is_plain(sentence));
  CHECK(sentence.size() > 15);
  CHECK(sentence.size() < 1000);
  CHECK(sentence.ends_with('.'));
}

/// Runs with --json (which implies --quiet) and expects a refusal: the status, nothing on stdout,
/// and one line "yieldloop: SENTENCE (ID)" on stderr. Returns the sentence.
inline std::string check_refused(std::vector<std::string> arguments, int status,
                                 const std::string& id, const ChildOptions& options = {}) {
  arguments.insert(arguments.begin(), "--json");
  CAPTURE(arguments);
  const Finished f = run_program(std::move(arguments), options);
  CAPTURE(f.err, f.signal, f.timed_out);
  CHECK(f.status == status);
  CHECK(f.out.empty());
  const std::string start = "yieldloop: ", end = " (" + id + ")\n";
  REQUIRE(f.err.starts_with(start));
  REQUIRE(f.err.ends_with(end));
  const std::string sentence = f.err.substr(start.size(), f.err.size() - start.size() - end.size());
  check_sentence(sentence);
  return sentence;
}

/// Runs with --json and expects a document of this schema and the status.
inline nlohmann::json check_answer(std::vector<std::string> arguments, int status,
                                   const std::string& schema, const ChildOptions& options = {}) {
  arguments.insert(arguments.begin(), "--json");
  CAPTURE(arguments);
  const Finished f = run_program(std::move(arguments), options);
  CAPTURE(f.err, f.signal, f.timed_out, f.out.substr(0, 2000));
  CHECK(f.status == status);
  CHECK(f.err.empty());
  const auto json = nlohmann::json::parse(f.out, nullptr, false);
  REQUIRE_FALSE(json.is_discarded());
  CHECK(json.at("schema") == schema);
  return json;
}

/// What a store holds; `whole` after every byte was compared with the catalogue.
struct StoreState {
  std::int64_t snapshot = 0;
  std::vector<std::pair<std::string, std::uint64_t>> rows;
  bool whole = false;
  friend bool operator==(const StoreState&, const StoreState&) = default;
};

inline StoreState state_of(const fs::path& folder) {
  const auto store = store::Store::open(real_file_system(), folder, store::Store::Mode::kRead);
  if (!store) FAIL(store.error().message);
  NoProgress progress;
  const auto info = store::info(*store);
  REQUIRE(info);
  const auto verified = store::verify(*store, progress);
  REQUIRE(verified);
  for (const auto& problem : verified->problems) UNSCOPED_INFO(problem);
  StoreState state{.snapshot = info->latest.number, .whole = verified->problems.empty()};
  for (const auto& table : info->tables) state.rows.emplace_back(table.name, table.rows);
  CHECK(state.whole);
  return state;
}

/// Simulated and ingested once for all tests of the program.
class SharedFab {
 public:
  static const SharedFab& get() {
    static const SharedFab fab;
    return fab;
  }
  fs::path file(const std::string& name) const { return folder_ / "fab" / name; }
  /// One of 12.
  fs::path stdf(std::size_t lot) const { return stdf_.at(lot); }
  std::string lot(std::size_t lot) const {
    const std::string name = stdf_.at(lot).filename().string();
    return name.substr(0, name.find('_'));
  }
  std::vector<std::string> klarf(std::size_t lot) const {
    std::vector<std::string> found;
    for (const auto& path : klarf_) {
      if (path.filename().string().starts_with(this->lot(lot))) found.push_back(path.string());
    }
    return found;
  }
  /// A copy of the store: two lots with everything.
  fs::path copy(const TemporaryFolder& scratch) const {
    fs::copy(folder_ / "store", scratch / "store", fs::copy_options::recursive);
    return scratch / "store";
  }
  fs::path store() const { return folder_ / "store"; }  ///< Only to read.
  /// One lot, no layout, no inspection. Only to read.
  fs::path bare_store() const { return folder_ / "bare"; }

 private:
  SharedFab() {
    NoProgress progress;
    REQUIRE(simulator::simulate({.scenario = "null", .seed = 3}, real_file_system(),
                                folder_ / "fab", progress));
    stdf_ = sorted(folder_ / "fab" / "stdf");
    klarf_ = sorted(folder_ / "fab" / "klarf");
    std::vector<std::string> ingest = {"--quiet", "--store", (folder_ / "bare").string(), "ingest"};
    for (const char* name :
         {"product.toml", "lots.csv", "wafers.csv", "lot_history.csv", "maintenance.csv"}) {
      ingest.push_back(file(name).string());
    }
    ingest.push_back(stdf(0).string());
    require_done(ingest);
    fs::copy(folder_ / "bare", folder_ / "store", fs::copy_options::recursive);
    ingest = {"--quiet",
              "--store",
              (folder_ / "store").string(),
              "ingest",
              file("demo28.gds").string(),
              stdf(1).string()};
    for (const std::size_t lot : {0U, 1U}) {
      for (auto& path : klarf(lot)) ingest.push_back(path);
    }
    require_done(ingest);
  }
  static void require_done(const std::vector<std::string>& arguments) {
    const Finished f = run_program(arguments);
    CAPTURE(f.out, f.err);
    REQUIRE(f.status == 0);
  }
  static std::vector<fs::path> sorted(const fs::path& folder) {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
    std::ranges::sort(paths);
    return paths;
  }

  TemporaryFolder folder_;
  std::vector<fs::path> stdf_, klarf_;
};

}  // namespace yieldloop::test
