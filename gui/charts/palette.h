/// \file
/// Colours that carry meaning.
///
/// Passing bins are shades of one blue and failing bins never are; a bin keeps its colour in
/// every chart, lot and theme, because the colour depends on the bin number alone. Neighbouring
/// meanings differ by a CIE76 distance of at least 15 for normal, deutan and protan sight.
/// Source: M. Okabe, K. Ito, "Color Universal Design" (2008), the eight-colour set; viridis of
/// S. van der Walt, N. Smith (2015), sampled; colour blindness is tested with G. M. Machado,
/// M. M. Oliveira, L. A. F. Fernandes, IEEE TVCG 15 (2009) 1291-1298.
#pragma once

#include <cstddef>

#include "gui/charts/theme.h"

namespace yieldloop::charts {

inline constexpr Rgb kPassColour = 0xff0072b2;
inline constexpr Rgb kFailColour = 0xffd55e00;

/// By bin number. Bins 2 to 9 take the eight first failing colours; later ones repeat them lighter
/// or darker. Passing bins 1, 2, 3, ... are ever lighter shades of the pass blue.
Rgb bin_colour(int bin, bool pass);

/// Okabe-Ito without black, repeated lighter or darker after seven.
Rgb category_colour(std::size_t index);

/// Perceptually even dark-to-light scale; `fraction` is clamped to [0, 1], NaN gives no-data grey.
Rgb viridis(double fraction);

/// Blue over near white to vermillion; 0.5 is the neutral middle.
Rgb diverging(double fraction);

/// Mix in linear steps of sRGB; 0 gives `a`.
Rgb blend(Rgb a, Rgb b, double fraction);

/// Black or white, whichever reads better on `paper` (WCAG relative luminance).
Rgb ink_on(Rgb paper);

}  // namespace yieldloop::charts
