/// \file
/// Test results that speak of one block of the die, out of the store.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/core/block_tests.h"
#include "engine/session/load.h"

namespace yieldloop::session {

/// Layout cells by their names in lower case; empty where two cells differ in case only.
using CellNames = std::unordered_map<std::string, std::string>;
CellNames cell_names(const std::vector<std::string>& cells);

/// The cell a test observes: product.toml's word for it ([[test_block]], case does not count), else
/// the longest cell name (three characters at least) that stands in the test's name as a whole
/// word, upper and lower case alike; empty when there is none or when two are equally long.
std::string block_of_test(std::string_view test, const Product& product, const CellNames& cells);

/// Results of the tests whose names lead to a block, for the final result of each die. A result
/// counts as failed by its fail flag, else by its limits. Without results by test, soft bins whose
/// names lead to a block are taken: then every tested die counts as executed. Where there is
/// neither, the result is empty and says why. `cells` are the layout's, without its top.
/// Errors: those of the store.
Result<BlockTests> load_block_tests(store::Snapshot& snapshot, const LoadedFab& fab,
                                    const CellNames& cells);

}  // namespace yieldloop::session
