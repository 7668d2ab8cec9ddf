/// \file
/// DuckDB results as Tables. Internal to the store; the only header that shows DuckDB's types.
#pragma once

#include <duckdb.h>

#include <string>
#include <string_view>

#include "engine/store/table.h"

namespace yieldloop::store {

/// bool, integers, reals, text, dates and times as they are; wide integers and decimals as
/// doubles; tables named "query". REQUIRES: every type passed `wrap_for_reading`.
Table to_table(duckdb_result& result);

/// A statement that gives the same rows with columns of other types (lists, intervals, ...)
/// written out as text; empty when there is none, so that `sql` can be run as it is.
std::string wrap_for_reading(duckdb_prepared_statement prepared, std::string_view sql);

}  // namespace yieldloop::store
