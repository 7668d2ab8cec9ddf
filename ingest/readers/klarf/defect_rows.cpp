#include "ingest/readers/klarf/defect_rows.h"

#include <algorithm>

#include "engine/core/text.h"

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

bool is_null(std::string_view value) {
  return value.empty() || equals_ignoring_case(value, "NA") || equals_ignoring_case(value, "N/A") ||
         equals_ignoring_case(value, "NaN");
}

}  // namespace

DefectRows::DefectRows() : batch_(store::Table::of("defects")) { find_columns(); }

void DefectRows::find_columns() {
  static_assert(kKnown.size() == kTargets);
  for (std::size_t i = 0; i < kTargets; ++i) positions_[i] = batch_.index(kKnown[i].column);
  images_at_ = batch_.index("images");
  attributes_at_ = batch_.index("attributes");
  source_row_at_ = batch_.index(store::kSourceRowColumn);
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
  for (const std::string_view name : names) {
    plans_.push_back(plan_of(name, units));
    const Target target = plans_.back().target;
    if (target < kTargets) planned_ |= 1U << target;
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

void DefectRows::append(Target target, store::Column& column) {
  if ((present_ & 1U << target) == 0) {
    column.add_null();
  } else if (kKnown[target].whole) {
    column.add_int(integers_[target]);
  } else {
    column.add_real(reals_[target]);
  }
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
  for (std::size_t i = 0; i < kTargets; ++i) {
    append(static_cast<Target>(i), batch_.column(positions_[i]));
  }
  // Columns that no row of the batch fills are padded when the batch is taken.
  const auto add_text = [&](std::size_t position, std::string_view text) {
    if (text.empty()) return;
    store::Column& column = batch_.column(position);
    while (column.size() < row_count_) column.add_null();
    column.add_text(text);
  };
  if (row_images_ > 0) image_list_ += ']';
  add_text(images_at_, image_list_);
  add_text(attributes_at_, attributes_.finish());
  images_ += row_images_;
  batch_.column(source_row_at_).add_int(static_cast<std::int64_t>(line));
  ++row_count_;
}

store::Table DefectRows::take() {
  store::Table full = std::move(batch_);
  batch_ = store::Table::of("defects");
  row_count_ = 0;
  return full;
}

}  // namespace yieldloop::ingest::klarf
