#include "ingest/readers/stdf/file_reading.h"

#include <fmt/format.h>

#include "ingest/readers/stdf/record_layout.h"

namespace yieldloop::ingest::stdf {
namespace {

// What a file keeps in memory until its lot ends.
constexpr std::size_t kMostRuns = 100'000;
constexpr std::size_t kMostTests = 2'000'000;
constexpr std::size_t kMostBinRows = 20'000'000;
constexpr std::size_t kMostNamed = 3;

Error cancelled() {
  return {Errc::kCancelled, "STDF-0007", "Reading the STDF file was cancelled."};
}

/// Types that testers are known to write beside the standard's: images, IG900, and 14.
bool is_known_to_be_private(std::uint16_t code) {
  const unsigned type = code >> 8U;
  return type == 180 || type == 181 || type == 14;
}

}  // namespace

FileReading::FileReading(const Sha256Digest& digest, store::RowSink& sink, Rejects& rejects)
    : id_prefix_(digest.hex().substr(0, 16)), rejects_(rejects), counting_(sink) {
  start_lot();
}

void FileReading::start_lot() {
  ++lots_;
  lot_ = std::make_unique<LotAssembler>(id_prefix_, runs_ + 1, counts_, counting_);
}

void FileReading::reject(const Record& record, std::size_t bytes, std::string id,
                         std::string message) {
  rejects_.push_back({.byte_offset = record.byte_offset,
                      .line = record.line == 0 ? std::optional<std::uint64_t>()
                                               : std::optional<std::uint64_t>(record.line),
                      .record = static_cast<std::size_t>(record.ordinal),
                      .bytes_dropped = bytes,
                      .id = std::move(id),
                      .message = std::move(message)});
}

Status FileReading::note(const Record& record, std::endian order) {
  if (record.code == kMir && lot_->has_mir()) {
    YL_TRY(end_lot(record));
    start_lot();
  }
  is_2007_ = is_2007_ || record.code == kVur;
  if (type_index(record.code) != 0) return Ok{};
  PrivateType& type = private_types_[record.code];
  if (type.count++ == 0) {
    type.first = record;
    type.first.body = record.body.first(0);
    type.reads_as = reads_as_another(record.code, record.body, order);
  }
  return Ok{};
}

/// Runs for every record but the plain results that say nothing new.
Status FileReading::look_closer(const Record& record, std::endian order, const Taking& taking) {
  if (taking.cut) {
    reject(record, record.body.size() + 4, "STDF-0006",
           fmt::format("A {} record ends inside a field.", name_of_type(record.code)));
  } else if (type_index(record.code) != 0 && holds_records(record.code, record.body, order)) {
    reject(record, 0, "STDF-0010",
           fmt::format("A {} record is longer than its fields and holds other records; its length "
                       "is damaged.",
                       name_of_type(record.code)));
  } else if (const RecordLayout* other = taking.surplus == 0
                                             ? nullptr
                                             : reads_as_another(record.code, record.body, order)) {
    reject(
        record, 0, "STDF-0016",
        fmt::format("A record of type {} is longer than its fields and reads as a {}; its type is "
                    "damaged.",
                    name_of_type(record.code), other->name));
  } else if (taking.surplus > 0) {
    ++overlong_;
  }
  return check_size();
}

Status FileReading::check_size() const {
  if (lot_->cancelled()) return cancelled();
  if (runs_ + lot_->runs() <= kMostRuns && lots_ <= kMostRuns &&
      lot_->tests().tests().size() <= kMostTests && lot_->bin_rows_to_come() <= kMostBinRows) {
    return Ok{};
  }
  return Error{
      Errc::kFormat, "STDF-0008",
      fmt::format("The STDF file has more than {} wafers, {} tests or {} bins, which cannot "
                  "be meant; it is damaged.",
                  kMostRuns, kMostTests, kMostBinRows)};
}

/// A lot that is whole ends with an MRR; one that was aborted or cut does not.
void FileReading::check_end(const Record& at) {
  if (lot_->complete()) return;
  std::string parts;
  std::size_t count = 0;
  for (const PartInFlight& part : lot_->in_flight()) {
    if (++count > kMostNamed) continue;
    parts += fmt::format("{} head {} site {} (begun at offset {})", count == 1 ? "" : ",",
                         part.head, part.site, part.byte_offset);
  }
  if (count > kMostNamed) parts += fmt::format(" and {} more", count - kMostNamed);
  reject(at, 0, "STDF-0009",
         fmt::format("The lot ends without an MRR record at offset {}: it was aborted or the file "
                     "was cut; {}.",
                     at.byte_offset,
                     count == 0 ? std::string("no part was in flight")
                                : fmt::format("without a PRR:{}", parts)));
}

Status FileReading::end_lot(const Record& at) {
  check_end(at);
  for (Disagreement& d : lot_->disagreements()) {
    if (!d.is_reject) {
      warnings_.push_back(fmt::format("{}: {}", d.id, d.message));
      continue;
    }
    Record where;
    where.byte_offset = d.place.byte_offset;
    where.ordinal = d.place.ordinal;
    reject(where, 0, std::move(d.id), std::move(d.message));
  }
  const bool go_on = lot_->finish();
  runs_ += lot_->runs();
  wafers_ += lot_->wafers();
  tests_ += lot_->tests().numbers();
  identities_ += lot_->tests().tests().size();
  changed_ += lot_->tests().changed();
  return go_on ? Status(Ok{}) : Status(cancelled());
}

/// One record of a type that nobody knows is rather a damaged one than a tester's own.
void FileReading::check_private_types() {
  for (const auto& [code, type] : private_types_) {
    const bool is_of_standard = (code >> 8U) <= 2 || (code >> 8U) == 5 || (code >> 8U) == 10 ||
                                (code >> 8U) == 15 || (code >> 8U) == 20 || (code >> 8U) == 50;
    const bool is_damage = type.count == 1 && type.reads_as != nullptr;
    if (!is_damage && (is_known_to_be_private(code) || (!is_of_standard && type.count > 1)))
      continue;
    reject(type.first, 0, "STDF-0015",
           fmt::format("Type {} is in no standard ({} records): private or damaged, kept as bytes.",
                       name_of_type(code), type.count));
  }
}

Result<ReadSummary> FileReading::finish(const Record& end) {
  YL_TRY(end_lot(end));
  check_private_types();
  return summary();
}

ReadSummary FileReading::summary() const {
  ReadSummary s;
  s.version = is_2007_ ? "V4-2007" : "V4";
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
  auto& records = s.grouped_counts["records"];
  for (std::size_t i = 1; i < records_.size(); ++i) {
    if (records_[i] > 0) records[std::string(type_at(i).name)] = number(records_[i]);
  }
  for (const auto& [code, type] : private_types_) records[name_of_type(code)] = number(type.count);
  for (const auto& [bin, n] : counts_.hard_bins) {
    s.grouped_counts["hard_bins"][std::to_string(bin)] = number(n);
  }
  for (const auto& [bin, n] : counts_.soft_bins) {
    s.grouped_counts["soft_bins"][std::to_string(bin)] = number(n);
  }
  add_warnings(s);
  return s;
}

void FileReading::add_warnings(ReadSummary& s) const {
  s.warnings = warnings_;
  if (counts_.without_prr > 0) {
    s.warnings.push_back(
        fmt::format("{} parts were begun but have no result record (PRR).", counts_.without_prr));
  }
  if (changed_ > 0) {
    s.warnings.push_back(fmt::format(
        "{} tests change their limits within the file; the first limits are kept.", changed_));
  }
  if (overlong_ > 0) {
    s.warnings.push_back(fmt::format(
        "{} records are longer than their fields; what follows the fields was passed over.",
        overlong_));
  }
}

}  // namespace yieldloop::ingest::stdf
