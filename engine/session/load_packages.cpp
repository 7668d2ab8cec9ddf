#include <algorithm>
#include <map>

#include "engine/session/load_tables.h"

namespace yieldloop::session {
namespace {

/// Substrates are numbered within their lot: "SB434-00012" is of the lot SB434.
std::string_view supplier_lot_of(std::string_view substrate) {
  const std::size_t at = substrate.find_last_of("-_./");
  return at == std::string_view::npos ? substrate : substrate.substr(0, at);
}

DieIndex die_of(const store::Table& t, std::size_t r) {
  const auto index = [&](const char* column) {
    return static_cast<std::int16_t>(
        std::clamp<std::int64_t>(t[column].as_int(r), INT16_MIN, INT16_MAX));
  };
  return {index("die_x"), index("die_y")};
}

}  // namespace

Status TableLoader::load_packages() {
  YL_ASSIGN(const store::Table results,
            snapshot_.query("SELECT package_id, insertion, hard_bin, pass, failing_position FROM "
                            "package_results WHERE package_id <> '' ORDER BY package_id, "
                            "insertion, tested_at NULLS FIRST, source_row"));
  if (results.rows() == 0) return Ok{};
  const auto& pass_bins = fab_.data.product.pass_hard_bins;
  const auto passed = [&](std::size_t r) {
    if (!results["pass"].is_null(r)) return results["pass"].as_int(r) != 0;
    return std::ranges::find(pass_bins, static_cast<int>(results["hard_bin"].as_int(r))) !=
           pass_bins.end();
  };
  struct Outcome {
    bool pass = true;
    std::string failing_position;
  };
  std::map<std::string, Outcome> outcomes;
  for (std::size_t r = 0; r < results.rows(); ++r) {
    const std::string_view id = results["package_id"].as_text(r);
    const bool superseded = r + 1 < results.rows() && results["package_id"].as_text(r + 1) == id &&
                            results["insertion"].as_text(r + 1) == results["insertion"].as_text(r);
    if (superseded) continue;
    Outcome& outcome = outcomes[std::string(id)];
    if (passed(r)) continue;
    outcome = {false, std::string(results["failing_position"].as_text(r))};
  }
  YL_ASSIGN(const store::Table die,
            snapshot_.query("SELECT package_id, position, lot_id, wafer_id, die_x, die_y, "
                            "assembly_lot_id, substrate_id, tool, step FROM assembly ORDER BY "
                            "package_id, position, step, source_row"));
  FabData& data = fab_.data;
  for (std::size_t begin = 0, end = 0; begin < die.rows(); begin = end) {
    const std::string_view id = die["package_id"].as_text(begin);
    bool in_scope = false;
    for (end = begin; end < die.rows() && die["package_id"].as_text(end) == id; ++end) {
      in_scope = in_scope ||
                 wafer_of(die["lot_id"].as_text(end), die["wafer_id"].as_text(end)).has_value();
    }
    const auto outcome = outcomes.find(std::string(id));
    if (!in_scope || outcome == outcomes.end()) continue;
    const auto package = static_cast<std::uint32_t>(data.packages.size());
    data.packages.push_back({data.names.intern(id), outcome->second.pass,
                             data.names.intern(outcome->second.failing_position)});
    for (std::size_t r = begin; r < end; ++r) {
      data.packaged_die.push_back(
          {.package = package,
           .wafer = wafer_of(die["lot_id"].as_text(r), die["wafer_id"].as_text(r)),
           .die = die_of(die, r),
           .position = name(die["position"], r),
           .assembly_lot = name(die["assembly_lot_id"], r),
           .supplier_lot = data.names.intern(supplier_lot_of(die["substrate_id"].as_text(r))),
           .step = name(die["step"], r),
           .tool = name(die["tool"], r)});
    }
  }
  return Ok{};
}

}  // namespace yieldloop::session
