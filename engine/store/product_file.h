/// \file
/// Reads product.toml: what a product is, how its frames map, its layers and its prices.
///
/// Keys this version does not know are left alone, so that a newer file still loads. Layer
/// names in `connects` and `[[inspection]]` may name layers the file does not describe.
///
/// Source: the product file contract in docs/formats/product.md.
#pragma once

#include <string_view>

#include "engine/core/product.h"
#include "engine/core/result.h"

namespace yieldloop::store {

/// Errors, all kFormat, each naming the line and the key: PROD-0001 not TOML; PROD-0002 a
/// required key is missing; PROD-0003 a value has the wrong type; PROD-0004 a number is out of
/// its range; PROD-0005 an unknown word; PROD-0006 a name is given twice;
/// PROD-0007 tables nested too deep.
Result<Product> parse_product(std::string_view toml);

}  // namespace yieldloop::store
