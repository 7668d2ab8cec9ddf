#include "ingest/readers/klarf/class_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "engine/core/text.h"
#include "ingest/readers/klarf/klarf_reader.h"
#include "ingest/readers/klarf/landmarks.h"

namespace yieldloop::ingest::klarf {
namespace {

struct Change {
  Piece piece;
  std::string text;
};

class NoRows final : public store::RowSink {
 public:
  bool put(store::Table) override { return true; }
};

/// Collects the changes while the file is read.
class ClassMarks final : public Landmarks {
 public:
  ClassMarks(std::string_view text, const std::vector<ClassEdit>& edits)
      : text_(text), edits_(edits), used_(edits.size(), false) {
    for (std::size_t i = 0; i < edits.size(); ++i) by_defect_.emplace(edits[i].defect_id, i);
  }

  void columns(const std::vector<std::string_view>& names) override {
    columns_.assign(names.begin(), names.end());
  }
  void row(std::string_view lot_id, std::string_view wafer_id, std::int64_t defect_id,
           const std::vector<Piece>& values) override;
  void class_list(const ClassListPlace& place) override { lists_.push_back(place); }
  void class_list_home(std::size_t offset, bool nested) override {
    // The flat one goes before the first spec, the nested one at the end of each lot.
    if (nested || homes_.empty()) homes_.push_back({offset, nested});
  }

  /// REQUIRES: the whole file was read.
  void add_classes(const std::vector<ClassName>& names);
  Rewritten apply();

 private:
  struct Home {
    std::size_t offset;
    bool nested;
  };
  std::string entry(const ClassListPlace& place, const ClassName& name) const;

