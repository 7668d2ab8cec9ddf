/// \file
/// The stack of layers that a product's nets run through, from product.toml.
///
/// A layer conducts when it is a metal or when a via or contact names it in `connects`. A cut that
/// names more than two layers joins each of them to the last one. Layers that the layout does not
/// draw on are left out.
#pragma once

#include "engine/core/product.h"
#include "engine/core/result.h"
#include "engine/layout/chip_nets.h"

namespace yieldloop::session {

/// Errors: kNoData (SESS-0012) when the layout draws on no layer that conducts.
Result<layout::NetStack> net_stack(const Product& product, const layout::Layout& layout);

}  // namespace yieldloop::session
