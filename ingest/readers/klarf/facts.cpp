#include "ingest/readers/klarf/facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "engine/core/text.h"

namespace yieldloop::ingest::klarf {
namespace {

template <class T>
void take_over(std::optional<T>& own, const std::optional<T>& outer) {
  if (!own) own = outer;
}

/// The two lengths of DiePitch and its like.
std::optional<Point> point(const std::vector<std::string_view>& values, double divisor) {
  if (values.size() < 2) return std::nullopt;
  const auto x = number(values[0]);
  const auto y = number(values[1]);
  if (!x || !y) return std::nullopt;
  return Point{*x / divisor, *y / divisor};
}

/// DOWN, UP, LEFT, RIGHT, or degrees counter-clockwise from DOWN.
std::string orientation(std::string_view text) {
  if (const auto degrees = number(text)) {
    if (*degrees == 0) return "DOWN";
    if (*degrees == 90) return "RIGHT";
    if (*degrees == 180) return "UP";
    if (*degrees == 270) return "LEFT";
  }
  std::string word = clean(text);
  for (char& c : word) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return word;
}

bool is_known_orientation(std::string_view word) {
  return word == "DOWN" || word == "UP" || word == "LEFT" || word == "RIGHT";
}

std::string set_orientation(Facts& facts, std::string_view value) {
  facts.orientation = orientation(value);
  if (is_known_orientation(*facts.orientation)) return {};
  return fmt::format("OrientationMarkLocation \"{}\" is not a direction.", shown(value));
}

std::string set_mirrored(Facts& facts, std::string_view value) {
  if (equals_ignoring_case(value, "yes")) facts.mirrored = true;
  if (equals_ignoring_case(value, "no")) facts.mirrored = false;
  return {};
}

std::string set_slot(Facts& facts, std::string_view value) {
  const auto slot = whole_number(value);
  if (!slot || *slot < 0 || *slot > 1'000'000) {
    return fmt::format("Slot \"{}\" is not a slot number.", shown(value));
  }
  facts.slot = static_cast<int>(*slot);
  return {};
}

std::string set_sample_size(Facts& facts, const std::vector<std::string_view>& values,
                            const Units& units) {
  // Flat files say shape, then diameter in mm; nested ones diameter in nm, then a flat's length.
  const bool nested = units.sample_mm != 1.0;
  const auto size = values.size() < 2 ? std::nullopt : number(values[nested ? 0 : 1]);
  if (!size || *size <= 0) return "SampleSize is not a diameter.";
  facts.sample_size_mm = *size / units.sample_mm;
  return {};
}

std::string set_station(Facts& facts, const std::vector<std::string_view>& values) {
  std::vector<std::string> parts;
  for (const std::string_view value : values) {
    if (std::string part = clean(value); !part.empty()) parts.push_back(std::move(part));
  }
  facts.tool = join(parts, " ");
  return {};
}

std::string set_time(Facts& facts, const std::vector<std::string_view>& values) {
  facts.inspected_at = parse_klarf_time(values[0], values.size() > 1 ? values[1] : "");
  if (facts.inspected_at) return {};
  return fmt::format("ResultTimestamp \"{} {}\" is not a time.", shown(values[0]),
                     shown(values.size() > 1 ? values[1] : ""));
}

std::string set_point(std::optional<Point>& target, std::string_view name,
                      const std::vector<std::string_view>& values, double divisor) {
  target = point(values, divisor);
  return target ? std::string() : fmt::format("{} is not a pair of numbers.", name);
}

constexpr std::size_t kMostOthers = 1000;  ///< Names of one inspection.

}  // namespace

void OtherStatements::set(std::string_view name, std::string value) {
  for (auto& [own, text] : all_) {
    if (!equals_ignoring_case(own, name)) continue;
    text = std::move(value);
    return;
  }
  if (all_.size() < kMostOthers) all_.emplace_back(to_valid_utf8(name), std::move(value));
}

void OtherStatements::forget_of_wafer() {
  std::erase_if(all_, [](const auto& entry) { return to_lower(entry.first).starts_with("wafer"); });
}

void OtherStatements::inherit(const OtherStatements& outer) {
  for (const auto& theirs : outer.all_) {
    const std::string& name = theirs.first;
    const bool own = std::ranges::any_of(
        all_, [&](const auto& entry) { return equals_ignoring_case(entry.first, name); });
    if (!own && all_.size() < kMostOthers) all_.push_back(theirs);
  }
}

bool is_whole_fact(std::string_view name, const std::vector<std::string_view>& values,
                   const Units& units) {
  struct Kept {
    std::string_view name;
    std::size_t values;
  };
  static constexpr auto kKept = std::to_array<Kept>({{"LotID", 1},
                                                     {"WaferID", 1},
                                                     {"DeviceID", 1},
                                                     {"StepID", 1},
                                                     {"SetupID", 1},
                                                     {"RecipeID", 1},
                                                     {"SampleOrientationMarkType", 1},
                                                     {"InspectionStationID", 1},
                                                     {"ResultTimestamp", 2},
                                                     {"Slot", 1},
                                                     {"SlotNumber", 1},
                                                     {"OrientationMarkLocation", 1},
                                                     {"CoordinatesMirrored", 1},
                                                     {"DiePitch", 2},
                                                     {"DieOrigin", 2},
                                                     {"SampleCenterLocation", 2}});
  if (equals_ignoring_case(name, "SampleSize")) {
    return units.sample_mm == 1.0 && values.size() == 2 && values[0] == "1";
  }
  const auto it = std::ranges::find_if(
      kKept, [&](const Kept& kept) { return equals_ignoring_case(kept.name, name); });
  return it != kKept.end() && values.size() <= it->values;
}

std::string joined_values(std::string_view file, const std::vector<std::string_view>& values) {
  std::string text;
  for (const std::string_view value : values) {
    const bool quoted = values.size() > 1 && value.data() > file.data() && value.data()[-1] == '"';
    if (!text.empty()) text += ' ';
    if (quoted) text += '"';
    text += to_valid_utf8(value);
    if (quoted) text += '"';
  }
  return text;
}

std::string_view likely_meant(std::string_view name) {
  static constexpr auto kCarriers = std::to_array<std::string_view>({"LotID",
                                                                     "WaferID",
                                                                     "InspectionTest",
                                                                     "SampleTestPlan",
                                                                     "AreaPerTest",
                                                                     "ClassLookup",
                                                                     "DefectRecordSpec",
                                                                     "DefectList",
                                                                     "SummarySpec",
                                                                     "SummaryList",
                                                                     "TiffFileName",
                                                                     "EndOfFile",
                                                                     "LotRecord",
                                                                     "WaferRecord",
                                                                     "TestRecord",
                                                                     "SummaryRecord",
                                                                     "SampleTestPlanList",
                                                                     "ClassLookupList",
                                                                     "TestSummaryList",
                                                                     "FileRecord"});
  for (const std::string_view known : kCarriers) {
    if (equals_ignoring_case(name, known)) return {};
    // One character replaced, lost, or added.
    const std::size_t same_head = static_cast<std::size_t>(
        std::mismatch(name.begin(), name.end(), known.begin(), known.end()).first - name.begin());
    const std::string_view rest = name.substr(same_head), wanted = known.substr(same_head);
    const bool replaced =
        rest.size() == wanted.size() && !rest.empty() && rest.substr(1) == wanted.substr(1);
    const bool lost = wanted.size() == rest.size() + 1 && rest == wanted.substr(1);
    const bool added = rest.size() == wanted.size() + 1 && rest.substr(1) == wanted;
    // Or a blank cut it in two.
    constexpr std::size_t kShortest = 4;
    const std::string low = to_lower(name);
    const bool piece = name.size() >= kShortest && name.size() < known.size() &&
                       (to_lower(known).starts_with(low) || to_lower(known).ends_with(low));
    // Or a count is glued to it.
    const bool glued = wanted.empty() && rest.find_first_not_of("0123456789") == rest.npos;
    if (replaced || lost || added || piece || glued) return known;
  }
  const bool plain = std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '-' || c == '.';
  });
  const bool letter = !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
                      name.front() != '-' && name.front() != '.';
  return plain && letter ? std::string_view() : "a statement";
}

