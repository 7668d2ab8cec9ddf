/// \file
/// Finds the timed rows that a commit replaces. Internal to the store.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/store/keys.h"
#include "engine/store/store_impl.h"

namespace yieldloop::store {

/// Rows of `superseded_rows`: rows of `table` in snapshot `latest` or in the staged files `fresh`
/// that a later source of this commit gives again under the same key. Reads only sources whose
/// times overlap; nothing at all when none do. Errors: kDamaged (STOR-0011), kInternal (STOR-0010).
Result<Table> replaced_rows(Store::Impl& store, std::int64_t latest, const std::string& table,
                            const std::vector<fs::path>& fresh,
                            std::span<const ExtentRecord> added);

/// "SELECT ... FROM read_parquet([...])" of the rows of `superseded_rows` about one table, each row
/// once; empty when the segments hold none.
std::string superseded_sql(std::span<const SegmentRecord> segments, const fs::path& root,
                           const std::string& table);

}  // namespace yieldloop::store
