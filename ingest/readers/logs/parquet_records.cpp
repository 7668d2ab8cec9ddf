#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/core/text.h"
#include "ingest/readers/logs/parquet.h"

namespace yieldloop::ingest {
namespace {

using parquet::Chunk;
using parquet::Leaf;
using parquet::PageHeader;
using parquet::Values;

/// No writer makes pages this long; a header that says so is damaged.
constexpr std::uint32_t kLongestPage = 256U << 20U;

Error damaged(const Leaf& leaf, std::uint64_t at) {
  return {Errc::kFormat, "PARQ-0004",
          fmt::format("The page of the Parquet column {} at byte {} is damaged, and what follows "
                      "cannot be found.",
                      one_line(leaf.name), at)};
}

Error unsupported(const Leaf& leaf, std::string_view what, int number) {
  return {Errc::kUnsupported, "PARQ-0002",
          fmt::format("The Parquet column {} has {} {}, which is not read; write it with Snappy or "
                      "Zstandard and common encodings.",
                      one_line(leaf.name), what, number)};
}

/// Walks over the values of one column chunk.
class Cursor {
 public:
  Cursor(Bytes bytes, const Leaf& leaf, const Chunk& chunk)
      : bytes_(bytes), leaf_(&leaf), chunk_(&chunk), at_(chunk.begin) {}

  /// The next value as text, "" for null; valid until the next call.
  Result<std::string_view> next() {
    while (row_ == rows_) YL_TRY(next_page());
    const std::size_t row = row_++;
    if (!present_.empty() && present_[row] == 0) return std::string_view();
    const std::size_t i = value_++;
    if (coded_) return parquet::text_of(*leaf_, dictionary_, codes_[i], buffer_);
    return parquet::text_of(*leaf_, values_, i, buffer_);
  }

 private:
  Status next_page() {
    if (at_ >= chunk_->end) return damaged(*leaf_, at_);
    const std::uint64_t from = at_;
    const Bytes rest = bytes_.subspan(at_, chunk_->end - at_);
    PageHeader header;
    if (!parquet::read_page_header(rest, header) || header.packed > rest.size() - header.size ||
        header.unpacked > kLongestPage) {
      return damaged(*leaf_, from);
    }
    const bool data = header.type == 0 || header.type == 3;
    if (header.values > (data ? chunk_->values - values_read_ : kLongestPage)) {
      return damaged(*leaf_, from);
    }
    if (data) values_read_ += header.values;
    const Bytes body = rest.subspan(header.size, header.packed);
    at_ += header.size + header.packed;
    if (header.type == 2) return read_dictionary(header, body, from);
    if (header.type != 0 && header.type != 3) return Ok{};  // An index, or what is not known yet.
    if (header.values == 0) return Ok{};
    return header.type == 0 ? read_data(header, body, from) : read_data_2(header, body, from);
  }

  Status unpack(int codec, Bytes packed, std::size_t size, std::vector<std::byte>& out,
                std::uint64_t from) {
    // What packing can achieve at best; beyond it the header is damaged.
    constexpr std::size_t kBestRatio = 100'000;
    if (size > packed.size() * kBestRatio + 64) return damaged(*leaf_, from);
    out.resize(size);
    bool known = true;
    if (parquet::unpack(codec, packed, out, known)) return Ok{};
    return known ? damaged(*leaf_, from) : unsupported(*leaf_, "compression", codec);
  }

  Status read_dictionary(const PageHeader& header, Bytes body, std::uint64_t from) {
    YL_TRY(unpack(chunk_->codec, body, header.unpacked, dictionary_page_, from));
    dictionary_ = {};
    bool known = true;
    // 2 is the older name of plain values in a dictionary page.
    const int encoding = header.encoding == 2 ? 0 : header.encoding;
    if (parquet::read_values(*leaf_, encoding, dictionary_page_, header.values, dictionary_,
                             known)) {
      return Ok{};
    }
    return known ? damaged(*leaf_, from) : unsupported(*leaf_, "encoding", header.encoding);
  }

  Status read_data(const PageHeader& header, Bytes body, std::uint64_t from) {
    YL_TRY(unpack(chunk_->codec, body, header.unpacked, page_, from));
    Bytes data = page_;
    std::uint32_t levels = 0;
    if (leaf_->optional) {
      if (data.size() < sizeof levels) return damaged(*leaf_, from);
      std::memcpy(&levels, data.data(), sizeof levels);
      data = data.subspan(sizeof levels);
      if (levels > data.size()) return damaged(*leaf_, from);
    }
    return read_page(header, data.first(levels), data.subspan(levels), from);
  }

