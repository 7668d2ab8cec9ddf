#include "ingest/pipeline/wire.h"

#include <algorithm>

namespace yieldloop::ingest::wire {
namespace {

using store::Column;
using store::ColumnType;
using store::Table;

constexpr std::size_t kAlign = 8;

std::size_t padded(std::size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

std::size_t width_of(ColumnType type) {
  switch (type) {
    case ColumnType::kBool: return 1;
    case ColumnType::kInt32:
    case ColumnType::kFloat32: return 4;
    case ColumnType::kInt64:
    case ColumnType::kFloat64:
    case ColumnType::kTime: return 8;
    case ColumnType::kText: break;
  }
  return 4;  // A code.
}

/// Fills a span from its start; each piece begins at a multiple of eight.
class Packer {
 public:
  explicit Packer(std::span<std::byte> room) : room_(room) {}
  void number(std::uint64_t value) { put(&value, sizeof value); }
  void put(const void* bytes, std::size_t size) {
    if (used_ + padded(size) > room_.size()) overflow_ = true;
    if (overflow_) return;
    if (size > 0) std::memcpy(room_.data() + used_, bytes, size);
    used_ += padded(size);
  }
  /// Room for `size` bytes to be written by the caller; nullptr when there is none.
  std::byte* grow(std::size_t size) {
    if (used_ + padded(size) > room_.size()) overflow_ = true;
    if (overflow_) return nullptr;
    used_ += padded(size);
    return room_.data() + used_ - padded(size);
  }
  std::size_t used() const { return overflow_ ? 0 : used_; }

 private:
  std::span<std::byte> room_;
  std::size_t used_ = 0;
  bool overflow_ = false;
};

/// The counterpart, over memory that another process may be writing to: every number is read once.
class Unpacker {
 public:
  explicit Unpacker(std::span<const std::byte> bytes) : rest_(bytes) {}
  std::uint64_t number() {
    const auto piece = take(sizeof(std::uint64_t));
    if (piece.empty()) return 0;
    return *reinterpret_cast<const volatile std::uint64_t*>(piece.data());
  }
  std::span<const std::byte> take(std::size_t size) {
    if (size > rest_.size() || padded(size) > rest_.size()) {
      good_ = false;
      rest_ = {};
      return {};
    }
    const auto piece = rest_.first(size);
    rest_ = rest_.subspan(padded(size));
    return piece;
  }
  template <class T>
  std::span<const T> array(std::uint64_t count) {
    if (count > rest_.size() / sizeof(T)) {
      good_ = false;
      return {};
    }
    const auto piece = take(static_cast<std::size_t>(count) * sizeof(T));
    return {reinterpret_cast<const T*>(piece.data()), piece.size() / sizeof(T)};
  }
  bool good() const { return good_; }
  bool finished() const { return good_ && rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
  bool good_ = true;
};

void encode_text(const Column& column, std::size_t from, std::size_t to, Packer& out) {
  const auto codes = column.texts().codes().subspan(from, to - from);
  const auto& values = column.texts().values();
  const bool whole = from == 0 && to == column.size();
  std::vector<std::uint32_t> renamed;
  std::vector<std::uint32_t> used;  // Old codes in their new order; all when `whole`.
  if (!whole) {
    std::vector<std::uint32_t> position(values.size(), UINT32_MAX);
    for (const std::uint32_t code : codes) {
      if (position[code] == UINT32_MAX) {
        position[code] = static_cast<std::uint32_t>(used.size());
        used.push_back(code);
      }
      renamed.push_back(position[code]);
    }
  }
  const std::size_t count = whole ? values.size() : used.size();
  const auto value = [&](std::size_t i) -> const std::string& {
    return whole ? values[i] : values[used[i]];
  };
  std::vector<std::uint32_t> lengths(count);
  std::size_t characters = 0;
  for (std::size_t i = 0; i < count; ++i) {
    lengths[i] = static_cast<std::uint32_t>(value(i).size());
    characters += value(i).size();
  }
  out.put(whole ? codes.data() : renamed.data(), codes.size() * sizeof(std::uint32_t));
  out.number(count);
  out.number(characters);
  out.put(lengths.data(), lengths.size() * sizeof(std::uint32_t));
  std::byte* at = out.grow(characters);
  if (at == nullptr) return;
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(at, value(i).data(), value(i).size());
    at += value(i).size();
  }
}

template <class T>
void encode_values(std::span<const T> values, std::size_t from, std::size_t to, Packer& out) {
  out.put(values.data() + from, (to - from) * sizeof(T));
}

void encode_column(const Column& column, std::size_t from, std::size_t to, Packer& out) {
  out.number(static_cast<std::uint64_t>(column.type()) << 1 | (column.has_nulls() ? 1U : 0U));
  switch (column.type()) {
    case ColumnType::kBool: encode_values<std::uint8_t>(column.bools(), from, to, out); break;
    case ColumnType::kInt32: encode_values<std::int32_t>(column.int32s(), from, to, out); break;
    case ColumnType::kInt64:
    case ColumnType::kTime: encode_values<std::int64_t>(column.int64s(), from, to, out); break;
    case ColumnType::kFloat32: encode_values<float>(column.float32s(), from, to, out); break;
    case ColumnType::kFloat64: encode_values<double>(column.float64s(), from, to, out); break;
    case ColumnType::kText: encode_text(column, from, to, out); break;
  }
  if (column.has_nulls()) encode_values<std::uint8_t>(column.validity(), from, to, out);
}

/// A private copy: the bytes may change behind it.
std::vector<std::uint8_t> flags_of(std::span<const std::uint8_t> bytes) {
  std::vector<std::uint8_t> flags(bytes.begin(), bytes.end());
  for (std::uint8_t& flag : flags) flag = flag != 0 ? 1 : 0;
  return flags;
}

bool decode_text(Unpacker& in, std::uint64_t rows, bool nulls, Column& column) {
  const auto shared = in.array<std::uint32_t>(rows);
  const std::vector<std::uint32_t> codes(shared.begin(), shared.end());
  const std::uint64_t count = in.number();
  const std::uint64_t characters = in.number();
  const auto lengths = in.array<std::uint32_t>(count);
  const std::vector<std::uint32_t> sizes(lengths.begin(), lengths.end());
  const auto text = in.array<char>(characters);
  if (!in.good()) return false;
  const std::string copy(text.begin(), text.end());
  std::vector<std::string_view> values;
  std::string_view rest = copy;
  for (const std::uint32_t size : sizes) {
    if (size > rest.size()) return false;
    values.push_back(rest.substr(0, size));
    rest.remove_prefix(size);
  }
  if (!rest.empty()) return false;
  if (std::ranges::any_of(codes, [&](std::uint32_t code) { return code >= values.size(); })) {
    return false;
  }
  std::vector<std::uint8_t> valid;
  if (nulls) valid = flags_of(in.array<std::uint8_t>(rows));
  if (!in.good()) return false;
  column.append_coded(codes, values, valid);
  return true;
}

template <class T>
bool decode_values(Unpacker& in, std::uint64_t rows, bool nulls, Column& column) {
  const auto values = in.array<T>(rows);
  std::vector<std::uint8_t> valid;
  if (nulls) valid = flags_of(in.array<std::uint8_t>(rows));
  if (!in.good()) return false;
  if constexpr (std::is_same_v<T, std::uint8_t>) {
    column.append_values<std::uint8_t>(flags_of(values), valid);
  } else {
    column.append_values<T>(values, valid);
  }
  return true;
}

bool decode_column(Unpacker& in, std::uint64_t rows, Column& column) {
  const std::uint64_t tag = in.number();
  if (!in.good() || tag >> 1 != static_cast<std::uint64_t>(column.type())) return false;
  const bool nulls = (tag & 1) != 0;
  switch (column.type()) {
    case ColumnType::kBool: return decode_values<std::uint8_t>(in, rows, nulls, column);
    case ColumnType::kInt32: return decode_values<std::int32_t>(in, rows, nulls, column);
    case ColumnType::kInt64:
    case ColumnType::kTime: return decode_values<std::int64_t>(in, rows, nulls, column);
    case ColumnType::kFloat32: return decode_values<float>(in, rows, nulls, column);
    case ColumnType::kFloat64: return decode_values<double>(in, rows, nulls, column);
    case ColumnType::kText: break;
  }
  return decode_text(in, rows, nulls, column);
}

void put_numbers(Writer& out, const std::map<std::string, double>& numbers) {
  out.number(static_cast<std::uint32_t>(numbers.size()));
  for (const auto& [name, value] : numbers) out.text(name).number(value);
}

std::map<std::string, double> numbers_in(Reader& in) {
  std::map<std::string, double> numbers;
  for (std::uint32_t n = in.count(12); n > 0 && in.good(); --n) {
    std::string name = in.text();
    numbers[std::move(name)] = in.number<double>();
  }
  return numbers;
}

Document document_of(Reader& in) {
  Document document;
  document.path = in.text();
  document.digest = in.number<Sha256Digest>();
  document.bytes = in.number<std::uint64_t>();
  document.is_member = in.number<std::uint8_t>() != 0;
  document.has_digest = in.number<std::uint8_t>() != 0;
  return document;
}

template <class T>
std::optional<T> if_finished(const Reader& in, T value) {
  if (!in.finished()) return std::nullopt;
  return value;
}

}  // namespace

void put(Writer& out, const Document& document) {
  out.text(document.path).number(document.digest).number(document.bytes);
  out.number<std::uint8_t>(document.is_member).number<std::uint8_t>(document.has_digest);
}

void put(Writer& out, const CheckReport& report) {
  out.text(report.path).text(report.kind).number(static_cast<std::uint8_t>(report.status));
  out.text(report.summary.version).number(report.summary.rows);
  put_numbers(out, report.summary.counts);
  out.number(static_cast<std::uint32_t>(report.summary.grouped_counts.size()));
  for (const auto& [name, group] : report.summary.grouped_counts) {
    out.text(name);
    put_numbers(out, group);
  }
  out.number(static_cast<std::uint32_t>(report.summary.texts.size()));
  for (const auto& [name, text] : report.summary.texts) out.text(name).text(text);
  out.number(static_cast<std::uint32_t>(report.summary.warnings.size()));
  for (const std::string& warning : report.summary.warnings) out.text(warning);
  out.number(static_cast<std::uint32_t>(report.rejects.size()));
  for (const Reject& r : report.rejects) {
    out.number(r.byte_offset).number<std::uint8_t>(r.line.has_value());
    out.number(r.line.value_or(0)).number<std::uint64_t>(r.record);
    out.number<std::uint64_t>(r.bytes_dropped).text(r.id).text(r.message);
  }
  out.number(report.rejects_total).number(static_cast<std::uint8_t>(report.code));
  out.text(report.id).text(report.message);
}

void put(Writer& out, const ReadRequest& request) {
  put(out, request.whole);
  const UnpackLimits& l = request.unpack;
  out.text(request.name).number(l.bytes).number(l.free_bytes).number(l.ratio).number(l.members);
  out.number(l.wrappers).number(request.first_member);
}

std::optional<Document> document_in(std::string_view payload) {
  Reader in(payload);
  Document document = document_of(in);
  return if_finished(in, std::move(document));
}

std::optional<CheckReport> report_in(std::string_view payload) {
  Reader in(payload);
  CheckReport report;
  report.path = in.text();
  report.kind = in.text();
  const auto status = in.number<std::uint8_t>();
  report.status = static_cast<FileStatus>(status);
  report.summary.version = in.text();
  report.summary.rows = in.number<std::uint64_t>();
  report.summary.counts = numbers_in(in);
  for (std::uint32_t n = in.count(8); n > 0 && in.good(); --n) {
    std::string name = in.text();
    report.summary.grouped_counts[std::move(name)] = numbers_in(in);
  }
  for (std::uint32_t n = in.count(8); n > 0 && in.good(); --n) {
    std::string name = in.text();
    report.summary.texts[std::move(name)] = in.text();
  }
  for (std::uint32_t n = in.count(4); n > 0 && in.good(); --n) {
    report.summary.warnings.push_back(in.text());
  }
  for (std::uint32_t n = in.count(41); n > 0 && in.good(); --n) {
    Reject r;
    r.byte_offset = in.number<std::uint64_t>();
    const bool has_line = in.number<std::uint8_t>() != 0;
    const auto line = in.number<std::uint64_t>();
    if (has_line) r.line = line;
    r.record = in.number<std::uint64_t>();
    r.bytes_dropped = in.number<std::uint64_t>();
    r.id = in.text();
    r.message = in.text();
    report.rejects.push_back(std::move(r));
  }
  report.rejects_total = in.number<std::uint64_t>();
  const auto code = in.number<std::uint8_t>();
  report.code = static_cast<Errc>(code);
  report.id = in.text();
  report.message = in.text();
  if (status > static_cast<std::uint8_t>(FileStatus::kRefused) ||
      code > static_cast<std::uint8_t>(Errc::kInternal)) {
    in.fail();
  }
  return if_finished(in, std::move(report));
}

std::optional<ReadRequest> request_in(std::string_view payload) {
  Reader in(payload);
  ReadRequest request;
  request.whole = document_of(in);
  request.name = in.text();
  request.unpack.bytes = in.number<std::uint64_t>();
  request.unpack.free_bytes = in.number<std::uint64_t>();
  request.unpack.ratio = in.number<std::uint64_t>();
  request.unpack.members = in.number<std::uint64_t>();
  request.unpack.wrappers = in.number<unsigned>();
  request.first_member = in.number<std::uint64_t>();
  return if_finished(in, std::move(request));
}

std::size_t encoded_bound(const Table& batch, std::size_t from, std::size_t to) {
  std::size_t total = 64 + padded(batch.name().size());
  for (std::size_t i = 0; i < batch.columns(); ++i) {
    const Column& column = batch.column(i);
    total += 64 + padded((to - from) * width_of(column.type())) + padded(to - from);
    if (column.type() != ColumnType::kText) continue;
    for (const std::string& value : column.texts().values()) total += value.size() + 4;
  }
  return total;
}

std::size_t encode_rows(const Table& batch, std::size_t from, std::size_t to,
                        std::span<std::byte> room) {
  Packer out(room);
  out.number(batch.name().size());
  out.put(batch.name().data(), batch.name().size());
  out.number(to - from);
  for (std::size_t i = 0; i < batch.columns(); ++i) {
    if (batch.column_name(i) != store::kSourceColumn) encode_column(batch.column(i), from, to, out);
  }
  return out.used();
}

std::optional<Table> decode_rows(std::span<const std::byte> bytes) {
  Unpacker in(bytes);
  const auto characters = in.array<char>(in.number());
  const std::string name(characters.begin(), characters.end());
  const std::uint64_t rows = in.number();
  if (!in.good() || store::find_table(name) == nullptr || rows > bytes.size()) return std::nullopt;
  Table batch = Table::of(name);
  for (std::size_t i = 0; i < batch.columns(); ++i) {
    if (batch.column_name(i) == store::kSourceColumn) {
      batch.column(i).fill_int(0, static_cast<std::size_t>(rows));
    } else if (!decode_column(in, rows, batch.column(i)) || batch.column(i).size() != rows) {
      return std::nullopt;
    }
  }
  if (!in.finished()) return std::nullopt;
  return batch;
}

}  // namespace yieldloop::ingest::wire
