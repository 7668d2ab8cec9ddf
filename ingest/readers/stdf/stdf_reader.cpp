#include "ingest/readers/stdf/stdf_reader.h"

#include <fmt/format.h>

#include <array>
#include <memory>

#include "ingest/readers/stdf/lot_assembler.h"

namespace yieldloop::ingest::stdf {
namespace {

// What a file keeps in memory until its lot ends.
constexpr std::size_t kMostRuns = 100'000;
constexpr std::size_t kMostTests = 2'000'000;

Error cancelled() {
  return {Errc::kCancelled, "STDF-0007", "Reading the STDF file was cancelled."};
}

std::string name_of(std::uint16_t code) {
  const RecordType* type = find_record_type(code);
  return type != nullptr ? std::string(type->name) : fmt::format("{},{}", code >> 8U, code & 0xffU);
}

/// Reads one file; a file made of several lots one after the other has several assemblers.
class FileReading {
 public:
  FileReading(const Sha256Digest& digest, store::RowSink& sink, Rejects& rejects)
      : id_prefix_(digest.hex().substr(0, 16)), sink_(sink), rejects_(rejects) {
    start_lot();
  }

  Result<ReadSummary> read(RecordCursor& cursor) {
    while (const auto record = cursor.next(rejects_)) {
      ++records_[record->code];
      if (record->code == kMir && lot_->has_mir()) {
        if (!end_lot()) return cancelled();
        start_lot();
      }
      if (!lot_->take(*record, cursor.byte_order())) {
        reject(*record, "STDF-0006",
               fmt::format("A {} record ends inside a field.", name_of(record->code)));
      }
      if (lot_->cancelled()) return cancelled();
      if (runs_ + lot_->runs() > kMostRuns || lots_ > kMostRuns ||
          lot_->tests().tests().size() > kMostTests) {
        return Error{Errc::kFormat, "STDF-0008",
                     fmt::format("The STDF file has more than {} wafers or {} tests, which cannot "
                                 "be meant; it is damaged.",
                                 kMostRuns, kMostTests)};
      }
    }
    if (cursor.error()) return *cursor.error();
    if (!end_lot()) return cancelled();
    return summary();
  }

 private:
  void start_lot() {
    ++lots_;
    lot_ = std::make_unique<LotAssembler>(id_prefix_, runs_ + 1, counts_, counting_);
  }

  bool end_lot() {
    const bool go_on = lot_->finish();
    runs_ += lot_->runs();
    wafers_ += lot_->wafers();
    tests_ += lot_->tests().numbers();
    identities_ += lot_->tests().tests().size();
    changed_ += lot_->tests().changed();
    incomplete_ = incomplete_ || !lot_->complete();
    return go_on;
  }

  void reject(const Record& record, std::string id, std::string message) {
    rejects_.push_back({.byte_offset = record.byte_offset,
                        .line = std::nullopt,
                        .record = static_cast<std::size_t>(record.ordinal),
                        .bytes_dropped = record.body.size() + 4,
                        .id = std::move(id),
                        .message = std::move(message)});
  }

  ReadSummary summary() const {
    ReadSummary s;
    s.version = "V4";
    s.rows = counting_.rows;
    const auto number = [](auto value) { return static_cast<double>(value); };
    s.counts = {{"wafers", number(wafers_)},
                {"parts_pass", number(counts_.pass)},
                {"parts_fail", number(counts_.fail)},
                {"parts_unknown", number(counts_.unknown)},
                {"parts_retested", number(counts_.retested)},
                {"parts_without_prr", number(counts_.without_prr)},
                {"sites", number(counts_.sites.size())},
                {"tests", number(tests_)},
                {"test_identities", number(identities_)},
                {"ptr", number(counts_.ptr)},
                {"ptr_valid", number(counts_.ptr_valid)},
                {"ptr_sum", counts_.ptr_sum},
                {"mpr_values", number(counts_.mpr_values)}};
    if (counts_.has_xy) {
      s.counts["x_min"] = counts_.x_min;
      s.counts["x_max"] = counts_.x_max;
      s.counts["y_min"] = counts_.y_min;
      s.counts["y_max"] = counts_.y_max;
    }
    for (const auto& [code, n] : records_) s.grouped_counts["records"][name_of(code)] = number(n);
    for (const auto& [bin, n] : counts_.hard_bins) {
      s.grouped_counts["hard_bins"][std::to_string(bin)] = number(n);
    }
    for (const auto& [bin, n] : counts_.soft_bins) {
      s.grouped_counts["soft_bins"][std::to_string(bin)] = number(n);
    }
    add_warnings(s);
    return s;
  }

  void add_warnings(ReadSummary& s) const {
    if (incomplete_) {
      s.warnings.push_back("There is no MRR record: the lot was aborted or the file was cut.");
    }
    if (counts_.without_prr > 0) {
      s.warnings.push_back(
          fmt::format("{} parts were begun but have no result record (PRR).", counts_.without_prr));
    }
    if (changed_ > 0) {
      s.warnings.push_back(
          fmt::format("{} tests change their limits within the file; the first "
                      "limits are kept.",
                      changed_));
    }
  }

  struct CountingSink final : store::RowSink {
    explicit CountingSink(store::RowSink& to) : target(to) {}
    bool put(store::Table batch) override {
      rows += batch.rows();
      return target.put(std::move(batch));
    }
    store::RowSink& target;
    std::uint64_t rows = 0;
  };

  std::string id_prefix_;
  store::RowSink& sink_;
  Rejects& rejects_;
  CountingSink counting_{sink_};
  PartCounts counts_;
  std::unique_ptr<LotAssembler> lot_;
  std::map<std::uint16_t, std::uint64_t> records_;
  std::size_t lots_ = 0;
  std::size_t runs_ = 0, wafers_ = 0, tests_ = 0, identities_ = 0, changed_ = 0;
  bool incomplete_ = false;
};

Result<ReadSummary> read_stdf(Input& input, const ReadOptions&, store::RowSink& sink,
                              Rejects& rejects) {
  YL_ASSIGN(auto source, input.stream());
  YL_ASSIGN(RecordCursor cursor, RecordCursor::open(std::move(source)));
  return FileReading(input.digest(), sink, rejects).read(cursor);
}

/// A FAR: REC_LEN 2 in either byte order, type 0, subtype 10. Other versions are recognised too,
/// so that reading them says what is wrong.
Confidence sniff_stdf(std::string_view, Bytes head) {
  const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(head[i]); };
  if (head.size() < 6 || byte(2) != 0 || byte(3) != 10) return Confidence::kNo;
  const bool far = (byte(0) == 2 && byte(1) == 0) || (byte(0) == 0 && byte(1) == 2);
  if (!far) return Confidence::kNo;
  return byte(5) == 4 && byte(4) <= 2 ? Confidence::kCertain : Confidence::kMaybe;
}

}  // namespace

ReaderDeclaration stdf_reader() {
  return {.id = "stdf",
          .title = "STDF V4 test data",
          .patterns = "*.stdf *.std",
          .sniff = sniff_stdf,
          .read = read_stdf};
}

}  // namespace yieldloop::ingest::stdf
