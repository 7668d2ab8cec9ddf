/// \file
/// The reader of one nested file. Internal to the KLARF reader: records and fields are read in
/// nested_reader.cpp, lists in nested_lists.cpp.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "ingest/readers/klarf/inspection_rows.h"
#include "ingest/readers/klarf/lexer.h"

namespace yieldloop::ingest::klarf {

enum class RecordKind : std::uint8_t { kOther, kFile, kLot, kWafer, kTest };

/// Not thread-safe; reads once.
class NestedReader {
 public:
  NestedReader(std::string_view text, InspectionRows& rows, Complaints& complaints)
      : lexer_(text, true), rows_(rows), complaints_(complaints) {}

  Result<ReadSummary> read();

 private:
  void read_record(int depth, RecordKind outer);
  void begin_record(RecordKind kind, const Token& at, std::string_view id);
  void end_record(RecordKind kind);
  void read_field(RecordKind kind);
  void read_list(RecordKind kind);
  std::vector<std::string_view> read_columns();
  void compare_rows(const Token& list, int declared, std::size_t rows);
  void tell_damaged_name(const Token& name);
  bool open_brace(std::string_view behind);
  void skip_braces();
  void read_defects(const std::vector<std::string_view>& columns);
  void read_plain_rows();
  void read_defect(const Token& first);
  bool read_image_list(const Token& token);
  /// Rows of any other list: values by column; false ends the list.
  bool read_row(std::vector<std::string_view>& values);
  void read_plan(const std::vector<std::string_view>& columns);
  void read_classes(const std::vector<std::string_view>& columns);
  void read_lookups(const std::vector<std::string_view>& columns, const std::string& kind);
  void read_summaries(const std::vector<std::string_view>& columns);
  void read_other_list(RecordKind kind, const Token& name);
  /// Where statements of a record without a column of their own are kept; null: nowhere.
  OtherStatements* others_of(RecordKind kind);
  void keep_other(RecordKind kind, const Token& name, std::string value);
  void finish_lot();
  void complain(const Token& at, std::string id, std::string message) {
    complaints_.reject(at.offset, lexer_.position(), std::move(id), std::move(message));
  }
  void recover_row(const Token& first, std::string id, std::string message);
  void warn(const Token& at, const std::string& what) {
    if (!what.empty() && warnings_.size() < 20) {
      warnings_.push_back(fmt::format("Line {}: {}", complaints_.line_of(at.offset), what));
    }
  }

  Lexer lexer_;
  InspectionRows& rows_;
  Complaints& complaints_;
  std::vector<std::string> warnings_;
  Facts lot_;
  OtherStatements file_;
  std::vector<DefectClass> classes_;
  std::vector<Lookup> lookups_;
  bool in_wafer_ = false;
  bool too_deep_ = false;
  bool ended_ = false;
  std::size_t ordinal_ = 0;
  std::size_t list_rows_ = 0;  ///< Of the list being read, defects excepted.
  std::vector<Piece> pieces_;  ///< Of the row's values, for landmarks.
  Piece data_count_;           ///< The count behind the last "Data".
};

}  // namespace yieldloop::ingest::klarf