  Status read_data_2(const PageHeader& header, Bytes body, std::uint64_t from) {
    const std::size_t levels = header.definition_bytes;
    if (header.repetition_bytes != 0 || levels > body.size() || levels > header.unpacked) {
      return damaged(*leaf_, from);
    }
    const int codec = header.is_packed ? chunk_->codec : 0;
    YL_TRY(unpack(codec, body.subspan(levels), header.unpacked - levels, page_, from));
    return read_page(header, body.first(levels), page_, from);
  }

  Status read_page(const PageHeader& header, Bytes levels, Bytes data, std::uint64_t from) {
    present_.clear();
    std::size_t there = header.values;
    if (leaf_->optional) {
      if (!parquet::read_hybrid(levels, 1, header.values, present_)) return damaged(*leaf_, from);
      there = static_cast<std::size_t>(std::count(present_.begin(), present_.end(), 1U));
    }
    values_ = {};
    codes_.clear();
    coded_ = header.encoding == 2 || header.encoding == 8;
    row_ = value_ = 0;
    rows_ = 0;
    if (coded_) {
      YL_TRY(read_codes(data, there, from));
    } else {
      bool known = true;
      if (!parquet::read_values(*leaf_, header.encoding, data, there, values_, known)) {
        return known ? damaged(*leaf_, from) : unsupported(*leaf_, "encoding", header.encoding);
      }
    }
    rows_ = header.values;
    return Ok{};
  }

  Status read_codes(Bytes data, std::size_t count, std::uint64_t from) {
    if (count == 0) return Ok{};
    if (data.empty()) return damaged(*leaf_, from);
    const int width = std::to_integer<int>(data[0]);
    if (!parquet::read_hybrid(data.subspan(1), width, count, codes_)) return damaged(*leaf_, from);
    for (const std::uint32_t code : codes_) {
      if (code >= dictionary_.size()) return damaged(*leaf_, from);
    }
    return Ok{};
  }

  Bytes bytes_;
  const Leaf* leaf_;
  const Chunk* chunk_;
  std::uint64_t at_;
  std::uint64_t values_read_ = 0;  ///< Of the pages so far.
  std::vector<std::byte> page_, dictionary_page_;
  Values dictionary_, values_;
  std::vector<std::uint32_t> codes_, present_;
  bool coded_ = false;
  std::size_t row_ = 0, rows_ = 0, value_ = 0;
  std::string buffer_;
};

class ParquetRecords final : public RecordSource {
 public:
  ParquetRecords(Bytes bytes, parquet::Footer footer) : bytes_(bytes), footer_(std::move(footer)) {
    for (const Leaf& leaf : footer_.leaves) columns_.push_back(leaf.name);
    cells_.resize(columns_.size());
  }

  Result<bool> next() override {
    while (left_ == 0) {
      if (group_ == footer_.groups.size()) return false;
      const parquet::RowGroup& group = footer_.groups[group_++];
      left_ = group.rows;
      cursors_.clear();
      for (std::size_t c = 0; c < footer_.leaves.size(); ++c) {
        cursors_.emplace_back(bytes_, footer_.leaves[c], group.chunks[c]);
      }
    }
    --left_;
    ++line_;
    for (std::size_t c = 0; c < cursors_.size(); ++c) {
      YL_ASSIGN(cells_[c], cursors_[c].next());
    }
    good();
    return true;
  }

 private:
  Bytes bytes_;
  parquet::Footer footer_;
  std::size_t group_ = 0;
  std::uint64_t left_ = 0;
  std::vector<Cursor> cursors_;
};

}  // namespace

bool looks_like_parquet(Bytes head) {
  return head.size() >= 12 && std::memcmp(head.data(), "PAR1", 4) == 0;
}

Result<std::unique_ptr<RecordSource>> parquet_records(Bytes bytes) {
  YL_ASSIGN(parquet::Footer footer, parquet::read_footer(bytes));
  return std::unique_ptr<RecordSource>(std::make_unique<ParquetRecords>(bytes, std::move(footer)));
}

}  // namespace yieldloop::ingest
