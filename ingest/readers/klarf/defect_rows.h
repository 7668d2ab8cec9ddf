/// \file
/// Takes the values of defect rows into the columns of the `defects` table.
///
/// A plan made once per list says where each of the file's columns goes, so the loop over the
/// rows parses a number and stores it, and allocates nothing for a token.
#pragma once

#include <array>
#include <cstdint>
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

  void begin();
  /// False when the value is not what the column holds. "NA" is null.
  bool set(std::size_t column, std::string_view value);
  void add_image(std::string_view file, std::string_view page, std::string_view type);
  std::int64_t image_count() const { return integers_[kImageCount]; }
  /// A required column that is null in this row, or "".
  std::string_view missing() const;
  void commit(std::uint64_t line, std::size_t ordinal);

  std::uint64_t images() const { return images_; }
  std::size_t rows() const { return row_count_; }
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
  static Plan plan_of(std::string_view name, const Units& units);
  void append(Target target, store::Column& column);
  void find_columns();

  std::vector<Plan> plans_;
  std::array<double, kTargets> reals_{};
  std::array<std::int64_t, kTargets> integers_{};
  std::uint32_t present_ = 0;  ///< A bit for each target.
  std::uint32_t planned_ = 0;
  Attributes attributes_;
  std::string image_list_;
  std::uint64_t images_ = 0, row_images_ = 0;
  store::Table batch_;
  std::array<std::size_t, kTargets> positions_{};
  std::size_t images_at_ = 0, attributes_at_ = 0, source_row_at_ = 0;
  std::size_t row_count_ = 0;
};

}  // namespace yieldloop::ingest::klarf