std::string lookup_kind(std::string_view name) {
  if (to_lower(name).ends_with("list")) name.remove_suffix(4);
  if (!to_lower(name).ends_with("lookup")) return {};
  name.remove_suffix(6);
  std::string kind;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') {
      if (!kind.empty() && kind.back() != '_') kind += '_';
      kind += static_cast<char>(c + 32);
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      kind += c;
    }
  }
  return kind;
}

std::string shown(std::string_view text) {
  return escape_controls(to_valid_utf8(text.substr(0, 40)));
}

std::string clean(std::string_view text) { return to_valid_utf8(trim(text)); }

std::optional<double> number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0.0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  // Denormals such as 3.0e-308 are in range; what underflows to nothing is 0.
  if (end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (code == std::errc::result_out_of_range) return std::nullopt;
  if (code != std::errc{} || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code == std::errc{} && end == text.data() + text.size()) return value;
  const auto real = number(text);
  if (!real || *real != std::floor(*real) || std::abs(*real) > 9e15) return std::nullopt;
  return static_cast<std::int64_t>(*real);
}

bool set_index(int& target, std::string_view text) {
  const std::int64_t value = whole_number(text).value_or(INT64_MIN);
  if (value < INT32_MIN || value > INT32_MAX) return false;
  target = static_cast<int>(value);
  return true;
}

