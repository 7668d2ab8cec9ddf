#include "engine/store/parquet_writer.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <string>
#include <thread>

#include "engine/store/parquet_column.h"

namespace yieldloop::store {
namespace {

using parquet::Buffer;
using parquet::ColumnChunk;
using parquet::Encoding;
using parquet::ThriftWriter;

constexpr std::string_view kMagic = "PAR1";
constexpr std::string_view kCreatedBy = "yieldloop";
constexpr std::int32_t kUncompressed = 0;
constexpr std::int32_t kZstd = 6;  // parquet.thrift, enum CompressionCodec.
/// Fewer rows than this are coded on the caller's thread: starting others costs more.
constexpr std::size_t kParallelRows = 20'000;
constexpr std::size_t kPendingBytes = 1 << 20;

/// parquet.thrift, enum Type.
std::int32_t physical_type(ColumnType type) {
  switch (type) {
    case ColumnType::kBool: return 0;
    case ColumnType::kInt32: return 1;
    case ColumnType::kInt64:
    case ColumnType::kTime: return 2;
    case ColumnType::kFloat32: return 4;
    case ColumnType::kFloat64: return 5;
    case ColumnType::kText: break;
  }
  return 6;
}

void put_column_schema(ThriftWriter& thrift, const std::string& name, ColumnType type) {
  constexpr std::int32_t kOptional = 1;
  constexpr std::int32_t kUtf8 = 0;              // enum ConvertedType.
  constexpr std::int32_t kTimestampMicros = 10;  // enum ConvertedType.
  thrift.begin_element();
  thrift.field_i32(1, physical_type(type));
  thrift.field_i32(3, kOptional);
  thrift.field_binary(4, name);
  if (type == ColumnType::kText) {
    thrift.field_i32(6, kUtf8);
    thrift.begin_struct(10);
    thrift.begin_struct(1);  // LogicalType.STRING
    thrift.end_struct();
    thrift.end_struct();
  } else if (type == ColumnType::kTime) {
    thrift.field_i32(6, kTimestampMicros);
    thrift.begin_struct(10);
    thrift.begin_struct(8);  // LogicalType.TIMESTAMP
    thrift.field_bool(1, true);
    thrift.begin_struct(2);
    thrift.begin_struct(2);  // TimeUnit.MICROS
    thrift.end_struct();
    thrift.end_struct();
    thrift.end_struct();
    thrift.end_struct();
  }
  thrift.end_struct();
}

/// A chunk whose pages are in the file already.
struct WrittenChunk {
  ColumnChunk about;  ///< `pages` is empty.
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

struct RowGroup {
  std::uint64_t rows = 0;
  std::vector<WrittenChunk> chunks;
};

void put_chunk(ThriftWriter& thrift, const WrittenChunk& chunk, const std::string& name,
               ColumnType type) {
  const ColumnChunk& about = chunk.about;
  const std::uint64_t dictionary = about.dictionary_bytes.value_or(0);
  auto i64 = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  thrift.begin_element();
  thrift.field_i64(2, i64(chunk.offset));
  thrift.begin_struct(3);
  thrift.field_i32(1, physical_type(type));
  const bool has_dictionary = about.dictionary_bytes.has_value();
  thrift.begin_list_of_i32(2, has_dictionary ? 3 : 2);
  if (has_dictionary) thrift.element_i32(static_cast<std::int32_t>(Encoding::kPlain));
  thrift.element_i32(static_cast<std::int32_t>(Encoding::kRle));
  thrift.element_i32(static_cast<std::int32_t>(about.encoding));
  thrift.begin_list_of_binary(3, 1);
  thrift.binary(name);
  thrift.field_i32(4, about.compressed ? kZstd : kUncompressed);
  thrift.field_i64(5, i64(about.rows));
  thrift.field_i64(6, i64(about.uncompressed_bytes));
  thrift.field_i64(7, i64(chunk.bytes));
  thrift.field_i64(9, i64(chunk.offset + dictionary));
  if (has_dictionary) thrift.field_i64(11, i64(chunk.offset));
  thrift.begin_struct(12);
  thrift.field_i64(3, i64(about.nulls));
  if (about.smallest) {
    thrift.field_binary(5, *about.largest);
    thrift.field_binary(6, *about.smallest);
  }
  thrift.end_struct();
  thrift.end_struct();
  thrift.end_struct();
}

}  // namespace

struct ParquetWriter::Impl {
  std::unique_ptr<WritableFile> file;
  ParquetOptions options;
  std::vector<std::string> names;
  std::vector<ColumnType> types;
  std::vector<RowGroup> groups;
  Sha256 hash;
  Buffer pending;
  std::uint64_t written = 0;
  std::uint64_t rows = 0;

  Status put(std::span<const std::byte> bytes) {
    pending.put(bytes);
    written += bytes.size();
    return pending.size() < kPendingBytes ? Status(Ok{}) : flush();
  }

  /// Small pieces go to the file together.
  Status flush() {
    YL_TRY(file->write(pending.view()));
    hash.update(pending.view());
    pending.clear();
    return Ok{};
  }

