#include "ingest/readers/maps/map_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "engine/core/text.h"
#include "ingest/readers/maps/map_parsers.h"

namespace yieldloop::ingest::maps {
namespace {

constexpr std::size_t kBatchRows = 1U << 17U;

struct Kind {
  std::string_view id;
  std::string_view title;
  std::string_view patterns;
  Confidence sure;
  bool (*looks)(std::string_view head);
  Result<Maps> (*parse)(MapFile& file);
};

constexpr auto kKinds = std::to_array<Kind>({
    {"sinf", "SINF wafer map", "*.sinf *.inf", Confidence::kCertain, looks_like_sinf, parse_sinf},
    {"e142", "SEMI E142 substrate map", "*.xml", Confidence::kCertain, looks_like_e142, parse_e142},
    {"g85", "SEMI G85 wafer map", "*.xml", Confidence::kCertain, looks_like_g85, parse_g85},
    {"csv_map", "Wafer map as a grid of bins", "*.csv", Confidence::kMaybe, looks_like_csv_map,
     parse_csv_map},
    {"ascii_map", "ASCII wafer map", "*.txt *.map *.esc", Confidence::kMaybe, looks_like_ascii_map,
     parse_ascii_map},
});

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string stem(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return to_valid_utf8(dot == 0 ? name : name.substr(0, dot));
}

Result<Maps> parse(Input& input, const Kind& kind, Complaints& complaints, std::string* version) {
  YL_ASSIGN(const Bytes bytes, input.bytes());
  MapFile file{
      .text = as_text(bytes), .name = input.name(), .version = {}, .complaints = complaints};
  YL_ASSIGN(Maps maps, kind.parse(file));
  if (maps.empty()) {
    return Error{
        Errc::kFormat, "WMAP-0020",
        fmt::format("{} holds no wafer map that could be read.", to_valid_utf8(input.name()))};
  }
  for (WaferMap& map : maps) {
    if (!map.wafer_id.empty()) continue;
    map.wafer_id = stem(input.name());
    complaints.warn(
        fmt::format("Line {}: the map names no wafer; the file's name was taken.", map.line));
  }
  const auto unknown = [](const WaferMap& map) {
    return std::ranges::any_of(map.bins,
                               [](const Bin& b) { return b.quality == Quality::kUnknown; });
  };
  if (std::ranges::any_of(maps, unknown)) {
    complaints.warn(
        "Some bins are neither called good nor bad in the file; product.toml can say which pass.");
  }
  *version = std::move(file.version);
  return maps;
}

std::string_view direction(int notch) {
  return notch == 90 ? "left" : notch == 180 ? "up" : notch == 270 ? "right" : "down";
}

void add_if(store::Column& column, const std::string& text) {
  if (text.empty()) {
    column.add_null();
  } else {
    column.add_text(text);
  }
}

store::Table header_row(const WaferMap& map, const std::string& id, std::string_view kind,
                        const Tally& counted) {
  auto t = store::Table::of("wafer_map_headers");
  const auto whole = [](auto n) { return static_cast<std::int64_t>(n); };
  const Place extent = wafer_extent(map);
  const bool turned = map.frame.notch == 90 || map.frame.notch == 270;
  const auto step_x = turned ? map.step_y_um : map.step_x_um;
  const auto step_y = turned ? map.step_x_um : map.step_y_um;
  t["map"].add_text(id);
  t["lot_id"].add_text(map.lot_id);
  t["wafer_id"].add_text(map.wafer_id);
  add_if(t["product"], map.product);
  t["kind"].add_text(kind);
  t["rows"].add_int(extent.y);
  t["columns"].add_int(extent.x);
  t["notch"].add_text(direction(map.frame.notch));
  add_if(t["origin"], map.origin);
  add_if(t["axis"], map.axis);
  if (step_x) t["step_x_um"].add_real(*step_x);
  if (step_y) t["step_y_um"].add_real(*step_y);
  if (map.diameter_mm) t["diameter_mm"].add_real(*map.diameter_mm);
  if (map.reference) {
    const Place place = wafer_place(map, static_cast<std::size_t>(map.reference->y),
                                    static_cast<std::size_t>(map.reference->x));
    t["reference_x"].add_int(place.x);
    t["reference_y"].add_int(place.y);
  }
  t["die"].add_int(whole(counted.die));
  t["pass"].add_int(whole(counted.pass));
  t["fail"].add_int(whole(counted.fail));
  t[store::kSourceRowColumn].add_int(whole(map.line));
  t.finish_row();
  return t;
}

/// Puts the die of one map into the sink; false when the sink wants no more.
bool put_die(const WaferMap& map, const std::string& id, std::string_view kind,
             store::RowSink& sink) {
  auto t = store::Table::of("wafer_maps");
  const std::size_t x_at = t.index("die_x"), y_at = t.index("die_y"), bin_at = t.index("bin");
  const std::size_t quality_at = t.index("quality"), line_at = t.index(store::kSourceRowColumn);
  std::size_t in_batch = 0;
  const auto send = [&] {
    const std::size_t n = in_batch;
    for (const auto& [column, text] : {std::pair<std::string_view, std::string_view>{"map", id},
                                       {"lot_id", map.lot_id},
                                       {"wafer_id", map.wafer_id},
                                       {"product", map.product},
                                       {"kind", kind}}) {
      if (column == "product" && text.empty()) {
        t[column].add_nulls(n);
      } else {
        t[column].add_texts(text, n);
      }
    }
    t.finish_row();
    in_batch = 0;
    const bool more = n == 0 || sink.put(std::move(t));
    t = store::Table::of("wafer_maps");
    return more;
  };
  for (std::size_t row = 0; row < map.rows; ++row) {
    for (std::size_t column = 0; column < map.columns; ++column) {
      const std::int32_t cell = map.cell(row, column);
      if (cell == kNoDie) continue;
      const Bin& bin = map.bins[static_cast<std::size_t>(cell)];
      const Place place = wafer_place(map, row, column);
      t.column(x_at).add_int(place.x);
      t.column(y_at).add_int(place.y);
      t.column(bin_at).add_text(bin.code);
      if (bin.quality == Quality::kUnknown) {
        t.column(quality_at).add_null();
      } else {
        t.column(quality_at).add_text(to_word(bin.quality));
      }
      t.column(line_at).add_int(static_cast<std::int64_t>(map.line + row));
      if (++in_batch == kBatchRows && !send()) return false;
    }
  }
  return send();
}

void add_counts(ReadSummary& summary, const WaferMap& map, const Tally& counted) {
  auto& counts = summary.counts;
  const auto number = [](std::size_t n) { return static_cast<double>(n); };
  counts["rows"] = std::max(counts["rows"], number(map.rows));
  counts["columns"] = std::max(counts["columns"], number(map.columns));
  counts["die"] += number(counted.die);
  counts["pass"] += number(counted.pass);
  counts["fail"] += number(counted.fail);
  counts["wafers"] += 1;
  auto& bins = summary.grouped_counts["bins"];
  for (std::size_t i = 0; i < map.bins.size(); ++i) {
    if (counted.by_bin[i] > 0) bins[map.bins[i].code] += number(counted.by_bin[i]);
  }
}

Result<ReadSummary> read_kind(Input& input, const Kind& kind, store::RowSink& sink,
                              Rejects& rejects) {
  Complaints complaints(rejects);
  ReadSummary summary;
  YL_ASSIGN(const Maps maps, parse(input, kind, complaints, &summary.version));
  const std::string prefix = input.digest().hex().substr(0, 16);
  std::size_t ordinal = 0;
  for (const WaferMap& map : maps) {
    const std::string id = fmt::format("{}-{}", prefix, ++ordinal);
    const Tally counted = tally(map);
    if (!sink.put(header_row(map, id, kind.id, counted)) || !put_die(map, id, kind.id, sink)) {
      return Error{Errc::kCancelled, "WMAP-0022", "Reading the wafer map was cancelled."};
    }
    add_counts(summary, map, counted);
    summary.rows += 1 + counted.die;
  }
  summary.warnings = complaints.take_warnings();
  return summary;
}

}  // namespace

std::vector<ReaderDeclaration> map_readers() {
  std::vector<ReaderDeclaration> readers;
  for (const Kind& kind : kKinds) {
    readers.push_back(
        {.id = std::string(kind.id),
         .title = std::string(kind.title),
         .patterns = std::string(kind.patterns),
         .sniff =
             [&kind](std::string_view, Bytes head) {
               return kind.looks(as_text(head)) ? kind.sure : Confidence::kNo;
             },
         .read = [&kind](Input& input, const ReadOptions&, store::RowSink& sink,
                         Rejects& rejects) { return read_kind(input, kind, sink, rejects); }});
  }
  return readers;
}

std::string_view map_kind_of(Bytes head) {
  const Kind* best = nullptr;
  for (const Kind& kind : kKinds) {
    if ((best == nullptr || kind.sure > best->sure) && kind.looks(as_text(head))) best = &kind;
  }
  return best == nullptr ? std::string_view() : best->id;
}

Result<std::vector<WaferMap>> read_maps(Input& input, std::string_view kind, Rejects& rejects) {
  const auto it = std::ranges::find(kKinds, kind, &Kind::id);
  if (it == kKinds.end()) {
    return Error{Errc::kNotFound, "WMAP-0024",
                 fmt::format("\"{}\" is not a kind of wafer map.", escape_controls(kind))};
  }
  Complaints complaints(rejects);
  std::string version;
  return parse(input, *it, complaints, &version);
}

}  // namespace yieldloop::ingest::maps
