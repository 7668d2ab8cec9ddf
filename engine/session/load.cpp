#include "engine/session/load.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/core/text.h"
#include "engine/session/join_die.h"
#include "engine/session/load_tables.h"
#include "engine/store/product_file.h"

namespace yieldloop::session {
namespace {

using store::sql_text;

std::string text_list(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const auto& text : texts) parts.push_back(sql_text(text));
  return parts.empty() ? "NULL" : join(parts, ",");
}

Result<std::vector<std::string>> texts_of(store::Snapshot& snapshot, const std::string& sql) {
  YL_ASSIGN(const store::Table rows, snapshot.query(sql));
  std::vector<std::string> texts;
  for (std::size_t r = 0; r < rows.rows(); ++r) texts.emplace_back(rows.column(0).as_text(r));
  return texts;
}

Result<std::string> choose_product(store::Snapshot& snapshot, const std::string& wanted) {
  YL_ASSIGN(const auto names, known_products(snapshot));
  if (names.empty()) {
    return Error{Errc::kNoData, "SESS-0003",
                 "The store holds no product's data: ingest files that name one first."};
  }
  if (!wanted.empty()) {
    if (std::ranges::find(names, wanted) != names.end()) return wanted;
    return Error{
        Errc::kNotFound, "SESS-0001",
        fmt::format("The store knows no product \"{}\"; it knows {}.", wanted, join(names, ", "))};
  }
  // A product file is a stronger word than a tester's part type.
  YL_ASSIGN(const auto filed,
            texts_of(snapshot, "SELECT DISTINCT product FROM products ORDER BY 1"));
  if (filed.size() == 1) return filed.front();
  if (names.size() == 1) return names.front();
  return Error{Errc::kNotFound, "SESS-0002",
               fmt::format("The store holds several products ({}): name one with --product.",
                           join(names, ", "))};
}

/// The newest blob of a layout file. It may have come packed: "demo28.gds" is also "demo28.gds.gz".
Result<std::string> layout_blob(store::Snapshot& snapshot, const std::string& file) {
  YL_ASSIGN(
      const auto digests,
      texts_of(snapshot, fmt::format("SELECT layout FROM layouts WHERE file_name IN ({0}, {1}) "
                                     "ORDER BY source DESC LIMIT 1",
                                     sql_text(file), sql_text(file + ".gz"))));
  return digests.empty() ? std::string() : digests.front();
}

/// DEF and LEF files that product.toml names.
Status find_design(store::Snapshot& snapshot, LoadedFab& fab) {
  const Product& product = fab.data.product;
  if (product.def_file.empty()) return Ok{};
  YL_ASSIGN(fab.def_digest, layout_blob(snapshot, product.def_file));
  std::vector<std::string> missing;
  if (fab.def_digest.empty()) missing.push_back(product.def_file);
  for (const std::string& file : product.lef_files) {
    YL_ASSIGN(std::string digest, layout_blob(snapshot, file));
    if (digest.empty()) {
      missing.push_back(file);
    } else {
      fab.lef_digests.push_back(std::move(digest));
    }
  }
  if (!missing.empty()) {
    fab.caveats.push_back(
        fmt::format("product.toml names {}, which was not ingested: places are named by what the "
                    "other files say.",
                    join(missing, ", ")));
  }
  return Ok{};
}

Status read_product(store::Snapshot& snapshot, const std::string& name, LoadedFab& fab) {
  YL_ASSIGN(const store::Table rows,
            snapshot.query("SELECT toml FROM products WHERE product = " + sql_text(name) +
                           " ORDER BY read_at DESC NULLS LAST, source DESC LIMIT 1"));
  fab.data.product.name = name;
  if (rows.rows() == 0) {
    fab.caveats.push_back(fmt::format(
        "No product.toml was ingested for {}: there are no fields, layers or layout to use.",
        name));
    return Ok{};
  }
  YL_ASSIGN(fab.data.product, store::parse_product(rows.column(0).as_text(0)));
  YL_TRY(find_design(snapshot, fab));
  const std::string& layout = fab.data.product.layout_file;
  if (layout.empty()) return Ok{};
  YL_ASSIGN(fab.layout_digest, layout_blob(snapshot, layout));
  if (fab.layout_digest.empty()) {
    fab.caveats.push_back(fmt::format(
        "The layout {} that product.toml names was not ingested: defects are not traced to it.",
        layout));
  }
  return Ok{};
}

Result<std::vector<std::string>> lots_in_scope(store::Snapshot& snapshot, const Scope& scope,
                                               const std::string& product) {
  const std::string p = sql_text(product);
  YL_ASSIGN(
      auto lots,
      texts_of(snapshot,
               "SELECT DISTINCT lot_id FROM (SELECT lot_id FROM lots WHERE product = " + p +
                   " UNION SELECT lot_id FROM test_runs WHERE product = " + p +
                   " UNION SELECT lot_id FROM inspections WHERE product = " + p + ") ORDER BY 1"));
  if (lots.empty()) {
    YL_ASSIGN(const auto products,
              texts_of(snapshot, "SELECT DISTINCT product FROM lots ORDER BY 1"));
    if (products.empty()) {
      // Nothing says which lot carries which product, and only one product is known.
      YL_ASSIGN(lots,
                texts_of(snapshot,
                         "SELECT DISTINCT lot_id FROM (SELECT lot_id FROM lot_history UNION "
                         "SELECT lot_id FROM die_results UNION SELECT lot_id FROM inspections) "
                         "ORDER BY 1"));
    }
  }
  if (!scope.lots.empty()) {
    std::erase_if(lots, [&](const std::string& lot) {
      return std::ranges::none_of(scope.lots,
                                  [&](const std::string& glob) { return matches_glob(lot, glob); });
    });
  }
  if (lots.empty()) {
    return Error{
        Errc::kNoData, "SESS-0003",
        fmt::format("There is no lot of {} in this scope: widen --lots, --from or --to.", product)};
  }
  return lots;
}

}  // namespace