  std::vector<ColumnChunk> encode(const Table& table, std::size_t from, std::size_t count) const {
    std::vector<ColumnChunk> chunks(names.size());
    std::atomic<std::size_t> next = 0;
    auto work = [&] {
      for (std::size_t i = next++; i < chunks.size(); i = next++) {
        chunks[i] = parquet::encode_chunk(table.column(i), from, count, options.zstd_level);
      }
    };
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    const unsigned wanted = options.threads == 0 ? cores : options.threads;
    std::vector<std::jthread> helpers;
    if (count >= kParallelRows) {
      for (unsigned t = 1; t < std::min(wanted, cores); ++t) helpers.emplace_back(work);
    }
    work();
    helpers.clear();
    return chunks;
  }

  Status put_group(const Table& table, std::size_t from, std::size_t count) {
    RowGroup group{.rows = count, .chunks = {}};
    for (ColumnChunk& chunk : encode(table, from, count)) {
      WrittenChunk entry{.about = {}, .offset = written, .bytes = chunk.pages.size()};
      YL_TRY(put(chunk.pages.view()));
      chunk.pages = Buffer();
      entry.about = std::move(chunk);
      group.chunks.push_back(std::move(entry));
    }
    groups.push_back(std::move(group));
    rows += count;
    return Ok{};
  }

  void put_schema(ThriftWriter& thrift) const {
    thrift.begin_list_of_structs(2, names.size() + 1);
    thrift.begin_element();
    thrift.field_binary(4, "schema");
    thrift.field_i32(5, static_cast<std::int32_t>(names.size()));
    thrift.end_struct();
    for (std::size_t i = 0; i < names.size(); ++i) put_column_schema(thrift, names[i], types[i]);
  }

  void put_row_group(ThriftWriter& thrift, const RowGroup& group) const {
    std::uint64_t uncompressed = 0;
    thrift.begin_element();
    thrift.begin_list_of_structs(1, group.chunks.size());
    for (std::size_t i = 0; i < group.chunks.size(); ++i) {
      put_chunk(thrift, group.chunks[i], names[i], types[i]);
      uncompressed += group.chunks[i].about.uncompressed_bytes;
    }
    thrift.field_i64(2, static_cast<std::int64_t>(uncompressed));
    thrift.field_i64(3, static_cast<std::int64_t>(group.rows));
    thrift.end_struct();
  }

  Buffer footer() const {
    Buffer out;
    ThriftWriter thrift(out);
    thrift.field_i32(1, 2);  // Version of the format.
    put_schema(thrift);
    thrift.field_i64(3, static_cast<std::int64_t>(rows));
    thrift.begin_list_of_structs(4, groups.size());
    for (const RowGroup& group : groups) put_row_group(thrift, group);
    thrift.field_binary(6, kCreatedBy);
    // Without the order, readers must ignore the bounds.
    thrift.begin_list_of_structs(7, names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      thrift.begin_element();
      thrift.begin_struct(1);  // ColumnOrder.TYPE_ORDER
      thrift.end_struct();
      thrift.end_struct();
    }
    thrift.end();
    out.put_raw(static_cast<std::uint32_t>(out.size()));
    out.put(kMagic);
    return out;
  }
};

ParquetWriter::ParquetWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ParquetWriter::ParquetWriter(ParquetWriter&&) noexcept = default;
ParquetWriter& ParquetWriter::operator=(ParquetWriter&&) noexcept = default;
ParquetWriter::~ParquetWriter() = default;

Result<ParquetWriter> ParquetWriter::open(FileSystem& files, const fs::path& path,
                                          const Table& layout, const ParquetOptions& options) {
  assert(options.row_group_rows > 0);
  auto impl = std::make_unique<Impl>();
  YL_ASSIGN(impl->file, files.create(path));
  impl->options = options;
  for (std::size_t i = 0; i < layout.columns(); ++i) {
    impl->names.push_back(layout.column_name(i));
    impl->types.push_back(layout.column(i).type());
  }
  YL_TRY(impl->put(std::as_bytes(std::span(kMagic.data(), kMagic.size()))));
  return ParquetWriter(std::move(impl));
}

Status ParquetWriter::append(const Table& table) {
  assert(table.columns() == impl_->names.size());
  const std::size_t rows = table.rows();
  for (std::size_t from = 0; from < rows; from += impl_->options.row_group_rows) {
    YL_TRY(impl_->put_group(table, from, std::min(impl_->options.row_group_rows, rows - from)));
  }
  return Ok{};
}

Result<ParquetFile> ParquetWriter::finish() {
  YL_TRY(impl_->put(impl_->footer().view()));
  YL_TRY(impl_->flush());
  YL_TRY(impl_->file->sync());
  YL_TRY(impl_->file->close());
  return ParquetFile{impl_->rows, impl_->written, impl_->hash.finish()};
}

Result<ParquetFile> write_parquet(FileSystem& files, const fs::path& path, const Table& table,
                                  const ParquetOptions& options) {
  auto write_all = [&]() -> Result<ParquetFile> {
    YL_ASSIGN(auto writer, ParquetWriter::open(files, path, table, options));
    YL_TRY(writer.append(table));
    return writer.finish();
  };
  auto written = write_all();
  if (!written) (void)files.remove(path);
  return written;
}

}  // namespace yieldloop::store
