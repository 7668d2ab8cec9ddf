#include "plugins/host/reader_adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>

#include "engine/core/text.h"
#include "ingest/readers/attributes.h"

namespace yieldloop::plugins {
namespace {

constexpr std::size_t kBatchRows = 65'536;
constexpr std::size_t kMaxFactSize = 256;
constexpr std::size_t kMaxAttributes = 32;

std::string limited(const char* text) {
  if (!text) return {};
  return to_valid_utf8(std::string_view(text, strnlen(text, kMaxFactSize)));
}

bool is_reject_id(std::string_view id) {
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return id.size() == 9 && id[4] == '-' && std::ranges::all_of(id.substr(0, 4), capital) &&
         std::ranges::all_of(id.substr(5), digit);
}

/// Takes the plugin's calls; turns die into rows.
class Collector {
 public:
  Collector(store::RowSink& sink, ingest::Rejects& rejects)
      : sink_(sink), rejects_(rejects), batch_(store::Table::of("die_results")) {
    facts_["insertion"] = "PROBE";
  }

  yieldloop_sink_v1 table() {
    return {sizeof(yieldloop_sink_v1), this, &Collector::put_die, &Collector::put_reject,
            &Collector::put_fact};
  }

  bool flush() {
    if (batch_.rows() > 0 && !stopped_) {
      stopped_ = !sink_.put(std::exchange(batch_, store::Table::of("die_results")));
    }
    return !stopped_;
  }

  bool stopped() const { return stopped_; }
  std::uint64_t rows() const { return rows_; }
  std::size_t wafers() const { return wafers_.size(); }

 private:
  static int put_die(void* self, const char* wafer, std::int16_t x, std::int16_t y,
                     std::uint16_t hard_bin) {
    return static_cast<Collector*>(self)->add_die(limited(wafer), x, y, hard_bin);
  }
  static int put_reject(void* self, std::uint64_t byte_offset, const char* id,
                        const char* message) {
    return static_cast<Collector*>(self)->add_reject(byte_offset, limited(id), limited(message));
  }
  static int put_fact(void* self, const char* key, const char* value) {
    return static_cast<Collector*>(self)->add_fact(limited(key), limited(value));
  }

  int add_die(const std::string& wafer, std::int16_t x, std::int16_t y, std::uint16_t hard_bin) {
    if (stopped_) return 1;
    const std::string& lot = facts_["lot"];
    batch_["lot_id"].add_text(lot);
    batch_["wafer_id"].add_text(wafer);
    batch_["insertion"].add_text(facts_["insertion"]);
    batch_["die_x"].add_int(x);
    batch_["die_y"].add_int(y);
    batch_["hard_bin"].add_int(hard_bin);
    for (const char* key : {"tester", "probe_card"}) {
      const auto fact = facts_.find(key);
      if (fact != facts_.end()) batch_[key].add_text(fact->second);
    }
    if (!attributes_.empty()) batch_["attributes"].add_text(attributes_);
    batch_[store::kSourceRowColumn].add_int(static_cast<std::int64_t>(++rows_));
    batch_.finish_row();
    wafers_.emplace(lot, wafer);
    if (batch_.rows() >= kBatchRows) flush();
    return stopped_ ? 1 : 0;
  }

  int add_reject(std::uint64_t byte_offset, std::string id, std::string message) {
    if (!is_reject_id(id)) id = "PLUG-0015";  // An id of the plugin's that is not one.
    rejects_.push_back({.byte_offset = byte_offset,
                        .line = std::nullopt,
                        .record = rejects_.total(),
                        .bytes_dropped = 0,
                        .id = std::move(id),
                        .message = std::move(message)});
    return stopped_ ? 1 : 0;
  }

  int add_fact(const std::string& key, const std::string& value) {
    if (facts_.size() < kMaxAttributes || facts_.contains(key)) facts_[key] = value;
    ingest::Attributes others;
    for (const auto& [name, text] : facts_) {
      constexpr std::array<std::string_view, 4> kKnown = {"insertion", "lot", "probe_card",
                                                          "tester"};
      if (std::ranges::find(kKnown, name) == kKnown.end()) others.add(name, text);
    }
    attributes_ = others.finish();
    return stopped_ ? 1 : 0;
  }

  store::RowSink& sink_;
  ingest::Rejects& rejects_;
  store::Table batch_;
  std::map<std::string, std::string> facts_;
  std::string attributes_;
  std::set<std::pair<std::string, std::string>> wafers_;
  std::uint64_t rows_ = 0;
  bool stopped_ = false;
};

Result<ingest::ReadSummary> read(const Library& library, ingest::Input& input, store::RowSink& sink,
                                 ingest::Rejects& rejects) {
  YL_ASSIGN(const ingest::Bytes bytes, input.bytes());
  Collector collector(sink, rejects);
  const yieldloop_sink_v1 table = collector.table();
  std::array<char, 512> message{};
  int failed = 0;
  try {
    failed = library.reader->read(reinterpret_cast<const unsigned char*>(bytes.data()),
                                  bytes.size(), &table, message.data(), message.size());
  } catch (...) {
    return Error{Errc::kInternal, "PLUG-0013",
                 fmt::format("Plugin {} failed while reading {}; tell its author.",
                             library.reader->id, input.name())};
  }
  if (failed != 0) {
    message.back() = '\0';
    return Error{Errc::kFormat, "PLUG-0012",
                 fmt::format("Plugin {} cannot read {}: {}", library.reader->id, input.name(),
                             to_valid_utf8(message.data()))};
  }
  if (!collector.flush()) {
    return Error{Errc::kCancelled, "PLUG-0014",
                 fmt::format("Reading {} was stopped.", input.name())};
  }
  ingest::ReadSummary summary;
  summary.rows = collector.rows();
  summary.counts["die"] = static_cast<double>(collector.rows());
  summary.counts["wafers"] = static_cast<double>(collector.wafers());
  return summary;
}

}  // namespace

ingest::ReaderDeclaration adapt(const std::shared_ptr<const Library>& library) {
  const yieldloop_reader_v1* table = library->reader;
  ingest::ReaderDeclaration reader;
  reader.id = table->id;
  reader.title = table->title;
  reader.patterns = table->patterns;
  reader.sniff = [library](std::string_view name, ingest::Bytes head) {
    const std::string terminated(name);
    const int sure = library->reader->sniff(
        terminated.c_str(), reinterpret_cast<const unsigned char*>(head.data()), head.size());
    return sure == 2   ? ingest::Confidence::kCertain
           : sure == 1 ? ingest::Confidence::kMaybe
                       : ingest::Confidence::kNo;
  };
  reader.read = [library](ingest::Input& input, const ingest::ReadOptions&, store::RowSink& sink,
                          ingest::Rejects& rejects) {
    return read(*library, input, sink, rejects);
  };
  return reader;
}

}  // namespace yieldloop::plugins
