/// \file
/// Gathers wafers, their plans, classes and defects, and hands them to the sink when everything
/// that applies to them is known.
///
/// In the nested dialect the lot's step and pitch follow its wafers, so a lot's wafers wait for
/// the lot's end; in the flat one they go as soon as a batch is full.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/store/table.h"
#include "ingest/readers/klarf/defect_rows.h"
#include "ingest/readers/klarf/facts.h"
#include "ingest/readers/klarf/landmarks.h"
#include "ingest/readers/reader.h"

namespace yieldloop::ingest::klarf {

struct DefectClass {
  int number = 0;
  std::string name;
};

/// A number of the file with another name for it than a class's: class codes, bins, clusters.
struct Lookup {
  std::string kind;
  int number = 0;
  std::string value;
};

/// What the file itself says of a test when its defects are listed.
struct TestSummary {
  int test = 0;
  std::optional<std::int64_t> defects, die, defective_die;
  std::optional<double> density;
  std::size_t from = 0, to = 0;  ///< Where it says so.
};

/// One InspectionTest (TestRecord) of a wafer.
struct InspectionTest {
  int number = 1;
  std::optional<double> area_cm2;
  std::vector<std::pair<int, int>> plan;  ///< Die that were inspected, (XINDEX, YINDEX).
};

struct WaferInspection {
  std::string id;
  Facts facts;
  std::vector<InspectionTest> tests;
  bool tests_inherited = false;  ///< Those of the wafer before, which the file gave once.
  std::vector<DefectClass> classes;
  std::vector<Lookup> lookups;
  std::vector<TestSummary> summaries;
  std::map<int, std::uint64_t> defects_by_test;  ///< Those without TEST under 0.
  std::uint64_t defects = 0;
  std::uint64_t dropped = 0;  ///< Rows of its lists that were rejects.
  std::uint64_t line = 1;
};

/// Not thread-safe.
class InspectionRows {
 public:
  /// `most_rows` bounds what wafers without end may make of one long list they inherit.
  InspectionRows(std::string id_prefix, std::string version, std::uint64_t most_rows,
                 store::RowSink& sink);

  /// Where to say what stands where; null: nowhere.
  void set_landmarks(Landmarks* landmarks) { landmarks_ = landmarks; }
  Landmarks* landmarks() const { return landmarks_; }

  /// Opens the next wafer.
  WaferInspection& begin_wafer(std::uint64_t line);
  WaferInspection& wafer() { return open_.back().wafer; }
  bool has_wafer() const { return !open_.empty(); }
  DefectRows& defects() { return defects_; }
  /// Says to the landmarks, if any, where the values of the committed row stand.
  void tell_row(const Facts& facts, const std::vector<Piece>& values) const {
    if (landmarks_ == nullptr) return;
    landmarks_->row(facts.lot_id.value_or(""), facts.wafer_id.value_or(""), defects_.defect_id(),
                    values);
  }
  /// After each committed row. `may_send` when the wafer's facts are complete already.
  void defect_added(bool may_send);
  /// Closes the wafer's defect rows; it still waits for finish_wafers().
  void end_wafer();
  /// Forgets the open wafer.
  void drop_wafer();
  /// Completes and sends all waiting wafers: what they do not say themselves is the lot's.
  void finish_wafers(const Facts& lot, const std::vector<DefectClass>& classes,
                     const std::vector<Lookup>& lookups);
  /// Statements that hold for all inspections of the file, those already sent included.
  void add_file_facts(const OtherStatements& others);
  void count_classes(std::size_t n) { classes_ += n; }

  /// The sink wants no more, or `too_many()`.
  bool cancelled() const { return cancelled_; }
  /// Wafers that inherit plans and classes came to more rows than a real file can mean.
  bool too_many() const { return rows_ + text_weight_ > most_rows_; }
  /// REQUIRES: cancelled(). KLAR-0022, or KLAR-0024 when there are too many rows.
  Error stop_reason() const;
  std::size_t wafers() const { return wafers_; }
  /// Defects of all wafers that were sent.
  std::uint64_t defects_sent() const { return defect_count_; }
  ReadSummary summary() const;

 private:
  struct Waiting {
    WaferInspection wafer;
    std::vector<store::Table> defects;
  };
  void collect();
  void send(store::Table table);
  void send_defects(Waiting& waiting);
  store::Table inspection_row(const WaferInspection& wafer) const;
  static store::Table plan_rows(const WaferInspection& wafer);
  static store::Table class_rows(const WaferInspection& wafer);
  static store::Table lookup_rows(const WaferInspection& wafer);
  static store::Table test_rows(const WaferInspection& wafer);
  void send_facts(const std::string& inspection, const OtherStatements& others, std::uint64_t line);

  std::string id_prefix_, version_;
  store::RowSink& sink_;
  Landmarks* landmarks_ = nullptr;
  DefectRows defects_;
  std::vector<Waiting> open_;
  std::set<std::string> lots_;
  std::vector<std::string> sent_;  ///< Inspections.
  std::size_t ordinal_ = 0, wafers_ = 0, tests_ = 0, plan_die_ = 0, classes_ = 0;
  std::uint64_t most_rows_;
  std::uint64_t defect_count_ = 0, rows_ = 0;
  std::uint64_t text_weight_ = 0;  ///< Of inherited texts, in rows.
  double area_cm2_ = 0.0;
  bool cancelled_ = false;
};

}  // namespace yieldloop::ingest::klarf
