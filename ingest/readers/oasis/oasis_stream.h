/// \file
/// The walk over an OASIS stream; for this folder's sources.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/layout/layout_builder.h"
#include "ingest/readers/oasis/oasis_cursor.h"
#include "ingest/readers/oasis/oasis_layout.h"
#include "ingest/readers/oasis/oasis_records.h"

namespace yieldloop::ingest::oasis {

/// A modal variable: nothing until a record sets it, and nothing again at every CELL.
template <class T>
using Modal = std::optional<T>;

struct Modals {
  bool relative = false;
  geometry::Point geometry_at, placement_at, text_at;
  Modal<std::uint64_t> layer, datatype, text_layer, text_type;
  Modal<geometry::Coord> width, height, half_width, begin_extension, end_extension, radius;
  Modal<std::uint64_t> ctrapezoid;
  Modal<layout::CellIndex> placed_cell;
  const std::string* text_string = nullptr;
  Modal<layout::Repetition> repetition;
  bool has_polygon = false, has_path = false;  ///< Their points are in the reader.
};

/// Things by number. Numbers are dense in nearly every file, but may be anything.
template <class T>
class NumberTable {
 public:
  T& operator[](std::uint64_t number) {
    if (number < dense_.size()) return dense_[static_cast<std::size_t>(number)];
    if (number > dense_.size() + kGap) return sparse_[number];
    dense_.resize(static_cast<std::size_t>(number) + 1);
    // What came early while the table was short moves to its place.
    for (auto it = sparse_.begin(); it != sparse_.end() && it->first < dense_.size();
         it = sparse_.erase(it))
      dense_[static_cast<std::size_t>(it->first)] = std::move(it->second);
    return dense_.back();
  }
  /// visit(number, thing), ascending, also for numbers between that nothing was said of.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::size_t i = 0; i < dense_.size(); ++i) visit(std::uint64_t{i}, dense_[i]);
    for (auto& [number, thing] : sparse_) visit(number, thing);
  }

 private:
  static constexpr std::uint64_t kGap = 2;
  std::vector<T> dense_;
  std::map<std::uint64_t, T> sparse_;
};

class OasisStream {
 public:
  OasisStream(Bytes bytes, Rejects& rejects)
      : bytes_(bytes), outer_(bytes), rejects_(rejects), builder_(0.001) {}

  Result<OasisFile> read();

 private:
  /// What a record came to; anything but kDone drops the record and says why.
  enum class Outcome : std::uint8_t {
    kDone,
    kUnset,     ///< A modal variable is used that nothing has set.
    kTooFar,    ///< Coordinates past 32 bits.
    kBadShape,  ///< Sizes that make no shape.
    kBadTurn,   ///< An angle or magnification that places nothing.
    kTooMuch,   ///< Lists repeated beyond reason.
    kMisplaced,
  };
  /// Names by number: cells and text strings are needed, the other tables are only walked.
  struct Numbering {
    std::uint64_t next = 0;
    bool implicit = false, explicit_numbers = false;
    bool reported = false;  ///< That both ways of numbering are used.
  };
  struct NumberedCell {
    layout::CellIndex cell = layout::kNoCell;
    bool named = false;
    std::string name;
  };
  struct NumberedText {
    std::string* string = nullptr;
    bool given = false;
  };

  // oasis_stream.cpp
  Result<Ok> start();
  void walk(OasisCursor& cursor, bool in_block);
  bool record(OasisCursor& cursor, RecordId id, bool in_block);
  void name_record(OasisCursor& cursor, RecordId id);
  void give_cell_name(std::uint64_t number, std::string_view name);
  void give_text(std::uint64_t number, std::string_view text);
  std::uint64_t number_of(OasisCursor& cursor, Numbering& numbering, bool explicit_number,
                          const char* table);
  void skip_layer_name(OasisCursor& cursor);
  void skip_property(OasisCursor& cursor);
  void skip_values(OasisCursor& cursor, std::uint64_t count);
  void block(OasisCursor& cursor);
  void begin_cell(layout::CellIndex cell);
  layout::CellIndex cell_of(std::uint64_t number);
  std::string* text_of(std::uint64_t number);
  void resolve_names();
  void reject(std::uint64_t dropped, std::string id, const std::string& what);
  void report(Outcome outcome, RecordId id);
  std::string here() const;

  // oasis_elements.cpp
  Outcome element(OasisCursor& cursor, RecordId id);
  Outcome placement(OasisCursor& cursor, bool turned);
  Outcome text(OasisCursor& cursor);
  Outcome rectangle(OasisCursor& cursor);
  Outcome polygon(OasisCursor& cursor);
  Outcome path(OasisCursor& cursor);
  void path_extensions(OasisCursor& cursor);
  Outcome trapezoid_record(OasisCursor& cursor, RecordId id);
  Outcome ctrapezoid_record(OasisCursor& cursor);
  Outcome circle(OasisCursor& cursor);
  Outcome extension_geometry(OasisCursor& cursor);
  void layer_and_type(OasisCursor& cursor, std::uint8_t info);
  void place_and_repeat(OasisCursor& cursor, std::uint8_t info, geometry::Point& at);
  void read_repetition(OasisCursor& cursor);
  layout::Repetition spaced(OasisCursor& cursor, bool along_x, bool grid);
  layout::Repetition array(OasisCursor& cursor, std::uint64_t type);
  layout::Repetition scattered(OasisCursor& cursor, bool grid);
  layout::Repetition listed(std::vector<geometry::Point32>& offsets);
  Outcome add_points(std::span<const geometry::Point> points);
  std::optional<layout::LayerKey> key() const;
  bool points32(std::span<const geometry::Point> points);
  static Outcome outcome_of(layout::Added added) {
    return added == layout::Added::kTooFar ? Outcome::kTooFar : Outcome::kDone;
  }

  Bytes bytes_;
  OasisCursor outer_;
  Rejects& rejects_;
  layout::LayoutBuilder builder_;
  OasisFile file_;
  bool tables_at_end_ = false;
  bool ended_ = false;
  bool repeated_ = false;            ///< The record at hand has a repetition.
  bool repetition_too_far_ = false;  ///< And it does not fit 32 bits.
  Modals modal_;
  std::vector<geometry::Point> polygon_points_, path_points_;  ///< Modal, relative.
  std::vector<geometry::Point32> scratch_;
  std::uint64_t stored_points_ = 0;

  layout::CellIndex cell_ = layout::kNoCell;  ///< kNoCell outside of cells and in dropped ones.
  bool in_cell_ = false;
  NumberTable<NumberedCell> cells_;
  NumberTable<NumberedText> texts_;
  Numbering cell_numbers_, text_numbers_, prop_name_numbers_, prop_string_numbers_;
  std::unordered_map<layout::CellIndex, std::uint64_t> number_of_cell_;

  std::uint64_t record_offset_ = 0;  ///< In the file; of the CBLOCK for what is inside one.
  std::vector<std::byte> unpacked_;
};

}  // namespace yieldloop::ingest::oasis
