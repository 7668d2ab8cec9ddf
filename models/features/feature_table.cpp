#include "models/features/feature_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/core/random.h"
#include "engine/core/sha256.h"
#include "models/features/fab_index.h"

namespace yieldloop::models {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

/// One wafer's rows: its die with their targets, or the wafer itself.
struct WaferRows {
  WaferId wafer;
  std::vector<RowKey> rows;
  std::vector<float> target;
};

void add_untested_die(const FabIndex& index, WaferRows& rows) {
  std::vector<DieIndex> die;
  for (const Inspection& i : index.data().inspections) {
    if (i.wafer == rows.wafer) die.insert(die.end(), i.inspected.begin(), i.inspected.end());
  }
  if (die.empty()) die = index.tested_positions();
  std::ranges::sort(die);
  die.erase(std::unique(die.begin(), die.end()), die.end());
  for (const DieIndex d : die) {
    rows.rows.push_back({rows.wafer, d});
    rows.target.push_back(kMissing);
  }
}

WaferRows rows_of(const FabIndex& index, Target target, WaferId wafer, bool only_with_target) {
  WaferRows rows{.wafer = wafer, .rows = {}, .target = {}};
  const auto die = index.final_die(wafer);
  if (die.empty() && only_with_target) return rows;
  if (target == Target::kWaferYield) {
    const auto fails = std::ranges::count_if(die, &FinalDie::fail);
    rows.rows.push_back({wafer, {}});
    rows.target.push_back(
        die.empty() ? kMissing : 1.0F - static_cast<float>(fails) / static_cast<float>(die.size()));
    return rows;
  }
  for (const FinalDie& d : die) {
    rows.rows.push_back({wafer, d.die});
    rows.target.push_back(d.fail ? 1.0F : 0.0F);
  }
  if (die.empty()) add_untested_die(index, rows);
  return rows;
}

/// Draws whole wafers until the next would exceed the limit; keeps the order of wafers.
std::vector<WaferRows> draw(std::vector<WaferRows> wafers, const RowOptions& options) {
  std::vector<std::size_t> order(wafers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(options.seed);
  random.shuffle(order);
  std::size_t rows = 0, taken = 0;
  while (taken < order.size()) {
    const std::size_t more = wafers[order[taken]].rows.size();
    if (rows + more > options.max_rows && taken > 0) break;
    rows += more;
    ++taken;
  }
  order.resize(taken);
  std::ranges::sort(order);
  std::vector<WaferRows> kept;
  for (const std::size_t i : order) kept.push_back(std::move(wafers[i]));
  return kept;
}

int floor_mod(int value, int modulus) { return ((value % modulus) + modulus) % modulus; }

float position_value(const FabIndex& index, Source source, DieIndex die) {
  const WaferGrid& grid = index.grid();
  const double x = (die.x + 0.5 - grid.centre_x) * grid.pitch_x;
  const double y = (die.y + 0.5 - grid.centre_y) * grid.pitch_y;
  const double r = std::hypot(x, y);
  const Product& product = index.data().product;
  switch (source) {
    case Source::kDieColumn: return static_cast<float>(die.x);
    case Source::kDieRow: return static_cast<float>(die.y);
    case Source::kRadius: return static_cast<float>(r / grid.radius);
    case Source::kAngleSine: return r > 0.0 ? static_cast<float>(y / r) : 0.0F;
    case Source::kAngleCosine: return r > 0.0 ? static_cast<float>(x / r) : 0.0F;
    case Source::kZone:
      return static_cast<float>(
          std::min(4.0, std::floor(5.0 * r * r / (grid.radius * grid.radius))));
    case Source::kEdgeDistance: return static_cast<float>(grid.radius - r);
    case Source::kFieldColumn:
      return static_cast<float>(
          floor_mod(die.x - product.reticle_origin.x, product.reticle_columns));
    case Source::kFieldRow:
      return static_cast<float>(floor_mod(die.y - product.reticle_origin.y, product.reticle_rows));
    default: return kMissing;
  }
}

float defect_value(const FabIndex& index, const FeatureColumn& column, NameId step,
                   std::uint32_t class_id, const RowKey& row) {
  const WaferInspection* seen = index.inspection(row.wafer, step);
  if (!seen || !index.covers(*seen, row.die)) return kMissing;
  const auto count_at = [&](int dx, int dy) -> std::uint32_t {
    const DieDefects* d = seen->find(
        {static_cast<std::int16_t>(row.die.x + dx), static_cast<std::int16_t>(row.die.y + dy)});
    return d ? d->count : 0;
  };
  const DieDefects* own = seen->find(row.die);
  switch (column.source) {
    case Source::kDieDefects: return own ? static_cast<float>(own->count) : 0.0F;
    case Source::kDieLargestDefect: return own ? static_cast<float>(own->largest_um) : 0.0F;
    case Source::kDieClassDefects: {
      if (!own) return 0.0F;
      const auto at =
          std::ranges::find(own->by_class, class_id, [](const auto& c) { return c.first; });
      return at == own->by_class.end() ? 0.0F : static_cast<float>(at->second);
    }
    default: {
      std::uint32_t around = 0;
      for (int dy = -1; dy <= 1; ++dy) {
        for (int dx = -1; dx <= 1; ++dx) around += dx != 0 || dy != 0 ? count_at(dx, dy) : 0U;
      }
      return static_cast<float>(around);
    }
  }
}

void fill_column(const FabIndex& index, std::size_t c, FeatureTable& table) {
  const FeatureColumn& column = table.schema.columns[c];
  const std::size_t width = table.columns();
  const auto fill = [&](auto&& value_of) {
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      table.values[i * width + c] = value_of(table.rows[i]);
    }
  };
  if (!is_die_level(column.source)) {
    const auto by_wafer = index.wafer_values(column);
    fill([&](const RowKey& row) { return by_wafer[row.wafer.raw()]; });
  } else if (column.keys.empty()) {
    fill([&](const RowKey& row) { return position_value(index, column.source, row.die); });
  } else {
    const NameId step = index.data().names.find(column.keys[0]);
    const std::uint32_t id = column.keys.size() > 1 ? index.class_id(column.keys[1]) : 0;
    fill([&](const RowKey& row) { return defect_value(index, column, step, id, row); });
  }
}

void number_lots(const FabIndex& index, FeatureTable& table) {
  const FabData& data = index.data();
  std::vector<NameId> lots;
  for (const RowKey& row : table.rows) {
    const NameId lot = data.wafers[row.wafer.raw()].lot;
    if (lots.empty() || lots.back() != lot) lots.push_back(lot);
  }
  const auto before = [&](NameId a, NameId b) {
    const UtcMicros at = index.lot_time(a), bt = index.lot_time(b);
    return at != bt ? at < bt : data.names[a] < data.names[b];
  };
  std::ranges::sort(lots, before);
  lots.erase(std::unique(lots.begin(), lots.end()), lots.end());
  std::unordered_map<NameId, std::uint32_t> numbers;
  for (const NameId lot : lots) {
    numbers.emplace(lot, static_cast<std::uint32_t>(table.lots.size()));
    table.lots.push_back({data.names[lot], index.lot_time(lot)});
  }
  for (const RowKey& row : table.rows) {
    table.lot.push_back(numbers.at(data.wafers[row.wafer.raw()].lot));
  }
}

/// Feeds numbers to the hash in one byte order, whatever the machine's.
class TableHash {
 public:
  void add(std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) {
      buffer_.push_back(static_cast<std::byte>(value >> shift & 0xFFU));
    }
    if (buffer_.size() >= kFlush) flush();
  }
  void add(float value) {
    add(std::isnan(value) ? 0x7FC00000U : std::bit_cast<std::uint32_t>(value));
  }
  void add(std::string_view text) {
    add(static_cast<std::uint32_t>(text.size()));
    for (const char c : text) buffer_.push_back(static_cast<std::byte>(c));
  }
  std::string hex() {
    flush();
    return hash_.finish().hex();
  }

