#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/console.h"
#include "engine/cli/table_output.h"
#include "engine/store/care.h"
#include "engine/store/schema_page.h"
#include "engine/store/store.h"

namespace yieldloop::cli {

ExitStatus run_query(const Context& context, const std::string& sql) {
  constexpr std::size_t kShownRows = 1000;
  auto store = store::Store::open(real_file_system(), context.store, store::Store::Mode::kRead);
  if (!store) return fail(store.error());
  const auto snapshot = store->snapshot();
  if (!snapshot) return fail(snapshot.error());
  const auto table = snapshot->query(sql);
  if (!table) return fail(table.error());
  return print(context.json ? table_json(*table) : table_text(*table, kShownRows));
}

}  // namespace yieldloop::cli