std::optional<UtcMicros> parse_klarf_time(std::string_view date, std::string_view time) {
  std::string text = clean(date);
  if (!trim(time).empty()) text += ' ' + clean(time);
  for (const std::string_view format :
       {"%m-%d-%y %H:%M:%S", "%m/%d/%y %H:%M:%S", "%d-%b-%y %H:%M:%S", "%m-%d-%y %H:%M",
        "%m-%d-%y %H:%M:%S.%f", "%m-%d-%y"}) {
    if (const auto parsed = parse_time(text, format)) return parsed;
  }
  return parse_iso8601(text);
}

void Facts::inherit(const Facts& outer) {
  take_over(lot_id, outer.lot_id);
  take_over(wafer_id, outer.wafer_id);
  take_over(product, outer.product);
  take_over(step, outer.step);
  take_over(recipe, outer.recipe);
  take_over(tool, outer.tool);
  take_over(orientation_mark, outer.orientation_mark);
  take_over(orientation, outer.orientation);
  take_over(inspected_at, outer.inspected_at);
  take_over(slot, outer.slot);
  take_over(sample_size_mm, outer.sample_size_mm);
  take_over(die_pitch_um, outer.die_pitch_um);
  take_over(die_origin_um, outer.die_origin_um);
  take_over(sample_center_um, outer.sample_center_um);
  take_over(mirrored, outer.mirrored);
  others.inherit(outer.others);
}

std::string set_fact(Facts& facts, std::string_view name,
                     const std::vector<std::string_view>& values, const Units& units) {
  if (values.empty()) return {};
  const auto is = [&](std::string_view other) { return equals_ignoring_case(name, other); };
  if (is("LotID")) return facts.lot_id = clean(values[0]), std::string();
  if (is("WaferID")) return facts.wafer_id = clean(values[0]), std::string();
  if (is("DeviceID")) return facts.product = clean(values[0]), std::string();
  if (is("StepID")) return facts.step = clean(values[0]), std::string();
  if (is("SetupID") || is("RecipeID")) return facts.recipe = clean(values[0]), std::string();
  if (is("SampleOrientationMarkType")) {
    return facts.orientation_mark = clean(values[0]), std::string();
  }
  if (is("InspectionStationID")) return set_station(facts, values);
  if (is("ResultTimestamp")) return set_time(facts, values);
  if (is("Slot") || is("SlotNumber")) return set_slot(facts, values[0]);
  if (is("SampleSize")) return set_sample_size(facts, values, units);
  if (is("OrientationMarkLocation")) return set_orientation(facts, values[0]);
  if (is("CoordinatesMirrored")) return set_mirrored(facts, values[0]);
  if (is("DiePitch")) return set_point(facts.die_pitch_um, name, values, units.length_um);
  if (is("DieOrigin")) return set_point(facts.die_origin_um, name, values, units.length_um);
  if (is("SampleCenterLocation")) {
    return set_point(facts.sample_center_um, name, values, units.length_um);
  }
  return {};
}

}  // namespace yieldloop::ingest::klarf
