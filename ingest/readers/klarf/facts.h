/// \file
/// What a KLARF header says of an inspection; the same statements in the flat and the nested
/// dialect, only in other units.
///
/// Source: docs/formats/klarf.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/time.h"

namespace yieldloop::ingest::klarf {

/// What a file's numbers are divided by to be the store's. Divided, not multiplied: nanometres
/// over 1000 round to the nearest micrometres, times 0.001 they do not.
struct Units {
  double length_um;  ///< XREL, DSIZE, DiePitch, ...
  double area_um2;   ///< DEFECTAREA
  double area_cm2;   ///< AreaPerTest
  double sample_mm;  ///< SampleSize
};

/// 1.0 to 1.2: um, um2, mm. 1.8: nm and nm2 throughout.
inline constexpr Units kFlatUnits{1.0, 1.0, 1e8, 1.0};
inline constexpr Units kNestedUnits{1e3, 1e6, 1e14, 1e6};

using Point = std::pair<double, double>;

/// Statements that have no column of their own: name and values, each name once.
class OtherStatements {
 public:
  void set(std::string_view name, std::string value);
  void forget_of_wafer();  ///< WaferScribe, WaferStatus, ...: they are not inherited.
  void inherit(const OtherStatements& outer);
  void clear() { all_.clear(); }
  const std::vector<std::pair<std::string, std::string>>& all() const { return all_; }

 private:
  std::vector<std::pair<std::string, std::string>> all_;
};

struct Facts {
  std::optional<std::string> lot_id, wafer_id, product, step, recipe, tool;
  std::optional<std::string> orientation_mark, orientation;
  std::optional<UtcMicros> inspected_at;
  std::optional<int> slot;
  std::optional<double> sample_size_mm;
  std::optional<Point> die_pitch_um, die_origin_um, sample_center_um;
  std::optional<bool> mirrored;
  OtherStatements others;

  /// Takes over what this one does not say itself.
  void inherit(const Facts& outer);
};

/// Sets the fact a statement gives. Returns what is wrong with its values, "" when nothing;
/// statements of other names are left alone.
std::string set_fact(Facts& facts, std::string_view name,
                     const std::vector<std::string_view>& values, const Units& units);

/// Whether set_fact keeps all that a statement of this name and so many values says.
bool is_whole_fact(std::string_view name, const std::vector<std::string_view>& values,
                   const Units& units);

/// Values with blanks between them; texts of a statement of several keep their quotes.
/// REQUIRES: the values are views into `file`.
std::string joined_values(std::string_view file, const std::vector<std::string_view>& values);

/// A name that differs from one of the names that carry rows in a single character, or holds
/// something that is no letter, digit or '_', is damage rather than another tool's statement.
/// Returns what was likely meant ("a statement" where nothing is like it), or "".
std::string_view likely_meant(std::string_view name);

/// "RoughBinLookup", "RoughBinLookupList": "rough_bin"; "" for names that are no lookup.
std::string lookup_kind(std::string_view name);

/// Month-day-year (two or four digits), ISO 8601, or day-month name-year, with a time; KLARF
/// carries no zone, so the time is stored as if it were UTC.
std::optional<UtcMicros> parse_klarf_time(std::string_view date, std::string_view time);

/// A text as people mean it: valid UTF-8 without blanks around it.
std::string clean(std::string_view text);
/// What is shown of a file's text in a message.
std::string shown(std::string_view text);
/// A number, or nothing for anything else ("NA").
std::optional<double> number(std::string_view text);
/// A whole number, also written 3.0 or 3e0.
std::optional<std::int64_t> whole_number(std::string_view text);
/// Puts a whole number that fits into `target`; false, and `target` as it was, for anything else.
bool set_index(int& target, std::string_view text);

}  // namespace yieldloop::ingest::klarf
