/// \file
/// A format of a few lines, so that tests of the pipeline do not depend on real ones.
///
///   TINY
///   lot,product,quantity      one row of `lots`; a line that is none is a reject (TINY-0001)
///   REFUSE                    the whole file is refused (TINY-0002)
///   THROW                     the reader throws
///   LAYOUT                    puts a row into `layouts`
#pragma once

#include <stdexcept>
#include <string>

#include "engine/core/text.h"
#include "ingest/readers/reader.h"

namespace yieldloop::test {

inline Result<ingest::ReadSummary> read_tiny(ingest::Input& input, const ingest::ReadOptions&,
                                             store::RowSink& sink, ingest::Rejects& rejects) {
  using store::Table;
  YL_ASSIGN(const auto bytes, input.bytes());
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  ingest::ReadSummary summary{.version = "1"};
  Table batch = Table::of("lots");
  auto flush = [&] { return sink.put(std::exchange(batch, Table::of("lots"))); };
  std::uint64_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    const auto fields = split(line, ',');
    if (line.empty() || line == "TINY") continue;
    if (line == "REFUSE") return Error{Errc::kFormat, "TINY-0002", "The file says no."};
    if (line == "THROW") throw std::runtime_error("thrown");
    if (line == "LAYOUT") {
      Table layout = Table::of("layouts");
      layout["layout"].add_text(input.digest().hex());
      layout["file_name"].add_text(input.name());
      layout["kind"].add_text("tiny");
      layout["dbu_um"].add_real(0.001);
      layout["cells"].add_int(1);
      layout.finish_row();
      sink.put(std::move(layout));
      ++summary.rows;
      continue;
    }
    const auto quantity = fields.size() == 3 ? parse_int(fields[2]) : std::nullopt;
    if (!quantity) {
      rejects.push_back({.byte_offset = static_cast<std::uint64_t>(line.data() - text.data()),
                         .line = number,
                         .record = number - 1,
                         .bytes_dropped = line.size(),
                         .id = "TINY-0001",
                         .message = "The line has no quantity."});
      continue;
    }
    batch["lot_id"].add_text(fields[0]);
    batch["product"].add_text(fields[1]);
    batch["quantity"].add_int(*quantity);
    batch["source_row"].add_int(static_cast<std::int64_t>(number));
    batch.finish_row();
    ++summary.rows;
    if (batch.rows() == 100 && !flush()) return Error{Errc::kCancelled, "TINY-0003", "Stopped."};
  }
  if (!flush()) return Error{Errc::kCancelled, "TINY-0003", "Stopped."};
  summary.counts["rows"] = static_cast<double>(summary.rows);
  summary.grouped_counts["bbox_um:TOP"]["x_min"] = 0.5;
  return summary;
}

inline ingest::ReaderRegistry tiny_registry() {
  ingest::ReaderRegistry registry;
  (void)registry.add({.id = "tiny",
                      .title = "Tiny",
                      .patterns = "*.tiny",
                      .sniff =
                          [](std::string_view, ingest::Bytes head) {
                            const bool ours = head.size() >= 4 && head[0] == std::byte{'T'} &&
                                              head[1] == std::byte{'I'};
                            return ours ? ingest::Confidence::kCertain : ingest::Confidence::kNo;
                          },
                      .read = read_tiny});
  return registry;
}

}  // namespace yieldloop::test
