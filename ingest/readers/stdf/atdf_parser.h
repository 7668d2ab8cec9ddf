/// \file
/// Makes STDF records of ATDF lines (atdf_fields.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/core/result.h"
#include "ingest/readers/stdf/atdf_fields.h"

namespace yieldloop::ingest::stdf {

/// One logical line after another. Scaled values (FAR flag S) are brought to base units with the
/// RES_SCAL, LLM_SCAL and HLM_SCAL of the record, or of the first record of its test. Not
/// thread-safe.
class AtdfParser {
 public:
  /// Reads a FAR line. Errors: kFormat ATDF-0001 when it is none.
  Status open(std::string_view line);

  /// Takes a record apart; its FAR included. Errors: kFormat ATDF-0002 (a field that is not what
  /// it should be), ATDF-0003 (no such
  /// record), ATDF-0006 (two records in one line).
  Result<const RecordValues*> parse(std::string_view line);

 private:
  struct Scales {
    int result = 0, low = 0, high = 0;
  };
  Status parse_fields(const AtdfRecord& record, std::string_view text);
  Status parse_field(const AtdfRecord& record, const AtdfField& field, std::string_view text);
  Status parse_generic(std::string_view text);
  void finish_result(const AtdfRecord& record);
  void finish_multiple();
  void settle_options(const AtdfRecord& record);
  void settle_arrays();
  void unscale();

  char separator_ = '|';
  bool scaled_ = false;
  RecordValues values_;
  std::unordered_map<std::uint64_t, Scales> scales_;  ///< Key: kind and TEST_NUM.
};

}  // namespace yieldloop::ingest::stdf