  std::string_view text_;
  const std::vector<ClassEdit>& edits_;
  std::unordered_multimap<std::int64_t, std::size_t> by_defect_;
  std::vector<bool> used_;
  std::vector<std::string_view> columns_;
  std::vector<ClassListPlace> lists_;
  std::vector<Home> homes_;
  std::vector<Change> changes_;
  std::set<int> given_;  ///< Classes that a defect was given.
  Rewritten result_;
};

void ClassMarks::row(std::string_view lot_id, std::string_view wafer_id, std::int64_t defect_id,
                     const std::vector<Piece>& values) {
  const auto [first, last] = by_defect_.equal_range(defect_id);
  bool touched = false;
  for (auto it = first; it != last; ++it) {
    const ClassEdit& edit = edits_[it->second];
    if (!edit.lot_id.empty() && edit.lot_id != lot_id) continue;
    if (!edit.wafer_id.empty() && edit.wafer_id != wafer_id) continue;
    used_[it->second] = true;
    touched = true;
    for (const auto& entry : edit.values) {
      const std::string& column = entry.first;
      const std::int64_t value = entry.second;
      const auto at = std::ranges::find_if(
          columns_, [&](std::string_view name) { return equals_ignoring_case(name, column); });
      const auto i = static_cast<std::size_t>(at - columns_.begin());
      if (at == columns_.end() || i >= values.size()) {
        ++result_.without_column;
        continue;
      }
      if (equals_ignoring_case(column, "CLASSNUMBER")) given_.insert(static_cast<int>(value));
      const std::string_view old = text_.substr(values[i].from, values[i].to - values[i].from);
      // "7" and "07" are one number: what says the same is left as it is written.
      if (parse_int(old) == value) continue;
      changes_.push_back({values[i], std::to_string(value)});
      ++result_.values;
    }
  }
  result_.defects += touched ? 1 : 0;
}

/// A new entry that looks as the list's last one does.
std::string ClassMarks::entry(const ClassListPlace& place, const ClassName& name) const {
  std::string label = name.name.empty() ? fmt::format("Class {}", name.number) : name.name;
  std::ranges::replace(label, '"', '\'');
  label = one_line(label);
  std::string before = "\n ";
  if (place.entry_begins > 0) {
    const std::size_t line_end = text_.find_last_not_of(" \t", place.entry_begins - 1);
    if (line_end != std::string_view::npos && text_[line_end] == '\n') {
      before = text_.substr(line_end, place.entry_begins - line_end);
      if (line_end > 0 && text_[line_end - 1] == '\r') before = "\r" + before;
    } else {
      before = " ";
    }
  }
  if (place.columns.empty()) return before + fmt::format("{} \"{}\"", name.number, label);
  std::string row;
  for (const std::string& column : place.columns) {
    if (!row.empty()) row += ' ';
    if (equals_ignoring_case(column, "CLASSNUMBER")) {
      row += std::to_string(name.number);
    } else if (equals_ignoring_case(column, "CLASSNAME")) {
      row += fmt::format("\"{}\"", label);
    } else {
      row += "\"\"";
    }
  }
  return before + row + ";";
}

void ClassMarks::add_classes(const std::vector<ClassName>& names) {
  const auto name_of = [&](int number) {
    const auto it = std::ranges::find(names, number, &ClassName::number);
    return it == names.end() ? ClassName{number, ""} : *it;
  };
  for (const ClassListPlace& list : lists_) {
    std::string added;
    std::size_t n = 0;
    for (const int number : given_) {
      if (std::ranges::find(list.numbers, number) != list.numbers.end()) continue;
      added += entry(list, name_of(number));
      ++n;
    }
    if (n == 0) continue;
    result_.classes += n;
    changes_.push_back({{list.end, list.end}, std::move(added)});
    // The count is only wrong by what was wrong with it before.
    const auto count = parse_int(text_.substr(list.count.from, list.count.to - list.count.from));
    if (count) {
      changes_.push_back({list.count, std::to_string(*count + static_cast<std::int64_t>(n))});
    }
  }
  if (!lists_.empty() || given_.empty()) return;
  for (const Home& home : homes_) {
    std::string list;
    ClassListPlace place;
    if (home.nested) place.columns = {"CLASSNUMBER", "CLASSNAME", "CLASSCODE"};
    for (const int number : given_) list += entry(place, name_of(number));
    result_.classes += given_.size();
    changes_.push_back(
        {{home.offset, home.offset},
         home.nested
             ? fmt::format("List ClassLookupList\n{{\nColumns 3 {{ int32 CLASSNUMBER, string "
                           "CLASSNAME, string CLASSCODE }}\nData {}\n{{{}\n}}\n}}\n",
                           given_.size(), list)
             : fmt::format("ClassLookup {}{};\n", given_.size(), list)});
  }
}

Rewritten ClassMarks::apply() {
  std::ranges::stable_sort(changes_, {}, [](const Change& c) { return c.piece.from; });
  std::size_t at = 0;
  for (const Change& change : changes_) {
    if (change.piece.from < at) continue;  // A second edit of one defect: the first one counts.
    result_.text += text_.substr(at, change.piece.from - at);
    result_.text += change.text;
    at = change.piece.to;
  }
  result_.text += text_.substr(at);
  result_.without_defect = static_cast<std::size_t>(std::ranges::count(used_, false));
  return std::move(result_);
}

}  // namespace

bool is_class_column(std::string_view name) {
  const std::string lower = to_lower(name);
  return lower == "classnumber" || lower.ends_with("class") || lower.ends_with("binnumber");
}

Result<Rewritten> rewrite_classes(std::string_view text, const std::vector<ClassEdit>& edits,
                                  const std::vector<ClassName>& names) {
  for (const ClassEdit& edit : edits) {
    for (const auto& [column, value] : edit.values) {
      if (is_class_column(column)) continue;
      return Error{Errc::kInvalidOptions, "KLAR-0030",
                   fmt::format("{} holds no class of a defect; only CLASSNUMBER and other ...CLASS "
                               "or ...BINNUMBER columns are changed.",
                               escape_controls(column))};
    }
  }
  ClassMarks marks(text, edits);
  NoRows rows;
  Rejects rejects;
  YL_TRY(read_with_landmarks(text, marks, rows, rejects));
  marks.add_classes(names);
  return marks.apply();
}

}  // namespace yieldloop::ingest::klarf
