/// \file
/// What makes two rows speak of the same thing, so that a correction replaces what it corrects.
///
/// Three kinds. A *document* is a group of rows with an id of its own, such as one inspection of
/// one wafer: the same inspection sent again replaces all of its rows. A *keyed row* of a small
/// table, and a *timed row* of a large log, are single rows with a natural key. In every kind only
/// rows of another source are replaced, never rows of the same file; nothing is deleted, see
/// docs/adr/0003-corrections.md.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/store/table.h"

namespace yieldloop::store {

struct DocumentKind {
  std::string_view table;             ///< One row, or one group of rows, a document.
  std::string_view id;                ///< Its id; other tables name it in a column so called.
  std::vector<std::string_view> key;  ///< Same values: the same thing.
  std::vector<std::string_view> must_be_set;  ///< Without these nothing can be said.
  std::string_view complete;  ///< A bool column: what is not complete never replaces what is.
};
std::span<const DocumentKind> document_kinds();

struct RowKind {
  std::string_view table;
  std::vector<std::string_view> key;
  std::string_view time;        ///< Empty: a keyed row. Else the column by which sources overlap.
  std::string_view unless_set;  ///< Rows with a value here belong to documents.
};
std::span<const RowKind> row_kinds();
const RowKind* find_row_kind(std::string_view table);

/// One document or keyed row of one source.
struct KeyRecord {
  std::string kind;  ///< The table.
  std::string key;
  std::string id;  ///< Of a document; empty for keyed rows.
  std::int64_t source = 0;
  int rank = 1;  ///< Lower never replaces higher.
};

/// When the timed rows of one source are; unbounded where a time is missing.
struct ExtentRecord {
  std::string table;
  std::int64_t source = 0;
  std::int64_t from = INT64_MAX;
  std::int64_t to = INT64_MIN;
  bool overlaps(const ExtentRecord& other) const { return from <= other.to && other.from <= to; }
};

/// Collects keys and extents from the rows of one source.
class KeyNotes {
 public:
  void note(const Table& rows);
  std::vector<KeyRecord> keys;
  std::map<std::string, ExtentRecord> extents;  ///< By table.

 private:
  void note_documents(const DocumentKind& kind, const Table& rows);
  void note_keyed(const RowKind& kind, const Table& rows);
  void note_timed(const RowKind& kind, const Table& rows);
  std::map<std::string, std::set<std::string>, std::less<>> seen_;  ///< Ids and keys by table.
};

/// A row's key as SQL, the same text as KeyRecord::key.
std::string key_sql(const std::vector<std::string_view>& columns, std::string_view alias);

}  // namespace yieldloop::store
