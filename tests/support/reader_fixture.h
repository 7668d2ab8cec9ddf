/// \file
/// What a test of a reader needs: bytes as an input, a sink that keeps its rows, one call to read.
/// Include only in tests that link a reader.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/readers/reader.h"

namespace yieldloop::test {

/// Hands out a memory block in pieces of at most `piece` bytes.
class PieceSource final : public ingest::ByteSource {
 public:
  PieceSource(ingest::Bytes bytes, std::size_t piece) : bytes_(bytes), piece_(piece) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    std::size_t done = 0;
    while (done < out.size() && !bytes_.empty()) {
      const std::size_t n = std::min({piece_, out.size() - done, bytes_.size()});
      std::memcpy(out.data() + done, bytes_.data(), n);
      bytes_ = bytes_.subspan(n);
      done += n;
    }
    return done;
  }

 private:
  ingest::Bytes bytes_;
  std::size_t piece_;
};

class MemoryInput final : public ingest::Input {
 public:
  MemoryInput(std::string name, std::string content)
      : name_(std::move(name)), content_(std::move(content)), digest_(Sha256Digest{}) {
    digest_ = Sha256::of(std::string_view(content_));
  }
  const std::string& name() const override { return name_; }
  const Sha256Digest& digest() const override { return digest_; }
  ingest::Bytes head() const override {
    return all().subspan(0, std::min<std::size_t>(content_.size(), 65'536));
  }
  Result<ingest::Bytes> bytes() override { return all(); }
  Result<std::unique_ptr<ingest::ByteSource>> stream() override {
    return std::unique_ptr<ingest::ByteSource>(std::make_unique<PieceSource>(all(), 777));
  }

 private:
  ingest::Bytes all() const { return std::as_bytes(std::span(content_.data(), content_.size())); }
  std::string name_;
  std::string content_;
  Sha256Digest digest_;
};

/// Keeps every batch, by table.
class KeepingSink final : public store::RowSink {
 public:
  bool put(store::Table batch) override {
    for (std::size_t c = 0; c < batch.columns(); ++c) {
      if (batch.column(c).size() != batch.rows()) ragged = true;
    }
    tables[batch.name()].push_back(std::move(batch));
    return --puts_left != 0;
  }
  std::size_t rows(const std::string& table) const {
    std::size_t n = 0;
    const auto it = tables.find(table);
    if (it == tables.end()) return 0;
    for (const store::Table& batch : it->second) n += batch.rows();
    return n;
  }
  std::size_t rows() const {
    std::size_t n = 0;
    for (const auto& [name, batches] : tables) n += rows(name);
    return n;
  }
  /// A cell as text, "" for null.
  std::string cell(const std::string& table, std::size_t row, std::string_view column) const {
    const auto it = tables.find(table);
    if (it == tables.end()) return "(no such table)";
    for (const store::Table& batch : it->second) {
      if (row < batch.rows()) return batch[column].to_text(row);
      row -= batch.rows();
    }
    return "(no such row)";
  }

  std::map<std::string, std::vector<store::Table>> tables;
  bool ragged = false;        ///< A batch had columns of different lengths.
  std::size_t puts_left = 0;  ///< 0 never cancels; n cancels at the n-th batch.
};

struct Reading {
  Result<ingest::ReadSummary> summary = ingest::ReadSummary{};
  KeepingSink sink;
  ingest::Rejects rejects;

  bool ok() const { return summary.has_value(); }
  std::string error_id() const { return summary ? "" : summary.error().id; }
  std::string reject_id(std::size_t i) const {
    return i < rejects.kept().size() ? rejects.kept()[i].id : "";
  }
  double count(const std::string& key) const {
    const auto it = summary->counts.find(key);
    return it == summary->counts.end() ? -1.0 : it->second;
  }
};

inline Reading read_text(const ingest::ReaderDeclaration& reader, std::string name,
                         std::string content, const ingest::Mapping* mapping = nullptr) {
  Reading reading;
  MemoryInput input(std::move(name), std::move(content));
  reading.summary = reader.read(input, {.mapping = mapping}, reading.sink, reading.rejects);
  return reading;
}

inline ingest::Confidence sniff_text(const ingest::ReaderDeclaration& reader, std::string_view name,
                                     std::string_view content) {
  return reader.sniff(name, std::as_bytes(std::span(content.data(), content.size())));
}

}  // namespace yieldloop::test
