#include "ingest/readers/klarf/defect_rows.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "engine/core/text.h"
#include "ingest/readers/klarf/number_scan.h"

namespace yieldloop::ingest::klarf {
namespace {

struct Known {
  std::string_view klarf;
  std::string_view column;
  bool whole;
  char unit;  ///< 'l' length, 'a' area, ' ' none.
};

/// In the order of DefectRows::Target.
constexpr auto kKnown = std::to_array<Known>({
    {"DEFECTID", "defect_id", true, ' '},
    {"TEST", "test", true, ' '},
    {"XINDEX", "die_x", true, ' '},
    {"YINDEX", "die_y", true, ' '},
    {"XREL", "x_um", false, 'l'},
    {"YREL", "y_um", false, 'l'},
    {"XSIZE", "size_x_um", false, 'l'},
    {"YSIZE", "size_y_um", false, 'l'},
    {"DEFECTAREA", "area_um2", false, 'a'},
    {"DSIZE", "size_um", false, 'l'},
    {"CLASSNUMBER", "class_number", true, ' '},
    {"CLUSTERNUMBER", "cluster", true, ' '},
    {"ROUGHBINNUMBER", "rough_bin", true, ' '},
    {"FINEBINNUMBER", "fine_bin", true, ' '},
    {"REVIEWSAMPLE", "review_sample", true, ' '},
    {"IMAGECOUNT", "image_count", true, ' '},
    {"GDSX", "gds_x", false, 'l'},
    {"GDSY", "gds_y", false, 'l'},
});

/// A batch of so many rows is likely followed by another.
constexpr std::size_t kLongBatch = 1U << 16U;

bool is_null(std::string_view value) {
  return value.empty() || equals_ignoring_case(value, "NA") || equals_ignoring_case(value, "N/A") ||
         equals_ignoring_case(value, "NaN");
}

}  // namespace

DefectRows::DefectRows()
    : image_column_(store::ColumnType::kText), attribute_column_(store::ColumnType::kText) {
  static_assert(kKnown.size() == kTargets);
}

DefectRows::Plan DefectRows::plan_of(std::string_view name, const Units& units) {
  Plan plan;
  plan.name = to_valid_utf8(name);
  for (const std::string_view list : {"IMAGELIST", "IMAGEINFO"}) {
    if (equals_ignoring_case(name, list)) plan.target = kImageList;
  }
  for (std::size_t i = 0; i < kKnown.size(); ++i) {
    if (!equals_ignoring_case(name, kKnown[i].klarf)) continue;
    plan.target = static_cast<Target>(i);
    plan.whole = kKnown[i].whole;
    plan.divisor = kKnown[i].unit == 'l'   ? units.length_um
                   : kKnown[i].unit == 'a' ? units.area_um2
                                           : 1.0;
  }
  return plan;
}

std::vector<std::string> DefectRows::plan(const std::vector<std::string_view>& names,
                                          const Units& units) {
  plans_.clear();
  planned_ = 0;
  has_image_list_ = false;
  for (const std::string_view name : names) {
    plans_.push_back(plan_of(name, units));
    const Target target = plans_.back().target;
    has_image_list_ = has_image_list_ || target == kImageList;
    if (target >= kTargets) continue;
    // The second column of one name is kept beside the first, not over it.
    if ((planned_ & 1U << target) != 0) plans_.back().target = kAttribute;
    planned_ |= 1U << target;
  }
  std::vector<std::string> missing;
  for (const Target target : {kX, kY, kDieX, kDieY}) {
    if ((planned_ & 1U << target) == 0) missing.emplace_back(kKnown[target].klarf);
  }
  return missing;
}

void DefectRows::begin() {
  present_ = 0;
  integers_[kImageCount] = 0;
  attributes_.clear();
  image_list_.clear();
  row_images_ = 0;
}

bool DefectRows::set(std::size_t column, std::string_view value) {
  const Plan& plan = plans_[column];
  if (plan.target >= kTargets) {
    attributes_.add(plan.name, value);
    return true;
  }
  if (plan.whole) {
    const auto parsed = whole_number(value);
    if (!parsed) return is_null(value);
    const bool narrow = plan.target != kDefectId;
    if (narrow && (*parsed < INT32_MIN || *parsed > INT32_MAX)) return false;
    integers_[plan.target] = *parsed;
  } else {
    const auto parsed = number(value);
    if (!parsed) return is_null(value);
    reals_[plan.target] = *parsed / plan.divisor;
  }
  present_ |= 1U << plan.target;
  return true;
}

void DefectRows::add_image(std::string_view file, std::string_view page, std::string_view type) {
  image_list_ += image_list_.empty() ? "[{\"file\":" : ",{\"file\":";
  append_json_string(image_list_, file);
  image_list_ += ",\"page\":";
  append_json_string(image_list_, page);
  image_list_ += ",\"type\":";
  append_json_string(image_list_, type);
  image_list_ += '}';
  ++row_images_;
}

std::string_view DefectRows::missing() const {
  for (const Target target : {kX, kY, kDieX, kDieY, kDefectId}) {
    const bool needed = target != kDefectId || (planned_ & 1U << kDefectId) != 0;
    if (needed && (present_ & 1U << target) == 0) return kKnown[target].klarf;
  }
  return {};
}

const char* DefectRows::read_plain(const char* at, const char* end, bool over_lines) {
  begin();
  if (end - at < static_cast<std::ptrdiff_t>(kScanRoom)) return nullptr;
  if ((planned_ & ~stored_) != 0 || row_count_ == room_) make_room(planned_);
  const char* const limit = end - kScanRoom;
  for (const Plan& plan : plans_) {
    while (*at == ' ' || *at == '\t' || (over_lines && (*at == '\n' || *at == '\r'))) {
      if (++at >= limit) return nullptr;
    }
    if (at >= limit) return nullptr;
    if (plan.target < kTargets) {
      if (plan.whole) {
        std::int64_t& value = integers_[plan.target];
        if (!scan_whole(at, value)) return nullptr;
        Values& values = values_[plan.target];
        if (plan.target == kDefectId) {
          values.wide[row_count_] = value;
        } else {
          const auto narrow = static_cast<std::int32_t>(value);
          if (value != narrow) return nullptr;
          values.narrow[row_count_] = narrow;
        }
      } else {
        double& value = reals_[plan.target];
        if (!scan_real(at, value)) return nullptr;
        if (plan.divisor != 1.0) value /= plan.divisor;
        values_[plan.target].reals[row_count_] = value;
      }
    } else if (plan.target == kImageList) {
      // Only a list of none: "0", or "N" of the nested dialect.
      if (integers_[kImageCount] != 0 || *at != (over_lines ? 'N' : '0')) return nullptr;
      if (!scan::is_end(*++at)) return nullptr;
    } else {
      const char* const from = at;
      while (at < limit && !scan::is_end(*at)) {
        if (*at == '"' || *at == '{' || *at == '}' || *at == ',') return nullptr;
        ++at;
      }
      if (at >= limit || at == from) return nullptr;
      attributes_.add(plan.name, {from, static_cast<std::size_t>(at - from)});
    }
  }
  present_ = planned_;
  return at;
}

/// Makes room for the next row in every column that has values, and in those of `wanted`.
void DefectRows::make_room(std::uint32_t wanted) {
  // A column that begins within a batch is null before.
  for (std::uint32_t left = wanted & ~stored_; left != 0 && row_count_ > 0; left &= left - 1) {
    values_[static_cast<std::size_t>(std::countr_zero(left))].valid.assign(row_count_, 0);
    has_nulls_ = true;
  }
  stored_ |= wanted;
  if (row_count_ == room_) room_ = std::max({std::size_t{64}, 2 * room_, usual_rows_});
  lines_.resize(room_);
  for (std::size_t i = 0; i < kTargets; ++i) {
    if ((stored_ & 1U << i) == 0) continue;
    Values& values = values_[i];
    if (!kKnown[i].whole) {
      values.reals.resize(room_);
    } else if (i == kDefectId) {
      values.wide.resize(room_);
    } else {
      values.narrow.resize(room_);
    }
  }
}

void DefectRows::store(Target target) {
  Values& values = values_[target];
  const bool null = (present_ & 1U << target) == 0;
  if (null && values.valid.empty()) {
    values.valid.assign(row_count_, 1);
    has_nulls_ = true;
  }
  if (!values.valid.empty()) values.valid.push_back(null ? 0 : 1);
  if (!kKnown[target].whole) {
    values.reals[row_count_] = null ? 0.0 : reals_[target];
  } else if (target == kDefectId) {
    values.wide[row_count_] = null ? 0 : integers_[target];
  } else {
    values.narrow[row_count_] = null ? 0 : static_cast<std::int32_t>(integers_[target]);
  }
}

void DefectRows::count_test() {
  const std::int64_t test = (present_ & 1U << kTest) != 0 ? integers_[kTest] : 0;
  if (test_count_ == nullptr || counted_test_ != test) {
    // A hostile list must not make an entry for each row.
    constexpr std::size_t kMostTests = 4096;
    const auto number = static_cast<int>(test);
    if (by_test_.size() >= kMostTests && !by_test_.contains(number)) return;
    test_count_ = &by_test_[number];
    counted_test_ = test;
  }
  ++*test_count_;
}

void DefectRows::forget_tests() {
  by_test_.clear();
  test_count_ = nullptr;
}

void DefectRows::commit_plain(std::uint64_t line, std::size_t ordinal) {
  if (has_nulls_ || stored_ != planned_ || (planned_ & 1U << kDefectId) == 0) {
    return commit(line, ordinal);
  }
  count_test();
  add_text(attribute_column_, attributes_.finish());
  lines_[row_count_] = static_cast<std::int64_t>(line);
  ++row_count_;
}

/// Columns that no row of the batch fills are padded when the batch is taken.
void DefectRows::add_text(store::Column& column, std::string_view text) const {
  if (text.empty()) return;
  column.add_nulls(row_count_ - column.size());
  column.add_text(text);
}

void DefectRows::commit(std::uint64_t line, std::size_t ordinal) {
  if ((planned_ & 1U << kDefectId) == 0) {
    integers_[kDefectId] = static_cast<std::int64_t>(ordinal);
    present_ |= 1U << kDefectId;
  }
  const bool counts_images = (planned_ & 1U << kImageCount) != 0;
  if (row_images_ > 0 && !counts_images) {
    integers_[kImageCount] = static_cast<std::int64_t>(row_images_);
    present_ |= 1U << kImageCount;
  }
  const std::uint32_t wanted = planned_ | present_;
  if ((wanted & ~stored_) != 0 || row_count_ == room_) make_room(wanted);
  for (std::uint32_t left = stored_; left != 0; left &= left - 1) {
    store(static_cast<Target>(std::countr_zero(left)));
  }
  count_test();
  if (row_images_ > 0) {
    image_list_ += ']';
    add_text(image_column_, image_list_);
    images_ += row_images_;
  }
  add_text(attribute_column_, attributes_.finish());
  lines_[row_count_] = static_cast<std::int64_t>(line);
  ++row_count_;
}

store::Table DefectRows::take() {
  auto batch = store::Table::of("defects");
  const auto cut = [&](auto& values) {
    values.resize(row_count_);
    return std::exchange(values, {});
  };
  for (std::size_t i = 0; i < kTargets; ++i) {
    store::Column& column = batch[kKnown[i].column];
    Values& values = values_[i];
    if ((stored_ & 1U << i) == 0) {
      column.add_nulls(row_count_);
    } else if (!kKnown[i].whole) {
      column.adopt_values(cut(values.reals), std::exchange(values.valid, {}));
    } else if (i == kDefectId) {
      column.adopt_values(cut(values.wide), std::exchange(values.valid, {}));
    } else {
      column.adopt_values(cut(values.narrow), std::exchange(values.valid, {}));
    }
  }
  for (const auto& [name, column] :
       {std::pair<std::string_view, store::Column*>{"images", &image_column_},
        {"attributes", &attribute_column_}}) {
    column->add_nulls(row_count_ - column->size());
    batch[name] = std::exchange(*column, store::Column(store::ColumnType::kText));
  }
  batch[store::kSourceRowColumn].adopt_values(cut(lines_));
  usual_rows_ = row_count_ >= kLongBatch ? row_count_ : 0;
  row_count_ = room_ = 0;
  stored_ = 0;
  has_nulls_ = false;
  return batch;
}

}  // namespace yieldloop::ingest::klarf
