/// \file
/// Lengths and identifiers that cannot be mixed up.
///
/// Layout geometry is exact and lives in integer nanometres (`Nm`); anything measured or
/// averaged lives in floating micrometres (`Um`). Neither converts silently to the other
/// or to a bare number. A 300 mm wafer is 3e8 nm, so coordinates fit `int64_t` with room
/// and a product of two (9e16 nm^2) still does.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace yieldloop {

/// Exact length, in nanometres.
struct Nm {
  std::int64_t count = 0;
  friend constexpr auto operator<=>(Nm, Nm) = default;
  friend constexpr Nm operator+(Nm a, Nm b) { return {a.count + b.count}; }
  friend constexpr Nm operator-(Nm a, Nm b) { return {a.count - b.count}; }
};

/// Measured length, in micrometres.
struct Um {
  double value = 0.0;
  friend constexpr auto operator<=>(Um, Um) = default;
  friend constexpr Um operator+(Um a, Um b) { return {a.value + b.value}; }
  friend constexpr Um operator-(Um a, Um b) { return {a.value - b.value}; }
};

/// Exact up to 2^53 nm (9 km); the other direction rounds and must be asked for by name.
constexpr Um to_um(Nm length) { return {static_cast<double>(length.count) / 1000.0}; }

/// An integer name for one kind of thing. Two `Id`s of different `Tag` do not compare.
template <class Tag>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(std::uint32_t raw) : raw_(raw) {}
  constexpr std::uint32_t raw() const { return raw_; }
  friend constexpr auto operator<=>(Id, Id) = default;

 private:
  std::uint32_t raw_ = 0;
};

/// Position of a wafer in FabData::wafers, of a lot in FabData::lots, of a text in FabData::names.
using WaferId = Id<struct WaferTag>;
using LotId = Id<struct LotTag>;
using NameId = Id<struct NameTag>;

/// Column and row of a die in the stepper grid; x grows right and y grows up with the notch
/// at the bottom.
struct DieIndex {
  std::int16_t x = 0;
  std::int16_t y = 0;
  friend constexpr auto operator<=>(DieIndex, DieIndex) = default;
};

}  // namespace yieldloop

template <class Tag>
struct std::hash<yieldloop::Id<Tag>> {
  std::size_t operator()(yieldloop::Id<Tag> id) const noexcept { return id.raw(); }
};

template <>
struct std::hash<yieldloop::DieIndex> {
  std::size_t operator()(yieldloop::DieIndex d) const noexcept {
    return static_cast<std::size_t>(static_cast<std::uint16_t>(d.x)) << 16 |
           static_cast<std::uint16_t>(d.y);
  }
};
