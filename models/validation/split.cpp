#include "models/validation/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace yieldloop::models {
namespace {

std::size_t share_of(std::size_t n, double share) {
  return static_cast<std::size_t>(std::lround(static_cast<double>(n) * share));
}

/// 0 train, 1 held out, 2 test.
int part_of(std::size_t lot, std::size_t train, std::size_t held_out) {
  return lot < train ? 0 : lot < train + held_out ? 1 : 2;
}

}  // namespace

Result<LotSplit> split_by_lots(const FeatureTable& table, const SplitOptions& options) {
  if (!(options.test_share > 0.0 && options.test_share < 1.0 && options.held_out_share >= 0.0 &&
        options.held_out_share < 1.0)) {
    return Error{Errc::kInvalidOptions, "VALD-0001",
                 "The shares of test and held-out lots must lie between 0 and 1."};
  }
  const std::size_t lots = table.lots.size();
  if (lots < 2) {
    return Error{
        Errc::kNoData, "VALD-0002",
        fmt::format("Training needs tested die of at least two lots, one to learn from and "
                    "a later one to be judged by; there is {}.",
                    lots)};
  }
  const std::size_t test = std::clamp<std::size_t>(share_of(lots, options.test_share), 1, lots - 1);
  const std::size_t rest = lots - test;
  std::size_t held_out = 0;
  if (rest >= 2 && options.held_out_share > 0.0) {
    held_out = std::clamp<std::size_t>(share_of(rest, options.held_out_share), 1, rest - 1);
  }
  LotSplit split;
  RowSet* const rows[] = {&split.train, &split.held_out, &split.test};
  std::vector<std::string>* const names[] = {&split.train_lots, &split.held_out_lots,
                                             &split.test_lots};
  for (std::size_t lot = 0; lot < lots; ++lot) {
    names[part_of(lot, rest - held_out, held_out)]->push_back(table.lots[lot].name);
  }
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
    rows[part_of(table.lot[i], rest - held_out, held_out)]->push_back(i);
  }
  return split;
}

Status check_split(const FeatureTable& table, const LotSplit& split) {
  std::vector<int> part(table.lots.size(), -1);
  const RowSet* const rows[] = {&split.train, &split.held_out, &split.test};
  for (int p = 0; p < 3; ++p) {
    for (const std::uint32_t row : *rows[p]) {
      int& known = part[table.lot[row]];
      if (known != -1 && known != p) {
        return Error{Errc::kInternal, "VALD-0003",
                     fmt::format("Lot {} is in two parts of the split, which would let the model "
                                 "recognise it; report this with the log.",
                                 table.lots[table.lot[row]].name)};
      }
      known = p;
    }
  }
  int latest = 0;
  for (std::size_t lot = 0; lot < part.size(); ++lot) {
    if (part[lot] == -1) continue;
    if (part[lot] < latest) {
      return Error{
          Errc::kInternal, "VALD-0004",
          fmt::format("Lot {} is later than a lot that judges it; report this with the log.",
                      table.lots[lot].name)};
    }
    latest = part[lot];
  }
  return Ok{};
}

}  // namespace yieldloop::models
