/// \file
/// The rows of a flat DefectList.
///
/// An image list is itself counted, and its pairs may stand on the next line. Two forms occur:
/// IMAGECOUNT then IMAGELIST = `n` and n pairs (image, type); or IMAGECOUNT and directly its
/// pairs. Which one a file has is decided at its first row with images: the form after which the
/// row ends where a row can end.
#pragma once

#include <string_view>
#include <vector>

#include "ingest/readers/klarf/inspection_rows.h"
#include "ingest/readers/klarf/lexer.h"

namespace yieldloop::ingest::klarf {

/// Whether the token begins a statement the reader knows, at the start of a line: where a ';' was
/// forgotten, that is where the next statement begins.
bool starts_statement(const Token& token);

/// Not thread-safe.
class FlatDefectList {
 public:
  /// The lexer stands behind the word DefectList. REQUIRES: a wafer is open; the references
  /// outlive the list.
  FlatDefectList(Lexer& lexer, InspectionRows& rows, Complaints& complaints,
                 std::string_view& tiff_file)
      : lexer_(lexer), rows_(rows), complaints_(complaints), tiff_file_(tiff_file) {}

  /// Reads up to the ';' and behind it.
  void read(const Token& name, const std::vector<std::string_view>& columns);

 private:
  enum class ImageForm : std::uint8_t { kUnknown, kCounted, kBare };

  bool has_row_a_line(std::size_t columns) const;
  void skip_list();
  void read_plain_rows();
  void read_row(const Token& first);
  bool read_images(const Lexer& before, const Token& token, bool last_column);
  void decide_form(const Lexer& before, const Token& token, bool last_column);
  bool ends_row(const Token& token) const;
  bool row_can_end_after(Lexer lexer, std::int64_t values) const;
  void recover(const Token& first, std::string id, std::string message);

  Lexer& lexer_;
  InspectionRows& rows_;
  Complaints& complaints_;
  std::string_view& tiff_file_;
  ImageForm form_ = ImageForm::kUnknown;
  bool row_a_line_ = true;
  std::size_t ordinal_ = 0;
  std::vector<Piece> pieces_;  ///< Of the row's values, for landmarks.
};

}  // namespace yieldloop::ingest::klarf