 private:
  static constexpr std::size_t kFlush = 1 << 16;
  void flush() {
    hash_.update(buffer_);
    buffer_.clear();
  }
  Sha256 hash_;
  std::vector<std::byte> buffer_;
};

}  // namespace

Result<FeatureTable> build_features(const FabData& data, const FeatureSchema& schema,
                                    const RowOptions& options) {
  const FabIndex index(data);
  std::vector<WaferRows> wafers;
  FeatureTable table;
  table.schema = schema;
  for (std::uint32_t w = 0; w < data.wafers.size(); ++w) {
    WaferRows rows = rows_of(index, schema.target, WaferId{w}, options.only_with_target);
    if (rows.rows.empty()) continue;
    table.rows_available += rows.rows.size();
    wafers.push_back(std::move(rows));
  }
  if (wafers.empty()) {
    return Error{Errc::kNoData, "FEAT-0003",
                 "No wafer of this product has die to predict; ingest test results or "
                 "inspections first."};
  }
  table.wafers_available = wafers.size();
  if (options.max_rows > 0 && table.rows_available > options.max_rows) {
    wafers = draw(std::move(wafers), options);
    table.notes.push_back(
        fmt::format("{} of {} wafers were drawn with seed {} to stay within {} rows.",
                    wafers.size(), table.wafers_available, options.seed, options.max_rows));
  }
  table.wafers_used = wafers.size();
  for (const WaferRows& w : wafers) {
    table.rows.insert(table.rows.end(), w.rows.begin(), w.rows.end());
    table.target.insert(table.target.end(), w.target.begin(), w.target.end());
  }
  number_lots(index, table);
  table.values.assign(table.rows.size() * table.columns(), kMissing);
  for (std::size_t c = 0; c < table.columns(); ++c) fill_column(index, c, table);
  return table;
}

std::string hash_of(const FabData& data, const FeatureTable& table) {
  TableHash hash;
  hash.add(target_name(table.schema.target));
  for (const FeatureColumn& column : table.schema.columns) {
    hash.add(source_name(column.source));
    for (const auto& key : column.keys) hash.add(std::string_view(key));
    hash.add(static_cast<std::uint32_t>(column.categories.size()));
    for (const auto& category : column.categories) hash.add(std::string_view(category));
  }
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const RowKey& row = table.rows[i];
    if (i == 0 || table.rows[i - 1].wafer != row.wafer) {
      hash.add(std::string_view(data.wafer_label(row.wafer)));
    }
    hash.add(static_cast<std::uint32_t>(static_cast<std::uint16_t>(row.die.x)) << 16 |
             static_cast<std::uint16_t>(row.die.y));
    hash.add(table.target[i]);
  }
  for (const float value : table.values) hash.add(value);
  return hash.hex();
}

}  // namespace yieldloop::models
