/// \file
/// What is to be explained: one number for each wafer.
///
/// A share (yield, a bin's share of the tested die) carries how many die it rests on, so that a
/// half-tested wafer weighs less. A real value (defects found at a step, a test's mean) does
/// not.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/core/die_outcomes.h"
#include "engine/core/fab_data.h"
#include "engine/core/result.h"

namespace yieldloop::process {

struct Response {
  std::string name;           ///< "yield", "bin:7", "defects:M1_INSP", "signature:edge_ring", ...
  std::string unit;           ///< Of an effect, e.g. "good die per wafer".
  std::vector<double> value;  ///< Shape: [wafers of FabData]; NaN where there is none.
  std::vector<double> items;  ///< Shape: [wafers]: tested die behind a share; empty: real values.
  double scale = 1.0;         ///< Effect in `unit` for a change of `value` by 1.
  bool lower_is_worse = true;
  bool in_die = false;  ///< Whether `unit` counts good die (with the sign of a gain).
  friend bool operator==(const Response&, const Response&) = default;
};

/// Good share of tested die, final result. Errors: kNoData (RESP-0001) when no die was tested.
Result<Response> yield_response(const FabData& data, NameId insertion = {});
/// The same from outcomes already at hand.
Result<Response> yield_response(const FabData& data, std::span<const DieOutcome> outcomes);

/// Share of die in a failing hard bin (`soft`: soft bin). Errors: RESP-0001; kNotFound
/// (RESP-0002) when no die has the bin.
Result<Response> bin_response(const FabData& data, int bin, bool soft = false);
Result<Response> bin_response(const FabData& data, std::span<const DieOutcome> outcomes, int bin,
                              bool soft);

/// Defects found at an inspection step, mean over its inspections of the wafer, brought to the
/// median inspected area where areas are known. Errors: kNotFound (RESP-0003) when the step
/// inspected no wafer.
Result<Response> defect_response(const FabData& data, NameId step);

/// Any value by wafer, e.g. 1 where a signature is present. Errors: kInvalidOptions (RESP-0004)
/// when the shape is not the number of wafers.
Result<Response> value_response(const FabData& data, std::string name, std::string unit,
                                std::vector<double> value, bool lower_is_worse);

}  // namespace yieldloop::process
