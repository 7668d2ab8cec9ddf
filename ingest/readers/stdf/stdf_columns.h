/// \file
/// All parametric results of an STDF file as columns in memory: the fast path for programs that
/// compute on them at once and need no store. It shares the record walk, the PTR decoding, the
/// parts and the test catalogue with the reader; what that reader keeps beside them is passed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/core/result.h"
#include "ingest/readers/diagnostics.h"
#include "ingest/readers/reader.h"
#include "ingest/readers/stdf/test_catalogue.h"

namespace yieldloop::ingest::stdf {

/// Memory that is asked for in large pages and not touched before it is written.
struct FreePages {
  void operator()(void* memory) const;
};
using Pages = std::unique_ptr<void, FreePages>;
/// REQUIRES: bytes > 0. Throws std::bad_alloc.
Pages allocate_pages(std::size_t bytes);

/// A column of plain values.
template <class T>
class PlainColumn {
 public:
  std::span<const T> view() const { return {data_, size_}; }
  std::size_t size() const { return size_; }
  const T& operator[](std::size_t row) const { return data_[row]; }

 private:
  friend class ColumnFiller;
  Pages pages_;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

/// One row a PTR, in the order of the file.
struct ParametricColumns {
  PlainColumn<std::int32_t> test;   ///< Position in `tests`, which says number, text and limits.
  PlainColumn<std::int32_t> part;   ///< Counted from 0 over the file, in the order of the PIRs.
  PlainColumn<float> result;        ///< RESULT as written.
  PlainColumn<std::uint8_t> site;   ///< SITE_NUM.
  PlainColumn<std::uint8_t> flags;  ///< TEST_FLG: a result counts when bits 1 and 4 are clear.

  /// The results of MPR, one row an element; the same meaning.
  struct Multiple {
    std::vector<std::int32_t> test, part, element;
    std::vector<float> result;
    std::vector<std::uint8_t> site, flags;
  } multiple;

  TestCatalogue tests;
  std::int32_t parts = 0;
  std::size_t rows() const { return test.size(); }
};

/// Reads a whole file that is in memory; several lots in it share one catalogue of tests.
/// Cost: O(bytes); 14 bytes a result.
/// Errors: those of RecordCursor::open. Rejects: STDF-0002, STDF-0004, STDF-0006, as the reader.
Result<ParametricColumns> read_columns(Bytes bytes, Rejects& rejects);

}  // namespace yieldloop::ingest::stdf