Result<std::vector<std::string>> known_products(store::Snapshot& snapshot) {
  return texts_of(snapshot,
                  "SELECT DISTINCT product FROM (SELECT product FROM products UNION SELECT product "
                  "FROM lots UNION SELECT product FROM test_runs UNION SELECT product FROM "
                  "inspections) WHERE product IS NOT NULL AND product <> '' ORDER BY 1");
}

std::string canonical_wafer(std::string_view lot, std::string_view wafer) {
  std::string_view id = trim(wafer);
  if (id.size() > lot.size() && !lot.empty() && id.starts_with(lot)) {
    const std::string_view rest = id.substr(lot.size());
    if (rest.front() == '-' || rest.front() == '_' || rest.front() == '.' || rest.front() == '/') {
      id = rest.substr(1);
    }
  }
  if (id.size() > 1 && (id.front() == 'W' || id.front() == 'w')) id.remove_prefix(1);
  const bool number =
      !id.empty() && std::ranges::all_of(id, [](char c) { return c >= '0' && c <= '9'; });
  if (!number) return std::string(trim(wafer));
  id.remove_prefix(std::min(id.find_first_not_of('0'), id.size() - 1));
  return std::string(id);
}

Result<LoadedFab> load_fab(store::Snapshot& snapshot, const Scope& scope) {
  LoadedFab fab;
  YL_ASSIGN(const std::string product, choose_product(snapshot, scope.product));
  YL_TRY(read_product(snapshot, product, fab));
  YL_ASSIGN(const auto lots, lots_in_scope(snapshot, scope, product));
  TableLoader loader(snapshot, text_list(lots), scope, fab);
  YL_TRY(loader.load_wafers());
  YL_TRY(loader.load_step_runs());
  YL_TRY(loader.load_die_results());
  YL_TRY(loader.load_inspections());
  YL_TRY(loader.load_defects());
  for (std::string& words : join_die(fab.data)) fab.caveats.push_back(std::move(words));
  YL_TRY(loader.load_sensors_and_metrology());
  YL_TRY(loader.load_maintenance());
  YL_TRY(loader.load_packages());
  loader.name_unjoined();
  return fab;
}

}  // namespace yieldloop::session
