/// \file
/// A KLARF file with other classes: byte for byte the file as it came, but for class columns.
///
/// What review tools and fabs exchange is the same file with CLASSNUMBER and its like filled in;
/// everything else, down to blanks and odd statements, must stay as the inspection tool wrote it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/result.h"

namespace yieldloop::ingest::klarf {

/// New values of one defect.
struct ClassEdit {
  std::string lot_id;    ///< Empty: any lot.
  std::string wafer_id;  ///< Empty: any wafer.
  std::int64_t defect_id = 0;
  std::vector<std::pair<std::string, std::int64_t>> values;  ///< Column name and its new value.
};

struct ClassName {
  int number = 0;
  std::string name;
};

struct Rewritten {
  std::string text;
  std::size_t defects = 0;         ///< Whose row was changed or held the value already.
  std::size_t values = 0;          ///< That are different now.
  std::size_t classes = 0;         ///< Added to class lists.
  std::size_t without_defect = 0;  ///< Edits whose defect is not in the file.
  std::size_t without_column = 0;  ///< Values for a column that the defect's list has not.
};

/// CLASSNUMBER, ROUGHBINNUMBER, FINEBINNUMBER, SAMPLEBINNUMBER and every other ...CLASS or
/// ...BINNUMBER.
bool is_class_column(std::string_view name);

/// `names`: what new class numbers are called; one that the file's class list lacks is added to it
/// when a defect gets it, as "Class N" when it has no name here.
/// Errors: kInvalidOptions KLAR-0030 (a column that holds no class); those of klarf_reader.
Result<Rewritten> rewrite_classes(std::string_view text, const std::vector<ClassEdit>& edits,
                                  const std::vector<ClassName>& names);

}  // namespace yieldloop::ingest::klarf
