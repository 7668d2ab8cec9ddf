/// \file
/// The schema as a page for people: docs/tables.md is this text, and a test keeps it so.
#pragma once

#include <string>

namespace yieldloop::store {

std::string schema_markdown();

}  // namespace yieldloop::store
