#include "gui/charts/palette.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <span>

namespace yieldloop::charts {
namespace {

constexpr std::array<Rgb, 3> kPassShades{0xff0072b2, 0xff56b4e9, 0xff9cd9ff};

// Found by a search that maximises the least CIE76 distance, over normal, deutan and protan sight,
// between these, the pass shades, no-data grey and both papers: 21.4 at the closest pair.
constexpr std::array<Rgb, 8> kFailColours{0xffd55e00, 0xffe8d471, 0xff592d00, 0xffa58aa8,
                                          0xfff0bb10, 0xff691d71, 0xff989657, 0xfffecda6};

constexpr std::array<Rgb, 7> kCategories{0xffe69f00, 0xff56b4e9, 0xff009e73, 0xfff0e442,
                                         0xff0072b2, 0xffd55e00, 0xffcc79a7};

constexpr std::array<Rgb, 11> kViridis{0xff440154, 0xff482475, 0xff414487, 0xff355f8d,
                                       0xff2a788e, 0xff21918c, 0xff22a884, 0xff44bf70,
                                       0xff7ad151, 0xffbddf26, 0xfffde725};

constexpr std::array<Rgb, 5> kDiverging{0xff0b4f8a, 0xff56b4e9, 0xfff2f2f0, 0xfff0a060, 0xffb34700};

constexpr Rgb kNoValue = 0xffc8c8c8;

double channel(Rgb colour, unsigned shift) { return (colour >> shift) & 0xffU; }

std::uint32_t mixed(Rgb a, Rgb b, unsigned shift, double fraction) {
  const double value = channel(a, shift) + (channel(b, shift) - channel(a, shift)) * fraction;
  return static_cast<std::uint32_t>(std::lround(std::clamp(value, 0.0, 255.0))) << shift;
}

Rgb sampled(std::span<const Rgb> stops, double fraction) {
  if (std::isnan(fraction)) return kNoValue;
  const double place = std::clamp(fraction, 0.0, 1.0) * static_cast<double>(stops.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(place), stops.size() - 2);
  return blend(stops[below], stops[below + 1], place - static_cast<double>(below));
}

// The n-th colour of a set that is repeated darker, then lighter, then darker still.
Rgb cycled(std::span<const Rgb> set, std::size_t index) {
  const Rgb colour = set[index % set.size()];
  switch (index / set.size() % 4) {
    case 0: return colour;
    case 1: return blend(colour, 0xff000000, 0.35);
    case 2: return blend(colour, 0xffffffff, 0.45);
    default: return blend(colour, 0xff000000, 0.6);
  }
}

double linear(double value) {
  const double c = value / 255.0;
  return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

}  // namespace

Rgb bin_colour(int bin, bool pass) {
  if (pass) {
    const int shade = std::clamp(std::abs(bin) - 1, 0, static_cast<int>(kPassShades.size()) - 1);
    return kPassShades[static_cast<std::size_t>(shade)];
  }
  const int first = bin - 2;
  const auto count = static_cast<int>(kFailColours.size());
  const int index = first >= 0 ? first : count * 4 + first % (count * 4);
  return cycled(kFailColours, static_cast<std::size_t>(index));
}

Rgb category_colour(std::size_t index) { return cycled(kCategories, index); }

Rgb viridis(double fraction) { return sampled(kViridis, fraction); }

Rgb diverging(double fraction) { return sampled(kDiverging, fraction); }

Rgb blend(Rgb a, Rgb b, double fraction) {
  const double f = std::clamp(fraction, 0.0, 1.0);
  return mixed(a, b, 24, f) | mixed(a, b, 16, f) | mixed(a, b, 8, f) | mixed(a, b, 0, f);
}

Rgb ink_on(Rgb paper) {
  // Source: WCAG 2.1, definition of relative luminance; 0.179 is where both inks contrast alike.
  const double luminance = 0.2126 * linear(channel(paper, 16)) +
                           0.7152 * linear(channel(paper, 8)) + 0.0722 * linear(channel(paper, 0));
  return luminance > 0.179 ? 0xff000000 : 0xffffffff;
}

}  // namespace yieldloop::charts
