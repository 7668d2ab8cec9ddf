/// \file
/// Reads one file, record by record: its lots one after the other, its counts, and what of it does
/// not add up. The records come from STDF or were made from ATDF.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>

#include "engine/core/sha256.h"
#include "engine/store/table.h"
#include "ingest/readers/diagnostics.h"
#include "ingest/readers/reader.h"
#include "ingest/readers/stdf/lot_assembler.h"

namespace yieldloop::ingest::stdf {

/// Not thread-safe.
class FileReading {
 public:
  /// REQUIRES: the references outlive the reading.
  FileReading(const Sha256Digest& digest, store::RowSink& sink, Rejects& rejects);

  /// Errors: kCancelled STDF-0007; kFormat STDF-0008 (wafers, tests or bins without end).
  Status take(const Record& record, std::endian order) {
    const std::size_t index = type_index(record.code);
    ++records_[index];
    const bool is_plain = index != 0 && record.code != kMir && record.code != kVur;
    if (!is_plain) {
      YL_TRY(note(record, order));
    }
    const Taking taking = lot_->take(record, order);
    if (!taking.cut && taking.surplus == 0 && !taking.is_new) return Ok{};
    return look_closer(record, order, taking);
  }
  /// The file has ended at an offset, or a line, after so many records.
  /// Errors: as take.
  Result<ReadSummary> finish(const Record& end);

  /// Adds a warning of the caller's.
  void warn(std::string_view sentence) { warnings_.emplace_back(sentence); }

 private:
  struct CountingSink final : store::RowSink {
    explicit CountingSink(store::RowSink& to) : target(to) {}
    bool put(store::Table batch) override {
      rows += batch.rows();
      return target.put(std::move(batch));
    }
    store::RowSink& target;
    std::uint64_t rows = 0;
  };
  struct PrivateType {
    std::uint64_t count = 0;
    Record first;
    const RecordLayout* reads_as = nullptr;
  };

  void start_lot();
  Status end_lot(const Record& at);
  Status note(const Record& record, std::endian order);
  Status look_closer(const Record& record, std::endian order, const Taking& taking);
  Status check_size() const;
  void check_end(const Record& at);
  void check_private_types();
  void reject(const Record& record, std::size_t bytes, std::string id, std::string message);
  ReadSummary summary() const;
  void add_warnings(ReadSummary& s) const;

  std::string id_prefix_;
  Rejects& rejects_;
  CountingSink counting_;
  PartCounts counts_;
  std::unique_ptr<LotAssembler> lot_;
  std::array<std::uint64_t, kTypeCount + 1> records_{};  ///< By type_index.
  std::map<std::uint16_t, PrivateType> private_types_;
  std::size_t lots_ = 0;
  std::size_t runs_ = 0, wafers_ = 0, tests_ = 0, identities_ = 0, changed_ = 0;
  std::size_t overlong_ = 0;
  bool is_2007_ = false;
  std::vector<std::string> warnings_;
};

}  // namespace yieldloop::ingest::stdf
