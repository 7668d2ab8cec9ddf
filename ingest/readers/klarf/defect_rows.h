/// \file
/// Takes the values of defect rows into the columns of the `defects` table.
///
/// A plan made once per list says where each of the file's columns goes, so the loop over the
/// rows parses a number and stores it, and allocates nothing for a token. Rows of plain numbers,
/// which nearly all are, take `read_plain`; whatever that cannot be sure of is read value by value.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/store/table.h"
#include "ingest/readers/attributes.h"
#include "ingest/readers/klarf/facts.h"

namespace yieldloop::ingest::klarf {

/// Not thread-safe. For a row: begin(), set() for each value, then commit() or nothing.
class DefectRows {
 public:
  DefectRows();

  /// The columns of the rows to come. Returns the names of required columns that are not there
  /// (XREL, YREL, XINDEX, YINDEX); DEFECTID may be missing: rows are numbered then.
  std::vector<std::string> plan(const std::vector<std::string_view>& names, const Units& units);
  std::size_t columns() const { return plans_.size(); }
  bool is_image_list(std::size_t column) const { return plans_[column].target == kImageList; }
  bool is_image_count(std::size_t column) const { return plans_[column].target == kImageCount; }
  const std::string& name(std::size_t column) const { return plans_[column].name; }
  bool has_image_list() const { return has_image_list_; }

  void begin();
  /// False when the value is not what the column holds. "NA" is null.
  bool set(std::size_t column, std::string_view value);
  void add_image(std::string_view file, std::string_view page, std::string_view type);
  /// Of the row that was set or committed last.
  std::int64_t defect_id() const { return integers_[kDefectId]; }
  std::int64_t image_count() const { return integers_[kImageCount]; }
  /// A required column that is null in this row, or "".
  std::string_view missing() const;
  void commit(std::uint64_t line, std::size_t ordinal);
  /// The same for a row of read_plain, whose values are in place already.
  void commit_plain(std::uint64_t line, std::size_t ordinal);

  /// Reads all values of a row of plain numbers and unquoted words; begin() and set() in one.
  /// Returns where its last value ends, or nullptr when the row must be read value by value:
  /// something is quoted, missing, listed, no plain number, or too near to `end`. With
  /// `over_lines` a row goes on behind line ends.
  const char* read_plain(const char* at, const char* end, bool over_lines);

  std::uint64_t images() const { return images_; }
  std::size_t rows() const { return row_count_; }
  /// Committed rows by TEST since the last call of forget_tests(); rows without TEST are 0.
  const std::map<int, std::uint64_t>& by_test() const { return by_test_; }
  void forget_tests();
  /// The rows so far, without their inspection, lot_id, wafer_id and step; begins a new batch.
  store::Table take();

 private:
  enum Target : std::uint8_t {
    kDefectId,
    kTest,
    kDieX,
    kDieY,
    kX,
    kY,
    kSizeX,
    kSizeY,
    kArea,
    kSize,
    kClass,
    kCluster,
    kRoughBin,
    kFineBin,
    kReview,
    kImageCount,
    kGdsX,
    kGdsY,
    kTargets,
    kImageList = kTargets,
    kAttribute,
  };
  struct Plan {
    Target target = kAttribute;
    bool whole = false;
    double divisor = 1.0;
    std::string name;
  };
  /// The values of one target; one of the three is used.
  struct Values {
    std::vector<double> reals;
    std::vector<std::int32_t> narrow;
    std::vector<std::int64_t> wide;
    std::vector<std::uint8_t> valid;  ///< Empty until the first null.
  };
  static Plan plan_of(std::string_view name, const Units& units);
  void make_room(std::uint32_t wanted);
  void store(Target target);
  void count_test();
  void add_text(store::Column& column, std::string_view text) const;

  std::vector<Plan> plans_;
  std::array<double, kTargets> reals_{};
  std::array<std::int64_t, kTargets> integers_{};
  std::uint32_t present_ = 0;  ///< A bit for each target.
  std::uint32_t planned_ = 0;
  std::uint32_t stored_ = 0;  ///< Targets that have values in this batch.
  bool has_image_list_ = false;
  Attributes attributes_;
  std::string image_list_;
  std::uint64_t images_ = 0, row_images_ = 0;
  std::array<Values, kTargets> values_;
  std::vector<std::int64_t> lines_;
  store::Column image_column_, attribute_column_;
  std::size_t row_count_ = 0, room_ = 0, usual_rows_ = 0;
  bool has_nulls_ = false;  ///< Some target has nulls in this batch.
  std::map<int, std::uint64_t> by_test_;
  std::uint64_t* test_count_ = nullptr;
  std::int64_t counted_test_ = 0;
};

}  // namespace yieldloop::ingest::klarf
