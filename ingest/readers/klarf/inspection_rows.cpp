#include "ingest/readers/klarf/inspection_rows.h"

#include <fmt/format.h>

#include <algorithm>

namespace yieldloop::ingest::klarf {
namespace {

constexpr std::size_t kBatchRows = 1U << 17U;

void add_text(store::Column& column, const std::optional<std::string>& value) {
  if (value && !value->empty()) {
    column.add_text(*value);
  } else {
    column.add_null();
  }
}

void add_point(store::Column& x, store::Column& y, const std::optional<Point>& value) {
  if (!value) return;
  x.add_real(value->first);
  y.add_real(value->second);
}

void fill(store::Column& column, std::size_t rows, const std::optional<std::string>& value) {
  if (value) {
    column.add_texts(*value, rows);
  } else {
    column.add_nulls(rows);
  }
}

}  // namespace

InspectionRows::InspectionRows(std::string id_prefix, std::string version, std::uint64_t most_rows,
                               store::RowSink& sink)
    : id_prefix_(std::move(id_prefix)),
      version_(std::move(version)),
      sink_(sink),
      most_rows_(most_rows) {}

WaferInspection& InspectionRows::begin_wafer(std::uint64_t line) {
  WaferInspection& wafer = open_.emplace_back().wafer;
  wafer.id = fmt::format("{}-{}", id_prefix_, ++ordinal_);
  wafer.line = line;
  return wafer;
}

void InspectionRows::collect() {
  if (defects_.rows() > 0) open_.back().defects.push_back(defects_.take());
}

void InspectionRows::defect_added(bool may_send) {
  ++wafer().defects;
  if (defects_.rows() < kBatchRows) return;
  collect();
  if (may_send) send_defects(open_.back());
}

void InspectionRows::end_wafer() {
  collect();
  for (const auto& [test, defects] : defects_.by_test()) wafer().defects_by_test[test] += defects;
  defects_.forget_tests();
}

void InspectionRows::drop_wafer() {
  open_.pop_back();
  --ordinal_;
}

void InspectionRows::send(store::Table table) {
  if (table.rows() == 0 || cancelled_) return;
  table.finish_row();
  rows_ += table.rows();
  if (too_many() || !sink_.put(std::move(table))) cancelled_ = true;
}

void InspectionRows::send_defects(Waiting& waiting) {
  const WaferInspection& wafer = waiting.wafer;
  for (store::Table& table : waiting.defects) {
    const std::size_t rows = table["defect_id"].size();
    fill(table["inspection"], rows, wafer.id);
    fill(table["lot_id"], rows, wafer.facts.lot_id.value_or(""));
    fill(table["wafer_id"], rows, wafer.facts.wafer_id.value_or(""));
    fill(table["step"], rows, wafer.facts.step);
    send(std::move(table));
  }
  waiting.defects.clear();
}

store::Table InspectionRows::inspection_row(const WaferInspection& wafer) const {
  const Facts& f = wafer.facts;
  auto t = store::Table::of("inspections");
  t["inspection"].add_text(wafer.id);
  t["lot_id"].add_text(f.lot_id.value_or(""));
  t["wafer_id"].add_text(f.wafer_id.value_or(""));
  add_text(t["product"], f.product);
  add_text(t["step"], f.step);
  add_text(t["recipe"], f.recipe);
  add_text(t["tool"], f.tool);
  t["inspected_at"].add_time(f.inspected_at.value_or(UtcMicros{}));
  if (f.slot) t["slot"].add_int(*f.slot);
  if (f.sample_size_mm) t["sample_size_mm"].add_real(*f.sample_size_mm);
  add_text(t["orientation_mark"], f.orientation_mark);
  add_text(t["orientation"], f.orientation);
  add_point(t["die_pitch_x_um"], t["die_pitch_y_um"], f.die_pitch_um);
  add_point(t["die_origin_x_um"], t["die_origin_y_um"], f.die_origin_um);
  add_point(t["sample_center_x_um"], t["sample_center_y_um"], f.sample_center_um);
  if (f.mirrored) t["mirrored"].add_bool(*f.mirrored);
  double area = 0.0;
  for (const InspectionTest& test : wafer.tests) area += test.area_cm2.value_or(0.0);
  if (area > 0.0) t["area_per_test_cm2"].add_real(area);
  t["tests"].add_int(static_cast<std::int64_t>(wafer.tests.size()));
  t["defects"].add_int(static_cast<std::int64_t>(wafer.defects));
  t["version"].add_text(version_);
  t[store::kSourceRowColumn].add_int(static_cast<std::int64_t>(wafer.line));
  return t;
}

store::Table InspectionRows::plan_rows(const WaferInspection& wafer) {
  auto t = store::Table::of("inspected_dies");
  for (const InspectionTest& test : wafer.tests) {
    for (const auto& [x, y] : test.plan) {
      t["inspection"].add_text(wafer.id);
      t["test"].add_int(test.number);
      t["die_x"].add_int(x);
      t["die_y"].add_int(y);
      t[store::kSourceRowColumn].add_int(static_cast<std::int64_t>(wafer.line));
    }
  }
  return t;
}

store::Table InspectionRows::class_rows(const WaferInspection& wafer) {
  auto t = store::Table::of("defect_classes");
  for (const DefectClass& c : wafer.classes) {
    t["inspection"].add_text(wafer.id);
    t["class_number"].add_int(c.number);
    t["class_name"].add_text(c.name);
    t[store::kSourceRowColumn].add_int(static_cast<std::int64_t>(wafer.line));
  }
  return t;
}

store::Table InspectionRows::lookup_rows(const WaferInspection& wafer) {
  auto t = store::Table::of("inspection_lookups");
  for (const Lookup& lookup : wafer.lookups) {
    t["inspection"].add_text(wafer.id);
    t["kind"].add_text(lookup.kind);
    t["number"].add_int(lookup.number);
    t["value"].add_text(lookup.value);
    t[store::kSourceRowColumn].add_int(static_cast<std::int64_t>(wafer.line));
  }
  return t;
}

/// A row a test of the wafer, and one for each that only the summary knows.
store::Table InspectionRows::test_rows(const WaferInspection& wafer) {
  auto t = store::Table::of("inspection_tests");
  const auto add = [&](int number, const InspectionTest* test, const TestSummary* said) {
    t["inspection"].add_text(wafer.id);
    t["test"].add_int(number);
    if (test != nullptr) {
      if (test->area_cm2) t["area_cm2"].add_real(*test->area_cm2);
      t["plan_die"].add_int(static_cast<std::int64_t>(test->plan.size()));
    }
    const auto it = wafer.defects_by_test.find(number);
    const std::uint64_t found = it == wafer.defects_by_test.end() ? 0 : it->second;
    t["defects"].add_int(static_cast<std::int64_t>(found));
    const auto set = [&](std::string_view column, const std::optional<std::int64_t>& value) {
      if (value && *value >= INT32_MIN && *value <= INT32_MAX) t[column].add_int(*value);
    };
    if (said != nullptr) {
      set("summary_defects", said->defects);
      set("summary_die", said->die);
      set("summary_defective_die", said->defective_die);
      if (said->density) t["summary_density"].add_real(*said->density);
    }
    t[store::kSourceRowColumn].add_int(static_cast<std::int64_t>(wafer.line));
    t.finish_row();
  };
  std::set<int> told;
  for (const InspectionTest& test : wafer.tests) {
    const auto it = std::ranges::find(wafer.summaries, test.number, &TestSummary::test);
    add(test.number, &test, it == wafer.summaries.end() ? nullptr : &*it);
    told.insert(test.number);
  }
  for (const TestSummary& said : wafer.summaries) {
    if (told.insert(said.test).second) add(said.test, nullptr, &said);
  }
  return t;
}

void InspectionRows::send_facts(const std::string& inspection, const OtherStatements& others,
                                std::uint64_t line) {
  auto t = store::Table::of("inspection_facts");
  for (const auto& [name, value] : others.all()) {
    t["inspection"].add_text(inspection);
    t["statement"].add_text(name);
    if (value.empty()) {
      t["value"].add_null();
    } else {
      t["value"].add_text(value);
    }
    t[store::kSourceRowColumn].add_int(static_cast<std::int64_t>(line));
    constexpr std::size_t kBytesOfRow = 64;
    text_weight_ += value.size() / kBytesOfRow;
  }
  send(std::move(t));
}

void InspectionRows::add_file_facts(const OtherStatements& others) {
  if (others.all().empty()) return;
  for (const std::string& inspection : sent_) send_facts(inspection, others, 1);
}

void InspectionRows::finish_wafers(const Facts& lot, const std::vector<DefectClass>& classes,
                                   const std::vector<Lookup>& lookups) {
  for (Waiting& waiting : open_) {
    if (cancelled_) break;
    WaferInspection& wafer = waiting.wafer;
    wafer.facts.inherit(lot);
    if (wafer.classes.empty()) wafer.classes = classes;
    wafer.lookups.insert(wafer.lookups.end(), lookups.begin(), lookups.end());
    ++wafers_;
    lots_.insert(wafer.facts.lot_id.value_or(""));
    defect_count_ += wafer.defects;
    if (!wafer.tests_inherited) {
      tests_ += wafer.tests.size();
      for (const InspectionTest& test : wafer.tests) {
        plan_die_ += test.plan.size();
        area_cm2_ += test.area_cm2.value_or(0.0);
      }
    }
    send(inspection_row(wafer));
    send(plan_rows(wafer));
    send(class_rows(wafer));
    send(lookup_rows(wafer));
    send(test_rows(wafer));
    send_facts(wafer.id, wafer.facts.others, wafer.line);
    sent_.push_back(wafer.id);
    send_defects(waiting);
  }
  open_.clear();
}

Error InspectionRows::stop_reason() const {
  if (too_many()) {
    return {Errc::kFormat, "KLAR-0024",
            "The KLARF file names so many wafers for its test plan or class list that it cannot be "
            "meant; it is damaged."};
  }
  return {Errc::kCancelled, "KLAR-0022", "Reading the KLARF file was cancelled."};
}

ReadSummary InspectionRows::summary() const {
  ReadSummary s;
  s.version = version_;
  s.rows = rows_;
  const auto count = [](auto value) { return static_cast<double>(value); };
  s.counts = {{"lots", count(lots_.size())},        {"wafers", count(wafers_)},
              {"defects", count(defect_count_)},    {"tests", count(tests_)},
              {"plan_die", count(plan_die_)},       {"classes", count(classes_)},
              {"images", count(defects_.images())}, {"area_per_test_cm2", area_cm2_}};
  return s;
}

}  // namespace yieldloop::ingest::klarf
