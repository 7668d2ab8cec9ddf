#include "ingest/readers/stdf/stdf_columns.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "ingest/readers/stdf/part_table.h"
#include "ingest/readers/stdf/record_cursor.h"
#include "ingest/readers/stdf/record_rows.h"
#include "ingest/readers/stdf/record_types.h"
#include "ingest/readers/stdf/result_fields.h"

namespace yieldloop::ingest::stdf {
namespace {

/// A PTR takes 12 bytes at least; most take two or three times that.
constexpr std::size_t kBytesPerResult = 24;

}  // namespace

void FreePages::operator()(void* memory) const { std::free(memory); }

Pages allocate_pages(std::size_t bytes) {
  constexpr std::size_t kLargePage = std::size_t{2} << 20U;
  const std::size_t size = (bytes + kLargePage - 1) / kLargePage * kLargePage;
  void* memory = std::aligned_alloc(kLargePage, size);
  if (memory == nullptr) throw std::bad_alloc();
  // A wish: without large pages it is slower, not wrong.
  (void)::madvise(memory, size, MADV_HUGEPAGE);
  return Pages(memory);
}

/// Writes the columns of a file. Not thread-safe.
class ColumnFiller {
 public:
  explicit ColumnFiller(std::size_t bytes) {
    grow(std::max<std::size_t>(bytes / kBytesPerResult, 64));
  }

  /// False when the record is damaged.
  bool take(const Record& record, std::endian order) {
    switch (record.code) {
      case kPtr: return take_ptr(record, order);
      case kMpr: return take_mpr(record, order);
      case kPir:
        if (record.body.size() < 2) return false;
        open(byte(record, 0), byte(record, 1));
        return true;
      case kPrr:
        if (record.body.size() < 7) return false;
        part(byte(record, 0), byte(record, 1)) = kNoPart;
        return true;
      default: return true;
    }
  }

  ParametricColumns finish() {
    const auto end = [this](auto& column) { column.size_ = rows_; };
    end(columns_.test);
    end(columns_.part);
    end(columns_.result);
    end(columns_.site);
    end(columns_.flags);
    return std::move(columns_);
  }

 private:
  static constexpr std::int32_t kNoPart = -1;

  static std::uint8_t byte(const Record& record, std::size_t at) {
    return std::to_integer<std::uint8_t>(record.body[at]);
  }
  std::int32_t& part(std::uint8_t head, std::uint8_t site) { return parts_(head, site).sequence; }
  std::int32_t open(std::uint8_t head, std::uint8_t site) {
    return part(head, site) = columns_.parts++;
  }

  bool take_ptr(const Record& record, std::endian order) {
    PtrHead p;
    if (!read_ptr_head(record.body, order != std::endian::native, p)) return false;
    const std::int32_t test = columns_.tests.find('P', p.number, p.text);
    if (p.taken < record.body.size()) {
      Fields fields(record.body.subspan(p.taken), order);
      columns_.tests.describe(test, fields, std::nullopt);
      if (fields.cut()) return false;
    }
    std::int32_t in = part(p.head, p.site);
    if (in < 0) in = open(p.head, p.site);
    if (rows_ == capacity_) grow(2 * capacity_);
    const std::size_t i = rows_++;
    columns_.test.data_[i] = test;
    columns_.part.data_[i] = in;
    columns_.result.data_[i] = p.result;
    columns_.site.data_[i] = p.site;
    columns_.flags.data_[i] = p.flags;
    return true;
  }

  bool take_mpr(const Record& record, std::endian order) {
    Fields fields(record.body, order);
    if (!fields.has(8)) return false;
    const std::uint32_t number = fields.u4();
    const std::uint8_t head = fields.u1();
    const std::uint8_t site = fields.u1();
    const std::uint8_t flags = fields.u1();
    fields.u1();  // PARM_FLG
    const std::size_t pins = fields.u2();
    const std::size_t count = fields.u2();
    fields.skip((pins + 1) / 2);  // RTN_STAT
    Fields results = fields;
    fields.skip(4 * count);
    if (count > 0 && !results.has(4 * count)) return false;
    const std::string_view text = fields.cn();
    fields.cn();  // ALARM_ID
    if (fields.cut()) return false;
    const std::int32_t test = columns_.tests.find('M', number, text);
    if (!fields.ended()) columns_.tests.describe(test, fields, pins);
    std::int32_t in = part(head, site);
    if (in < 0) in = open(head, site);
    auto& m = columns_.multiple;
    for (std::size_t i = 0; i < count; ++i) {
      m.test.push_back(test);
      m.part.push_back(in);
      m.element.push_back(static_cast<std::int32_t>(i));
      m.result.push_back(results.r4());
      m.site.push_back(site);
      m.flags.push_back(flags);
    }
    return true;
  }

  void grow(std::size_t capacity) {
    const auto move = [&](auto& column) {
      using T = std::decay_t<decltype(column.data_[0])>;
      Pages more = allocate_pages(capacity * sizeof(T));
      T* data = static_cast<T*>(more.get());
      std::copy_n(column.data_, rows_, data);
      column.pages_ = std::move(more);
      column.data_ = data;
    };
    move(columns_.test);
    move(columns_.part);
    move(columns_.result);
    move(columns_.site);
    move(columns_.flags);
    capacity_ = capacity;
  }

  ParametricColumns columns_;
  PartTable parts_;
  std::size_t rows_ = 0;
  std::size_t capacity_ = 0;
};

Result<ParametricColumns> read_columns(Bytes bytes, Rejects& rejects) {
  YL_ASSIGN(RecordCursor cursor, RecordCursor::open(bytes));
  ColumnFiller filler(bytes.size());
  Record record;
  const std::endian order = cursor.byte_order();
  while (cursor.next(record, rejects)) {
    if (filler.take(record, order)) continue;
    rejects.push_back(
        {.byte_offset = record.byte_offset,
         .line = std::nullopt,
         .record = static_cast<std::size_t>(record.ordinal),
         .bytes_dropped = record.body.size() + 4,
         .id = "STDF-0006",
         .message = fmt::format("A {} record ends inside a field.", name_of_type(record.code))});
  }
  return filler.finish();
}

}  // namespace yieldloop::ingest::stdf
