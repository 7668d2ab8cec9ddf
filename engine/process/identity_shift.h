/// \file
/// Are the identities of packaged die right: does wafer sort know the die that they name as good?
///
/// Only die that pass wafer sort are packaged, so the die that an identity names must have passed.
/// For each assembly lot every shift of the identities by up to `reach` die is tried; with a share
/// `kWrong` of packaged die that sort calls bad whatever is done, n die named and k of them good,
///
///   log L = k log(1 - kWrong) + (n - k) log(kWrong).
///
/// A lot is off when another shift beats the identities as they are, and every other shift, by
/// `least_evidence` nats. Wafers that lost whole neighbourhoods look alike under many shifts: then
/// nothing is said.
///
/// Source: likelihood ratio, J. Neyman and E. S. Pearson (1933).
#pragma once

#include <vector>

#include "engine/core/fab_data.h"
#include "engine/core/result.h"

namespace yieldloop::process {

struct IdentityOptions {
  int reach = 4;                 ///< Die, in [1, 20].
  double least_evidence = 20.0;  ///< Nats.
  std::int64_t least_die = 50;   ///< Of an assembly lot with a wafer.
};

struct ShiftedLot {
  NameId assembly_lot{};
  int dx = 0, dy = 0;  ///< What the identities say minus what is true.
  double good_as_named = 0.0, good_when_moved = 0.0;  ///< Share of the die, in [0, 1].
  double evidence = 0.0;                              ///< Nats over the next best shift, or none.
  std::int64_t die = 0;
  std::vector<WaferId> wafers;  ///< Named, sorted.
  friend bool operator==(const ShiftedLot&, const ShiftedLot&) = default;
};

struct IdentityResult {
  std::int64_t die = 0;
  std::int64_t blank = 0;  ///< Without a wafer of the scope, or missing in packages of full size.
  std::int64_t lots = 0;
  std::vector<ShiftedLot> shifted;  ///< Most evidence first.
  friend bool operator==(const IdentityResult&, const IdentityResult&) = default;
};

/// Errors: kInvalidOptions (IDEN-0001); kNoData (IDEN-0002) when there are no packages or no die
/// results to compare them with.
Result<IdentityResult> check_identities(const FabData& data, const IdentityOptions& options = {});

}  // namespace yieldloop::process
