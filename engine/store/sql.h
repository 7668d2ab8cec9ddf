/// \file
/// Values and names in SQL text, quoted so that data never become statements.
#pragma once

#include <string>
#include <string_view>

namespace yieldloop::store {

/// 'it''s'
std::string sql_text(std::string_view value);
/// "a ""b"""
std::string sql_name(std::string_view name);

}  // namespace yieldloop::store
